/**
 * Google Cloud's places as far as the plan decides about them: the zones of a region, its continent (residency is
 * decided per continent) and which multi-regions store data in it.
 * Source: Compute Engine "Regions and zones", Cloud Storage "Bucket locations".
 */
export type Continent = "europe" | "north-america" | "south-america" | "asia" | "australia" | "africa";

/** One region. */
export interface Region {
  name: string;
  continent: Continent;
  /** Full zone names, e.g. `europe-west1-b`. */
  zones: string[];
  /** Position in the table. Address ranges derive from it, so a region keeps its ranges for ever. */
  index: number;
}

/** Append only: a region's position picks its address ranges. Zones are a, b, c unless given. */
const table: [name: string, continent: Continent, zones?: string][] = [
  ["europe-central2", "europe"],
  ["europe-north1", "europe"],
  ["europe-north2", "europe"],
  ["europe-southwest1", "europe"],
  ["europe-west1", "europe", "bcd"],
  ["europe-west2", "europe"],
  ["europe-west3", "europe"],
  ["europe-west4", "europe"],
  ["europe-west6", "europe"],
  ["europe-west8", "europe"],
  ["europe-west9", "europe"],
  ["europe-west10", "europe"],
  ["europe-west12", "europe"],
  ["northamerica-northeast1", "north-america"],
  ["northamerica-northeast2", "north-america"],
  ["northamerica-south1", "north-america"],
  ["us-central1", "north-america", "abcf"],
  ["us-east1", "north-america", "bcd"],
  ["us-east4", "north-america"],
  ["us-east5", "north-america"],
  ["us-south1", "north-america"],
  ["us-west1", "north-america"],
  ["us-west2", "north-america"],
  ["us-west3", "north-america"],
  ["us-west4", "north-america"],
  ["southamerica-east1", "south-america"],
  ["southamerica-west1", "south-america"],
  ["asia-east1", "asia"],
  ["asia-east2", "asia"],
  ["asia-northeast1", "asia"],
  ["asia-northeast2", "asia"],
  ["asia-northeast3", "asia"],
  ["asia-south1", "asia"],
  ["asia-south2", "asia"],
  ["asia-southeast1", "asia"],
  ["asia-southeast2", "asia"],
  ["me-central1", "asia"],
  ["me-central2", "asia"],
  ["me-west1", "asia"],
  ["australia-southeast1", "australia"],
  ["australia-southeast2", "australia"],
  ["africa-south1", "africa"],
];

/** Every region by name. */
export const regions: ReadonlyMap<string, Region> = new Map(
  table.map(([name, continent, zones = "abc"], index) => [
    name,
    { name, continent, zones: [...zones].map((letter) => `${name}-${letter}`), index },
  ]),
);

/** A bucket location that spans regions. */
export interface MultiRegion {
  code: string;
  continent: Continent;
  /** Regions that may hold its data. A second copy must lie in none of them. */
  regions: string[];
}

/** EU is the European Union: London and Zurich lie outside. */
const outsideEu = ["europe-west2", "europe-west6"];

function regionNames(fits: (name: string) => boolean): string[] {
  return table.map(([name]) => name).filter(fits);
}

/** Multi-regions and predefined dual-regions by location code. */
export const multiRegions: ReadonlyMap<string, MultiRegion> = new Map(
  (
    [
      ["EU", "europe", regionNames((name) => name.startsWith("europe-") && !outsideEu.includes(name))],
      ["US", "north-america", regionNames((name) => name.startsWith("us-"))],
      ["ASIA", "asia", regionNames((name) => name.startsWith("asia-"))],
      ["ASIA1", "asia", ["asia-northeast1", "asia-northeast2"]],
      ["EUR4", "europe", ["europe-north1", "europe-west4"]],
      ["EUR5", "europe", ["europe-west1", "europe-west2"]],
      ["EUR7", "europe", ["europe-west2", "europe-west3"]],
      ["EUR8", "europe", ["europe-west3", "europe-west6"]],
      ["NAM4", "north-america", ["us-central1", "us-east1"]],
    ] satisfies [string, Continent, string[]][]
  ).map(([code, continent, members]) => [code, { code, continent, regions: members }]),
);

/** The multi-region that spans the region's continent and may hold data in it; undefined for a region outside. */
export function continentalMultiRegion(region: string): MultiRegion | undefined {
  // Codes of dual-regions, and of them alone, have a digit.
  return [...multiRegions.values()].find(({ code, regions }) => !/\d/.test(code) && regions.includes(region));
}

/**
 * Why a second copy may not lie in `copies` when the primary lies in `primary`, or undefined when it may.
 * It must be a single region outside the primary's multi-region (S2, S6) on the same continent (residency).
 */
export function copyLocationProblem(primary: string, copies: string): string | undefined {
  const multi = multiRegions.get(primary.toUpperCase());
  if (!multi) {
    return `the primary's location "${primary}" is no multi-region; choose one of ${[...multiRegions.keys()].join(", ")}`;
  }
  const region = regions.get(copies.toLowerCase());
  const fix = `choose one of ${allowedCopyRegions(primary).join(", ")}`;
  if (!region) return `"${copies}" is not a single region; ${fix}`;
  if (region.continent !== multi.continent) {
    return `"${copies}" is on another continent (${region.continent}) than ${multi.code} (${multi.continent}); ${fix}`;
  }
  if (multi.regions.includes(region.name)) {
    return `"${copies}" lies inside the primary's multi-region ${multi.code}; ${fix}`;
  }
  return undefined;
}

/** Multi-regions that span the continent of a region, e.g. `EU`: where primaries are unless something else is said. */
export function continentalMultiRegions(region: string): string[] {
  const continent = regions.get(region)?.continent;
  return [...multiRegions.values()]
    .filter((multi) => multi.continent === continent && !/\d$/.test(multi.code))
    .map(({ code }) => code);
}

/** Regions that may hold the second copy of a primary in this multi-region. */
export function allowedCopyRegions(primary: string): string[] {
  const multi = multiRegions.get(primary.toUpperCase());
  if (!multi) return [];
  return [...regions.values()]
    .filter((region) => region.continent === multi.continent && !multi.regions.includes(region.name))
    .map((region) => region.name);
}
