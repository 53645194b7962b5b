/**
 * Google's Security Token Service: exchanges the token of somebody else's issuer for one of Google, as the workload identity
 * pool provider declares it. Source: "Workload Identity Federation", "Exchange a token", CEL of attribute mappings.
 */
import { randomBytes } from "node:crypto";
import { Environment } from "@marcbachmann/cel-js";
import { decodeJwt } from "jose";
import { CloudError, type Props } from "../../lib/types";
import { text } from "../registry";
import { readToken } from "../service-account-token";

/** Who a federated token is: every name by which IAM can mean it. */
export interface FederatedPrincipal {
  /** `principal://…/subject/SUBJECT`. */
  principal: string;
  /** That, and the sets it is in: `principalSet://…/attribute.NAME/VALUE`, `principalSet://…/*`. */
  members: string[];
}

/** What the service asks of the control plane. */
export interface FederationDecisions {
  /** A provider that is declared and not disabled, by its full name; undefined: there is none. */
  identityProvider(name: string): Props | undefined;
  /** PEM of the key of an issuer that is reached; undefined: nobody answers at the issuer. */
  issuerKey(issuer: string): string | undefined;
  mayActAs(member: string, email: string): boolean;
  /** IAM member whose own access token it is; undefined: nobody's, or one that was exchanged. */
  memberOfToken?(accessToken: string): string | undefined;
}

const GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
const TOKEN_TYPES = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];
const LIFETIME_SECONDS = 3600;

const refused = (code: string, message: string) => new CloudError(400, code, message);

const environment = new Environment()
  .registerVariable("assertion", "map")
  .registerVariable("mapped", "map")
  .registerVariable("attribute", "map")
  .registerFunction("string.extract(string): string", (value: string, template: string) => extract(value, template));

/** Federated tokens, known to this process only. */
export class TokenExchange {
  private readonly issued = new Map<string, { who: FederatedPrincipal; expires: number }>();

  constructor(private readonly decisions: FederationDecisions) {}

  /** The answer of `POST /v1/token`. @throws CloudError 400 with the words of RFC 6749 */
  async exchange(request: Record<string, string>): Promise<Props> {
    const { audience = "", subjectToken = "" } = request;
    if (request.grantType !== GRANT) throw refused("unsupported_grant_type", `grant_type must be ${GRANT}`);
    if (!TOKEN_TYPES.includes(request.subjectTokenType ?? ""))
      throw refused("invalid_request", `subject_token_type must be one of ${TOKEN_TYPES.join(", ")}`);
    const name =
      /^\/\/iam\.googleapis\.com\/(projects\/\d+\/locations\/global\/workloadIdentityPools\/[^/]+\/providers\/[^/]+)$/.exec(
        audience,
      )?.[1];
    const provider = name && this.decisions.identityProvider(name);
    if (!name || !provider)
      throw refused(
        "invalid_target",
        'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn\'t exist.',
      );
    const oidc = (provider.oidc ?? {}) as { issuerUri?: string; allowedAudiences?: string[] };
    const issuer = oidc.issuerUri ?? "";
    const claimed = claimsOf(subjectToken);
    if (claimed.iss !== issuer)
      throw refused(
        "invalid_grant",
        `The issuer in ID Token ${claimed.iss} does not match the expected ones: ${issuer}`,
      );
    const key = this.decisions.issuerKey(issuer);
    if (!key) throw refused("invalid_grant", `Error connecting to the given credential's issuer: ${issuer}`);
    const allowed = oidc.allowedAudiences?.length ? oidc.allowedAudiences : [`https:${audience}`, audience];
    const token = await readToken(subjectToken, { key, issuers: [issuer] }).catch((error: Error) => {
      throw refused("invalid_grant", `Unable to verify the ID Token: ${error.message}`);
    });
    if (!token.audiences.some((each) => allowed.includes(each)))
      throw refused(
        "invalid_grant",
        `The audience in ID Token ${JSON.stringify(token.audiences)} does not match the expected audience ${allowed[0]}`,
      );
    const who = principalOf(name.replace(/\/providers\/.*$/, ""), provider, token.claims);
    const accessToken = `ya29.d.${randomBytes(48).toString("base64url")}`;
    this.issued.set(accessToken, { who, expires: Date.now() + LIFETIME_SECONDS * 1000 });
    return {
      access_token: accessToken,
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
      token_type: "Bearer",
      expires_in: LIFETIME_SECONDS,
    };
  }

  /** Refuses unless whoever has the token may act as the account. @throws CloudError 401 and 403 */
  checkMayActAs(accessToken: string, email: string): void {
    const own = this.decisions.memberOfToken?.(accessToken);
    const found = this.issued.get(accessToken);
    if (!own && (!found || found.expires < Date.now()))
      throw new CloudError(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.");
    const members = own ? [own] : found!.who.members;
    if (!members.some((member) => this.decisions.mayActAs(member, email)))
      throw new CloudError(
        403,
        "PERMISSION_DENIED",
        "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
      );
  }
}

function claimsOf(token: string): Record<string, unknown> {
  try {
    return decodeJwt(token);
  } catch (error) {
    throw refused("invalid_request", `Unable to parse the ID Token: ${(error as Error).message}`);
  }
}

function principalOf(pool: string, provider: Props, claims: Record<string, unknown>): FederatedPrincipal {
  const mapping = (provider.attributeMapping ?? {}) as Record<string, string>;
  const mapped = Object.entries(mapping).map(([name, expression]) => {
    const value = evaluate(expression, { assertion: claims, mapped: {}, attribute: {} });
    if (typeof value !== "string")
      throw refused("invalid_grant", `The mapped attribute '${name}' must be of type STRING`);
    return [name, value] as const;
  });
  const of = (prefix: string) =>
    mapped.flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value] as const] : []));
  const google = Object.fromEntries(of("google."));
  const attribute = Object.fromEntries(of("attribute."));
  const subject = google.subject ?? "";
  if (!subject || subject.length > 127)
    throw refused("invalid_grant", "The mapped attribute 'google.subject' must have 1 to 127 characters.");
  const condition = text(provider, "attributeCondition");
  if (condition && evaluate(condition, { assertion: claims, mapped: google, attribute }) !== true)
    throw new CloudError(403, "unauthorized_client", "The given credential is rejected by the attribute condition.");
  const base = `//iam.googleapis.com/${pool}`;
  const principal = `principal:${base}/subject/${subject}`;
  const sets = Object.entries(attribute).map(([name, value]) => `principalSet:${base}/attribute.${name}/${value}`);
  return { principal, members: [principal, ...sets, `principalSet:${base}/*`] };
}

function evaluate(expression: string, context: Record<string, unknown>): unknown {
  try {
    return environment.evaluate(renamed(expression), context);
  } catch (error) {
    throw refused(
      "invalid_grant",
      `The attribute mapping or condition "${expression}" could not be evaluated: ${(error as Error).message}`,
    );
  }
}

/** The library keeps the word `google` for its own types: `google.subject` is another name to it, outside of texts. */
const renamed = (expression: string): string =>
  expression.replace(
    /('[^']*'|"[^"]*")|\bgoogle\.(\w+)/g,
    (_, quoted?: string, name?: string) => quoted ?? `mapped.${name}`,
  );

/** `'a/b/c'.extract('a/{x}/')` is `b`. Source: "extract function" of IAM conditions. */
function extract(value: string, template: string): string {
  const [, before = "", after = ""] = /^(.*)\{\w+\}(.*)$/s.exec(template) ?? [];
  const start = value.indexOf(before);
  if (start < 0) return "";
  const rest = value.slice(start + before.length);
  const end = after === "" ? rest.length : rest.indexOf(after);
  return end < 0 ? "" : rest.slice(0, end);
}
