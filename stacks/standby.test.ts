import { before, describe, test } from "node:test";
import type { Declaration } from "../tests/lib/declared";
import { assertGolden } from "../tests/lib/golden";
import { declaredStack } from "../tests/lib/stacks";

for (const stack of ["aws-standby", "aws-standby-active"] as const) {
  describe(stack, () => {
    let standby: Declaration;
    before(async () => {
      standby = await declaredStack(stack);
    });
    test("its inventory", () => assertGolden(stack, standby.resources));
  });
}
