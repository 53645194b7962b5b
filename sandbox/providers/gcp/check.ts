/** Checks inputs against the provider's own table. */
import type { Props } from "../../lib/types";
import type { CheckFailure } from "../provider";
import * as shape from "../shape/check";
import type { ObjectType } from "../shape/table";
import { objectType } from "./table";

/** Every place where the inputs do not fit the type. */
export const checkShape = (type: ObjectType, inputs: Props): CheckFailure[] =>
  shape.checkShape(type, inputs, objectType);
