/** What has been created in the cloud, kept in one file that survives the daemon. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CloudResource, Props } from "../lib/types";

/** Facts that outlive the resources they come from, such as names that may not be used again. */
type Facts = Record<string, string[]>;

export class Registry {
  private readonly file: string;
  private readonly resources = new Map<string, CloudResource>();
  private facts: Facts = {};

  constructor(dir: string) {
    this.file = join(dir, "resources.json");
    if (!existsSync(this.file)) return;
    const saved = JSON.parse(readFileSync(this.file, "utf8")) as { resources: CloudResource[]; facts: Facts };
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

  put(resource: CloudResource): void {
    this.resources.set(key(resource.type, resource.id), resource);
    this.save();
  }

  remove(type: string, id: string): void {
    this.resources.delete(key(type, id));
    this.save();
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
    this.facts[kind] = (this.facts[kind] ?? []).filter((each) => each !== value);
    this.save();
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
