import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { credentials, type ServiceError } from "@grpc/grpc-js";
import type { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb.js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { providerBin } from "./build";

const cache = mkdtempSync(join(tmpdir(), "providers-"));
after(() => rmSync(cache, { recursive: true }));

/** Runs a launcher, asks the plugin for its version and stops it. */
async function version(name: string): Promise<string> {
  const plugin = spawn(join(providerBin, `pulumi-resource-${name}`), ["127.0.0.1:1"], {
    cwd: "/",
    env: { ...process.env, SANDBOX_CACHE: cache, SANDBOX_SOCKET: join(cache, "s") },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(plugin, "exit");
  try {
    const [line] = (await once(plugin.stdout, "data")) as [Buffer];
    const client = new ResourceProviderClient(`127.0.0.1:${line.toString().trim()}`, credentials.createInsecure());
    try {
      return await new Promise<string>((resolve, reject) =>
        client.getPluginInfo(new Empty(), (error: ServiceError | null, info: PluginInfo) =>
          error ? reject(error) : resolve(info.getVersion()),
        ),
      );
    } finally {
      client.close();
    }
  } finally {
    plugin.kill();
    await exited;
  }
}

test("launchers started at once build one bundle and serve", async () => {
  const versions = await Promise.all(["gcp", "gcp", "random"].map(version));
  assert.deepEqual(versions, ["9.35.0", "9.35.0", "4.21.2"]);
  assert.deepEqual(readdirSync(join(cache, "providers")).sort(), ["gcp.cjs", "random.cjs"]);
});

test("a bundle is made again only when it is older than its sources", async () => {
  const bundle = join(cache, "providers/random.cjs");
  const made = statSync(bundle).ino;
  await version("random");
  assert.equal(statSync(bundle).ino, made);
  utimesSync(bundle, 0, 0);
  await version("random");
  assert.notEqual(statSync(bundle).ino, made);
});
