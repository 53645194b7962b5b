/** Checks the JSON text of an IAM policy. */
import { isRecord } from "../values";
import { member, role } from "./syntax";

/** Why a text is no IAM policy (`{ bindings: [{ role, members, condition? }] }`), or undefined. */
export function checkPolicy(text: unknown): string | undefined {
  let policy: unknown;
  try {
    policy = JSON.parse(String(text));
  } catch (error) {
    return `is not JSON (${(error as Error).message}); pass JSON.stringify({ bindings: [{ role, members }] })`;
  }
  if (!isRecord(policy)) return `is not an IAM policy: ${JSON.stringify(policy)}`;
  const { bindings = [] } = policy;
  if (!Array.isArray(bindings)) return `bindings must be a list, but is ${JSON.stringify(bindings)}`;
  for (const [index, binding] of bindings.entries()) {
    const reason = checkBinding(binding);
    if (reason) return `bindings[${index}]: ${reason}`;
  }
  return undefined;
}

function checkBinding(binding: unknown): string | undefined {
  if (!isRecord(binding)) return `must be { role, members }, but is ${JSON.stringify(binding)}`;
  const { members, condition } = binding;
  if (!Array.isArray(members)) return `members must be a list, but is ${JSON.stringify(members)}`;
  if (condition !== undefined && !(isRecord(condition) && condition.title && condition.expression))
    return `condition needs a title and an expression, but is ${JSON.stringify(condition)}`;
  return [role(binding.role), ...members.map(member)].find((reason) => reason !== undefined);
}
