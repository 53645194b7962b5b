import { types } from "../lib/types";
import { resource, specify } from "../testing";
import { noExportedKeys } from "./no-exported-keys";

specify(noExportedKeys, {
  // Nothing of its types ever holds.
  holds: [resource(types.account)],
  violated: [
    [resource("gcp:serviceaccount/key:Key"), /S5, D5: gcp:serviceaccount\/key:Key exports a long-lived key/],
    [resource("gcp:storage/hmacKey:HmacKey"), /long-lived key/],
    [resource("gcp:projects/apiKey:ApiKey"), /long-lived key/],
    [resource("aws:iam/accessKey:AccessKey"), /long-lived key/],
  ],
});
