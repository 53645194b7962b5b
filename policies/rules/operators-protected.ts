import { namespaces } from "../../plan/names";
import { charts } from "../../plan/versions";
import { ofDrill } from "../lib/aws";
import { judge } from "../lib/judge";
import type { StackRule } from "../lib/rule";
import { types } from "../lib/types";
import { at } from "../lib/values";

const data: readonly string[] = [namespaces.cassandra, namespaces.elasticsearch];
/** With these go the definitions of the stores' resources, and with those the stores. */
const operators: readonly string[] = [charts.k8ssandra.name, charts.eck.name];

/** What data goes with is protected like the data: namespaces, the stores' operators, keys that open what is encrypted. */
export const operatorsProtected: StackRule = {
  name: "operators-protected",
  description: "Namespaces with data, the stores' operators and encryption keys are protected outside drills",
  plan: ["S1", "S3", "S5", "D3"],
  checkStack: (resources) =>
    judge(
      resources.filter(({ type }) => [types.namespace, types.release, types.key].includes(type as never)),
      (resource) => {
        const { type, props, protect } = resource;
        const [what, matters] =
          type === types.namespace
            ? [`namespace ${at(props, "metadata", "name")}`, data.includes(String(at(props, "metadata", "name")))]
            : type === types.release
              ? [`release ${props.name}`, operators.some((name) => String(props.chart).split("/").at(-1) === name)]
              : [`key ${props.name}`, true];
        if (!matters || protect || ofDrill(resource, resources)) return [];
        return [`${what} is not protected and data goes with it; set protect from the stack's deletionProtection`];
      },
    ),
};
