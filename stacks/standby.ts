import { ConfigError } from "./config";

/** The standby on AWS (S7). Its program is an issue of its own; until then it refuses, instead of pretending. */
export function standby(stack: string): never {
  throw new ConfigError(stack, [
    'iconik-dr:role is "standby": the standby on AWS comes with its own issue; use role site, vault or foundation until then',
  ]);
}
