import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";

/** Who hears of an alert. What needs a key is a channel that somebody made in the project: no key passes through here. */
export type Notification =
  | { type: "email"; address: string }
  | { type: "pubsub"; topic: string }
  | { type: "pagerduty" | "webhook"; channel: string };

/** Arguments of {@link Notifications}. */
export interface NotificationsArgs {
  project: string;
  /** Drills alone may have none. */
  notifications: Notification[];
}

/** The project's notification channels. */
export class Notifications extends ComponentResource {
  /** Names as alert policies want them, in the configuration's order. */
  readonly channels: Input<string>[];

  constructor(name: string, args: NotificationsArgs, opts?: ComponentResourceOptions) {
    super("iconik:monitoring:Notifications", name, {}, opts);
    this.channels = args.notifications.map((each) => {
      if ("channel" in each) return each.channel;
      const [target, labels] =
        each.type === "email"
          ? [each.address, { email_address: each.address }]
          : [each.topic.split("/").at(-1)!, { topic: each.topic }];
      return new gcp.monitoring.NotificationChannel(
        `${name}-${each.type}-${target.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`,
        { project: args.project, type: each.type, displayName: target, labels },
        { parent: this },
      ).name;
    });
    this.registerOutputs({});
  }
}
