import { multiRegions, regions } from "../../plan/regions";
import type { ResourceRule } from "../lib/rule";
import { storeOf } from "../lib/stores";
import { types } from "../lib/types";
import { shown } from "../lib/values";

/** The location codes of multi-regions that span a continent; dual-regions end in a digit. */
const continental = [...multiRegions.values()].filter(({ code }) => !/\d$/.test(code));

/** S2, S6: a second copy lies in one region, outside every multi-region that primaries of its continent use. */
export const copiesOutsidePrimary: ResourceRule = {
  name: "copies-outside-primary",
  description: "Second copies lie in a single region outside the primaries' multi-region",
  types: [types.bucket],
  check: (bucket) => {
    const store = storeOf(bucket);
    if (store !== "secondCopy" && store !== "secondMedia") return [];
    const location = String(bucket.props.location).toLowerCase();
    if (!regions.has(location))
      return [`location is ${shown(bucket.props.location)}; a second copy needs a single region`];
    const inside = continental.find((multi) => multi.regions.includes(location));
    return inside ? [`location ${location} lies inside the multi-region ${inside.code} that holds primaries`] : [];
  },
};
