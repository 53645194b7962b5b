/** Media of a drill: written as the product's services would, wiped as an attacker with their credentials would. */
import type { MediaBucket } from "../plan/media";
import { serviceAccountEmail } from "../plan/names";
import { MEDIA_BUCKETS, MEDIA_FLOOR, PROD_PROJECT, VAULT_PROJECT } from "./config";
import { ask } from "./public-name";
import { stealToken } from "./sandbox";
import type { Progress } from "./workspace";

/** Objects in each bucket; wiping them is above the breaker's floor. */
const OBJECTS = 4 * MEDIA_FLOOR;
/** When an object is written by the public name: at Google, and while the standby serves. */
export const BEFORE = "before";
export const MEANWHILE = "in AWS";
const byName = (what: string) => `assets/${what}/proxy 1.mp4`;
/** Where the product has an object of a bucket. */
export const pathOf = (bucket: string, name: string) =>
  `/api/media/${bucket}/${name.split("/").map(encodeURIComponent).join("/")}`;
const nameOf = (index: number) => `assets/${index}/proxy ${index}.mp4`;
const contentOf = ({ name }: MediaBucket, index: number) => `${name} ${index}`;

/** The scratch media buckets and their secondaries, through the storage's API. */
export class Media {
  constructor(private readonly endpoint: string) {}

  /** Stores every object. @throws when the storage refuses the services */
  async write(progress: Progress): Promise<void> {
    for (const bucket of MEDIA_BUCKETS) {
      for (let index = 0; index < OBJECTS; index++) {
        const path = `/upload/storage/v1/b/${bucket.name}/o?uploadType=media&name=${encodeURIComponent(nameOf(index))}`;
        await this.call(await services(), path, { method: "POST", body: contentOf(bucket, index) });
      }
    }
    progress(`${OBJECTS} objects in each of ${MEDIA_BUCKETS.map(({ name }) => name).join(", ")}`);
  }

  /** @throws when a secondary does not hold what was written */
  async verify(progress: Progress): Promise<void> {
    for (const bucket of MEDIA_BUCKETS) await this.verifySecondary(bucket);
    progress(`${OBJECTS * MEDIA_BUCKETS.length} objects are in the secondaries`);
  }

  /** @throws when the bucket's secondary does not hold what was written to it */
  async verifySecondary(bucket: MediaBucket): Promise<void> {
    for (let index = 0; index < OBJECTS; index++) {
      const path = `/storage/v1/b/${bucket.secondary}/o/${encodeURIComponent(nameOf(index))}?alt=media`;
      const content = await this.call(await replicator(), path, {});
      if (content !== contentOf(bucket, index))
        throw new Error(`gs://${bucket.secondary}/${nameOf(index)} holds "${content}", not what was written`);
    }
  }

  /** @returns how many objects the buckets hold @throws when one does not hold what was written to it */
  async verifyPrimaries(progress: Progress): Promise<number> {
    for (const bucket of MEDIA_BUCKETS)
      for (let index = 0; index < OBJECTS; index++) {
        const path = `/storage/v1/b/${bucket.name}/o/${encodeURIComponent(nameOf(index))}?alt=media`;
        const content = await this.call(await services(), path, {});
        if (content !== contentOf(bucket, index))
          throw new Error(`gs://${bucket.name}/${nameOf(index)} holds "${content}", not what was written`);
      }
    progress(`${OBJECTS * MEDIA_BUCKETS.length} objects are in the primaries`);
    return OBJECTS * MEDIA_BUCKETS.length;
  }

  /** Stores an object in each bucket as a user does, by the product's public name. @throws when it is not taken */
  async writeByName(what: string, progress: Progress): Promise<void> {
    for (const { name } of MEDIA_BUCKETS) {
      const { status, body, region } = await ask("PUT", pathOf(name, byName(what)), `${name} ${what}`);
      if (status !== 200)
        throw new Error(`PUT ${pathOf(name, byName(what))} was answered ${status} by ${region}: ${body}`);
      await this.readByName(name, byName(what), `${name} ${what}`);
    }
    progress(`a media object was written ${what} in each of ${MEDIA_BUCKETS.map(({ name }) => name).join(", ")}`);
  }

  /** Asks the product for everything by its public name. @throws when something is not what was written at Google */
  async verifyByName(progress: Progress): Promise<void> {
    for (const bucket of MEDIA_BUCKETS) {
      for (let index = 0; index < OBJECTS; index++)
        await this.readByName(bucket.name, nameOf(index), contentOf(bucket, index));
      await this.readByName(bucket.name, byName(BEFORE), `${bucket.name} ${BEFORE}`);
    }
    progress(`${(OBJECTS + 1) * MEDIA_BUCKETS.length} media objects are answered by the public name`);
  }

  private async readByName(bucket: string, name: string, content: string): Promise<void> {
    const { status, body, region } = await ask("GET", pathOf(bucket, name));
    if (status !== 200 || body !== content)
      throw new Error(`GET ${pathOf(bucket, name)} was answered ${status} by ${region}: "${body}", not "${content}"`);
  }

  /** @returns how many of what was written in AWS are in the product's buckets @throws when one is not */
  async verifyReturned(progress: Progress): Promise<number> {
    for (const { name } of MEDIA_BUCKETS) {
      const path = `/storage/v1/b/${name}/o/${encodeURIComponent(byName(MEANWHILE))}?alt=media`;
      const content = await this.call(await services(), path, {});
      if (content !== `${name} ${MEANWHILE}`) throw new Error(`gs://${name}/${MEANWHILE} holds "${content}"`);
    }
    progress(`what was written in AWS is in ${MEDIA_BUCKETS.map(({ name }) => name).join(", ")}`);
    return MEDIA_BUCKETS.length;
  }

  /** Deletes every object of a bucket. @throws when the storage refuses the services */
  async wipe({ name }: MediaBucket, progress: Progress): Promise<void> {
    for (let index = 0; index < OBJECTS; index++)
      await this.call(await services(), `/storage/v1/b/${name}/o/${encodeURIComponent(nameOf(index))}`, {
        method: "DELETE",
      });
    progress(`${OBJECTS} objects of ${name} were deleted`);
  }

  private async call(token: string, path: string, init: RequestInit): Promise<string> {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(new URL(path, this.endpoint), { ...init, headers });
    const text = await response.text();
    if (!response.ok) throw new Error(`${init.method ?? "GET"} ${path} was answered ${response.status}: ${text}`);
    return text;
  }
}

/** One token an account: the drill is short. */
const tokens = new Map<string, Promise<string>>();
function tokenOf(email: string): Promise<string> {
  const token = tokens.get(email) ?? stealToken(email);
  tokens.set(email, token);
  return token;
}
const services = () => tokenOf(serviceAccountEmail("services", PROD_PROJECT));
const replicator = () => tokenOf(serviceAccountEmail("media-replicator", VAULT_PROJECT));
