import { existsSync, readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { program } from "./program";

/** `secretsprovider` of the stack's file, which the engine does not tell; it runs programs in the project's folder. */
function secretsProvider(): string | undefined {
  const file = `Pulumi.${pulumi.getStack()}.yaml`;
  return existsSync(file) ? parse(readFileSync(file, "utf8"))?.secretsprovider : undefined;
}

/** Entry of every stack: `iconik-dr:role` picks the program. */
export = () =>
  program({
    stack: pulumi.getStack(),
    config: pulumi.runtime.allConfig(),
    env: process.env,
    secretsProvider,
    reader: async () => (await import("./provider-reader")).providerReader,
    probe: async () => (await import("./https-probe")).httpsProbe(),
    s3: async (account) => (await import("./s3-reader")).s3Reader(account),
  });
