import { primariesLabel, primariesOf } from "../../plan/labels";
import { copyLocationProblem, multiRegions, regions } from "../../plan/regions";
import type { ResourceRule } from "../lib/rule";
import { storeOf } from "../lib/stores";
import { types } from "../lib/types";
import { object, shown } from "../lib/values";

/** The location codes of multi-regions that span a continent; dual-regions end in a digit. */
const continental = [...multiRegions.values()].filter(({ code }) => !/\d$/.test(code));

/** A second copy lies in one region on its primaries' continent, outside the multi-regions that they are in. */
export const copiesOutsidePrimary: ResourceRule = {
  name: "copies-outside-primary",
  description: "Second copies lie in a single region outside the primaries' multi-region, on the same continent",
  plan: ["S2", "S6"],
  types: [types.bucket],
  check: (bucket) => {
    const store = storeOf(bucket);
    if (store !== "secondCopy" && store !== "secondMedia") return [];
    const location = String(bucket.props.location).toLowerCase();
    if (!regions.has(location))
      return [`location is ${shown(bucket.props.location)}; a second copy needs a single region`];
    const inside = continental.find((multi) => multi.regions.includes(location));
    const primaries = primariesOf(object(bucket.props.labels));
    return [
      ...(inside ? [`location ${location} lies inside the multi-region ${inside.code} that holds primaries`] : []),
      ...(primaries.length === 0
        ? [`label ${primariesLabel} is not set; set where the primaries are, e.g. "eu" (primaries of StoreBucket)`]
        : []),
      ...primaries.flatMap((primary) => {
        const problem = copyLocationProblem(primary, location);
        return problem ? [`location ${problem}`] : [];
      }),
    ];
  },
};
