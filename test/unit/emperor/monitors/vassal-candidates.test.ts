import assert from "node:assert/strict";
import test from "node:test";
import {
  chooseCandidates,
  vassalNameOf,
} from "../../../../src/emperor/monitors/vassal-candidates.ts";

const NAMES: readonly (readonly [string, string | undefined])[] = [
  ["blog.yaml", "blog"],
  ["blog.yml", "blog"],
  ["blog.json", "blog"],
  ["blog.ini", "blog"],
  ["my.blog@2-b_c.yaml", "my.blog@2-b_c"],
  ["blog.yaml.ini", "blog.yaml"],
  // Not meant as vassals at all.
  ["README.md", undefined],
  ["blog", undefined],
  ["blog.YAML", undefined],
  ["blog.yaml.disabled", undefined],
  ["4913", undefined],
  // Hidden files and what editors and package tools leave.
  [".blog.yaml", undefined],
  [".blog.yaml.swp", undefined],
  [".yaml", undefined],
  ["blog.yaml~", undefined],
  ["~blog.yaml", undefined],
  ["#blog.yaml#", undefined],
  [".#blog.yaml", undefined],
  ["#blog.yaml", undefined],
  ["blog.yaml.tmp", undefined],
  ["blog.tmp.yaml", undefined],
  ["blog.swp.yaml", undefined],
  ["blog.bak.ini", undefined],
  ["blog.ini.bak", undefined],
  ["blog.yaml.dpkg-new", undefined],
  ["blog.dpkg-old.yaml", undefined],
  ["blog.yaml.rpmsave", undefined],
  ["blog.orig.yaml", undefined],
];

for (const [entry, name] of NAMES) {
  test(`vassalNameOf() of "${entry}" is ${name ?? "nothing"}`, () => {
    assert.equal(vassalNameOf(entry), name);
  });
}

const NOBODY = new Map<string, string>();

test("chooseCandidates() refuses names that cannot be vassals, with the file and the reason", () => {
  const names = ["-x.yaml", "bl og.yaml", "ä.yaml", `${"a".repeat(129)}.yaml`, "b\n.ini"];
  const { files, refused } = chooseCandidates([{ folder: "/v", names }], NOBODY);
  assert.equal(files.size, 0);
  assert.deepEqual(
    refused.map(({ file }) => file),
    names.map((name) => `/v/${name}`),
  );
  for (const { reason } of refused) assert.match(reason, /^Cannot take it as a vassal: /);
});

test("chooseCandidates() guesses none of two files with one name, and the others go on", () => {
  const names = ["a.ini", "a.yaml", "b.yaml"];
  const { files, refused } = chooseCandidates([{ folder: "/v", names }], NOBODY);
  assert.deepEqual([...files], [["b", "/v/b.yaml"]]);
  assert.deepEqual(
    refused.map(({ file }) => file),
    ["/v/a.ini", "/v/a.yaml"],
  );
  assert.match(refused[0]?.reason ?? "", /"\/v\/a\.yaml" has the same name, none of them is taken/);
});

test("chooseCandidates() keeps the one of two that runs already, also across folders", () => {
  const listing = [
    { folder: "/v", names: ["a.ini"] },
    { folder: "/w", names: ["a.yaml"] },
  ];
  const { files, refused } = chooseCandidates(listing, new Map([["a", "/w/a.yaml"]]));
  assert.deepEqual([...files], [["a", "/w/a.yaml"]]);
  assert.deepEqual(
    refused.map(({ file }) => file),
    ["/v/a.ini"],
  );
});
