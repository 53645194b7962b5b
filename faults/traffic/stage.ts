/** What traffic faults need of a site: a way in, a way to hurt it, and what its regions have. */
import type { Fault as Strike } from "../../sandbox/cloud/api";

/** Where requests of a domain are sent to, and how a client says where it is. */
export interface Entry {
  host: string;
  /** `ADDRESS:PORT` in place of the domain's own. */
  listener: string;
  /** PEM file of the authority of its certificate. */
  authority: string;
  /** Header that names the client's region. */
  clientHeader: string;
}

/** An endpoint of a region as the front ends near another see it. */
export interface Seen {
  region: string;
  near: string;
  /** It passes their health checks. */
  healthy: boolean;
  /** Outlier detection has left it out, healthy or not. */
  ejected?: boolean;
}

/** A change of an endpoint's health that a health check logged. */
export interface HealthEvent {
  at: number;
  region: string;
  near: string;
  healthy: boolean;
}

/** A site under traffic. */
export interface TrafficStage {
  entry: Entry;
  /** Serving regions; faults strike the first, and clients are near it unless a row says otherwise. */
  regions: readonly [string, string, ...string[]];
  health(): Promise<Seen[]>;
  /** What health checks logged since a moment, in milliseconds since 1970. */
  healthEvents(since: number): Promise<HealthEvent[]>;
  strike(fault: Strike): Promise<void>;
  /** Whether the API server of a region's cluster, or of the control plane's, answers within seconds. */
  apiAnswers(region: string): Promise<boolean>;
  /** Which of these assets a region has, read at LOCAL_QUORUM. */
  held(region: string, ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Which of these assets a region's search index has. */
  indexed(region: string, ids: readonly string[]): Promise<ReadonlySet<string>>;
}
