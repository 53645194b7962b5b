/** Where public addresses are on this machine, as Route 53's checkers look for them. */
import { CloudError } from "../../../lib/types";
import type { AwsControl } from "../control";
import type { Surface } from "./health";

/** An address of Route 53's checkers. Source: ROUTE53_HEALTHCHECKS of AWS's ip-ranges.json. */
const CHECKER = "15.177.0.1";

/** A public address and port, and what stands for it here. */
export interface Forward {
  address: string;
  port: number;
  to: { host: string; port: number };
}

export class PublicSurface implements Surface {
  private readonly forwards = new Map<string, Forward["to"]>();

  constructor(
    private readonly aws: AwsControl,
    /** True while an address is one of a cloud that does not answer. */
    private readonly unreachable: (address: string) => boolean,
    /** Front ends of Google's load balancers: where they answer here. */
    private readonly frontEnds: () => Promise<{ address: string; port: number; listener: string }[]> = async () => [],
  ) {}

  /** From now on an address and port lead there. @throws CloudError 400 unless that is on this machine */
  forward({ address, port, to }: Forward): void {
    if (!/^127\./.test(to.host))
      throw new CloudError(400, "invalid", `${to.host} is not on this machine; allowed: 127.0.0.0/8`);
    this.forwards.set(`${address}:${port}`, to);
  }

  async locate(address: string, port: number): Promise<{ host: string; port: number } | undefined> {
    if (this.unreachable(address)) return undefined;
    const known = this.forwards.get(`${address}:${port}`);
    if (known) return known;
    if (/^127\./.test(address)) return { host: address, port };
    const front = (await this.frontEnds()).find((each) => each.address === address && each.port === port);
    const [host = "", at = ""] = front?.listener.split(":") ?? [];
    return front && { host, port: Number(at) };
  }

  object(host: string, path: string): Promise<string | undefined> | undefined {
    const bucket = /^([a-z0-9.-]+)\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com$/.exec(host)?.[1];
    return bucket === undefined
      ? undefined
      : this.aws.publicObject(bucket, decodeURIComponent(path.split("?")[0]?.slice(1) ?? ""), CHECKER);
  }
}
