import { markerAlgorithm } from "../../plan/markers";
import { types } from "../lib/types";
import { resource, specify } from "../testing";
import { markersSigned } from "./markers-signed";

const key = (versionTemplate?: object, purpose = "ASYMMETRIC_SIGN") =>
  resource(types.key, { purpose, ...(versionTemplate && { versionTemplate }) });
const binding = (role: string, ...members: string[]) => resource(types.keyBinding, { cryptoKeyId: "k", role, members });
const REPLICATOR = "serviceAccount:backup-replicator@iconik-vault.iam.gserviceaccount.com";

specify(markersSigned, {
  holds: [
    key(markerAlgorithm),
    key(undefined, "ENCRYPT_DECRYPT"),
    binding("roles/cloudkms.signer", REPLICATOR),
    binding("roles/cloudkms.cryptoKeyEncrypterDecrypter", "serviceAccount:gke@x.iam.gserviceaccount.com"),
    binding("roles/cloudkms.publicKeyViewer", "group:everybody@example.com"),
  ],
  violated: [
    [
      binding("roles/cloudkms.signer", REPLICATOR, "group:admins@example.com"),
      /S2, D5: group:admins@example\.com may sign/,
    ],
    [binding("projects/p/roles/own", "user:me@example.com"), /user:me@example\.com may sign/],
    [key(), /versionTemplate\.algorithm is not set.*\n.*protectionLevel is not set; set "HSM"/],
    [key({ ...markerAlgorithm, protectionLevel: "SOFTWARE" }), /protectionLevel is "SOFTWARE"; set "HSM"/],
  ],
});
