/** The standby's state and key are not Google's. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { standbyBackend } from "../plan/standby";
import { notShared } from "./standby-state";

test("a state or a key in Google Cloud is refused, each with what to set", () => {
  for (const fine of [
    {},
    { backend: standbyBackend },
    { backend: "file://~", secretsProvider: "passphrase" },
    { secretsProvider: "awskms:///alias/pulumi-standby?region=eu-central-1" },
  ])
    notShared("aws-standby", fine);
  assert.throws(
    () => notShared("aws-standby", { backend: "gs://iconik-state" }),
    /PULUMI_BACKEND_URL is "gs:\/\/iconik-state": .*; set it to s3:\/\/iconik-standby-state/,
  );
  assert.throws(
    () => notShared("aws-standby", { backend: "gs://x", secretsProvider: "gcpkms://projects/x/keys/y" }),
    /has 2 problems[\s\S]*secretsprovider of Pulumi\.aws-standby\.yaml is "gcpkms:\/\/projects\/x\/keys\/y"/,
  );
});
