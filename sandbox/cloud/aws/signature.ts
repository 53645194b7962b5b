/** Checks AWS Signature Version 4 of a request. Source: "AWS Signature Version 4 for API requests". */
import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { AwsV4Signer } from "aws4fetch";
import { CloudError } from "../../lib/types";
import { ANONYMOUS, type Caller } from "./access";
import type { AwsSessions } from "./sessions";

/** What of a request its signature covers. */
export interface SignedRequest {
  method: string;
  /** Path and query as sent. */
  url: string;
  headers: IncomingHttpHeaders;
  /** Body of a request whose payload is not hashed in a header. */
  body?: string;
}

/** How far a signature's time may be from now, in ms. */
const SKEW_MS = 15 * 60_000;

const denied = (code: string, message: string, status = 403) => new CloudError(status, code, message);

interface Parts {
  credential: string;
  signedHeaders: string;
  signature: string;
  datetime: string;
  token: string;
  query: boolean;
}

/** Who signed, and for which region (empty without a signature). */
export interface Signer {
  caller: Caller;
  region: string;
}

/**
 * Who signed; {@link ANONYMOUS} for a request without a signature.
 * @throws CloudError 400 and 403 with S3's codes when the signature is wrong, old or of unknown credentials
 */
export async function signer(request: SignedRequest, sessions: AwsSessions): Promise<Signer> {
  const now = new Date();
  const url = new URL(request.url, `http://${request.headers.host ?? "localhost"}`);
  const parts = fromHeader(request.headers) ?? fromQuery(url);
  if (!parts) return { caller: ANONYMOUS, region: "" };
  const [accessKeyId = "", , region = "", service = "", end] = parts.credential.split("/");
  const time = timeOf(parts.datetime);
  if (end !== "aws4_request" || Number.isNaN(time))
    throw denied("AuthorizationHeaderMalformed", "The authorization header that you provided is not valid.", 400);
  const session = sessions.find(accessKeyId);
  if (!session) throw denied("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.");
  if (parts.token !== session.sessionToken)
    throw denied("InvalidToken", "The provided token is malformed or otherwise invalid.", 400);
  if (parts.query) {
    // STS takes a quarter of an hour, whatever the request says: tokens of `aws eks get-token` say 60 s.
    const lifetime = service === "sts" ? SKEW_MS : Number(url.searchParams.get("X-Amz-Expires") ?? 0) * 1000;
    const until = time + lifetime;
    if (now.getTime() > until) throw denied("AccessDenied", "Request has expired");
  } else if (Math.abs(now.getTime() - time) > SKEW_MS) {
    throw denied("RequestTimeTooSkewed", "The difference between the request time and the server's time is too large.");
  }
  for (const name of ["X-Amz-Signature", "X-Amz-Security-Token"]) if (parts.query) url.searchParams.delete(name);
  const covered = parts.signedHeaders.split(";").filter((name) => name !== "host");
  const expected = new AwsV4Signer({
    method: request.method,
    url: url.toString(),
    headers: covered.map((name) => [name, String(request.headers[name] ?? "")] as [string, string]),
    accessKeyId,
    secretAccessKey: session.secretAccessKey,
    ...(parts.query && { sessionToken: session.sessionToken }),
    service,
    region,
    datetime: parts.datetime,
    signQuery: parts.query,
    allHeaders: true,
    ...(request.body !== undefined && { body: request.body }),
  });
  if (!sameText(await expected.signature(), parts.signature))
    throw denied(
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    );
  return { caller: session.caller, region };
}

function fromHeader(headers: IncomingHttpHeaders): Parts | undefined {
  const text = headers.authorization ?? "";
  const [, credential, signedHeaders, signature] =
    /^AWS4-HMAC-SHA256 Credential=([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]+)$/.exec(text) ?? [];
  if (!credential || !signedHeaders || !signature) {
    if (text)
      throw denied(
        "AuthorizationHeaderMalformed",
        "The authorization mechanism you have provided is not supported.",
        400,
      );
    return undefined;
  }
  return {
    credential,
    signedHeaders,
    signature,
    datetime: String(headers["x-amz-date"] ?? ""),
    token: String(headers["x-amz-security-token"] ?? ""),
    query: false,
  };
}

function fromQuery({ searchParams }: URL): Parts | undefined {
  const of = (name: string) => searchParams.get(`X-Amz-${name}`) ?? "";
  if (!of("Signature")) return undefined;
  return {
    credential: of("Credential"),
    signedHeaders: of("SignedHeaders"),
    signature: of("Signature"),
    datetime: of("Date"),
    token: of("Security-Token"),
    query: true,
  };
}

/** `20261125T170000Z` in ms. */
const timeOf = (text: string): number =>
  Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
