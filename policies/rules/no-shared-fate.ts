import { customersConfigMap, customersFile, customersUser } from "../../plan/customers";
import { isStandby } from "../lib/aws";
import { commandsOf } from "../lib/jobs";
import { judge } from "../lib/judge";
import type { Declared, StackRule } from "../lib/rule";
import { types } from "../lib/types";
import { at, object, objects, textsIn, type Values } from "../lib/values";

/** What is Google's, wherever it stands in a text: hosts, buckets, keys, accounts, images, storage of Medusa's. */
const GOOGLES =
  /googleapis\.com|\bpkg\.dev\b|\bgcr\.io\b|gserviceaccount\.com|svc\.id\.goog|\bgs:\/\/|\bgcpkms:|google_storage|cloud\.goog|run\.app\b|storage\.cloud\.google|\baccounts\.google\.com|googledomains\.com|googlehosted\.com|googleusercontent\.com/;

/** Texts for people; they say where to look while Google is there. */
const words: readonly string[] = ["alarmDescription", "description", "comment", "inputTransformer"];

/**
 * Nothing of the standby needs Google Cloud, or it would be lost together with what it stands by for: no resource, provider,
 * image, key, bucket, chart or identity. The copier alone reads there, while it is there: its jobs and the two ConfigMaps that
 * say how it is let in. DNS has Google's address and its certificate's record as data: nothing is asked of Google for an answer.
 */
export const noSharedFate: StackRule = {
  name: "no-shared-fate",
  description: "Nothing in the standby needs Google Cloud, except what the copier reads",
  plan: ["S7", "D4"],
  checkStack: (resources) => {
    if (!isStandby(resources)) return [];
    return judge(resources, (each) => [
      ...(/^(gcp:|pulumi:providers:(gcp|google)$)/.test(each.type)
        ? [`${each.name} is a resource of Google Cloud (${each.type}); the standby has none`]
        : []),
      ...[...new Set(needs(each).flatMap((text) => GOOGLES.exec(text)?.[0] ?? []))].map(
        (found) => `${each.name} needs Google Cloud (${found}); use the standby's own, only the copier reads there`,
      ),
    ]);
  },
};

/** Texts of a resource that have to be true for it to work. */
function needs(resource: Declared): string[] {
  const { type, props } = resource;
  if (isWayIn(resource) || isCustomers(resource)) return [];
  if (pulls(resource)) return textsIn(withoutCopiersEnds(props));
  if (type === "aws:route53/record:Record" && isData(props)) return [];
  return textsIn(Object.fromEntries(Object.entries(props).filter(([key]) => !words.includes(key))));
}

/** ConfigMaps with the copier's ways in (components/aws/google-access.ts). */
const isWayIn = ({ type, props }: Declared) =>
  type === types.configMap && /^google-(copies|states|failback)$/.test(String(at(props, "metadata", "name")));

/** Where customers' own buckets are (plan/customers.ts): a customer's in Google Cloud is there as far as Google is, and nothing waits for it. */
const isCustomers = ({ type, props }: Declared) =>
  type === types.configMap &&
  at(props, "metadata", "name") === customersConfigMap &&
  at(props, "metadata", "namespace") === customersUser.namespace &&
  Object.keys(object(props.data)).join() === customersFile;

/** A CronJob that runs nothing but the copier, or what brings backups and media back when Google is there again. */
const pulls = (resource: Declared) => {
  if (resource.type !== types.cronJob) return false;
  const commands = commandsOf(resource);
  return (
    commands.length > 0 && commands.every(({ command }) => /^(copy-.*to-s3|return-(backups|media))$/.test(command))
  );
};

/** The copier's configuration and its token's audience are Google's; its image and everything else are not. */
function withoutCopiersEnds(props: Values): unknown {
  const pod = object(at(props, "spec", "jobTemplate", "spec", "template", "spec"));
  const containers = objects(pod.containers).map(({ env: _, ...container }) => container);
  const volumes = objects(pod.volumes).filter(({ name }) => name !== "google");
  return { ...object(props.spec), jobTemplate: undefined, pod: { ...pod, containers, volumes } };
}

/** A record that only says a name: who may issue certificates, and where Google looks for its own proof. */
function isData(props: Values): boolean {
  return props.type === "CAA" || (props.type === "CNAME" && /^_acme-challenge/.test(String(props.name)));
}
