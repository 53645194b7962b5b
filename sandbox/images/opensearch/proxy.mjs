// HTTPS with basic authentication in front of a node, as Elasticsearch's own security has it, on the same address.
import { timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { pipeline } from "node:stream";

const { NODE_IP, ES_VERSION } = process.env;
const password = readFileSync("/user/elastic", "utf8").trim();
const users = { ...JSON.parse(readFileSync("/file-realm/users.json", "utf8")), elastic: { password, superuser: true } };
const accepted = Object.entries(users).map(([name, user]) => ({
  name,
  ...user,
  header: Buffer.from(`Basic ${Buffer.from(`${name}:${user.password}`).toString("base64")}`),
}));
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

/** The user of a request, or undefined. */
function userOf(header = "") {
  const given = Buffer.from(header);
  return accepted.find((user) => given.length === user.header.length && timingSafeEqual(given, user.header));
}

/** May a user do that? What looks at the cluster needs the right to, everything else an index that it may use. */
function allowed(user, method, url) {
  if (user.superuser) return true;
  const path = url.split("?")[0];
  const [index = ""] = path.split("/").filter(Boolean);
  if (index === "" || index === "_cluster") return user.monitor && method === "GET";
  const fits = (pattern) =>
    new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`).test(index);
  return !index.startsWith("_") && user.indices.some(fits);
}

function forbidden(response, { name }, method, url) {
  const reason = `action [${method} ${url}] is unauthorized for user [${name}]`;
  response.writeHead(403, { "content-type": "application/json" });
  response.end(JSON.stringify({ error: { type: "security_exception", reason }, status: 403 }));
}

function unauthorized(response) {
  const reason = "missing authentication credentials for REST request";
  response.writeHead(401, {
    "content-type": "application/json",
    "www-authenticate": 'Basic realm="security", charset="UTF-8"',
  });
  response.end(JSON.stringify({ error: { type: "security_exception", reason }, status: 401 }));
}

/** What `GET /` says of itself: clients look for the product's name and version. */
function introduce(answer, response) {
  const chunks = [];
  answer.on("data", (chunk) => chunks.push(chunk));
  answer.on("error", () => response.destroy());
  answer.on("end", () => {
    const about = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    about.version = { ...about.version, number: ES_VERSION, build_flavor: "default", distribution: undefined };
    about.tagline = "You Know, for Search";
    response.writeHead(200, { "content-type": "application/json", "x-elastic-product": "Elasticsearch" });
    response.end(JSON.stringify(about));
  });
}

/** Is that the registration of a snapshot repository? */
const registers = ({ method, url }) => method === "PUT" && /^\/_snapshot\/[^/?]+(\?|$)/.test(url);

/**
 * A repository in S3 as OpenSearch takes it: its usual client for some of the calls is written in C and trusts the system's
 * authorities alone; the other one is Java's, as Elasticsearch's is.
 */
function registration(text) {
  try {
    const body = JSON.parse(text);
    if (body.type !== "s3") return text;
    return JSON.stringify({ ...body, settings: { ...body.settings, s3_async_client_type: "netty" } });
  } catch {
    return text;
  }
}

/** Sends a request's body on. */
function pass(request, onward) {
  if (!registers(request)) return request.pipe(onward);
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => onward.end(registration(Buffer.concat(chunks).toString("utf8"))));
}

const server = https.createServer(
  { cert: readFileSync("/certs/tls.crt"), key: readFileSync("/certs/tls.key") },
  (request, response) => {
    const user = userOf(request.headers.authorization);
    if (!user) return unauthorized(response);
    if (!allowed(user, request.method, request.url)) return forbidden(response, user, request.method, request.url);
    const { authorization: _, ...headers } = request.headers;
    // Of another length when it is passed on.
    if (registers(request)) delete headers["content-length"];
    const onward = http.request(
      { host: NODE_IP, port: 9201, method: request.method, path: request.url, headers, agent },
      (answer) => {
        if (request.method === "GET" && request.url === "/" && answer.statusCode === 200)
          return introduce(answer, response);
        response.writeHead(answer.statusCode, { ...answer.headers, "x-elastic-product": "Elasticsearch" });
        // Broken off there, it is broken off here: a client would wait for the rest.
        pipeline(answer, response, () => {});
      },
    );
    response.on("close", () => response.writableFinished || onward.destroy());
    onward.on("error", (error) => {
      if (response.headersSent) return response.destroy();
      response.writeHead(503, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: { type: "node_not_ready", reason: error.message }, status: 503 }));
    });
    pass(request, onward);
  },
);
// Elasticsearch keeps idle connections; the client is the one to close them.
server.keepAliveTimeout = 0;
server.listen(9200, NODE_IP);
process.on("SIGTERM", () => process.exit(0));
