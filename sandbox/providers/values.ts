/**
 * Property values between the engine's protocol and plain JSON.
 *
 * The engine writes values it cannot know yet (only during a preview) and secrets as special strings and objects. Here
 * every unknown becomes {@link UNKNOWN} and a secret becomes its plain value: the engine marks the outputs of secret
 * inputs secret again by itself, because our servers do not accept secrets.
 */
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import type { Props } from "../lib/types";

/** Stands for a value that is not known before the update; compare with {@link isUnknown}. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** How the protocol writes unknowns of type bool, number, array, asset, archive and object. */
const TYPED_UNKNOWNS = new Set([
  UNKNOWN,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT_VALUE = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

/** True for a value that is not known before the update. */
export function isUnknown(value: unknown): boolean {
  return typeof value === "string" && TYPED_UNKNOWNS.has(value);
}

/** True when a value, or anything inside it, is not known before the update. */
export function containsUnknown(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(containsUnknown);
  if (isRecord(value)) return Object.values(value).some(containsUnknown);
  return isUnknown(value);
}

/** True for a plain object. */
export function isRecord(value: unknown): value is Props {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Plain JSON of a protocol struct; unknowns become {@link UNKNOWN}, secrets their values. Absent: an empty object. */
export function fromStruct(struct: Struct | undefined): Props {
  return struct ? (plain(struct.toJavaScript()) as Props) : {};
}

/** Protocol struct of plain JSON. Properties without a value (undefined) are left out. */
export function toStruct(props: Props): Struct {
  return Struct.fromJavaScript(defined(props) as { [key: string]: JavaScriptValue });
}

function plain(value: unknown): unknown {
  if (isUnknown(value)) return UNKNOWN;
  if (Array.isArray(value)) return value.map(plain);
  if (!isRecord(value)) return value;
  if (value[SIGNATURE] === SECRET) return plain(value.value);
  if (value[SIGNATURE] === OUTPUT_VALUE) return "value" in value ? plain(value.value) : UNKNOWN;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, plain(child)]));
}

function defined(value: unknown): unknown {
  if (value === undefined) return null;
  if (Array.isArray(value)) return value.map(defined);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, child]) => child !== undefined)
      .map(([key, child]) => [key, defined(child)]),
  );
}
