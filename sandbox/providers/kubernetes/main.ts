/** Program of `pulumi-resource-kubernetes`. */
import { serve } from "../server";
import { kubernetesProvider } from ".";

serve(kubernetesProvider());
