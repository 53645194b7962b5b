/** `gcp:projects/service:Service`: an API that is on. Several stacks may enable the same one. */
import type { Behaviour } from "../../lib/types";
import { matches, required } from "./checks";

const SERVICE = /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*\.googleapis\.com$/;

/** Enabling twice is no mistake; the id is the provider's, `PROJECT/SERVICE`. */
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
