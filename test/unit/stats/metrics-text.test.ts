import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsText } from "../../../src/stats/metrics-text.ts";
import { sampleSnapshot, sampleVassal } from "../../kit/sample-snapshot.ts";

test("metricsText() is valid exposition text with every vassal", () => {
  const vassals = [sampleVassal(), sampleVassal({ name: "shop", up: false, state: "stopped" })];
  const lines = metricsText(sampleSnapshot(vassals)).trimEnd().split("\n");
  for (const line of lines) {
    assert.match(
      line,
      /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [\d.]+)$/,
    );
  }
  assert.ok(lines.includes('tsgi_vassal_up{vassal="blog"} 1'));
  assert.ok(lines.includes('tsgi_vassal_up{vassal="shop"} 0'));
  assert.ok(lines.includes('tsgi_vassal_requests_total{vassal="blog"} 1234'));
  assert.ok(lines.includes('tsgi_vassal_workers{vassal="blog",state="busy"} 1'));
  assert.ok(lines.includes("tsgi_emperor_rss_bytes 1000"));
});
