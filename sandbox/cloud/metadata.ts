/** The metadata server of one pod, as GKE's serves it to pods with Workload Identity. Source: "VM metadata". */
import { createServer, type Server } from "node:http";
import type { AccessDecisions } from "../lib/types";
import type { Tokens } from "./tokens";

export interface MetadataOptions {
  host: string;
  port: number;
  project: string;
  /** Google account of the pod, and the pod's own member name. */
  email: string;
  member: string;
  decisions: Pick<AccessDecisions, "mayActAs">;
  tokens: Tokens;
}

const SCOPES = ["https://www.googleapis.com/auth/cloud-platform"];
const BASE = "/computeMetadata/v1";

/** Serves until closed. */
export async function serveMetadata(options: MetadataOptions): Promise<Server> {
  const server = createServer((request, response) => {
    const [path = "", query = ""] = (request.url ?? "").split("?");
    const send = (status: number, body: string, type = "application/text") =>
      response
        .writeHead(status, { "content-type": type, "metadata-flavor": "Google", server: "Metadata Server for VM" })
        .end(body);
    if (path !== "/" && request.headers["metadata-flavor"] !== "Google")
      return send(403, "Missing required header: Metadata-Flavor");
    const answer = values(options, path.replace(/\/$/, ""), query);
    if (answer === undefined) return send(404, "Not Found");
    if (answer === "forbidden") return send(403, `Unable to generate access token; IAM returned 403 Forbidden`);
    return typeof answer === "string" ? send(200, answer) : send(200, JSON.stringify(answer), "application/json");
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  return server;
}

function values(options: MetadataOptions, path: string, query: string): object | string | undefined {
  const { email, project } = options;
  const account = { aliases: ["default"], email, scopes: SCOPES };
  if (path === "" || path === "/computeMetadata") return "computeMetadata/";
  if (!path.startsWith(BASE)) return undefined;
  const rest = path.slice(BASE.length);
  const accounts = /^\/instance\/service-accounts(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(rest);
  if (accounts) {
    const [, name, field] = accounts;
    if (name === undefined)
      return query.includes("recursive=true") ? { default: account, [email]: account } : `default/\n${email}/\n`;
    if (name !== "default" && name !== email) return undefined;
    if (field === undefined) return query.includes("recursive=true") ? account : "aliases\nemail\nscopes\ntoken\n";
    if (field === "email") return email;
    if (field === "scopes") return SCOPES.join("\n");
    return field === "token" ? token(options) : undefined;
  }
  const plain: Record<string, string> = {
    "": "instance/\nproject/\n",
    "/project/project-id": project,
    "/project/numeric-project-id": "100000000000",
    "/universe/universe-domain": "googleapis.com",
    "/universe/universe_domain": "googleapis.com",
    "/instance/id": "1",
    "/instance/zone": "projects/100000000000/zones/unknown",
    "/instance": "service-accounts/\n",
  };
  return plain[rest];
}

function token({ decisions, tokens, member, email }: MetadataOptions): object | string {
  if (!decisions.mayActAs(member, email)) return "forbidden";
  const { accessToken, expiresAt } = tokens.issue(email);
  const expires_in = Math.floor((Date.parse(expiresAt) - Date.now()) / 1000);
  return { access_token: accessToken, expires_in, token_type: "Bearer" };
}
