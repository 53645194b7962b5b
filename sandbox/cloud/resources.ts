/** Creates, reads, changes and deletes resources by the behaviours of their types, and keeps what became of them. */
import { type Behaviour, CloudError, type CloudResource, type Props } from "../lib/types";
import type { Registry } from "./registry";

/** Id and outputs of a resource whose type is only recorded. */
export type Recorded = (type: string, name: string, inputs: Props, caller: string) => { id: string; outputs: Props };

/** The resources of one cloud. Every call that it refuses throws {@link CloudError}. */
export class Resources {
  constructor(
    private readonly registry: Registry,
    private readonly behaviours: Record<string, Behaviour>,
    private readonly recorded: Recorded,
  ) {}

  async create(type: string, name: string, inputs: Props, caller: string): Promise<{ id: string; outputs: Props }> {
    const behaviour = this.behaviours[type];
    const made = behaviour ? await behaviour.create(inputs, caller) : this.recorded(type, name, inputs, caller);
    this.registry.put({ type, id: made.id, inputs, outputs: made.outputs });
    return made;
  }

  async read(type: string, id: string): Promise<CloudResource | undefined> {
    const resource = this.registry.get(type, id);
    if (!resource) return undefined;
    const read = this.behaviours[type]?.read;
    if (!read) return resource;
    const outputs = await read(resource);
    return outputs && { ...resource, outputs };
  }

  async update(type: string, id: string, inputs: Props, caller: string): Promise<Props> {
    const resource = this.registry.get(type, id);
    if (!resource) throw new CloudError(404, "notFound", `${id} was not found`);
    const update = this.behaviours[type]?.update;
    const outputs = update ? await update(resource, inputs, caller) : { ...resource.outputs, ...inputs };
    this.registry.put({ type, id, inputs, outputs });
    return outputs;
  }

  /** Deleting what is gone succeeds. */
  async delete(type: string, id: string, caller: string): Promise<void> {
    const resource = this.registry.get(type, id);
    if (!resource) return;
    await this.behaviours[type]?.delete?.(resource, caller);
    this.registry.remove(type, id);
  }
}
