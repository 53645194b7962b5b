import { types } from "../lib/types";
import { type Props, resource, specify } from "../testing";
import { cronjobSafe } from "./cronjob-safe";

const cronJob = (changes: Props = {}) =>
  resource(types.cronJob, {
    spec: {
      concurrencyPolicy: "Forbid",
      startingDeadlineSeconds: 600,
      timeZone: "Etc/UTC",
      jobTemplate: { spec: { activeDeadlineSeconds: 600 } },
      ...changes,
    },
  });

specify(cronjobSafe, {
  holds: [cronJob()],
  violated: [
    [cronJob({ concurrencyPolicy: "Allow" }), /S1, S2, S3, S6: concurrencyPolicy is "Allow"; set "Forbid"/],
    [cronJob({ startingDeadlineSeconds: 0 }), /startingDeadlineSeconds is 0/],
    [cronJob({ timeZone: "Europe/Berlin" }), /timeZone is "Europe\/Berlin"; set "Etc\/UTC"/],
    [cronJob({ jobTemplate: {} }), /activeDeadlineSeconds is not set/],
    [resource(types.cronJob), /concurrencyPolicy is not set.*\n.*startingDeadline.*\n.*\n.*timeZone is not set/],
  ],
});
