import { stackLabels } from "../../plan/labels";
import { types } from "../lib/types";
import { resource, specify } from "../testing";
import { resourcesLabelled } from "./resources-labelled";

const labels = stackLabels("prod", "site");

specify(resourcesLabelled, {
  holds: [
    resource(types.bucket, { labels: { ...labels, "iconik-store": "media" } }),
    resource(types.cluster, { resourceLabels: labels }),
    resource(types.alertPolicy, { userLabels: labels }),
    // It has no labels.
    resource(types.customRole),
  ],
  violated: [
    [resource(types.bucket), /S4: labels has no iconik-stack.*\n.*labels has no iconik-role.*\n.*no managed-by/],
    [resource(types.bucket, { labels: {} }), /labels has no iconik-stack/],
    [resource(types.bucket, { labels: { ...labels, "iconik-stack": "" } }), /labels has no iconik-stack/],
    [resource(types.cluster, { labels }), /resourceLabels has no iconik-stack/],
    [resource(types.alertPolicy, { labels }), /userLabels has no iconik-role/],
    [resource(types.bucket, { labels: { ...labels, "managed-by": "hand" } }), /managed-by is "hand"; set "pulumi"/],
  ],
});
