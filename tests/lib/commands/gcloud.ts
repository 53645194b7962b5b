/**
 * The forms of gcloud's commands that are used, as the gcloud reference has them on the page of each command's name. gcloud itself is
 * in no package registry, so that this table stands in for it: a new command or flag is looked up there before it is added.
 * Looked up on 2026-11-30: update-backend, storage restore and ls, disks list, list-configs, kms, logging read; the others are known by use.
 */
import { account, type Form, form, format, location, name, refusalByForms, share, text, zone } from "./forms";

const integer = { what: "a number", fits: (value: string) => /^\d+$/.test(value) };

/** Flags of every command. */
const wide: Form["flags"] = {
  project: text,
  format,
  flatten: text,
  quiet: undefined,
  "impersonate-service-account": account,
};

/** Flags of commands that list. */
const listing: Form["flags"] = { filter: text, limit: integer, "page-size": integer, "sort-by": text, uri: undefined };

const group = {
  "network-endpoint-group": name,
  "network-endpoint-group-zone": zone,
};

const forms: Record<string, Form> = {
  "auth application-default login": form([0, 0], { "no-launch-browser": undefined }),
  "auth login": form([0, 1], { "no-launch-browser": undefined }),
  "auth print-access-token": form([0, 1]),
  "beta monitoring channels list": form([0, 0], listing),
  "beta monitoring channels delete": form([1, 1], { force: undefined }),
  "components install": form([1, 5]),
  "compute backend-services get-health": form([1, 1], { global: undefined, region: location }, [["global", "region"]]),
  "compute backend-services update-backend": form(
    [1, 1],
    { ...group, global: undefined, region: location, "capacity-scaler": share },
    ["network-endpoint-group", "network-endpoint-group-zone", ["global", "region"], "capacity-scaler"],
  ),
  "compute disks list": form([0, 0], { ...listing, zones: text, regions: text }),
  "compute regions describe": form([1, 1]),
  "container clusters get-credentials": form([1, 1], { location, region: location, zone }, [
    ["location", "region", "zone"],
  ]),
  "container clusters list": form([0, 0], { ...listing, region: location, zone }),
  "iam service-accounts create": form([1, 1], { "display-name": text, description: text }),
  "iam service-accounts disable": form([1, 1]),
  "kms keys versions restore": form([1, 1], { key: name, keyring: name, location }, ["key", "keyring", "location"]),
  "logging read": form([0, 1], { freshness: text, limit: integer, order: text, bucket: text, location, view: text }),
  "monitoring policies list": form([0, 0], listing),
  "monitoring policies delete": form([1, 1]),
  "monitoring uptime list-configs": form([0, 0], listing),
  "monitoring uptime delete": form([1, 1]),
  "projects describe": form([1, 1]),
  "services enable": form([1, 20], { async: undefined }),
  "storage cat": form([1, 20]),
  "storage cp": form([2, 20], { recursive: undefined }),
  "storage ls": form([0, 20], {
    "all-versions": undefined,
    buckets: undefined,
    full: undefined,
    long: undefined,
    recursive: undefined,
    "soft-deleted": undefined,
  }),
  "storage mv": form([2, 20]),
  "storage restore": form([1, 20], { "all-versions": undefined, async: undefined, "allow-overwrite": undefined }),
};

/** Why a command is refused, or undefined. */
export const refusalOfGcloud = (words: readonly string[]): string | undefined => refusalByForms(words, forms, wide);

/** Flags without which the command that these words are is refused. */
export function requiredOfGcloud(words: readonly string[]): string[] {
  const command = Object.keys(forms).find((each) => `${words.join(" ")} `.startsWith(`${each} `));
  return command ? forms[command]!.required.flat() : [];
}
