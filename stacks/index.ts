import * as pulumi from "@pulumi/pulumi";
import { program } from "./program";

/** Entry of every stack: `iconik-dr:role` picks the program. */
export = () =>
  program({
    stack: pulumi.getStack(),
    config: pulumi.runtime.allConfig(),
    env: process.env,
    reader: async () => (await import("./provider-reader")).providerReader,
    standby: async (account) => ({
      reader: (await import("./s3-reader")).s3Reader(account),
      probe: (await import("./standby-primary")).httpsProbe,
    }),
  });
