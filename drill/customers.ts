/**
 * Two customers of a drill with buckets of their own, one in S3 and one in Cloud Storage. They let the standby's services in as
 * docs/customer-buckets.md says, and nobody of the project deploys anything of theirs.
 */
import { sandboxS3 } from "../faults/attack/clients";
import { type CustomerBucket, customersAudience, customersUser, isAtGoogle } from "../plan/customers";
import { kubernetesSubject } from "../plan/names";
import { roleArn } from "../plan/s3-permissions";
import { federationAudience, standbyJobs } from "../plan/standby";
import { ControlClient } from "../sandbox/cloud/api";
import { socketOf } from "../sandbox/environment";
import { pathOf } from "./media";
import { runJobs } from "./night";
import { ask, until } from "./public-name";
import { projectNumber, SANDBOX_DIR, stealToken } from "./sandbox";
import { STANDBY_ACCOUNT } from "./standby-config";
import type { Progress } from "./workspace";

const ACME_ACCOUNT = "210987654321";
/** Not the standby's own. */
const ACME_REGION = "eu-west-1";
const ACME_OWNER = `arn:aws:iam::${ACME_ACCOUNT}:role/deployer`;
const ACME_BUCKET = "acme-drill-footage";
const EXTERNAL_ID = "drill-4711";
const GLOBEX_PROJECT = "globex-drill-media";
const GLOBEX_BUCKET = "globex-drill-media";
const GLOBEX_OWNER = "owner@globex.example";
const POOL = "iconik";
const PROVIDER = "standby";
/** A customer whose role asks for something else than what it told us. */
const REFUSING = "initech";
/** Where an object of theirs is that was there before. */
const BEFORE = "rushes/day 1.mov";
const WRITTEN = "rushes/day 2.mov";

/** Their buckets, as the standby's configuration names them. */
export async function customerBuckets(): Promise<CustomerBucket[]> {
  return [
    {
      name: "acme",
      bucket: `s3://${ACME_BUCKET}`,
      region: ACME_REGION,
      role: `arn:aws:iam::${ACME_ACCOUNT}:role/iconik`,
      externalId: EXTERNAL_ID,
    },
    {
      name: REFUSING,
      bucket: "s3://initech-drill-footage",
      region: ACME_REGION,
      role: `arn:aws:iam::${ACME_ACCOUNT}:role/iconik`,
      externalId: "another",
    },
    {
      name: "globex",
      bucket: `gs://${GLOBEX_BUCKET}`,
      provider: federationAudience(await projectNumber(GLOBEX_PROJECT), POOL, PROVIDER),
      serviceAccount: `iconik@${GLOBEX_PROJECT}.iam.gserviceaccount.com`,
    },
  ];
}

/** Makes what the customers have: buckets with an object each, and who is let in. @param issuer of the standby's cluster */
export async function makeCustomers(issuer: string, progress: Progress): Promise<void> {
  await Promise.all([makeAcme(), makeGlobex(issuer)]);
  progress(`customers have s3://${ACME_BUCKET} and gs://${GLOBEX_BUCKET}, and let the standby's services in`);
}

const document = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });

async function makeAcme(): Promise<void> {
  const control = new ControlClient(socketOf(SANDBOX_DIR));
  const make = (type: string, inputs: object) =>
    control.create(`aws:${type}`, "acme", { region: ACME_REGION, ...inputs }, ACME_OWNER);
  await make("s3/bucket:Bucket", { bucket: ACME_BUCKET });
  await make("iam/role:Role", {
    name: "iconik",
    assumeRolePolicy: document({
      Effect: "Allow",
      // The account, and the role as a condition: a principal that is a role is one that is there already, and no other of its name.
      Principal: { AWS: `arn:aws:iam::${STANDBY_ACCOUNT}:root` },
      Action: ["sts:AssumeRole", "sts:TagSession"],
      Condition: {
        StringEquals: { "sts:ExternalId": EXTERNAL_ID },
        ArnEquals: { "aws:PrincipalArn": roleArn(STANDBY_ACCOUNT, "standby-services") },
      },
    }),
  });
  const bucket = `arn:aws:s3:::${ACME_BUCKET}`;
  await make("iam/rolePolicy:RolePolicy", {
    name: "footage",
    role: "iconik",
    policy: document(
      { Effect: "Allow", Action: "s3:ListBucket", Resource: bucket },
      { Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: `${bucket}/*` },
    ),
  });
  const s3 = await sandboxS3(SANDBOX_DIR, ACME_REGION);
  const path = `/${ACME_BUCKET}/${encodeURI(BEFORE)}`;
  const { status, body } = await s3.send(ACME_OWNER, { method: "PUT", path, body: "acme before" });
  if (status !== 200) throw new Error(`s3:/${path} was answered ${status} ${body}`);
}

async function makeGlobex(issuer: string): Promise<void> {
  const control = new ControlClient(socketOf(SANDBOX_DIR));
  const project = GLOBEX_PROJECT;
  const make = (type: string, inputs: object) =>
    control.create(`gcp:${type}`, "globex", { project, ...inputs }, GLOBEX_OWNER);
  await make("storage/bucket:Bucket", { name: GLOBEX_BUCKET, location: "EU", uniformBucketLevelAccess: true });
  const account = await make("serviceaccount/account:Account", { accountId: "iconik" });
  const email = String(account.outputs.email);
  const bindings = [{ role: "roles/storage.objectUser", members: [`serviceAccount:${email}`] }];
  const policyData = JSON.stringify({ bindings });
  await make("storage/bucketIAMPolicy:BucketIAMPolicy", { bucket: GLOBEX_BUCKET, policyData });
  const pool = await make("iam/workloadIdentityPool:WorkloadIdentityPool", { workloadIdentityPoolId: POOL });
  const subject = kubernetesSubject(customersUser);
  await make("iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider", {
    workloadIdentityPoolId: POOL,
    workloadIdentityPoolProviderId: PROVIDER,
    attributeMapping: { "google.subject": "assertion.sub" },
    attributeCondition: `assertion.sub == '${subject}'`,
    oidc: { issuerUri: issuer, allowedAudiences: [customersAudience] },
  });
  await make("serviceaccount/iAMBinding:IAMBinding", {
    serviceAccountId: account.id,
    role: "roles/iam.workloadIdentityUser",
    members: [`principal://iam.googleapis.com/${pool.outputs.name}/subject/${subject}`],
  });
  const query = new URLSearchParams({ uploadType: "media", name: BEFORE });
  const url = new URL(`/upload/storage/v1/b/${GLOBEX_BUCKET}/o?${query}`, process.env.SANDBOX_STORAGE_ENDPOINT);
  const headers = { authorization: `Bearer ${await stealToken(email)}` };
  const answer = await fetch(url, { method: "POST", headers, body: "globex before" });
  if (!answer.ok) throw new Error(`${url.pathname} was answered ${answer.status}: ${await answer.text()}`);
}

/**
 * Runs what tries the buckets every morning while nothing is lost: both clouds let the standby's API in, and one customer has
 * something to mend.
 * @throws unless it names that customer, and no other
 */
export async function checkCustomers(kubeconfig: string, progress: Progress): Promise<void> {
  const said = await runJobs(kubeconfig, new RegExp(`^${standbyJobs.customers}$`), progress).then(
    () => "nothing",
    (error: Error) => error.message,
  );
  const wanted = `1 of ${(await customerBuckets()).length} customers' buckets cannot be used: ${REFUSING};`;
  if (!said.includes(wanted)) throw new Error(`${standbyJobs.customers} was to say "${wanted}", and said ${said}`);
  progress(wanted);
}

/** Within as many seconds nobody waits for a bucket any more. */
const REFUSED_SECONDS = 25;
/** Larger than one part of an upload. */
const CONTENT_BYTES = 6 << 20;

/**
 * Asks for the customers' objects by the product's public name, and writes one.
 * @param google whether Google Cloud answers: what is there is usable then, and refused in good time before
 * @throws when a bucket is not as usable as its cloud
 */
export async function verifyCustomers(google: boolean, progress: Progress): Promise<void> {
  for (const bucket of await customerBuckets()) {
    const { name } = bucket;
    const path = (object: string) => pathOf(name, object);
    if (name === REFUSING || (isAtGoogle(bucket) && !google)) {
      const { status, seconds } = await ask("GET", path(BEFORE));
      if (status !== 502 || seconds > REFUSED_SECONDS)
        throw new Error(
          `${bucket.bucket}, which cannot be reached, was answered ${status} after ${seconds.toFixed(1)} s`,
        );
      continue;
    }
    // What a pod was told of the cloud's names while it was away may take a moment to be looked up anew.
    const before = await until(
      `${bucket.bucket} is usable`,
      300,
      () => ask("GET", path(BEFORE)),
      ({ status }) => status === 200,
    );
    const content = `${name} written\n`.repeat(CONTENT_BYTES / 10);
    const put = await ask("PUT", path(WRITTEN), content);
    const { body } = await ask("GET", path(WRITTEN));
    if (before.body !== `${name} before`) throw new Error(`${bucket.bucket} holds "${before.body}"`);
    if (put.status !== 200 || body !== content)
      throw new Error(`${bucket.bucket}: a PUT was answered ${put.status}, and then ${body.length} bytes were read`);
  }
  progress(`customers' buckets are usable${google ? "" : ", but for the one in Google Cloud"}`);
}
