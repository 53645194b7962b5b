import assert from "node:assert/strict";
import { test } from "node:test";
import type { Props } from "../../lib/types";
import { UNKNOWN } from "../values";
import { diffInputs } from "./diff";
import { resourceType } from "./table";

function diff(type: string, olds: Props, news: Props) {
  const table = resourceType(type);
  assert.ok(table);
  return diffInputs(table, olds, news);
}
const bucket = (olds: Props, news: Props) => diff("gcp:storage/bucket:Bucket", olds, news);

test("equal inputs, whatever the order of their keys and words, change nothing", () => {
  const olds = { name: "b", labels: { a: "1", b: "2" }, cors: [{ methods: ["GET", "PUT"], origins: ["x"] }] };
  const news = {
    cors: [{ origins: ["x"], methods: ["PUT", "GET"] }],
    labels: { b: "2", a: "1" },
    name: "b",
    logging: null,
  };
  assert.deepEqual(bucket(olds, news), { changes: false, replaces: [], diffs: [], detailed: {} });
});

test("a property that cannot be changed replaces, another one updates", () => {
  assert.deepEqual(bucket({ location: "EU", storageClass: "STANDARD" }, { location: "US", storageClass: "ARCHIVE" }), {
    changes: true,
    replaces: ["location"],
    diffs: ["location", "storageClass"],
    detailed: { location: "update-replace", storageClass: "update" },
  });
});

test("nested properties are compared one by one, with their own replacement", () => {
  const pool = (machineType: string, spot: boolean) => ({
    cluster: "c",
    nodeConfig: { machineType, spot, metadata: { kept: "1", ...(spot && { added: "1" }) } },
  });
  const result = diff("gcp:container/nodePool:NodePool", pool("n2-standard-4", false), pool("n2-standard-8", true));
  assert.deepEqual(result.detailed, {
    "nodeConfig.machineType": "update",
    "nodeConfig.spot": "update-replace",
    'nodeConfig.metadata["added"]': "add-replace",
  });
  assert.deepEqual(result.diffs, ["nodeConfig"]);
});

test("an object that comes or goes replaces when something in it cannot be changed", () => {
  const result = bucket({}, { customPlacementConfig: { dataLocations: ["EUROPE-WEST1", "EUROPE-WEST4"] } });
  assert.deepEqual(result.detailed, { customPlacementConfig: "add-replace" });
  assert.deepEqual(bucket({ versioning: { enabled: true } }, {}).detailed, { versioning: "delete" });
  const rules = [{ action: { type: "Delete" }, condition: { age: 1 } }];
  assert.deepEqual(bucket({ lifecycleRules: rules }, { lifecycleRules: [...rules, ...rules] }).detailed, {
    "lifecycleRules[1]": "add",
  });
});

test("a value that is not known yet counts as changed", () => {
  const result = diff("gcp:compute/subnetwork:Subnetwork", { network: "n" }, { network: UNKNOWN });
  assert.deepEqual(result.replaces, ["network"]);
});
