/** Alerts, channels, uptime checks, log-based metrics and audit configurations: names, references, what keeps what. */
import { randomInt } from "node:crypto";
import { type Behaviour, CloudError, type Props } from "../../lib/types";
import { type Registry, text } from "../registry";
import { absent, etag, notFound, required } from "./checks";

const ALERT = "gcp:monitoring/alertPolicy:AlertPolicy";
const CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel";
const UPTIME = "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig";
const METRIC = "gcp:logging/metric:Metric";
const LOG_BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig";
const AUDIT = "gcp:projects/iAMAuditConfig:IAMAuditConfig";

/** Log buckets that every project is born with. */
const BORN = ["_Default", "_Required"];

/** A number of Google's own making. */
const number = () => String(randomInt(1e12, 9e12));

/** Behaviours by resource type. */
export function monitoringBehaviours(registry: Registry): Record<string, Behaviour> {
  return {
    [ALERT]: alertBehaviour(),
    [CHANNEL]: channelBehaviour(registry),
    [UPTIME]: uptimeBehaviour(registry),
    [METRIC]: metricBehaviour(registry),
    [LOG_BUCKET]: logBucketBehaviour(registry),
    [AUDIT]: auditBehaviour(registry),
  };
}

function alertBehaviour(): Behaviour {
  const check = (inputs: Props) => {
    const project = required(inputs, "project", "alert policy");
    for (const channel of (inputs.notificationChannels as string[]) ?? []) {
      // One made by hand is known by nobody here; one of another project is of no use.
      if (!channel.startsWith(`projects/${project}/`)) throw notFound(`Notification channel ${channel}`);
    }
    return project;
  };
  const output = (name: string, inputs: Props): Props => ({
    ...inputs,
    name,
    conditions: ((inputs.conditions as Props[]) ?? []).map((each, index) => ({
      ...each,
      name: `${name}/conditions/${index}`,
    })),
  });
  return {
    create: async (inputs) => {
      const id = `projects/${check(inputs)}/alertPolicies/${number()}`;
      return { id, outputs: output(id, inputs) };
    },
    update: async ({ id }, inputs) => {
      check(inputs);
      return output(id, inputs);
    },
  };
}

function channelBehaviour(registry: Registry): Behaviour {
  return {
    create: async (inputs) => {
      const id = `projects/${required(inputs, "project", "notification channel")}/notificationChannels/${number()}`;
      return { id, outputs: { ...inputs, name: id } };
    },
    delete: async ({ id, inputs }) => {
      const user = registry
        .all(ALERT)
        .find((policy) => ((policy.inputs.notificationChannels as string[]) ?? []).includes(id));
      if (!user || inputs.forceDelete === true) return;
      throw new CloudError(
        400,
        "failedPrecondition",
        `Cannot delete notification channel ${id}: it is used by alert policy ${text(user.inputs, "displayName")}`,
      );
    },
  };
}

function uptimeBehaviour(registry: Registry): Behaviour {
  return {
    create: async (inputs) => {
      const slug = text(inputs, "displayName")
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "-");
      const checkId = `${slug}-${number()}`;
      const id = `projects/${required(inputs, "project", "uptime check")}/uptimeCheckConfigs/${checkId}`;
      return { id, outputs: { ...inputs, name: id, uptimeCheckId: checkId } };
    },
    delete: async ({ outputs }) => {
      const checkId = text(outputs, "uptimeCheckId");
      const user = registry.all(ALERT).find(({ inputs }) => JSON.stringify(inputs.conditions).includes(checkId));
      if (!user) return;
      const policy = text(user.inputs, "displayName");
      throw new CloudError(
        400,
        "failedPrecondition",
        `Cannot delete check ${checkId}. One or more alerting policies is using it: ${policy}`,
      );
    },
  };
}

/** The provider's id is the name alone; projects share this cloud, so here it carries the project. */
function metricBehaviour(registry: Registry): Behaviour {
  return {
    create: async (inputs) => {
      const id = `projects/${required(inputs, "project", "log-based metric")}/metrics/${text(inputs, "name")}`;
      absent(registry, METRIC, id);
      return { id, outputs: { ...inputs } };
    },
  };
}

/** Declaring a bucket that the project was born with takes it over; its end leaves it as it is. */
function logBucketBehaviour(registry: Registry): Behaviour {
  return {
    create: async (inputs) => {
      const [project, bucket] = [required(inputs, "project", "log bucket"), text(inputs, "bucketId")];
      const id = `projects/${project}/locations/${text(inputs, "location")}/buckets/${bucket}`;
      if (!BORN.includes(bucket)) absent(registry, LOG_BUCKET, id);
      return { id, outputs: { ...inputs, name: id, lifecycleState: "ACTIVE" } };
    },
  };
}

/** Authoritative for a service: the last one that is written is what counts. */
function auditBehaviour(registry: Registry): Behaviour {
  return {
    create: async (inputs) => {
      const id = `${required(inputs, "project", "audit config")}/audit_config/${text(inputs, "service")}`;
      absent(registry, AUDIT, id);
      return { id, outputs: { ...inputs, etag: etag() } };
    },
  };
}
