/** `npm run build:jobs`: the one file that the image holds beside Node and rclone. */
import { dirname, join } from "node:path";
import { BUNDLE, bundleJobs } from "./bundle";

void bundleJobs(join(dirname(__dirname), BUNDLE));
