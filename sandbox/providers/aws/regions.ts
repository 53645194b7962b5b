/** Regions and availability zones of AWS. */

/** Letters of the zones that every region here has. */
export const ZONES = ["a", "b", "c"];

const REGIONS = new Set(
  `af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2
  ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-7 ca-central-1 ca-west-1 eu-central-1 eu-central-2 eu-north-1
  eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1 me-south-1 mx-central-1 sa-east-1 us-east-1
  us-east-2 us-west-1 us-west-2`.split(/\s+/),
);

/** True for the name of a region, e.g. `eu-west-1`. */
export const isAwsRegion = (name: string): boolean => REGIONS.has(name);

/** Region of a zone such as `eu-west-1a`; empty when it is no zone. */
export function regionOfZone(zone: string): string {
  const [, region = "", letter = ""] = /^(.+\d)([a-z])$/.exec(zone) ?? [];
  return isAwsRegion(region) && ZONES.includes(letter) ? region : "";
}
