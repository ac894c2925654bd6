import assert from "node:assert/strict";
import test from "node:test";
import { selectNames } from "../../../src/emperor/selection.ts";

const FLEET = [
  { name: "api-1", tags: ["api", "eu"] },
  { name: "api-2", tags: ["api"] },
  { name: "blog", tags: [] },
];

test("selectNames() takes names, globs and tags, each vassal once, in the order of the fleet", () => {
  assert.deepEqual(selectNames(["blog", "api-*"], FLEET), ["api-1", "api-2", "blog"]);
  assert.deepEqual(selectNames(["api-?", "tag:eu"], FLEET), ["api-1", "api-2"]);
  assert.deepEqual(selectNames(["tag:a*"], FLEET), ["api-1", "api-2"]);
  assert.deepEqual(selectNames(["*"], FLEET).length, 3);
});

test("selectNames() says what there is when nothing matches", () => {
  assert.throws(() => selectNames(["blob"], FLEET), {
    code: "TSGI_UNKNOWN_VASSAL",
    message: /"blob": there are api-1, api-2, blog/,
  });
  assert.throws(() => selectNames(["tag:us"], FLEET), { code: "TSGI_UNKNOWN_VASSAL" });
  assert.throws(() => selectNames(["a"], []), { message: /there is none/ });
});

test("selectNames() treats every other character as itself, and hostile globs in linear time", () => {
  assert.deepEqual(
    selectNames(
      ["a.c"],
      [
        { name: "a.c", tags: [] },
        { name: "abc", tags: [] },
      ],
    ),
    ["a.c"],
  );
  const long = "a".repeat(128);
  assert.throws(() => selectNames([`${"*a".repeat(60)}*b`], [{ name: long, tags: [] }]));
});
