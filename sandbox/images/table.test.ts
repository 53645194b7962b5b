import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadTools } from "../toolchain";
import { imageTable } from "./table";

test("Cassandra's published image has the programs that pods run of it, in any registry", () => {
  const dir = mkdtempSync(join(tmpdir(), "images-"));
  try {
    const table = imageTable(loadTools(), dir, { images: [] } as never, dir);
    for (const image of [
      "docker.io/k8ssandra/cass-management-api:5.0.4-ubi",
      "h/p/mirror/k8ssandra/cass-management-api:5.0.4-ubi",
    ]) {
      const mounts = table(image)?.mounts ?? {};
      for (const name of ["sstableloader", "nodetool"])
        assert.ok(existsSync(join(mounts["/opt/cassandra/bin"]!, name)));
    }
    assert.equal(table("h/p/mirror/somebody/else:1"), undefined);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
