/** How a load balancer's listener treats a request. Pure. Source: "Listener rules for your Application Load Balancer". */
import type { Props } from "../../../lib/types";
import { first, texts } from "../checks";
import { matches } from "../policy/patterns";

/** What becomes of a request. */
export type Action =
  | { kind: "forward"; targetGroup: string }
  | { kind: "redirect"; status: number; location: string }
  | { kind: "respond"; status: number; type: string; body: string };

/** A request as rules see it. */
export interface Asked {
  host: string;
  /** Path with its query. */
  path: string;
  method: string;
  scheme: "http" | "https";
  port: number;
}

/** The action of a listener: of its first rule that fits, or its default one. `rules` are the rules' inputs. */
export function route(listener: Props, rules: Props[], asked: Asked): Action {
  const sorted = [...rules].sort((a, b) => Number(a.priority ?? 0) - Number(b.priority ?? 0));
  const rule = sorted.find(({ conditions }) => ((conditions ?? []) as Props[]).every((each) => fits(each, asked)));
  const actions = (rule ? rule.actions : listener.defaultActions) as Props[] | undefined;
  return actionOf(actions?.[actions.length - 1] ?? {}, asked);
}

/** Every target group that a listener or its rules may forward to. */
export function targetGroups(listener: Props, rules: Props[]): string[] {
  const actions = [listener.defaultActions, ...rules.map(({ actions }) => actions)].flatMap(
    (each) => (each ?? []) as Props[],
  );
  return [...new Set(actions.flatMap((action) => groupOf(action) ?? []))];
}

function fits(condition: Props, { host, path, method }: Asked): boolean {
  const name = host.split(":")[0]?.toLowerCase() ?? "";
  const values = (of: unknown) => texts(first(of), "values");
  if (condition.hostHeader) return values(condition.hostHeader).some((each) => matches(each.toLowerCase(), name));
  if (condition.pathPattern)
    return values(condition.pathPattern).some((each) => matches(each, path.split("?")[0] ?? ""));
  if (condition.httpRequestMethod) return values(condition.httpRequestMethod).includes(method);
  return false;
}

const groupOf = (action: Props): string | undefined => {
  const forward = first(first(action.forward).targetGroups);
  const group = action.targetGroupArn ?? forward.arn;
  return group === undefined ? undefined : String(group);
};

function actionOf(action: Props, { host, path, scheme, port }: Asked): Action {
  const group = groupOf(action);
  if (action.type === "forward" && group) return { kind: "forward", targetGroup: group };
  if (action.type === "redirect") {
    const to = first(action.redirect);
    const [own = "/", query = ""] = path.split("?");
    const parts: Record<string, string> = {
      host: host.split(":")[0] ?? "",
      path: own.slice(1),
      query,
      port: String(port),
      protocol: scheme,
    };
    const of = (name: string, otherwise: string) =>
      String(to[name] ?? otherwise).replace(/#\{(\w+)\}/g, (_, each: string) => parts[each] ?? "");
    const protocol = of("protocol", "#{protocol}").toLowerCase();
    const search = of("query", "#{query}");
    const toPort = of("port", "#{port}");
    const plain = (protocol === "https" && toPort === "443") || (protocol === "http" && toPort === "80");
    const location = `${protocol}://${of("host", "#{host}")}${plain ? "" : `:${toPort}`}${of("path", "/#{path}")}${search ? `?${search}` : ""}`;
    return { kind: "redirect", status: to.statusCode === "HTTP_302" ? 302 : 301, location };
  }
  const fixed = first(action.fixedResponse);
  return {
    kind: "respond",
    status: Number(fixed.statusCode ?? 503),
    type: String(fixed.contentType ?? "text/plain"),
    body: String(fixed.messageBody ?? ""),
  };
}

/** True when a status is one that a health check takes: `200`, `200,204`, `200-299`. */
export function isGood(status: number, matcher: string): boolean {
  return matcher.split(",").some((each) => {
    const [low = 0, high = low] = each.split("-").map(Number);
    return status >= low && status <= high;
  });
}
