// HTTPS with basic authentication in front of a node, as Elasticsearch's own security has it, on the same address.
import { timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";

const { NODE_IP, ES_VERSION } = process.env;
const password = readFileSync("/user/elastic", "utf8").trim();
const expected = Buffer.from(`Basic ${Buffer.from(`elastic:${password}`).toString("base64")}`);
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

function authorized(header = "") {
  const given = Buffer.from(header);
  return given.length === expected.length && timingSafeEqual(given, expected);
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
  answer.on("end", () => {
    const about = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    about.version = { ...about.version, number: ES_VERSION, build_flavor: "default", distribution: undefined };
    about.tagline = "You Know, for Search";
    response.writeHead(200, { "content-type": "application/json", "x-elastic-product": "Elasticsearch" });
    response.end(JSON.stringify(about));
  });
}

const server = https.createServer(
  { cert: readFileSync("/certs/tls.crt"), key: readFileSync("/certs/tls.key") },
  (request, response) => {
    if (!authorized(request.headers.authorization)) return unauthorized(response);
    const { authorization: _, ...headers } = request.headers;
    const onward = http.request(
      { host: NODE_IP, port: 9201, method: request.method, path: request.url, headers, agent },
      (answer) => {
        if (request.method === "GET" && request.url === "/" && answer.statusCode === 200)
          return introduce(answer, response);
        response.writeHead(answer.statusCode, { ...answer.headers, "x-elastic-product": "Elasticsearch" });
        answer.pipe(response);
      },
    );
    onward.on("error", (error) => {
      if (response.headersSent) return response.destroy();
      response.writeHead(503, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: { type: "node_not_ready", reason: error.message }, status: 503 }));
    });
    request.pipe(onward);
  },
);
server.listen(9200, NODE_IP);
process.on("SIGTERM", () => process.exit(0));
