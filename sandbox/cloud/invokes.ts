/** Functions of the gcp provider that programs call. Results have the fields of the provider that are known here. */
import { createHash } from "node:crypto";
import { CloudError, type ObjectStore, type Props } from "../lib/types";
import { invalid, notFound, required } from "./gcp/checks";
import { text } from "./registry";

/** What the functions need. */
export interface InvokeContext {
  objects: ObjectStore;
  /** True when the caller may. */
  allows(permission: string, bucket: string, object?: string, listPrefix?: string): boolean;
  bucket(name: string): { unreadable: boolean; outputs: Props } | undefined;
  projectExists(project: string): boolean;
  /** The public half of a key version. */
  publicKey(version: string): { pem: string; algorithm: string };
  /** A token of the caller. */
  accessToken(): Promise<string>;
  /** Who calls, for refusals. */
  caller: string;
}

type Invoke = (args: Props, context: InvokeContext) => Promise<Props>;

const API = "https://www.googleapis.com/storage/v1";

const invokes = new Map<string, Invoke>([
  [
    "gcp:storage/getBucketObjects:getBucketObjects",
    async (args, context) => {
      const [bucket, prefix] = [required(args, "bucket", "getBucketObjects"), text(args, "prefix")];
      if (args.matchGlob) throw invalid("getBucketObjects: the sandbox does not know matchGlob; use prefix");
      const { storageClass } = readable(context, "storage.objects.list", bucket, undefined, prefix);
      const found = await context.objects.list(bucket, prefix);
      return {
        ...args,
        id: `${API}/b/${bucket}/o`,
        bucketObjects: found.map(({ name }) => ({ name, storageClass, ...links(bucket, name) })),
      };
    },
  ],
  [
    "gcp:storage/getBucketObjectContent:getBucketObjectContent",
    async (args, context) => {
      const field = (name: string) => required(args, name, "getBucketObjectContent");
      const [bucket, name] = [field("bucket"), field("name")];
      const { storageClass } = readable(context, "storage.objects.get", bucket, name);
      const content = await context.objects.read(bucket, name);
      if (!content) throw new CloudError(404, "notFound", `No such object: ${bucket}/${name}`);
      const sha512 = createHash("sha512").update(content).digest();
      return {
        id: `${bucket}-${name}`,
        bucket,
        name,
        outputName: name,
        storageClass,
        content: content.toString("utf8"),
        contentBase64: content.toString("base64"),
        contentHexsha512: sha512.toString("hex"),
        contentBase64sha512: sha512.toString("base64"),
        md5hash: createHash("md5").update(content).digest("base64"),
        ...links(bucket, name),
      };
    },
  ],
  [
    "gcp:kms/getKMSCryptoKeyVersion:getKMSCryptoKeyVersion",
    async (args, context) => {
      const cryptoKey = required(args, "cryptoKey", "getKMSCryptoKeyVersion");
      const version = Number(args.version ?? 1);
      const name = `${cryptoKey}/cryptoKeyVersions/${version}`;
      const { pem, algorithm } = context.publicKey(name);
      const id = `//cloudkms.googleapis.com/v1/${name}`;
      return { id, name, cryptoKey, version, algorithm, state: "ENABLED", publicKeys: [{ algorithm, pem }] };
    },
  ],
  [
    "gcp:organizations/getClientConfig:getClientConfig",
    async (args, context) => {
      // The provider's own configuration is nowhere else.
      const project = required(args, "project", "getClientConfig");
      const [region, zone] = [text(args, "region"), text(args, "zone")];
      const id = `projects/"${project}"/regions/"${region}"/zones/"${zone}"`;
      return { id, project, region, zone, defaultLabels: {}, accessToken: await context.accessToken() };
    },
  ],
  [
    "gcp:organizations/getProject:getProject",
    async (args, context) => {
      const project = text(args, "projectId") || required(args, "project", "getProject");
      if (!context.projectExists(project)) throw notFound(`Project ${project}`);
      return { id: `projects/${project}`, projectId: project, name: project, number: projectNumber(project) };
    },
  ],
]);

/** Twelve digits, the same for the same project. */
const projectNumber = (project: string): string =>
  String(100_000_000_000 + (createHash("sha256").update(project).digest().readUIntBE(0, 6) % 900_000_000_000));

function links(bucket: string, name: string): { selfLink: string; mediaLink: string } {
  const path = `b/${bucket}/o/${encodeURIComponent(name)}`;
  return {
    selfLink: `${API}/${path}`,
    mediaLink: `https://storage.googleapis.com/download/storage/v1/${path}?alt=media`,
  };
}

/** The bucket's storage class. @throws CloudError when the bucket is missing, forbidden or fails */
function readable(
  context: InvokeContext,
  permission: string,
  bucket: string,
  object?: string,
  prefix?: string,
): { storageClass: string } {
  const found = context.bucket(bucket);
  if (!found) throw new CloudError(404, "notFound", `The specified bucket does not exist: ${bucket}`);
  if (found.unreadable)
    throw new CloudError(503, "backendError", `Bucket ${bucket} cannot be read; make it readable again`);
  if (!context.allows(permission, bucket, object, prefix)) {
    const message = `${context.caller} does not have ${permission} access to ${object ? `${bucket}/${object}` : bucket}. Permission '${permission}' denied on resource (or it may not exist).`;
    throw new CloudError(403, "forbidden", message);
  }
  return { storageClass: text(found.outputs, "storageClass") };
}

/** Runs a function. @throws CloudError 400 for one that the sandbox does not know */
export async function invoke(token: string, args: Props, context: InvokeContext): Promise<Props> {
  const known = invokes.get(token);
  if (known) return known(args, context);
  const names = [...invokes.keys()].join(", ");
  throw new CloudError(400, "unknown", `the sandbox does not know the function ${token}; it knows ${names}`);
}
