/** Who hears of a stack's alerts (key `notifications`). */
import { z } from "zod";
import { isDrillProject } from "../../plan/names";

const channel = z
  .string(
    "no channel; make it in the project by hand, with its key, and name it as projects/PROJECT/notificationChannels/ID",
  )
  .regex(
    /^projects\/[a-z][a-z0-9-]{4,28}[a-z0-9]\/notificationChannels\/\d+$/,
    "no channel; allowed: projects/PROJECT/notificationChannels/ID of one that was made by hand, so that its key is in no configuration",
  );

/** Channels that need a key or a secret address are made by hand; the others are declared. */
export const notifications = z
  .array(
    z.discriminatedUnion(
      "type",
      [
        z.strictObject({
          type: z.literal("email"),
          address: z.email("no e-mail address; allowed: e.g. on-call@example.com"),
        }),
        z.strictObject({
          type: z.literal("pubsub"),
          topic: z
            .string("no topic; allowed: projects/PROJECT/topics/NAME")
            .regex(/^projects\/[^/]+\/topics\/[^/]+$/, "no topic; allowed: projects/PROJECT/topics/NAME"),
        }),
        z.strictObject({ type: z.literal("pagerduty"), channel }),
        z.strictObject({ type: z.literal("webhook"), channel }),
      ],
      "no notification; allowed: { type: email, address }, { type: pubsub, topic }, { type: pagerduty or webhook, channel }",
    ),
  )
  .default([]);

/** Somebody hears of production's alerts, each once, by channels that the stack's project has. */
export function notified(
  config: { project: string; notifications: z.output<typeof notifications> },
  issues: z.RefinementCtx,
): void {
  const add = (path: (string | number)[], input: unknown, message: string) =>
    issues.addIssue({ code: "custom", path: ["notifications", ...path], input, message });
  if (config.notifications.length === 0 && !isDrillProject(config.project)) {
    add(
      [],
      undefined,
      "nobody would hear of an alert; name one or more, e.g. { type: email, address: on-call@example.com }",
    );
  }
  const texts = config.notifications.map((each) => JSON.stringify(each));
  for (const [index, each] of config.notifications.entries()) {
    const first = texts.indexOf(texts[index]!);
    if (first !== index) add([index], each, `given before in notifications[${first}]; name each once`);
    // What is no channel at all has been said already.
    const owner = "channel" in each ? /^projects\/([^/]+)\//.exec(each.channel)?.[1] : undefined;
    if ("channel" in each && owner !== undefined && owner !== config.project) {
      const message = `a channel of another project, which alerts here cannot use; make one in ${config.project}`;
      add([index, "channel"], each.channel, message);
    }
  }
}
