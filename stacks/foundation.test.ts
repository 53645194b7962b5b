/** What the foundation declares. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { mediaBuckets } from "../plan/media";
import { assertGolden } from "../tests/lib/golden";
import { declaredStack } from "../tests/lib/stacks";

test("its inventory", async () => assertGolden("foundation", (await declaredStack("foundation")).resources));

test("the media buckets and the address survive the stack", async () => {
  const { resources, outputs } = await declaredStack("foundation");
  const lasting = resources.filter(({ protect, retainOnDelete }) => protect && retainOnDelete);
  assert.deepEqual(
    lasting.map(({ inputs }) => inputs.name).sort(),
    ["app", ...mediaBuckets.map(({ name }) => name)].sort(),
  );
  assert.deepEqual(
    outputs.mediaBuckets,
    mediaBuckets.map(({ name }) => name),
  );
});
