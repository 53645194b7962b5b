/** Asks the product by its public name at an address, as Route 53's health check does. */
import { request } from "node:https";
import { HttpsProxyAgent } from "https-proxy-agent";
import { getProxyForUrl } from "proxy-from-env";
import { publicWitness, route53Check } from "../plan/failover";
import { ports } from "../plan/ports";
import { appDomain } from "../plan/traffic";

/**
 * Does the product answer at an address, asked by its public name?
 * @throws when that is not known, because of what is between this machine and the address
 */
export type Probe = (address: string) => Promise<boolean>;

/** What {@link httpsProbe} trusts, and how long it waits. */
export interface ProbeOptions {
  /** PEM of the authorities that are trusted. Default: the machine's. */
  ca?: string;
  /** Seconds that whoever is asked may take to answer. Default: 5. */
  seconds?: number;
  /** Seconds that a proxy may take to reach the address, or to give up. Default: 75, as Squid's `connect_timeout` is a minute. */
  proxySeconds?: number;
  /** Of the product. Default: 443. */
  port?: number;
}

/** Who is asked, and by which name. */
interface Asked {
  host: string;
  port: number;
  name: string;
  path: string;
}

/** By these a proxy says that it reaches nobody. Sources: RFC 9110, 15.6.3 and 15.6.5; Squid's ERR_CONNECT_FAIL is a 503. */
const unreached = [502, 503, 504];
/** By these a proxy that looks into TLS refuses after the tunnel; the product has no reason to. */
const refused = [403, 407];
/**
 * How TLS says that a certificate is not one of the name that this machine believes: somebody answers there, be it the product to
 * a machine whose clock or authorities are wrong, or who looks into TLS on the way. Source: Node.js, "X509 certificate error codes".
 */
const otherCertificate = [
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
];

/** How this machine says that it has no way out. */
const noWay = ["EACCES", "EADDRNOTAVAIL", "EMFILE", "ENETDOWN", "ENETUNREACH", "EPERM"];

/**
 * Asks over HTTPS, with the public name as SNI and Host, through the proxy of the machine's HTTPS_PROXY unless NO_PROXY has the
 * address.
 *
 * Only what is said of the address counts as silence of the product: a tunnel in which it does not answer, or the proxy's word
 * that nobody can be reached there. A proxy that does not answer, refuses or wants a password, another's certificate, and a machine
 * without a way out say nothing of the product, which may serve others all the while: that is an error, since taking it for silence
 * would let two sites take writes. So is a silence of everybody: {@link publicWitness} has to answer the same way.
 */
export const httpsProbe =
  (options: ProbeOptions = {}): Probe =>
  async (address) => {
    const product = { host: address, port: options.port ?? ports.https, name: appDomain, path: route53Check.path };
    const status = await statusOf(product, options);
    if (serves(status)) return true;
    const witness = { host: publicWitness, port: ports.https, name: publicWitness, path: "/" };
    const said = await statusOf(witness, options).catch((error: Error) => error.message);
    if (typeof said === "number" && serves(said)) return false;
    throw new Error(
      `nobody serves there, nor at ${publicWitness}:${ports.https}, which answers whoever reaches the Internet ` +
        `(${said ?? "silence"}): it is this machine that may be cut off`,
    );
  };

const serves = (status: number | undefined) => status !== undefined && status < 400;

/** @returns what somebody answers; undefined: nobody does @throws when that is not known */
async function statusOf(
  { host, port, name, path }: Asked,
  { ca, seconds = 5, proxySeconds = 75 }: ProbeOptions,
): Promise<number | undefined> {
  const proxy = proxyFor(host);
  const proxyName = `proxy ${shown(proxy)} (HTTPS_PROXY of this machine)`;
  const ended = new AbortController();
  const { signal } = ended;
  // The signal is the proxy's connection's too, of which the request does not know before it is a tunnel.
  const agent = proxy === "" ? false : new HttpsProxyAgent(proxy, { signal });
  let open = proxy === "";
  let timer = setTimeout(() => ended.abort(), (open ? seconds : proxySeconds) * 1000);
  return new Promise<number | undefined>((resolve, reject) => {
    const unknown = (what: string) => reject(new Error(what));
    const sent = request(
      {
        ...{ host, port, path, agent, signal },
        servername: name,
        headers: { host: name },
        method: "GET",
        ...(ca !== undefined && { ca }),
      },
      (response) => {
        response.resume();
        const { statusCode: status = 500 } = response;
        if (proxy !== "" && refused.includes(status))
          unknown(`behind ${proxyName} the answer is ${status}, which may be its own`);
        else resolve(status);
      },
    );
    sent.on("proxyConnect", ({ statusCode, statusText }: { statusCode: number; statusText: string }) => {
      open = statusCode === 200;
      clearTimeout(timer);
      timer = setTimeout(() => ended.abort(), seconds * 1000);
      // Otherwise the agent passes the proxy's answer on as if it were the product's: it comes too late.
      if (unreached.includes(statusCode)) resolve(undefined);
      else if (!open) unknown(`${proxyName} answered CONNECT ${host}:${port} with ${statusCode} ${statusText}`);
    });
    sent.on("error", ({ message, code }: NodeJS.ErrnoException) => {
      if (!open && signal.aborted)
        unknown(`${proxyName} did not answer CONNECT ${host}:${port} within ${proxySeconds} s`);
      else if (!open) unknown(`${proxyName} failed: ${message}`);
      else if (otherCertificate.includes(code ?? ""))
        unknown(
          `${proxy === "" ? "at the address" : `behind ${proxyName}`} a certificate is shown that this machine does not take for ` +
            `${name}'s (${code}); if it is of somebody who looks into TLS on the way, name the file of that authority in NODE_EXTRA_CA_CERTS`,
        );
      else if (noWay.includes(code ?? "")) unknown(`this machine has no way to ${host}:${port}: ${message}`);
      else resolve(undefined);
    });
    sent.end();
  }).finally(() => {
    clearTimeout(timer);
    ended.abort();
  });
}

/** URL of the proxy for a host; empty: none. @throws when it is no URL of a proxy for HTTPS */
function proxyFor(host: string): string {
  const url = getProxyForUrl(`https://${host}`);
  if (url !== "" && !/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : ""))
    throw new Error(`HTTPS_PROXY of this machine is "${shown(url)}"; allowed: http://HOST:PORT or https://HOST:PORT`);
  return url;
}

/** A URL without the password that may be in it. */
const shown = (url: string) => url.replace(/\/\/.*@/, "//");
