import { types } from "../lib/types";
import { type Props, resource, specify } from "../testing";
import { httpsOnly } from "./https-only";

const policy = (props: Props) => resource(types.sslPolicy, props);
const map = (props: Props = { defaultUrlRedirect: { httpsRedirect: true } }) =>
  resource(types.urlMap, { name: "redirect", ...props }, { id: "map-id" });
const http = (urlMap?: string) => resource(types.httpProxy, { urlMap }, { name: "http" });

specify(httpsOnly, {
  holds: [
    [policy({ minTlsVersion: "TLS_1_2", profile: "MODERN" })],
    [resource(types.httpsProxy, { sslPolicy: "p" })],
    [http("map-id"), map()],
    [http("https://www.googleapis.com/compute/v1/projects/p/global/urlMaps/redirect"), map()],
  ],
  violated: [
    [policy({}), /D1, D5: SSL policy it: minTlsVersion is not set.*\n.*profile is not set/],
    [policy({ minTlsVersion: "TLS_1_1", profile: "MODERN" }), /minTlsVersion is "TLS_1_1"/],
    [policy({ minTlsVersion: "TLS_1_2", profile: "COMPATIBLE" }), /profile is "COMPATIBLE"/],
    [resource(types.httpsProxy), /HTTPS proxy it: sslPolicy is not set/],
    [[http("map-id"), map({ defaultService: "app" })], /HTTP proxy http serves in clear/],
    [[http("map-id"), map({ defaultUrlRedirect: { httpsRedirect: false } })], /serves in clear/],
    [
      [http("map-id"), map({ defaultUrlRedirect: { httpsRedirect: true }, pathMatchers: [{ name: "app" }] })],
      /serves in clear/,
    ],
    [[http("other"), map()], /serves in clear/],
    [http(), /serves in clear/],
  ],
});
