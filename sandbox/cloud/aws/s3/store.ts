/** Buckets and objects with the rights of the storage service itself. */
import { AwsClient } from "aws4fetch";
import { XMLParser } from "fast-xml-parser";
import { CloudError } from "../../../lib/types";

/** One version of an object, or the mark that it was deleted. */
export interface Version {
  key: string;
  versionId: string;
  latest: boolean;
  marker: boolean;
  modified: Date;
}

/** Where the server is and how to get in. */
export interface Upstream {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** The objects behind the gateway. */
export interface S3Store {
  createBucket(name: string, lock: boolean): Promise<void>;
  /** @throws CloudError 409 when it holds a version of anything */
  deleteBucket(name: string): Promise<void>;
  setVersioning(name: string, status: "Enabled" | "Suspended"): Promise<void>;
  /** Lets versions of a bucket that has none be locked. */
  allowLocks(name: string): Promise<void>;
  versions(bucket: string, prefix?: string): Promise<Version[]>;
  /** Removes a version, whatever locks it: whether it may go is decided before. */
  deleteVersion(bucket: string, key: string, versionId: string): Promise<void>;
  put(bucket: string, key: string, content: string, contentType: string): Promise<void>;
  /** Undefined: no such object. */
  read(bucket: string, key: string, versionId?: string): Promise<Buffer | undefined>;
  /** Headers of a version; undefined: there is none. */
  head(bucket: string, key: string, versionId?: string): Promise<Headers | undefined>;
}

const parser = new XMLParser({
  parseTagValue: false,
  isArray: (name) => name === "Version" || name === "DeleteMarker",
});

/** An S3 server as a store. */
export class SeaweedStore implements S3Store {
  private readonly client: AwsClient;

  constructor(private readonly upstream: Upstream) {
    this.client = new AwsClient({ ...upstream, service: "s3", region: "us-east-1", retries: 0 });
  }

  async createBucket(name: string, lock: boolean): Promise<void> {
    const headers: Record<string, string> = lock ? { "x-amz-bucket-object-lock-enabled": "true" } : {};
    await this.call(`/${name}`, { method: "PUT", headers });
  }

  async deleteBucket(name: string): Promise<void> {
    // The server itself would let a bucket go that holds nothing but old versions.
    if ((await this.versions(name)).length > 0)
      throw new CloudError(
        409,
        "BucketNotEmpty",
        "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
      );
    await this.call(`/${name}`, { method: "DELETE" }, [404]);
  }

  async setVersioning(name: string, status: "Enabled" | "Suspended"): Promise<void> {
    await this.call(`/${name}?versioning`, {
      method: "PUT",
      body: `<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`,
    });
  }

  async allowLocks(name: string): Promise<void> {
    await this.call(`/${name}?object-lock`, {
      method: "PUT",
      body: "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>",
    });
  }

  async versions(bucket: string, prefix = ""): Promise<Version[]> {
    const found: Version[] = [];
    for (let marker: Record<string, string> | undefined = {}; marker; ) {
      const query = new URLSearchParams({ versions: "", prefix, ...marker });
      const response = await this.call(`/${bucket}?${query}`, {}, [404]);
      if (response.status === 404) return [];
      const page = parser.parse(await response.text()).ListVersionsResult as Record<string, unknown>;
      for (const [name, isMarker] of [
        ["Version", false],
        ["DeleteMarker", true],
      ] as const)
        for (const each of (page[name] ?? []) as Record<string, string>[])
          found.push({
            key: each.Key ?? "",
            versionId: each.VersionId ?? "null",
            latest: each.IsLatest === "true",
            marker: isMarker,
            modified: new Date(each.LastModified ?? 0),
          });
      marker =
        page.IsTruncated === "true"
          ? { "key-marker": String(page.NextKeyMarker), "version-id-marker": String(page.NextVersionIdMarker) }
          : undefined;
    }
    return found;
  }

  async deleteVersion(bucket: string, key: string, versionId: string): Promise<void> {
    const headers = { "x-amz-bypass-governance-retention": "true" };
    await this.call(
      `${pathOf(bucket, key)}?${new URLSearchParams({ versionId })}`,
      { method: "DELETE", headers },
      [404],
    );
  }

  async put(bucket: string, key: string, content: string, contentType: string): Promise<void> {
    const headers = { "content-type": contentType };
    await this.call(pathOf(bucket, key), { method: "PUT", body: content, headers });
  }

  async read(bucket: string, key: string, versionId?: string): Promise<Buffer | undefined> {
    const response = await this.call(`${pathOf(bucket, key)}${version(versionId)}`, {}, [404]);
    return response.status === 404 ? undefined : Buffer.from(await response.arrayBuffer());
  }

  async head(bucket: string, key: string, versionId?: string): Promise<Headers | undefined> {
    const path = `${pathOf(bucket, key)}${version(versionId)}`;
    const response = await this.call(path, { method: "HEAD" }, [404, 405]);
    return response.ok ? response.headers : undefined;
  }

  private async call(path: string, init: RequestInit, also: number[] = []): Promise<Response> {
    const response = await this.client.fetch(`${this.upstream.endpoint}${path}`, init);
    if (response.ok || also.includes(response.status)) return response;
    throw new Error(`S3 server: ${init.method ?? "GET"} ${path}: ${response.status} ${await response.text()}`);
  }
}

const version = (id: string | undefined): string =>
  id === undefined ? "" : `?${new URLSearchParams({ versionId: id })}`;

/** Path of an object, every part of its key encoded. */
export const pathOf = (bucket: string, key: string): string =>
  `/${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
