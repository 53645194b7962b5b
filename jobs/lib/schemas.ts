/** The documents that jobs leave in the buckets as JSON Schema, for whoever reads them with other tools. */
import { z } from "zod";
import { evidenceSchema } from "./evidence";
import { fileSchema, manifestSchema, markerSchema, restoredSchema } from "./manifest";

/** What each document is, where it lies, and its schema; the name is its file's in docs/schemas. */
const documents = {
  manifest: { about: "manifests/<repository>/<backup>.json of a site's backup bucket", schema: manifestSchema },
  file: { about: "a line of the lists of objects beside manifests and markers", schema: fileSchema },
  marker: {
    about: "what is signed in markers/<site>/<marker>.json of the copies bucket",
    schema: markerSchema,
  },
  restored: { about: "restores/<marker>.json of a rebuilt site's backup bucket", schema: restoredSchema },
  evidence: {
    about: "evidence/<site>/<marker>/<repository>-<moment>-<result>.json of the copies bucket",
    schema: evidenceSchema,
  },
} as const;

/** Texts of the schemas by the name of their file. */
export function jsonSchemas(): Map<string, string> {
  return new Map(
    Object.entries(documents).map(([name, { about, schema }]) => {
      const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input" });
      return [`${name}.json`, `${JSON.stringify({ $schema, title: name, description: about, ...rest }, null, 2)}\n`];
    }),
  );
}
