/** The product is asked through the machine's proxy as without one, and what a proxy says of itself is not taken for the product's silence. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { after, afterEach, test } from "node:test";
import { publicWitness } from "../plan/failover";
import { appDomain } from "../plan/traffic";
import { authority, issue } from "../sandbox/lib/certificates";
import { httpsProbe } from "./https-probe";

const ADDRESS = "192.0.2.2";
/** Loopback's as well, so that nobody is asked who does not take part. */
const NOBODY = "127.254.254.254";
const variables = ["HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);
const before = Object.fromEntries(variables.map((name) => [name, process.env[name]]));
const ca = authority("one");
const servers: Server[] = [];

function unset(): void {
  for (const name of variables) delete process.env[name];
}
unset();
afterEach(unset);
after(() => {
  for (const [name, value] of Object.entries(before)) if (value !== undefined) process.env[name] = value;
  for (const server of servers) server.close().closeAllConnections();
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}

/** Starts a product with a certificate of the public name, or who has another name; returns its port. */
async function product(answer: RequestListener, name = appDomain): Promise<number> {
  const { certificate, key } = await issue(await ca, { commonName: name, dnsNames: [name] });
  return listening(createTlsServer({ cert: certificate, key }, answer));
}

/** Answers whoever reaches the Internet. */
const internet = product((_, response) => response.end("192.0.2.200"), publicWitness);

/**
 * Starts the machine's proxy, which deals with whoever wants to be connected; returns its address and what it was asked for.
 * @param takeOther deals with whoever wants to be connected to the witness. Default: the proxy reaches it
 */
async function proxy(
  take: (socket: Socket) => void,
  takeOther?: (socket: Socket) => void,
): Promise<{ url: string; asked: string[]; closed: Promise<unknown>[] }> {
  const asked: string[] = [];
  const closed: Promise<unknown>[] = [];
  const server = createServer();
  const toInternet = leadsTo(await internet);
  server.on("connect", (request, socket: Socket) => {
    if (request.url === `${publicWitness}:443`) return (takeOther ?? toInternet)(socket);
    asked.push(request.url ?? "");
    closed.push(once(socket, "close"));
    socket.on("error", () => undefined);
    // A server keeps its half open; whoever leaves is let go.
    socket.on("end", () => socket.end()).resume();
    take(socket);
  });
  const url = `http://127.0.0.1:${await listening(server)}`;
  process.env.HTTPS_PROXY = url.replace("//", "//somebody:secret@");
  return { url, asked, closed };
}

const says = (line: string) => (socket: Socket) => socket.end(`HTTP/1.1 ${line}\r\n\r\n`);

/** Connects to a port of this machine, whatever was asked for. */
const leadsTo = (port: number) => (socket: Socket) => {
  const onward = connect(port, "127.0.0.1", () => socket.write("HTTP/1.1 200 Connection established\r\n\r\n"));
  onward.on("error", () => undefined).on("close", () => socket.destroy());
  socket.on("close", () => onward.destroy());
  socket.pipe(onward).pipe(socket);
};

/** Asks at an address; the proxy may take so many seconds, and so may who is behind it. */
const ask = async (address = ADDRESS, seconds = 30, proxySeconds = 30) =>
  httpsProbe({ ca: (await ca).certificate, seconds, proxySeconds })(address);

test("the product is asked by its name through the machine's proxy", async () => {
  const hosts: unknown[] = [];
  const port = await product((request, response) => {
    hosts.push(request.headers.host, (request.socket as unknown as { servername: string }).servername);
    response.end("served");
  });
  const { asked, closed } = await proxy(leadsTo(port));
  assert.equal(await ask(), true);
  assert.deepEqual(asked, [`${ADDRESS}:443`]);
  assert.deepEqual(hosts, [appDomain, appDomain]);
  await Promise.all(closed);
});

test("an address in NO_PROXY is asked without", async () => {
  const { asked } = await proxy(says("200 Connection established"));
  process.env.NO_PROXY = `localhost,${NOBODY}`;
  assert.equal(await ask(NOBODY), false);
  assert.deepEqual(asked, []);
});

test("an error of the product, its silence and an end without an answer are no service", async () => {
  const port = await product((_, response) => response.writeHead(503).end());
  await proxy(leadsTo(port));
  assert.equal(await ask(), false);
  const { closed } = await proxy((socket) => socket.write("HTTP/1.1 200 Connection established\r\n\r\n"));
  assert.equal(await ask(ADDRESS, 3), false);
  await Promise.all(closed);
  await proxy(says("200 Connection established"));
  assert.equal(await ask(), false);
});

test("a proxy that reaches nobody at the address says that nobody serves there", async () => {
  for (const status of ["502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"]) {
    const { asked } = await proxy(says(status));
    assert.equal(await ask(), false, status);
    assert.equal(asked.length, 1);
  }
});

test("silence counts only while somebody else is reached the same way", async () => {
  const alone = "nobody serves there, nor at checkip.amazonaws.com:443, which answers whoever reaches the Internet ";
  const end = ": it is this machine that may be cut off";
  const down = await product((_, response) => response.writeHead(503).end(), publicWitness);
  const impostor = await product((_, response) => response.end("log in here"), "portal.example.com");
  const unwell = await product((_, response) => response.writeHead(503).end());
  const other = "a certificate is shown that this machine does not take for checkip.amazonaws.com's";
  for (const [takeOther, why] of [
    [says("502 Bad Gateway"), "silence"],
    [says("200 Connection established"), "silence"],
    [leadsTo(down), "503"],
    [
      says("403 Forbidden"),
      "proxy P (HTTPS_PROXY of this machine) answered CONNECT checkip.amazonaws.com:443 with 403 Forbidden",
    ],
    [leadsTo(impostor), `behind proxy P (HTTPS_PROXY of this machine) ${other} (ERR_TLS_CERT_ALTNAME_INVALID)${ELSE}`],
  ] as const)
    for (const take of [says("504 Gateway Timeout"), leadsTo(unwell)]) {
      const { url } = await proxy(take, takeOther);
      await assert.rejects(ask(), { message: `${alone}(${why.replace("P", url)})${end}` });
    }
});

test("a proxy that refuses, is silent or is not there says nothing of the address, and is named without its password", async () => {
  for (const status of ["407 Proxy Authentication Required", "403 Forbidden", "500 Internal Server Error"]) {
    const { url } = await proxy(says(status));
    await assert.rejects(ask(), {
      message: `proxy ${url} (HTTPS_PROXY of this machine) answered CONNECT ${ADDRESS}:443 with ${status}`,
    });
  }
  const silent = await proxy(() => undefined);
  await assert.rejects(ask(ADDRESS, 30, 0.5), {
    message: `proxy ${silent.url} (HTTPS_PROXY of this machine) did not answer CONNECT ${ADDRESS}:443 within 0.5 s`,
  });
  await Promise.all(silent.closed);
  const gone = await proxy((socket) => socket.destroy());
  await assert.rejects(ask(), ({ message }) =>
    message.startsWith(`proxy ${gone.url} (HTTPS_PROXY of this machine) failed: `),
  );
  process.env.HTTPS_PROXY = `http://${NOBODY}:9`;
  await assert.rejects(ask(), /^Error: proxy http:\/\/127\.254\.254\.254:9 .* failed: connect ECONNREFUSED/);
});

const ELSE =
  "; if it is of somebody who looks into TLS on the way, name the file of that authority in NODE_EXTRA_CA_CERTS";

test("a certificate of an unknown authority, or of another name, is no silence: somebody answers", async () => {
  const port = await product((_, response) => response.end("served"));
  const { url } = await proxy(leadsTo(port));
  const { certificate } = await authority("another");
  const what = `a certificate is shown that this machine does not take for ${appDomain}'s`;
  await assert.rejects(httpsProbe({ ca: certificate })(ADDRESS), {
    message: `behind proxy ${url} (HTTPS_PROXY of this machine) ${what} (UNABLE_TO_VERIFY_LEAF_SIGNATURE)${ELSE}`,
  });
  unset();
  await assert.rejects(httpsProbe({ ca: certificate, port })("127.0.0.1"), {
    message: `at the address ${what} (UNABLE_TO_VERIFY_LEAF_SIGNATURE)${ELSE}`,
  });
  const other = await issue(await ca, { commonName: "x.example", dnsNames: ["x.example"] });
  const another = await listening(createTlsServer({ cert: other.certificate, key: other.key }));
  await assert.rejects(httpsProbe({ ca: (await ca).certificate, port: another })("127.0.0.1"), {
    message: `at the address ${what} (ERR_TLS_CERT_ALTNAME_INVALID)${ELSE}`,
  });
});

test("a machine without a way out knows nothing of the product", async () => {
  await assert.rejects(
    httpsProbe({ port: 80 })("255.255.255.255"),
    /^Error: this machine has no way to 255\.255\.255\.255:80: /,
  );
});

test("a refusal in the tunnel may be of a proxy that looks inside", async () => {
  const port = await product((_, response) => response.writeHead(403).end());
  const { url } = await proxy(leadsTo(port));
  await assert.rejects(ask(), {
    message: `behind proxy ${url} (HTTPS_PROXY of this machine) the answer is 403, which may be its own`,
  });
});

test("what is no proxy for HTTPS is refused with what is", async () => {
  for (const url of ["socks5://somebody:secret@127.0.0.1:1080", "http://somebody:secret@:"]) {
    process.env.HTTPS_PROXY = url;
    await assert.rejects(ask(), {
      message: `HTTPS_PROXY of this machine is "${url.replace("somebody:secret@", "")}"; allowed: http://HOST:PORT or https://HOST:PORT`,
    });
  }
});
