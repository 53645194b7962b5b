import { mediaBuckets } from "../../plan/media";
import { types } from "../lib/types";
import { bucket, resource, running, runs, specify } from "../testing";
import { mediaReplicated } from "./media-replicated";

const names = mediaBuckets.map(({ secondary }) => secondary);
const secondary = (name: string) => bucket("second-media", { name });
const fills = (name: string, spec = {}) => runs("replicate-media", { secondary: name }, spec);
const whole = names.flatMap((name) => [secondary(name), fills(name)]);
const copies = bucket("second-copy");
const restores = (name: string) => resource(types.job, running("restore-media", { secondary: name }));
const FILES = "iconik-files-secondary";

specify(mediaReplicated, {
  holds: [
    [copies, ...whole],
    [bucket("second-copy", { project: "iconik-drill-vault" })],
    [bucket("media", { name: "iconik-files" })],
    [secondary(FILES), fills(FILES, { suspend: true }), restores(FILES)],
  ],
  violated: [
    [[copies], /S6: media bucket iconik-files has no secondary; declare iconik-files-secondary in the vault/],
    [[copies, ...whole.slice(2)], /media bucket iconik-files has no secondary/],
    [[secondary("iconik-files-secondary")], /has 0 CronJobs that run replicate-media/],
    [[secondary("iconik-files-secondary"), fills("iconik-proxies-secondary")], /has 0 CronJobs/],
    [[secondary("iconik-files-secondary"), runs("replicate-media")], /has 0 CronJobs/],
    [[secondary("iconik-files-secondary"), ...[1, 2].map(() => fills("iconik-files-secondary"))], /has 2 CronJobs/],
    [
      [secondary("iconik-files-secondary"), fills("iconik-files-secondary", { suspend: true })],
      /replicate-media is suspended/,
    ],
    [[secondary(FILES), fills(FILES), restores(FILES)], /would propagate what is half restored; set suspend to true/],
    [[secondary(FILES), fills(FILES, { suspend: true }), restores("iconik-proxies-secondary")], /is suspended/],
  ],
});
