/** What has been created in the cloud, kept in one file that survives the daemon. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CloudError, type CloudResource, type Props } from "../lib/types";

/** Facts that outlive the resources they come from, such as names that may not be used again. */
type Facts = Record<string, string[]>;

/** Resources by type and id, and facts. Every change is on disk when the method returns. */
export class Registry {
  private readonly file: string;
  private readonly resources = new Map<string, CloudResource>();
  private facts: Facts = {};
  private readonly making = new Set<string>();

  /** @throws Error naming the file when it cannot be read as JSON */
  constructor(dir: string) {
    mkdirSync(dir, { recursive: true });
    this.file = join(dir, "resources.json");
    if (!existsSync(this.file)) return;
    const saved = this.load();
    for (const resource of saved.resources) this.resources.set(key(resource.type, resource.id), resource);
    this.facts = saved.facts;
  }

  get size(): number {
    return this.resources.size;
  }

  get(type: string, id: string): CloudResource | undefined {
    return this.resources.get(key(type, id));
  }

  /** Every resource of a type. */
  all(type: string): CloudResource[] {
    return [...this.resources.values()].filter((resource) => resource.type === type);
  }

  /** True when a resource of any type is like that. */
  some(test: (resource: CloudResource) => boolean): boolean {
    return [...this.resources.values()].some(test);
  }

  put(resource: CloudResource): void {
    this.resources.set(key(resource.type, resource.id), resource);
    this.save();
  }

  remove(type: string, id: string): void {
    if (this.resources.delete(key(type, id))) this.save();
  }

  /**
   * Makes something that takes a while, once: whoever wants the same meanwhile is refused.
   * @throws CloudError 409 when it exists or is being made
   */
  async makeOnce<T>(type: string, id: string, work: () => Promise<T>): Promise<T> {
    const name = key(type, id);
    if (this.resources.has(name) || this.making.has(name))
      throw new CloudError(409, "conflict", `${id} already exists`);
    this.making.add(name);
    try {
      return await work();
    } finally {
      this.making.delete(name);
    }
  }

  /** True when the fact was noted before. */
  knows(kind: string, value: string): boolean {
    return this.facts[kind]?.includes(value) ?? false;
  }

  note(kind: string, value: string): void {
    if (this.knows(kind, value)) return;
    this.facts[kind] = [...(this.facts[kind] ?? []), value];
    this.save();
  }

  forget(kind: string, value: string): void {
    if (!this.knows(kind, value)) return;
    this.facts[kind] = (this.facts[kind] ?? []).filter((each) => each !== value);
    this.save();
  }

  private load(): { resources: CloudResource[]; facts: Facts } {
    try {
      return JSON.parse(readFileSync(this.file, "utf8"));
    } catch (error) {
      throw new Error(
        `${this.file} cannot be read (${(error as Error).message}); remove it, and with it all that was created`,
      );
    }
  }

  /** Written beside and renamed, so that a kill leaves the old file or the new one. */
  private save(): void {
    const text = JSON.stringify({ resources: [...this.resources.values()], facts: this.facts });
    writeFileSync(`${this.file}.new`, text, { mode: 0o600 });
    renameSync(`${this.file}.new`, this.file);
  }
}

const key = (type: string, id: string) => `${type} ${id}`;

/** A text property; empty when absent. */
export const text = (props: Props, name: string): string => (props[name] === undefined ? "" : String(props[name]));
