/**
 * Asks who serves before the traffic turns, either way: two sites that take writes cannot be made one again, and what the standby
 * took is not in Google.
 */
import { publicWitness, searchString, trafficObject } from "../plan/failover";
import { configNamespace } from "../plan/names";
import { standbyBuckets } from "../plan/standby";
import { ConfigError, type StandbyConfig } from "./config";
import type { BucketReader } from "./copies";
import type { Probe } from "./https-probe";
import { isAbsent, reasonOf } from "./standby-copies";

/** Times that the primary is asked before its silence is believed. */
const attempts = 3;

/**
 * Refuses to activate the standby while the primary still serves, or while that cannot be found out, unless the configuration says
 * by name that it is fenced, or that what it takes from now on is given up.
 * @throws ConfigError
 */
export async function notServing(stack: string, config: StandbyConfig, probe: Probe): Promise<void> {
  const { active, primary, restored } = config;
  if (!active || restored !== undefined || primary.fenced !== undefined || primary.force !== undefined) return;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const serves = await probe(primary.address).catch((error: Error) => {
      throw new ConfigError(stack, [
        `${configNamespace}:active is true: it is not known whether site "${primary.site}" still serves at ${primary.address}: ${error.message}; ` +
          `make the proxy connect to ${primary.address}:443 and ${publicWitness}:443 or, where this machine needs none for them, name them in ` +
          `NO_PROXY; a site that is fenced (docs/runbooks/d4-google-lost.md) is not asked once ${configNamespace}:primary.fenced is ` +
          `"${primary.site}", and its writes are given up with ${configNamespace}:primary.force "${primary.site}"`,
      ]);
    });
    if (!serves) continue;
    throw new ConfigError(stack, [
      `${configNamespace}:active is true: site "${primary.site}" still answers at ${primary.address}, and what it takes from now on would be ` +
        `lost; fence it (docs/runbooks/d4-google-lost.md) and set ${configNamespace}:primary.fenced to "${primary.site}", or give its writes up ` +
        `with ${configNamespace}:primary.force "${primary.site}"`,
    ]);
  }
}

/**
 * Refuses to end a standby that serves, unless the configuration names the site that takes over: a configuration that knows
 * nothing of an activation would send users back to data of before.
 * @throws ConfigError
 */
export async function notServed(stack: string, config: StandbyConfig, reader: BucketReader): Promise<void> {
  const { active, primary } = config;
  if (active) return;
  const bucket = standbyBuckets(config.buckets.prefix, config.media.prefix).traffic;
  const place = `s3://${bucket}/${trafficObject}`;
  // Before the first update nobody is said to serve.
  const said = await reader.read(bucket, trafficObject).catch((error: Error) => {
    if (isAbsent(error)) return "";
    throw new ConfigError(stack, [
      `who serves cannot be read from ${place} (${reasonOf(error)}): whoever runs this needs s3:GetObject of it, as \`deployer\` or ` +
        "`previewer` of the configuration",
    ]);
  });
  const serves = said.includes(searchString("standby"));
  if (serves && primary.resume === undefined)
    throw new ConfigError(stack, [
      `${configNamespace}:active is false: the standby serves (${place}), and users would be sent to site "${primary.site}" at ${primary.address}, ` +
        "without what was written in AWS; allowed: true, which belongs on main as long as the standby serves " +
        "(docs/runbooks/d4-google-lost.md); after a failback (docs/runbooks/failback.md), or to give up what was written in AWS, set " +
        `${configNamespace}:primary.resume to "${primary.site}"`,
    ]);
  if (!serves && primary.resume !== undefined)
    throw new ConfigError(stack, [
      `${configNamespace}:primary.resume is "${primary.resume}": left over from a failback, and the next one would not ask; remove it`,
    ]);
}
