/** Objects in Cloud Storage: the product's buckets as the pod's service account, customers' from AWS by federation. */
import type { Readable } from "node:stream";
import { GoogleAuth, type GoogleAuthOptions } from "google-auth-library";
import { externalAccount } from "../../plan/federation";
import { type Found, passing, Silence, type Storage, StorageError } from "./storage";

const SCOPES = "https://www.googleapis.com/auth/devstorage.read_write";

/** What is asked as whom: a client of google-auth-library, which renews tokens and knows proxies. */
export type Asking = Pick<GoogleAuth, "request">;

/** As the pod's service account; the metadata server gives the tokens. */
export const asPod = (): Asking => new GoogleAuth({ scopes: SCOPES });

/** As a customer's service account that trusts a token of the pod's cluster in a file. */
export function asFederated(provider: string, serviceAccount: string, token: string): Asking {
  const credentials = externalAccount(provider, serviceAccount, token) as GoogleAuthOptions["credentials"];
  return new GoogleAuth({ credentials: credentials!, scopes: SCOPES });
}

/**
 * A storage in Cloud Storage, by its JSON API.
 * @param as makes who asks, anew after a silence: an exchange of tokens that hangs would hold all later ones
 * @param endpoint default: what the variable of Google's own clients says, else Google's
 */
export function googleStorage(
  as: () => Asking = asPod,
  endpoint = process.env.STORAGE_EMULATOR_HOST ?? "https://storage.googleapis.com",
): Storage {
  let auth = as();
  /** Asks, for as long as something is sent or answered. */
  const ask = async (what: string, path: string, silence: Silence, upload: object = {}) => {
    const asked = auth.request<Readable>({
      url: new URL(path, endpoint).href,
      responseType: "stream",
      signal: silence.signal,
      validateStatus: () => true,
      ...upload,
    });
    try {
      return await silence.of(what, asked);
    } catch (error) {
      auth = as();
      throw error;
    }
  };
  const refused = (what: string, { status, data }: { status: number; data: Readable }) => {
    data.resume();
    return new StorageError(`${what}: answered ${status}`);
  };
  return {
    async read(bucket, name, gone): Promise<Found | undefined> {
      const what = `reading gs://${bucket}`;
      const path = `/storage/v1/b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(name)}?alt=media`;
      const answer = await ask(what, path, new Silence(gone));
      if (answer.status !== 200) {
        const problem = refused(what, answer);
        if (answer.status === 404) return undefined;
        throw problem;
      }
      const { data: stream, headers } = answer;
      // What was stored compressed is not when it comes through here: the size that is told is of the other.
      const told = headers.has("content-encoding") ? null : headers.get("content-length");
      return {
        stream,
        type: headers.get("content-type") ?? undefined,
        bytes: told === null ? undefined : Number(told),
      };
    },
    async write(bucket, name, { stream, bytes, type }, gone): Promise<void> {
      const what = `writing gs://${bucket}`;
      const path = `/upload/storage/v1/b/${encodeURIComponent(bucket)}/o?${new URLSearchParams({ uploadType: "media", name })}`;
      const silence = new Silence(gone);
      const data = passing(stream, silence.moved);
      const headers = { "content-length": String(bytes), "content-type": type };
      try {
        const answer = await ask(what, path, silence, { method: "POST", data, headers });
        if (answer.status !== 200) throw refused(what, answer);
        answer.data.resume();
      } finally {
        data.destroy();
      }
    },
  };
}
