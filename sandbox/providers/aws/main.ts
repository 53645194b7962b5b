/** Program of `pulumi-resource-aws`. */
import { ControlClient } from "../../cloud/api";
import { serve } from "../server";
import { awsProvider } from "./provider";

const socket = process.env.SANDBOX_SOCKET;
if (!socket) {
  process.stderr.write(
    "SANDBOX_SOCKET is not set: this provider works against the local sandbox only; run stacks through its command line\n",
  );
  process.exit(1);
}
serve(awsProvider(new ControlClient(socket), process.env));
