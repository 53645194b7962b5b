import { bucket, specify } from "../testing";
import { copiesOutsidePrimary } from "./copies-outside-primary";

const copies = (location: string | undefined, primaries?: string, store = "second-copy") =>
  bucket(store, { location, labels: { "iconik-store": store, ...(primaries && { "iconik-primaries": primaries }) } });

specify(copiesOutsidePrimary, {
  holds: [
    copies("EUROPE-WEST6", "eu"),
    copies("europe-west6", "eu_eur4"),
    copies("EUROPE-WEST2", "eu", "second-media"),
    copies("NORTHAMERICA-NORTHEAST1", "us"),
    // A primary is not its business.
    bucket("media", { location: "EU" }),
  ],
  violated: [
    [copies("EU", "eu"), /S2, S6: location is "EU"; a second copy needs a single region/],
    [copies(undefined, "eu"), /location is not set/],
    [copies("EUROPE-WEST4", "eu"), /inside the multi-region EU/],
    [copies("EUROPE-WEST4", "eur8"), /inside the multi-region EU/],
    [copies("EUROPE-WEST6", "eur8"), /lies inside the primary's multi-region EUR8/],
    [copies("EUROPE-WEST6", "us"), /is on another continent \(europe\) than US \(north-america\)/],
    [copies("EUROPE-WEST6", "eu_us", "second-media"), /another continent/],
    [copies("EUROPE-WEST6", "europe-west1"), /is no multi-region/],
    [copies("EUROPE-WEST6"), /label iconik-primaries is not set/],
    [bucket("second-copy", { location: "EUROPE-WEST6" }), /label iconik-primaries is not set/],
  ],
});
