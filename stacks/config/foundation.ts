/** Configuration of the foundation (role `foundation`). */
import { z } from "zod";
import { common, protectedOutsideDrills } from "./common";
import { multiRegion } from "./fields";
import { notified } from "./notifications";

/** Checks the foundation's configuration. */
export const foundation = z
  .strictObject({ ...common, role: z.literal("foundation"), media: z.strictObject({ location: multiRegion }) })
  .superRefine(protectedOutsideDrills)
  .superRefine(notified);

export type FoundationConfig = z.output<typeof foundation>;
