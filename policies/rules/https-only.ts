import { judge } from "../lib/judge";
import type { StackRule } from "../lib/rule";
import { types } from "../lib/types";
import { at, objects, shown } from "../lib/values";

const VERSIONS = ["TLS_1_2", "TLS_1_3"];
const PROFILES = ["MODERN", "RESTRICTED", "FIPS_202205"];

/** Nothing is served in clear: plain HTTP only redirects, and TLS is 1.2 or newer. */
export const httpsOnly: StackRule = {
  name: "https-only",
  description: "Load balancers serve HTTPS with TLS 1.2 or newer; HTTP only redirects",
  plan: ["D1", "D5"],
  checkStack: (resources) => [
    ...judge(
      resources.filter(({ type }) => type === types.sslPolicy),
      ({ name, props }) => [
        ...(VERSIONS.includes(String(props.minTlsVersion))
          ? []
          : [`SSL policy ${name}: minTlsVersion is ${shown(props.minTlsVersion)}; set "TLS_1_2"`]),
        ...(PROFILES.includes(String(props.profile))
          ? []
          : [`SSL policy ${name}: profile is ${shown(props.profile)}; set "MODERN"`]),
      ],
    ),
    ...resources
      .filter(({ type, props }) => type === types.httpsProxy && !("sslPolicy" in props))
      .map(({ name }) => `HTTPS proxy ${name}: sslPolicy is not set, which allows TLS 1.0; set an SSL policy`),
    ...judge(
      resources.filter(({ type }) => type === types.httpProxy),
      ({ name, props }) => {
        const link = String(props.urlMap ?? "");
        const map = resources.find(
          (each) =>
            each.type === types.urlMap &&
            (link === each.id || link === each.props.selfLink || link.endsWith(`/urlMaps/${each.props.name}`)),
        );
        const redirects =
          map &&
          at(map.props, "defaultUrlRedirect", "httpsRedirect") === true &&
          objects(map.props.pathMatchers).length === 0;
        return redirects
          ? []
          : [`HTTP proxy ${name} serves in clear; give it a URL map with defaultUrlRedirect.httpsRedirect alone`];
      },
    ),
  ],
};
