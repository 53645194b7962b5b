/** Provider of random values: a value is drawn when its resource is created and lives in the state until an input changes. */
import { isDeepStrictEqual } from "node:util";
import type { CheckFailure, Provider } from "../provider";
import { isUnknown, UNKNOWN } from "../values";
import { type RandomType, randomTypes } from "./generate";

/** The provider. Nothing outside the state knows the values. */
export const randomProvider: Provider = {
  name: "random",
  version: "4.21.2",
  schema: () => "{}",

  async check({ type: token, news }) {
    const type = known(token);
    const failures = shape(type, news);
    const broken = failures.length === 0 && !Object.values(news).some(isUnknown) ? type.check?.(news) : undefined;
    return { inputs: news, failures: broken ? [broken] : failures };
  },

  async diff({ oldInputs, news }) {
    const names = [...new Set([...Object.keys(oldInputs), ...Object.keys(news)])];
    const changed = names.filter((name) => !isDeepStrictEqual(oldInputs[name], news[name]));
    return {
      changes: changed.length > 0,
      replaces: changed,
      diffs: changed,
      detailed: Object.fromEntries(changed.map((name) => [name, "update-replace"])),
    };
  },

  async create({ type: token, inputs, preview }) {
    const type = known(token);
    if (preview)
      return { id: "", outputs: { ...Object.fromEntries(type.outputs.map((n) => [n, UNKNOWN])), ...inputs } };
    const { id, outputs } = type.draw(inputs);
    return { id, outputs: { ...outputs, ...inputs } };
  },

  async read({ type, id, inputs, outputs }) {
    if (Object.keys(outputs).length > 0) return { id, inputs, outputs };
    throw new Error(`the sandbox does not import ${type}; random values exist in the state only`);
  },
  async update({ type }) {
    throw new Error(`${type} cannot be updated: every changed input replaces it`);
  },
  async delete() {
    // Nothing but the state holds the value.
  },
  async invoke(token) {
    throw new Error(`the random provider has no function ${token}`);
  },
};

function known(token: string): RandomType {
  const type = Object.hasOwn(randomTypes, token) ? randomTypes[token] : undefined;
  if (type) return type;
  throw new Error(
    `the sandbox does not know ${token}, only ${Object.keys(randomTypes).join(", ")}; ` +
      "add it to sandbox/providers/random/generate.ts",
  );
}

function shape(type: RandomType, news: Record<string, unknown>): CheckFailure[] {
  const missing = type.required
    .filter((name) => news[name] === undefined || news[name] === null)
    .map((property) => ({ property, reason: `Missing required argument: set ${property}` }));
  const wrong = Object.entries(news).flatMap(([property, value]) => {
    const wanted = Object.hasOwn(type.inputs, property) ? type.inputs[property] : undefined;
    if (!wanted) return [{ property, reason: `not a property; allowed are ${Object.keys(type.inputs).join(", ")}` }];
    if (value === null || isUnknown(value) || typeof value === wanted) return [];
    return [{ property, reason: `must be a ${wanted}, but is ${JSON.stringify(value)}` }];
  });
  return [...missing, ...wrong];
}
