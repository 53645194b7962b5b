import { stackLabels } from "../../plan/labels";
import { types } from "../lib/types";
import { type Props, resource, running, specify } from "../testing";
import { alertsDeclared } from "./alerts-declared";

const rule = alertsDeclared([
  { id: "copy-stale", owner: "vault" },
  { id: "app-unreachable", owner: "foundation" },
  { id: "snapshots-silent", owner: "site", pausedByRestore: true },
]);
const restoreCopy = resource(types.job, running("restore-copy"));
const stack = (role: string, project = "p") => resource(types.bucket, { project, labels: stackLabels("x", role) });
const alert = (id: string, props: Props = {}) =>
  resource(types.alertPolicy, { userLabels: { alert: id }, notificationChannels: ["channel"], ...props });

specify(rule, {
  holds: [
    [stack("vault"), alert("copy-stale")],
    [stack("vault"), alert("copy-stale"), alert("another")],
    [stack("site"), alert("snapshots-silent")],
    [stack("site"), alert("snapshots-silent", { enabled: false }), restoreCopy],
    [stack("vault", "iconik-drill-vault")],
    [stack("vault", "iconik-drill-vault"), alert("copy-stale", { notificationChannels: [] })],
  ],
  violated: [
    [[stack("vault")], /alert copy-stale is declared 0 times; declare one alert policy with userLabels.alert/],
    [[stack("vault"), alert("copy-stale"), alert("copy-stale")], /alert copy-stale is declared 2 times/],
    [[stack("vault"), alert("app-unreachable")], /alert copy-stale is declared 0 times/],
    [[stack("vault", "iconik-drill-vault"), alert("another")], /alert copy-stale is declared 0 times/],
    [[alert("copy-stale", { enabled: false })], /alert policy it is off/],
    [[stack("site"), alert("snapshots-silent", { enabled: false })], /alert policy it is off/],
    [[alert("copy-stale", { enabled: false }), restoreCopy], /alert policy it is off/],
    [[alert("copy-stale", { notificationChannels: [] })], /tells nobody/],
    [[alert("copy-stale", { notificationChannels: undefined })], /tells nobody/],
  ],
});
