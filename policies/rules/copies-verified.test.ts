import { runs, specify } from "../testing";
import { copiesVerified } from "./copies-verified";

const replicate = runs("replicate", { site: "prod", repositories: ["cassandra-emea", "elasticsearch-emea"] });
const verify = (repository: string, spec = {}, site = "prod") =>
  runs("verify-copy", { site, repository }, { schedule: "0 7 * * 1", ...spec });

specify(copiesVerified, {
  holds: [
    [replicate, verify("cassandra-emea"), verify("elasticsearch-emea")],
    [
      replicate,
      verify("cassandra-emea", { schedule: "@weekly" }),
      verify("elasticsearch-emea", { schedule: "0 7 * * *" }),
    ],
    // Whoever copies nothing has nothing to verify.
    [runs("replicate", { site: "prod", repositories: [] })],
    [runs("snapshot-cassandra")],
  ],
  violated: [
    [[replicate, verify("cassandra-emea")], /the copy of elasticsearch-emea of site "prod" is never restored/],
    [
      [replicate, verify("cassandra-emea"), verify("elasticsearch-emea", {}, "other")],
      /elasticsearch-emea of site "prod"/,
    ],
    [
      [replicate, verify("cassandra-emea", { suspend: true }), verify("elasticsearch-emea")],
      /suspend is true; set false/,
    ],
    [
      [replicate, verify("cassandra-emea", { schedule: "0 7 1 * *" }), verify("elasticsearch-emea")],
      /CronJob verify-copy: schedule is "0 7 1 \* \*"; run it each week/,
    ],
    [
      [replicate, verify("cassandra-emea", { schedule: "0 7 * 1-6 1" }), verify("elasticsearch-emea")],
      /run it each week/,
    ],
    [[replicate, verify("cassandra-emea", { schedule: "weekly" }), verify("elasticsearch-emea")], /run it each week/],
  ],
});
