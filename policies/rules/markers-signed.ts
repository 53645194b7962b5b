import { markerAlgorithm } from "../../plan/markers";
import type { ResourceRule } from "../lib/rule";
import { types } from "../lib/types";
import { object, shown, texts } from "../lib/values";

/** Roles by which one signs with a key. */
const SIGNS =
  /^roles\/cloudkms\.(signer|signerVerifier|signerDecrypter|cryptoOperator|admin)$|^roles\/(owner|editor)$|^projects\//;

/** Only the replicator makes copies that count, with a key whose private half nobody can take along (S2, D5). */
export const markersSigned: ResourceRule = {
  name: "markers-signed",
  description: "markers are signed in hardware, by the replicator alone",
  plan: ["S2", "D5"],
  types: [types.key, types.keyBinding],
  check: ({ type, props }) => {
    if (type === types.key) {
      if (props.purpose !== "ASYMMETRIC_SIGN") return [];
      const template = object(props.versionTemplate);
      return Object.entries(markerAlgorithm).flatMap(([property, wanted]) =>
        template[property] === wanted
          ? []
          : [`versionTemplate.${property} is ${shown(template[property])}; set "${wanted}"`],
      );
    }
    if (!SIGNS.test(String(props.role))) return [];
    return texts(props.members).flatMap((member) =>
      /^serviceAccount:backup-replicator@/.test(member)
        ? []
        : [`${member} may sign (${props.role}); only backup-replicator of the vault does`],
    );
  },
};
