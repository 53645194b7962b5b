/** Readiness, liveness and startup probes. */
import { request as http } from "node:http";
import { request as https } from "node:https";
import type { V1Container, V1Probe } from "@kubernetes/client-node";
import { accepts } from "../lib/process";
import type { ContainerProcess } from "./container";

/** Probes a container once. */
export async function probe(
  check: V1Probe,
  container: V1Container,
  process: ContainerProcess,
  podIP: string,
): Promise<boolean> {
  const timeoutMs = (check.timeoutSeconds ?? 1) * 1000;
  if (check.exec) return (await process.exec(check.exec.command ?? [], {}, timeoutMs)).code === 0;
  if (check.tcpSocket)
    return accepts(check.tcpSocket.host ?? podIP, portNumber(check.tcpSocket.port, container), timeoutMs);
  if (check.grpc) return accepts(podIP, check.grpc.port, timeoutMs);
  if (check.httpGet) {
    const { host, port, path, scheme, httpHeaders } = check.httpGet;
    const headers = Object.fromEntries((httpHeaders ?? []).map(({ name, value }) => [name, value]));
    return answers(scheme === "HTTPS", host ?? podIP, portNumber(port, container), path ?? "/", headers, timeoutMs);
  }
  return true;
}

/** True on a status from 200 to 399. Certificates are not verified, as kubelets do not. */
function answers(
  tls: boolean,
  host: string,
  port: number,
  path: string,
  headers: Record<string, string>,
  timeout: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const request = (tls ? https : http)(
      { host, port, path, headers, timeout, rejectUnauthorized: false },
      (response) => {
        response.resume();
        const status = response.statusCode ?? 0;
        resolve(status >= 200 && status < 400);
      },
    );
    request.on("error", () => resolve(false));
    request.on("timeout", () => request.destroy());
    request.end();
  });
}

/** A probe's port; a name is one of the container's ports. @throws when it has none of that name */
export function portNumber(port: string | number, container: V1Container): number {
  if (typeof port === "number") return port;
  const found = container.ports?.find((candidate) => candidate.name === port)?.containerPort ?? Number(port);
  if (!Number.isInteger(found)) throw new Error(`container ${container.name} has no port named "${port}"`);
  return found;
}

/**
 * Probes until it is stopped and reports each change of the verdict, after the thresholds that the probe declares.
 */
export function watchProbe(
  check: V1Probe,
  run: () => Promise<boolean>,
  onChange: (ok: boolean) => void,
  initial: boolean,
): { stop(): void } {
  let verdict = initial;
  let streak = 0;
  let stopped = false;
  let timer: NodeJS.Timeout;
  const again = (seconds: number) => {
    timer = setTimeout(() => void once(), seconds * 1000);
    timer.unref();
  };
  const once = async () => {
    const ok = await run().catch(() => false);
    if (stopped) return;
    streak = ok === verdict ? 0 : streak + 1;
    if (streak >= (ok ? (check.successThreshold ?? 1) : (check.failureThreshold ?? 3))) {
      verdict = ok;
      streak = 0;
      onChange(ok);
    }
    again(check.periodSeconds ?? 10);
  };
  again(check.initialDelaySeconds ?? 0);
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
