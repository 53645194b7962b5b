/** Configuration of where states live and who deploys (role `bootstrap`). */
import { z } from "zod";
import { servicesOf } from "../../plan/deployers";
import { multiRegions, regions } from "../../plan/regions";
import { retention } from "../../plan/retention";
import { keyLocation } from "../../plan/state";
import { common, protectedOutsideDrills } from "./common";
import { issuer, member, moment, projectId, regionName } from "./fields";

const roles = Object.keys(servicesOf) as [keyof typeof servicesOf, ...(keyof typeof servicesOf)[]];

const stackName = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{1,19}$/,
    "no stack name; allowed: 2 to 20 lower-case letters, digits and hyphens, a letter first",
  );

const stateLocation = z
  .string()
  .refine(
    (name) => (multiRegions.has(name.toUpperCase()) || regions.has(name)) && keyLocation(name) !== undefined,
    `no place for a bucket and a key alike; allowed: ${[...multiRegions.keys()].filter(keyLocation).join(", ")} or a region`,
  );

/** Checks a bootstrap's configuration. */
export const bootstrap = z
  .strictObject({
    project: common.project,
    deployer: common.deployer,
    deletionProtection: common.deletionProtection,
    role: z.literal("bootstrap"),
    github: z.strictObject({
      repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/, "no repository; allowed: OWNER/NAME"),
      repositoryId: z
        .string("no number of a repository; allowed: a text of digits, see `gh api repos/OWNER/NAME --jq .id`")
        .regex(/^\d+$/, "no number of a repository; allowed: a text of digits, see `gh api repos/OWNER/NAME --jq .id`"),
    }),
    stacks: z
      .array(
        z.strictObject({
          name: stackName,
          role: z.enum(roles),
          project: projectId,
          stateLocation,
          regions: z.array(regionName).default([]),
          publishes: z.boolean().default(false),
        }),
      )
      .min(1, "nobody would get a state; name a stack"),
    breakGlass: z.strictObject({ member, until: moment }).optional(),
    stateReader: z.strictObject({ issuer }).optional(),
  })
  .superRefine((config, issues) => {
    const add = (path: (string | number)[], input: unknown, message: string) =>
      issues.addIssue({ code: "custom", path, input, message });
    protectedOutsideDrills(config, issues);
    const { stacks, breakGlass } = config;
    for (const [index, { name, role, project, stateLocation: location, regions: own, publishes }] of stacks.entries()) {
      for (const [key, value] of Object.entries({ name, project })) {
        const first = stacks.findIndex((other) => other[key as "name" | "project"] === value);
        if (first !== index)
          add(["stacks", index, key], value, `given before in stacks[${first}]; each stack has its own`);
      }
      if (project === config.project) {
        const message = "the project of the states, which no pipeline administers; a stack has a project of its own";
        add(["stacks", index, "project"], project, message);
      }
      if (own.includes(location)) {
        const message =
          "one of the stack's regions, with which its state would be lost; choose a multi-region or another region";
        add(["stacks", index, "stateLocation"], location, message);
      }
      if (publishes && role !== "vault") {
        add(["stacks", index, "publishes"], publishes, "only the vault has a registry to publish to; remove it");
      }
      if (role === "vault" && stacks.some((other) => other.role !== "vault")) {
        const message =
          "beside stacks of other roles, whose administrators would reach the copies; give the vault a bootstrap stack of its own";
        add(["stacks", index, "role"], role, message);
      }
    }
    if (!breakGlass) return;
    const ends = Date.parse(breakGlass.until);
    if (ends <= Date.now()) {
      add(
        ["breakGlass", "until"],
        breakGlass.until,
        "has passed; remove breakGlass, or set a moment that covers the work",
      );
    }
    if (ends > Date.now() + retention.breakGlassDays * 24 * 3600_000) {
      const message = `more than ${retention.breakGlassDays * 24} hours ahead; break-glass access ends soon`;
      add(["breakGlass", "until"], breakGlass.until, message);
    }
  });

export type BootstrapConfig = z.output<typeof bootstrap>;
