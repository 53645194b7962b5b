/** Functions of the gcp provider that programs call. */
import { CloudError, type ObjectStore, type Props } from "../lib/types";
import { text } from "./registry";

/** What the functions need. */
export interface InvokeContext {
  objects: ObjectStore;
  /** True when the caller may. */
  allows(permission: string, bucket: string, object?: string, listPrefix?: string): boolean;
  /** Who calls, for refusals. */
  caller: string;
}

type Invoke = (args: Props, context: InvokeContext) => Promise<Props>;

const invokes: Record<string, Invoke> = {
  "gcp:storage/getBucketObjects:getBucketObjects": async (args, context) => {
    const [bucket, prefix] = [text(args, "bucket"), text(args, "prefix")];
    needs(context, "storage.objects.list", bucket, undefined, prefix);
    const found = await context.objects.list(bucket, prefix);
    return { id: bucket, ...args, bucketObjects: found.map(({ name }) => ({ name })) };
  },
  "gcp:storage/getBucketObjectContent:getBucketObjectContent": async (args, context) => {
    const [bucket, name] = [text(args, "bucket"), text(args, "name")];
    needs(context, "storage.objects.get", bucket, name);
    const content = await context.objects.read(bucket, name);
    if (!content) throw new CloudError(404, "notFound", `No such object: ${bucket}/${name}`);
    return { id: name, bucket, name, content: content.toString("utf8") };
  },
};

function needs(context: InvokeContext, permission: string, bucket: string, object?: string, prefix?: string): void {
  if (context.allows(permission, bucket, object, prefix)) return;
  const message = `${context.caller} does not have ${permission} access to ${object ? `${bucket}/${object}` : bucket}. Permission '${permission}' denied on resource (or it may not exist).`;
  throw new CloudError(403, "forbidden", message);
}

/** Runs a function. @throws CloudError 400 for one that the sandbox does not know */
export function invoke(token: string, args: Props, context: InvokeContext): Promise<Props> {
  const known = invokes[token];
  if (known) return known(args, context);
  const names = Object.keys(invokes).join(", ");
  throw new CloudError(400, "unknown", `the sandbox does not know the function ${token}; it knows ${names}`);
}
