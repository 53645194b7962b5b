/**
 * Pulumi's language host for Node.js, for a Pulumi that was built without the one of an official installation: a gRPC
 * server that runs programs and plugins. It is started by Pulumi with the engine's address as its last argument.
 */
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import {
  AboutResponse,
  GetRequiredPackagesResponse,
  GetRequiredPluginsResponse,
  LanguageHandshakeResponse,
  type RunPluginRequest,
  type RunPluginResponse,
  type RunRequest,
  type RunResponse,
} from "@pulumi/pulumi/proto/language_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { version } from "@pulumi/pulumi/version";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { stopAll } from "./node-process";
import { runPlugin } from "./run-plugin";
import { runProgram } from "./run-program";

/** The engine's own limit; a stack's whole configuration travels in one message. */
const maximumMessage = 400 * 1024 * 1024;

/** How often the host looks whether Pulumi is still there. */
const parentCheckMilliseconds = 1000;

/** A method that answers at once. Methods that are absent are answered as unimplemented, which the engine accepts. */
function answer<Response>(make: () => Response) {
  return (_call: ServerUnaryCall<unknown, Response>, done: sendUnaryData<Response>) => done(null, make());
}

function failure(error: unknown): { code: status; details: string } {
  return { code: status.UNKNOWN, details: error instanceof Error ? error.message : String(error) };
}

function service(engine: string) {
  return {
    handshake: answer(() => new LanguageHandshakeResponse()),
    getPluginInfo: answer(() => new PluginInfo().setVersion(version)),
    // The engine finds the sandbox's providers on PATH when it needs them and must not fetch others in advance.
    getRequiredPackages: answer(() => new GetRequiredPackagesResponse()),
    getRequiredPlugins: answer(() => new GetRequiredPluginsResponse()),
    about: answer(() => new AboutResponse().setExecutable(process.execPath).setVersion(process.version)),
    cancel: answer(() => {
      stopAll("SIGTERM");
      return new Empty();
    }),
    run(call: ServerUnaryCall<RunRequest, RunResponse>, done: sendUnaryData<RunResponse>) {
      const cancelled = new AbortController();
      call.on("cancelled", () => cancelled.abort());
      runProgram(call.request, engine, cancelled.signal).then(
        (response) => done(null, response),
        (error) => done(failure(error)),
      );
    },
    runPlugin(call: ServerWritableStream<RunPluginRequest, RunPluginResponse>) {
      runPlugin(call).then(
        () => call.end(),
        (error) => call.emit("error", failure(error)),
      );
    },
  };
}

function main(): void {
  const engine = process.argv.at(-1) ?? "";
  const server = new Server({
    "grpc.max_receive_message_length": maximumMessage,
    "grpc.max_send_message_length": maximumMessage,
  });
  server.addService(LanguageRuntimeService, service(engine));
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    // The engine waits for this line.
    console.log(port);
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(0));
  process.once("exit", () => stopAll("SIGKILL"));
  // A Pulumi that was killed cannot stop its host.
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, parentCheckMilliseconds).unref();
}

main();
