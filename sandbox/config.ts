/** `sandbox.yaml`: all that the sandbox knows of the project it serves. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { z } from "zod";
import { PROJECT_ROOT } from "./environment";

const schema = z.strictObject({
  /** Images of the project and the local programs that run for them. */
  images: z.array(
    z.strictObject({
      /** Image repository without tag and digest; a leading `*` stands for any registry. */
      match: z.string().min(1),
      /** Command that builds `folder`, run in the project's root before the sandbox starts. */
      build: z.array(z.string()).min(1),
      /** Folder of the built files, relative to the project's root; mounted read-only at /app. */
      folder: z.string().min(1),
      entrypoint: z.array(z.string()).min(1),
      /** Programs of the sandbox's tools that the image carries on its PATH. */
      tools: z.array(z.enum(["node", "rclone"])).default([]),
    }),
  ),
  /** Google Cloud projects that had a GKE cluster before: their Workload Identity pool exists. */
  preparedProjects: z.array(z.string()).default([]),
  /** E-mail addresses of service accounts that exist before any stack does. */
  preparedAccounts: z.array(z.string()).default([]),
  /** ARNs of the roles of AWS that deploy: they exist before any stack does. The first is who deploys unless told otherwise. */
  preparedRoles: z.array(z.string().regex(/^arn:aws:iam::\d{12}:role\/.+$/)).default([]),
  /** Services of AWS that the accounts have used before: each has a role of its own there since. */
  usedServices: z.array(z.string().regex(/^[a-z0-9.-]+\.amazonaws\.com$/)).default([]),
  /** 1Password vaults, their items and fields, see DeclaredVaults. */
  onePassword: z
    .record(
      z.string(),
      z.record(
        z.string(),
        z.record(z.string(), z.union([z.string().nullable(), z.strictObject({ authority: z.string().min(1) })])),
      ),
    )
    .default({}),
});

export type SandboxConfig = z.output<typeof schema>;

/** Reads `sandbox.yaml`. @throws naming each key that is wrong */
export function loadConfig(root: string): SandboxConfig {
  const path = join(root, "sandbox.yaml");
  const result = schema.safeParse(parse(readFileSync(path, "utf8")));
  if (!result.success) throw new Error(`${path} cannot be used:\n${z.prettifyError(result.error)}`);
  return result.data;
}

/** Builds the project's own images. */
export async function buildImages(): Promise<void> {
  for (const { build } of loadConfig(PROJECT_ROOT).images) {
    const [command = "", ...args] = build;
    await promisify(execFile)(command, args, { cwd: PROJECT_ROOT });
  }
}
