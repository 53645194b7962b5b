/** The attempts on Cloud Storage, by its JSON API. */
import type { Place, PlaceOperation, Principal } from "./cells";
import { type Answer, type Measured, measured, type Storage, type Target } from "./storage";

/** A request from `/storage/v1` on. */
export interface GcsRequest {
  method: string;
  path: string;
  body?: string;
}

/** Sends requests as an account. */
export interface GcsClient {
  send(email: string, request: GcsRequest): Promise<Answer>;
  /** Asks what Google knows of an account's token, as `tokeninfo` says it. */
  whoami(email: string): Promise<Answer>;
  /** Asks IAM credentials for an access token of another account. */
  mint(email: string, victim: string): Promise<Answer>;
}

/** Whoever lives on the other cloud comes without a token of Google's. */
export const NOBODY = "";

const bucketPath = ({ bucket }: Place) => `/storage/v1/b/${bucket}`;
const objectPath = (place: Place, name: string) => `${bucketPath(place)}/o/${encodeURIComponent(name)}`;
const uploadPath = ({ bucket }: Place, name: string) =>
  `/upload/storage/v1/b/${bucket}/o?${new URLSearchParams({ uploadType: "media", name })}`;
const upload = (place: Place, name: string): GcsRequest => ({
  method: "POST",
  path: uploadPath(place, name),
  body: "attack",
});

/** A retention as the API has it. */
const retention = (seconds: number) =>
  JSON.stringify({ retentionPolicy: seconds > 0 ? { retentionPeriod: String(seconds) } : null });
/** A day less than the bucket has; a bucket without one is asked to have none. */
const lessRetention = ({ retentionSeconds }: Place) => retention(Math.max(0, retentionSeconds - 86_400));

const isKept = (body: string) => /retention ?policy/i.test(body);

/** Cloud Storage as an attacker uses it. */
export class GcsAttack implements Storage {
  constructor(private readonly client: GcsClient) {}

  async seed(who: Principal, place: Place, name: string): Promise<Target> {
    const answer = await this.must(who, upload(place, name));
    return { name, version: (JSON.parse(answer) as { generation: string }).generation };
  }

  async find(who: Principal, place: Place): Promise<Target | undefined> {
    const query = new URLSearchParams({ prefix: place.prefix, maxResults: "1" });
    const listed = await this.must(who, { method: "GET", path: `${bucketPath(place)}/o?${query}` });
    const [first] = (JSON.parse(listed) as { items?: { name: string; generation: string }[] }).items ?? [];
    return first && { name: first.name, version: first.generation };
  }

  async attempt(
    who: Principal,
    place: Place,
    operation: PlaceOperation,
    aim: { target: Target; fresh: string; administrator?: Principal },
  ): Promise<Measured> {
    const email = emailOf(who);
    const policy = aim.administrator && (await this.policy(aim.administrator, place));
    const answer = await this.client.send(email, requestOf(who, place, operation, aim, policy ?? { bindings: [] }));
    if (answer.status < 300 && aim.administrator) await this.undo(aim.administrator, place, operation, policy);
    return measured(answer, isKept, email === NOBODY);
  }

  async identify(who: Principal): Promise<string> {
    const { status, body } = await this.client.whoami(who.name);
    if (status !== 200) throw new Error(`${status}: ${body.slice(0, 300)}`);
    return String((JSON.parse(body) as { email?: string }).email);
  }

  async mint(who: Principal, victim: Principal): Promise<Measured> {
    return measured(await this.client.mint(emailOf(who), victim.name), () => false);
  }

  private async policy(who: Principal, place: Place): Promise<Policy> {
    const text = await this.must(who, { method: "GET", path: `${bucketPath(place)}/iam` });
    return JSON.parse(text) as Policy;
  }

  /** Puts back what an attempt has changed. */
  private async undo(
    who: Principal,
    place: Place,
    operation: PlaceOperation,
    policy: Policy | undefined,
  ): Promise<void> {
    if (operation === "grant to oneself" && policy)
      await this.must(who, { method: "PUT", path: `${bucketPath(place)}/iam`, body: JSON.stringify(policy) });
    if (operation === "change retention")
      await this.must(who, { method: "PATCH", path: bucketPath(place), body: retention(place.retentionSeconds) });
  }

  private async must(who: Principal, request: GcsRequest): Promise<string> {
    const { status, body } = await this.client.send(emailOf(who), request);
    if (status >= 300)
      throw new Error(`${who.name} was refused ${request.method} ${request.path}, ${status}: ${body.slice(0, 300)}`);
    return body;
  }
}

/** What requests are signed with on Google's side. */
export const emailOf = ({ cloud, name }: Principal): string => (cloud === "gcp" ? name : NOBODY);

interface Policy {
  bindings: { role: string; members: string[] }[];
}

function requestOf(
  who: Principal,
  place: Place,
  operation: PlaceOperation,
  { target, fresh }: { target: Target; fresh: string },
  policy: Policy,
): GcsRequest {
  const iam = `${bucketPath(place)}/iam`;
  switch (operation) {
    case "list": {
      const query = place.prefix ? `?${new URLSearchParams({ prefix: place.prefix })}` : "";
      return { method: "GET", path: `${bucketPath(place)}/o${query}` };
    }
    case "read":
      return { method: "GET", path: `${objectPath(place, target.name)}?alt=media` };
    case "write":
      return upload(place, fresh);
    case "overwrite":
      return upload(place, target.name);
    case "delete":
      return { method: "DELETE", path: objectPath(place, target.name) };
    case "delete version":
      return { method: "DELETE", path: `${objectPath(place, target.name)}?generation=${target.version}` };
    case "change policy":
      // The same once more: who may set it may set another.
      return { method: "PUT", path: iam, body: JSON.stringify(policy) };
    case "grant to oneself": {
      const mine = { role: "roles/storage.objectAdmin", members: [memberOf(who)] };
      return { method: "PUT", path: iam, body: JSON.stringify({ bindings: [...policy.bindings, mine] }) };
    }
    case "change retention":
      return { method: "PATCH", path: bucketPath(place), body: lessRetention(place) };
  }
}

/** Somebody as IAM names them. */
const memberOf = ({ cloud, name }: Principal): string => {
  if (cloud === "aws") return "allUsers";
  return `${name.endsWith(".gserviceaccount.com") ? "serviceAccount" : "user"}:${name}`;
};
