import { runs, specify } from "../testing";
import { nightlySchedule } from "./nightly-schedule";

const at = (schedule: unknown, command = "snapshot-cassandra") => runs(command, {}, { schedule });

specify(nightlySchedule, {
  holds: [
    at("0 1 * * *"),
    at("*/15 * * * *", "replicate"),
    at("30 1 1-31 1-12 0-6", "replicate-media"),
    at("0 1 * * 0-7"),
    at("@daily"),
    // What else runs, runs as often as it wants.
    at("0 1 * * 0", "verify"),
  ],
  violated: [
    [
      at("0 1 * * 1-5"),
      /S1, S2, S3, S6: CronJob snapshot-cassandra has schedule "0 1 \* \* 1-5", which leaves days out/,
    ],
    [at("0 1 */2 * *", "replicate"), /CronJob replicate has schedule .* leaves days out/],
    [at("0 1 1-30 * *", "replicate-media"), /leaves days out/],
    [at("0 1 * 1-11 *", "snapshot-elasticsearch"), /leaves days out/],
    [at("0 1 31 2 *"), /leaves days out|no cron expression/],
    [at("@weekly"), /no cron expression of five fields/],
    [at("0 0 1 * * *"), /no cron expression of five fields/],
    [at("99 1 * * *"), /is no cron expression \(/],
    [at("nightly"), /no cron expression of five fields/],
    [at(undefined), /has schedule not set/],
  ],
});
