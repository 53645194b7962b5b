/** APIs that are on, and the accounts by which Google's services act in a project. Several stacks may want the same one. */
import { createHash } from "node:crypto";
import type { Behaviour } from "../../lib/types";
import { invalid, matches, required } from "./checks";

const SERVICE = /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*\.googleapis\.com$/;

/** `gcp:projects/service:Service`. Enabling twice is no mistake; the id is the provider's, `PROJECT/SERVICE`. */
export function serviceBehaviour(): Behaviour {
  return {
    create: async (inputs) => {
      const field = (name: string) => required(inputs, name, "project service");
      const [project, service] = [field("project"), field("service")];
      matches(service, SERVICE, "service");
      return { id: `${project}/${service}`, outputs: { ...inputs } };
    },
  };
}

/** Google's accounts of services, by the service's first word. Source: "Service agents". */
const AGENTS: Record<string, string> = { container: "container-engine-robot" };

/** `gcp:projects/serviceIdentity:ServiceIdentity`: asking twice gives the same account. */
export function serviceIdentityBehaviour(): Behaviour {
  return {
    create: async (inputs) => {
      const field = (name: string) => required(inputs, name, "service identity");
      const [project, service] = [field("project"), field("service")];
      matches(service, SERVICE, "service");
      const agent = AGENTS[service.split(".")[0] ?? ""];
      if (!agent) throw invalid(`service ${service} has no agent here; known: ${Object.keys(AGENTS).join(", ")}`);
      const email = `service-${projectNumber(project)}@${agent}.iam.gserviceaccount.com`;
      return {
        id: `projects/${project}/services/${service}`,
        outputs: { ...inputs, email, member: `serviceAccount:${email}` },
      };
    },
  };
}

/** Twelve digits, always the same for a project. */
function projectNumber(project: string): string {
  const digest = createHash("sha256").update(project).digest();
  return String(100_000_000_000 + (digest.readUIntBE(0, 6) % 900_000_000_000));
}
