/** The environment of whoever deploys from behind a proxy. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Status, TrafficStatus } from "./cloud/api";
import { behindProxy, caFileOf } from "./environment";
import { authority } from "./lib/certificates";

test("programs believe both authorities, however their files end", async () => {
  const dir = mkdtempSync(join(tmpdir(), "environment-"));
  try {
    for (const end of ["", "\n", "\r\n"]) {
      const traffic = join(dir, "traffic.crt");
      writeFileSync(traffic, (await authority("traffic")).certificate.trim() + end);
      writeFileSync(caFileOf(dir), (await authority("aws")).certificate.trim() + end);
      const proxied = behindProxy(
        dir,
        { proxyEndpoint: "http://127.0.0.1:1" } as Status,
        { authority: traffic } as TrafficStatus,
      );
      const code = 'require("tls").createSecureContext(); console.log(require("tls").rootCertificates.length > 0)';
      const { stdout, stderr } = spawnSync(process.execPath, ["-e", code], {
        env: { ...process.env, ...proxied },
        encoding: "utf8",
      });
      assert.deepEqual([stdout, stderr], ["true\n", ""], JSON.stringify(end));
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
});
