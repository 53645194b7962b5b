/** Program of `pulumi-resource-random`. */
import { serve } from "../server";
import { randomProvider } from "./provider";

serve(randomProvider);
