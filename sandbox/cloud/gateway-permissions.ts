/** What a request to the storage API needs. Source: "IAM permissions for JSON methods". */

/** One permission on a bucket or one of its objects. */
export interface Need {
  permission: string;
  bucket: string;
  object?: string;
  /** Prefix of a listing. */
  listPrefix?: string;
}

/** What a request does. */
export type Request =
  | { kind: "read"; needs: Need[] }
  | { kind: "list"; needs: Need[]; bucket: string }
  | { kind: "get"; needs: Need[]; bucket: string; target: string }
  /** Makes `target`; replacing an object that is there needs storage.objects.delete too. */
  | { kind: "create"; needs: Need[]; bucket: string; target: string | undefined; source?: Source }
  | { kind: "delete"; needs: Need[]; bucket: string; target: string }
  /** A further part of an upload that was started before. */
  | { kind: "upload"; session: string }
  /** Which of these the caller has on the bucket; needs none itself. */
  | { kind: "test"; needs: Need[]; bucket: string; permissions: string[] }
  | { kind: "batch" }
  /** The bucket itself: its settings, its policy, its end. */
  | { kind: "administer"; needs: Need[]; bucket: string; what: Administered }
  /** Something that nobody is given here: access lists of objects, notifications, lists of buckets. */
  | { kind: "refused"; bucket?: string; permission: string };

/** What is done to a bucket. */
export type Administered = "update" | "delete" | "getIamPolicy" | "setIamPolicy";

/** What a copy is made of, or a restoration: a soft-deleted object of the same name. */
export interface Source {
  bucket: string;
  object: string;
  action: "rewriteTo" | "copyTo" | "restore";
}

/** Reads a request. `target` of an upload is undefined when its name is in the body. */
export function requestOf(method: string, url: URL): Request {
  const path = url.pathname.replace(/^\/storage\/v1(?=\/b(\/|$))/, "").replace(/^\/download\/storage\/v1/, "");
  if (/^\/batch(\/|$)/.test(path)) return { kind: "batch" };
  const session = url.searchParams.get("upload_id") ?? /^\/upload\/resumable\/(.+)$/.exec(path)?.[1];
  if (session && method !== "GET") return { kind: "upload", session };
  const upload = /^\/upload\/(?:storage\/v1\/)?b\/([^/]+)\/o$/.exec(path);
  if (upload) {
    const bucket = decodeURIComponent(upload[1] ?? "");
    const target = url.searchParams.get("name") ?? undefined;
    return { kind: "create", needs: [create(bucket, target)], bucket, target };
  }
  if (!path.startsWith("/b/") && path !== "/b") return plainPath(method, path);
  const [bucket = "", collection, object, action, ...rest] = path.slice(3).split("/").map(decodeURIComponent);
  if (path === "/b" || bucket === "") return { kind: "refused", permission: "storage.buckets.list" };
  if (collection === undefined) {
    if (method === "GET") return { kind: "read", needs: [{ permission: "storage.buckets.get", bucket }] };
    return administer(bucket, method === "DELETE" ? "delete" : "update");
  }
  if (collection === "iam" && object === "testPermissions" && method === "GET")
    return { kind: "test", needs: [], bucket, permissions: url.searchParams.getAll("permissions") };
  if (collection === "iam" && object === undefined)
    return administer(bucket, method === "GET" ? "getIamPolicy" : "setIamPolicy");
  if (collection !== "o") return { kind: "refused", bucket, permission: "storage.buckets.getIamPolicy" };
  if (object === undefined) {
    const listPrefix = url.searchParams.get("prefix") ?? "";
    if (method === "GET")
      return { kind: "list", needs: [{ permission: "storage.objects.list", bucket, listPrefix }], bucket };
    return { kind: "refused", bucket, permission: "storage.objects.create" };
  }
  if (action === undefined) return objectRequest(method, bucket, object);
  const [, targetBucket = "", , target = ""] = rest;
  if (action === "rewriteTo" || action === "copyTo") {
    const needs = [{ permission: "storage.objects.get", bucket, object }, create(targetBucket, target)];
    return { kind: "create", needs, bucket: targetBucket, target, source: { bucket, object, action } };
  }
  if (action === "restore" && method === "POST") {
    const needs = [{ permission: "storage.objects.restore", bucket, object }, create(bucket, object)];
    return { kind: "create", needs, bucket, target: object, source: { bucket, object, action } };
  }
  if (action === "compose") {
    const needs = [{ permission: "storage.objects.list", bucket, listPrefix: "" }, create(bucket, object)];
    return { kind: "create", needs, bucket, target: object };
  }
  return { kind: "refused", bucket, permission: "storage.objects.getIamPolicy" };
}

/** `/BUCKET/OBJECT`, as the XML API has it. */
function plainPath(method: string, path: string): Request {
  const [bucket = "", ...rest] = path.slice(1).split("/").map(decodeURIComponent);
  const object = rest.join("/");
  if (!bucket || !object) return { kind: "refused", permission: "storage.buckets.list" };
  if (method === "PUT") return { kind: "create", needs: [create(bucket, object)], bucket, target: object };
  return objectRequest(method, bucket, object);
}

function objectRequest(method: string, bucket: string, object: string): Request {
  const need = (permission: string): Need[] => [{ permission, bucket, object }];
  if (method === "GET" || method === "HEAD")
    return { kind: "get", needs: need("storage.objects.get"), bucket, target: object };
  if (method === "DELETE") return { kind: "delete", needs: need("storage.objects.delete"), bucket, target: object };
  if (method === "PATCH" || method === "PUT") return { kind: "read", needs: need("storage.objects.update") };
  return { kind: "refused", bucket, permission: "storage.objects.update" };
}

const administer = (bucket: string, what: Administered): Request => ({
  kind: "administer",
  needs: [{ permission: `storage.buckets.${what}`, bucket }],
  bucket,
  what,
});

const create = (bucket: string, object: string | undefined): Need => ({
  permission: "storage.objects.create",
  bucket,
  ...(object === undefined ? {} : { object }),
});
