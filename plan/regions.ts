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
}

const byContinent: Record<Continent, string[]> = {
  europe: [
    "europe-central2",
    "europe-north1",
    "europe-north2",
    "europe-southwest1",
    "europe-west1",
    "europe-west2",
    "europe-west3",
    "europe-west4",
    "europe-west6",
    "europe-west8",
    "europe-west9",
    "europe-west10",
    "europe-west12",
  ],
  "north-america": [
    "northamerica-northeast1",
    "northamerica-northeast2",
    "northamerica-south1",
    "us-central1",
    "us-east1",
    "us-east4",
    "us-east5",
    "us-south1",
    "us-west1",
    "us-west2",
    "us-west3",
    "us-west4",
  ],
  "south-america": ["southamerica-east1", "southamerica-west1"],
  asia: [
    "asia-east1",
    "asia-east2",
    "asia-northeast1",
    "asia-northeast2",
    "asia-northeast3",
    "asia-south1",
    "asia-south2",
    "asia-southeast1",
    "asia-southeast2",
    "asia-southeast3",
    "me-central1",
    "me-central2",
    "me-west1",
  ],
  australia: ["australia-southeast1", "australia-southeast2"],
  africa: ["africa-south1"],
};

/** Regions whose zones are not a, b, c. */
const zoneLetters: Record<string, string> = { "europe-west1": "bcd", "us-east1": "bcd", "us-central1": "abcf" };

/** Every region by name. */
export const regions: ReadonlyMap<string, Region> = new Map(
  Object.entries(byContinent).flatMap(([continent, names]) =>
    names.map((name): [string, Region] => [
      name,
      {
        name,
        continent: continent as Continent,
        zones: [...(zoneLetters[name] ?? "abc")].map((letter) => `${name}-${letter}`),
      },
    ]),
  ),
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

/** Multi-regions and predefined dual-regions by location code. */
export const multiRegions: ReadonlyMap<string, MultiRegion> = new Map(
  (
    [
      ["EU", "europe", byContinent.europe.filter((name) => !outsideEu.includes(name))],
      ["US", "north-america", byContinent["north-america"].filter((name) => name.startsWith("us-"))],
      ["ASIA", "asia", byContinent.asia.filter((name) => name.startsWith("asia-"))],
      ["ASIA1", "asia", ["asia-northeast1", "asia-northeast2"]],
      ["EUR4", "europe", ["europe-north1", "europe-west4"]],
      ["EUR5", "europe", ["europe-west1", "europe-west2"]],
      ["EUR7", "europe", ["europe-west2", "europe-west3"]],
      ["EUR8", "europe", ["europe-west3", "europe-west6"]],
      ["NAM4", "north-america", ["us-central1", "us-east1"]],
    ] as [string, Continent, string[]][]
  ).map(([code, continent, members]) => [code, { code, continent, regions: members }]),
);

/**
 * Why a second copy may not lie in `copies` when the primary lies in `primary`, or undefined when it may.
 * It must be a single region outside the primary's multi-region (S2, S6) on the same continent (residency).
 */
export function copyLocationProblem(primary: string, copies: string): string | undefined {
  const multi = multiRegions.get(primary.toUpperCase());
  const region = regions.get(copies.toLowerCase());
  if (!multi)
    return `the primary's location "${primary}" is no multi-region (allowed: ${[...multiRegions.keys()].join(", ")})`;
  const fitting = allowedCopyRegions(primary);
  const fix = `choose one of ${fitting.join(", ")}`;
  if (!region) return `"${copies}" is not a single region; ${fix}`;
  if (region.continent !== multi.continent) {
    return `${copies} is on another continent (${region.continent}) than ${multi.code} (${multi.continent}); ${fix}`;
  }
  if (multi.regions.includes(region.name)) {
    return `${copies} lies inside the primary's ${multi.code}, so one disaster could take both; ${fix}`;
  }
  return undefined;
}

/** Regions that may hold the second copy of a primary in this multi-region. */
export function allowedCopyRegions(primary: string): string[] {
  const multi = multiRegions.get(primary.toUpperCase());
  if (!multi) return [];
  return [...regions.values()]
    .filter((region) => region.continent === multi.continent && !multi.regions.includes(region.name))
    .map((region) => region.name);
}
