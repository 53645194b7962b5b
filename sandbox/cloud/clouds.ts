/** The local clouds behind one control API: resource types and functions say by their first word whose they are. */
import { CloudError, type CloudResource, type Props } from "../lib/types";
import type { CloudFault } from "./api";
import type { AwsControl } from "./aws/control";
import type { CloudControl } from "./control";

export class Clouds {
  constructor(
    readonly gcp: CloudControl,
    readonly aws: AwsControl,
  ) {}

  get size(): number {
    return this.gcp.size + this.aws.size;
  }

  create(type: string, name: string, inputs: Props, caller: string): Promise<{ id: string; outputs: Props }> {
    return this.of(type).create(type, name, inputs, caller);
  }

  read(type: string, id: string): Promise<CloudResource | undefined> {
    return this.of(type).read(type, id);
  }

  update(type: string, id: string, inputs: Props, caller: string): Promise<Props> {
    return this.of(type).update(type, id, inputs, caller);
  }

  delete(type: string, id: string, caller: string): Promise<void> {
    return this.of(type).delete(type, id, caller);
  }

  invoke(token: string, args: Props, caller: string, accessToken: () => Promise<string>): Promise<Props> {
    if (token.startsWith("aws:")) return this.aws.invoke(token, args, caller);
    return this.answering().invoke(token, args, caller, accessToken);
  }

  async fault(fault: CloudFault): Promise<void> {
    if (!this.aws.fault(fault)) await this.gcp.fault(fault);
  }

  /** Google Cloud. @throws CloudError 503 while it is lost */
  private answering(): CloudControl {
    if (!this.gcp.isLost) return this.gcp;
    throw new CloudError(503, "backendError", "Nothing of Google Cloud answers.");
  }

  private of(type: string): CloudControl | AwsControl {
    if (type.startsWith("aws:")) return this.aws;
    if (type.startsWith("gcp:")) return this.answering();
    throw new CloudError(400, "invalid", `${type} is of no cloud here; allowed: aws:…, gcp:…`);
  }
}
