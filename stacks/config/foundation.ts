/** Configuration of the foundation (role `foundation`). */
import { z } from "zod";
import { common, protectedOutsideDrills } from "./common";
import { multiRegion } from "./fields";

/** Checks the foundation's configuration. */
export const foundation = z
  .strictObject({ ...common, role: z.literal("foundation"), media: z.strictObject({ location: multiRegion }) })
  .superRefine(protectedOutsideDrills);

export type FoundationConfig = z.output<typeof foundation>;
