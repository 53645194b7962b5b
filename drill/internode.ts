/** A stranger knocks at the port between Cassandra's nodes: it has to be encrypted, and shut for who has no certificate. */
import { connect } from "node:tls";

const TIMEOUT_MS = 10_000;

/**
 * Connects without a certificate.
 * @returns common name of the node's certificate
 * @throws when the node does not speak TLS, or lets the stranger in
 */
export function refusesStrangers(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen: string | undefined;
    // Whom the node is, is not the question here. From TLS 1.3 on its certificate shows before it asks for ours.
    const socket = connect({ host, port, rejectUnauthorized: false, minVersion: "TLSv1.3", timeout: TIMEOUT_MS });
    const end = (problem?: Error) => {
      socket.destroy();
      if (problem) reject(problem);
      else resolve(seen ?? "");
    };
    const refusal = (error: NodeJS.ErrnoException) =>
      /alert (certificate required|bad certificate)/.test(error.message) || error.code === "ECONNRESET";
    socket.once("secureConnect", () => {
      const name = socket.getPeerCertificate().subject?.CN;
      seen = Array.isArray(name) ? name[0] : name;
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (seen !== undefined && refusal(error)) end();
      else end(new Error(`${host}:${port} is not encrypted as planned: ${error.message}`));
    });
    socket.once("timeout", () => end(new Error(`${host}:${port} lets in who has no certificate`)));
    socket.once("close", () =>
      seen === undefined ? end(new Error(`${host}:${port} closed without a certificate`)) : end(),
    );
  });
}
