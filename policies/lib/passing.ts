/** Regions of a site that come or go, as the labels of their clusters say. */
import { datacenterLabel, regionStateLabel } from "../../plan/labels";
import type { PassingState } from "../../plan/region-states";
import type { Declared } from "./rule";
import { types } from "./types";
import { at } from "./values";

/** A region that comes or goes. */
export interface Passing {
  /** As {@link Declared.cluster} of what is in it. */
  cluster: string;
  datacenter: string;
}

/** The regions in a state. */
export function passing(state: PassingState, resources: readonly Declared[]): Passing[] {
  return resources
    .filter((each) => each.type === types.cluster && isPassing(state, each))
    .map(({ props }) => ({
      cluster: `projects/${props.project}/locations/${props.location}/clusters/${props.name}`,
      datacenter: String(at(props, "resourceLabels", datacenterLabel)),
    }));
}

/** Is it the cluster of a region in this state? */
export function isPassing(state: PassingState, { props }: Declared): boolean {
  return at(props, "resourceLabels", regionStateLabel) === state;
}
