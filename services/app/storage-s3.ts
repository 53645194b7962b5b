/** Objects in S3: the product's buckets as the pod's role, customers' by the role that they give to it. */
import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import { type Found, passing, Silence, type Storage } from "./storage";

/** How long an assumed role's session lasts, in seconds: roles that are assumed by roles get an hour at most. */
const SESSION_SECONDS = 3600;
/**
 * What is sent to S3 at once, in bytes, and held in memory until it is: the least that S3 takes as a part. Parts have their size and
 * checksum beforehand, which a stream in pieces of a network's making has not.
 */
const PART_BYTES = 5 << 20;
/** Connections to one host, which a slow reader holds for as long as it reads. */
const SOCKETS = 1_000;
const CONNECT_MS = 3_000;

/** Arguments of {@link s3Storage}. */
export interface S3StorageOptions {
  /** Region of the buckets. */
  region: string;
  /** ARN of a customer's role. Default: the pod's own. */
  role?: string | undefined;
  /** What the customer's role wants to be told, against confused deputies. Default: nothing. */
  externalId?: string | undefined;
  /** Where the role is asked for: the pod's region. Default: `region`. */
  stsRegion?: string;
  /** Default: what the pod is given by EKS Pod Identity. */
  credentials?: S3ClientConfig["credentials"];
}

/** A storage in S3. It connects when it is asked; keys are renewed by AWS's client. */
export function s3Storage(options: S3StorageOptions): Storage {
  let client: Promise<S3Client> | undefined;
  const connected = () => {
    client ??= connect(options);
    return client;
  };
  return {
    async read(bucket, name, gone): Promise<Found | undefined> {
      const { GetObjectCommand, NoSuchKey } = await import("@aws-sdk/client-s3");
      const silence = new Silence(gone);
      const asked = (await connected()).send(new GetObjectCommand({ Bucket: bucket, Key: name }), {
        abortSignal: silence.signal,
      });
      const absent = asked.catch((error: unknown) => {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      });
      const object = await silence.of(`reading s3://${bucket}`, absent);
      return (
        object && { stream: object.Body as Found["stream"], type: object.ContentType, bytes: object.ContentLength }
      );
    },
    async write(bucket, name, { stream, type }, gone): Promise<void> {
      const { Upload } = await import("@aws-sdk/lib-storage");
      const silence = new Silence(gone);
      const body = passing(stream, silence.moved);
      const upload = new Upload({
        client: await connected(),
        params: { Bucket: bucket, Key: name, Body: body, ContentType: type },
        partSize: PART_BYTES,
        queueSize: 1,
      });
      try {
        await silence.of(`writing s3://${bucket}`, upload.done());
      } catch (error) {
        // What was sent of it is removed; the bucket's lifecycle does that too.
        await upload.abort().catch(() => undefined);
        throw error;
      } finally {
        body.destroy();
      }
    },
  };
}

/** AWS's client is large and the pods of a site at Google never need it: it is loaded where it is. */
async function connect(options: S3StorageOptions): Promise<S3Client> {
  const { region, role, externalId, stsRegion = region, credentials } = options;
  const [{ S3Client }, { fromNodeProviderChain, fromTemporaryCredentials }] = await Promise.all([
    import("@aws-sdk/client-s3"),
    import("@aws-sdk/credential-providers"),
  ]);
  const own = credentials ?? fromNodeProviderChain();
  const params = {
    RoleArn: role,
    RoleSessionName: "iconik-services",
    DurationSeconds: SESSION_SECONDS,
    ...(externalId !== undefined && { ExternalId: externalId }),
  };
  return new S3Client({
    region,
    credentials: role
      ? fromTemporaryCredentials({
          masterCredentials: own as never,
          params: params as never,
          clientConfig: { region: stsRegion },
        })
      : own,
    // An endpoint that is set is one address for every bucket.
    forcePathStyle: process.env.AWS_ENDPOINT_URL_S3 !== undefined,
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      httpsAgent: { keepAlive: true, maxSockets: SOCKETS },
      httpAgent: { keepAlive: true, maxSockets: SOCKETS },
    },
  });
}
