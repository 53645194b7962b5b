/** Compares inputs along the provider's own table. */
import type { Props } from "../../lib/types";
import type { DiffResult } from "../provider";
import * as shape from "../shape/diff";
import type { ObjectType } from "../shape/table";
import { objectType } from "./table";

/** What changes between two sets of inputs, and which changes replace the resource. */
export const diffInputs = (type: ObjectType, olds: Props, news: Props): DiffResult =>
  shape.diffInputs(type, olds, news, objectType);
