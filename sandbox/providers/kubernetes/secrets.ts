/** Marks the values of a Secret as secret for the engine, so that it encrypts them in the state. */
import type { Props } from "../../lib/types";
import type { Gvk } from "./types";

/** Keys and values by which the engine's protocol writes a secret. */
const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";

/** `data` and `stringData` of a Secret become secrets; everything else stays as it is. */
export function withSecrets(gvk: Gvk, props: Props): Props {
  if (gvk.group !== "" || gvk.kind !== "Secret") return props;
  return Object.fromEntries(
    Object.entries(props).map(([key, value]) => [
      key,
      (key === "data" || key === "stringData") && value !== undefined ? asSecret(value) : value,
    ]),
  );
}

function asSecret(value: unknown): Props {
  return { [SIGNATURE_KEY]: SECRET_SIGNATURE, value };
}
