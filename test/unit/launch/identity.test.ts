import assert from "node:assert/strict";
import test from "node:test";
import { resolveIdentity } from "../../../src/launch/identity.ts";
import type { IdentityQuery } from "../../../src/launch/identity.ts";

const QUERY: IdentityQuery = {
  vassal: "blog",
  uid: 0,
  gid: 0,
  passwd: "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n",
  groups: "root:x:0:\nwww-data:x:33:\nadm:x:4:syslog\n",
};

test("resolveIdentity() changes nothing when nothing is asked for", () => {
  assert.equal(resolveIdentity(QUERY), undefined);
  assert.equal(resolveIdentity({ ...QUERY, user: "root" }), undefined);
});

test("resolveIdentity() finds users and groups by name and number", () => {
  const www = { uid: 33, gid: 33, user: "www-data", home: "/var/www" };
  assert.deepEqual(resolveIdentity({ ...QUERY, user: "www-data" }), www);
  assert.deepEqual(resolveIdentity({ ...QUERY, user: "33" }), www);
  assert.deepEqual(resolveIdentity({ ...QUERY, user: "www-data", group: "adm" }), {
    ...www,
    gid: 4,
  });
  assert.deepEqual(resolveIdentity({ ...QUERY, user: "4242", group: "4243" }), {
    uid: 4242,
    gid: 4243,
  });
});

test("resolveIdentity() refuses what is no user, with the fix", () => {
  assert.throws(() => resolveIdentity({ ...QUERY, user: "nobody-here" }), {
    code: "TSGI_SPAWN_FAILED",
    message: /there is no user "nobody-here"; create it/,
  });
  assert.throws(() => resolveIdentity({ ...QUERY, user: "www-data", group: "nope" }), {
    message: /there is no group "nope"/,
  });
  assert.throws(() => resolveIdentity({ ...QUERY, user: "4242" }), {
    message: /"group" must be set/,
  });
  for (const user of ["-1", "4294967295", "4294967296", "0x21", "033", "1e3", " 33", ""]) {
    assert.throws(
      () => resolveIdentity({ ...QUERY, user, group: "adm" }),
      { code: "TSGI_SPAWN_FAILED" },
      user,
    );
  }
});

test("resolveIdentity() lets only root change", () => {
  assert.throws(() => resolveIdentity({ ...QUERY, uid: 1000, gid: 1000, user: "www-data" }), {
    message: /only root can change to user "www-data"/,
  });
  assert.equal(resolveIdentity({ ...QUERY, uid: 33, gid: 33, user: "www-data" }), undefined);
});
