/**
 * A gRPC server of the engine's ResourceProvider protocol around a {@link Provider}.
 *
 * The SDK's own `@pulumi/pulumi/provider` server does not fit: it passes neither the provider's configuration, nor the
 * preview flag, nor the previous inputs to its provider.
 */
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb.js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import { Status } from "@pulumi/pulumi/proto/status_pb.js";
import { Any } from "google-protobuf/google/protobuf/any_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import {
  type CheckFailure,
  type DiffKind,
  type DiffResult,
  InitializationError,
  type Provider,
  type ResourceRef,
} from "./provider";
import { fromStruct, toStruct } from "./values";

export * from "./provider";
export * from "./values";

const MESSAGE_LIMIT = 400 * 1024 * 1024;

/** Serves a provider on a free loopback port. */
export async function startServer(provider: Provider): Promise<{ port: number; stop(): void }> {
  const server = new Server({
    "grpc.max_receive_message_length": MESSAGE_LIMIT,
    "grpc.max_send_message_length": MESSAGE_LIMIT,
  });
  server.addService(ResourceProviderService, implementation(provider));
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return { port, stop: () => server.forceShutdown() };
}

/** Entry point of a plugin program: serves, tells the engine the port, and ends with the engine. */
export async function serve(provider: Provider): Promise<void> {
  const parent = process.ppid;
  const { port } = await startServer(provider);
  process.stdout.write(`${port}\n`);
  // A killed engine cannot stop its plugins; a plugin without its parent has nobody to serve.
  setInterval(() => process.ppid !== parent && process.exit(0), 1000).unref();
}

function implementation(provider: Provider): UntypedServiceImplementation {
  return {
    getPluginInfo: unary(async () => new PluginInfo().setVersion(provider.version)),
    getSchema: unary(async () => new pb.GetSchemaResponse().setSchema(provider.schema())),
    attach: unary(async () => new Empty()),
    cancel: unary(async () => {
      provider.cancel?.();
      return new Empty();
    }),
    getMapping: unary(async () => new pb.GetMappingResponse()),
    getMappings: unary(async () => new pb.GetMappingsResponse()),

    checkConfig: unary(async (req: pb.CheckRequest) => {
      const failures = (await provider.checkConfig?.(fromStruct(req.getNews()))) ?? [];
      // The struct goes back as it came, so that secret settings (a kubeconfig) stay marked as secret in the state.
      return new pb.CheckResponse().setInputs(req.getNews()).setFailuresList(failures.map(failure));
    }),
    diffConfig: unary(async (req: pb.DiffRequest) => {
      if (!provider.diffConfig) throw grpcError(status.UNIMPLEMENTED, `${provider.name} has no DiffConfig`);
      return diffResponse(await provider.diffConfig(fromStruct(req.getOldInputs()), fromStruct(req.getNews())));
    }),
    configure: unary(async (req: pb.ConfigureRequest) => {
      await provider.configure?.(fromStruct(req.getArgs()));
      return new pb.ConfigureResponse().setSupportspreview(true);
    }),

    check: unary(async (req: pb.CheckRequest) => {
      const { inputs, failures } = await provider.check({
        ...ref(req),
        olds: fromStruct(req.getOlds()),
        news: fromStruct(req.getNews()),
        randomSeed: req.getRandomseed_asU8(),
      });
      return new pb.CheckResponse().setInputs(toStruct(inputs)).setFailuresList(failures.map(failure));
    }),
    diff: unary(async (req: pb.DiffRequest) =>
      diffResponse(
        await provider.diff({
          ...ref(req),
          id: req.getId(),
          oldInputs: fromStruct(req.getOldInputs()),
          oldOutputs: fromStruct(req.getOlds()),
          news: fromStruct(req.getNews()),
          ignoreChanges: req.getIgnorechangesList(),
        }),
      ),
    ),
    create: unary(async (req: pb.CreateRequest) => {
      const { id, outputs } = await provider.create({
        ...ref(req),
        inputs: fromStruct(req.getProperties()),
        preview: req.getPreview(),
        timeoutSeconds: req.getTimeout(),
      });
      return new pb.CreateResponse().setId(req.getPreview() ? "" : id).setProperties(toStruct(outputs));
    }),
    read: unary(async (req: pb.ReadRequest) => {
      const found = await provider.read({
        ...ref(req),
        id: req.getId(),
        inputs: fromStruct(req.getInputs()),
        outputs: fromStruct(req.getProperties()),
      });
      // An answer without an id tells the engine that the resource is gone.
      if (!found) return new pb.ReadResponse();
      return new pb.ReadResponse()
        .setId(found.id)
        .setInputs(toStruct(found.inputs))
        .setProperties(toStruct(found.outputs));
    }),
    update: unary(async (req: pb.UpdateRequest) => {
      const outputs = await provider.update({
        ...ref(req),
        id: req.getId(),
        oldInputs: fromStruct(req.getOldInputs()),
        oldOutputs: fromStruct(req.getOlds()),
        news: fromStruct(req.getNews()),
        preview: req.getPreview(),
        timeoutSeconds: req.getTimeout(),
      });
      return new pb.UpdateResponse().setProperties(toStruct(outputs));
    }),
    delete: unary(async (req: pb.DeleteRequest) => {
      await provider.delete({
        ...ref(req),
        id: req.getId(),
        inputs: fromStruct(req.getOldInputs()),
        outputs: fromStruct(req.getProperties()),
        timeoutSeconds: req.getTimeout(),
      });
      return new Empty();
    }),
    invoke: unary(async (req: pb.InvokeRequest) => {
      const { outputs, failures = [] } = await provider.invoke(req.getTok(), fromStruct(req.getArgs()));
      return new pb.InvokeResponse().setReturn(toStruct(outputs)).setFailuresList(failures.map(failure));
    }),
  };
}

function unary<Req, Res>(handle: (request: Req) => Promise<Res>) {
  return (call: ServerUnaryCall<Req, Res>, answer: sendUnaryData<Res>) => {
    handle(call.request).then(
      (response) => answer(null, response),
      (error: unknown) => answer(toGrpc(error)),
    );
  };
}

function toGrpc(error: unknown): Partial<ServiceError> {
  if (error instanceof InitializationError) return initializationFailed(error);
  if (error instanceof Error && "details" in error) return error as ServiceError;
  const message = error instanceof Error ? error.message : String(error);
  return grpcError(status.UNKNOWN, message || "unknown error");
}

function grpcError(code: status, details: string, metadata = new Metadata()): ServiceError {
  return Object.assign(new Error(details), { code, details, metadata });
}

/** The engine takes the half-made resource from a status detail, which grpc-js does not write by itself. */
function initializationFailed(error: InitializationError): ServiceError {
  const detail = new pb.ErrorResourceInitFailed()
    .setId(error.id)
    .setProperties(toStruct(error.outputs))
    .setReasonsList(error.reasons);
  if (error.inputs) detail.setInputs(toStruct(error.inputs));
  const packed = new Any();
  packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const rpcStatus = new Status().setCode(status.UNKNOWN).setMessage(error.message);
  rpcStatus.addDetails(packed);
  const metadata = new Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(rpcStatus.serializeBinary()));
  return grpcError(status.UNKNOWN, error.message, metadata);
}

function ref(req: { getUrn(): string; getType(): string; getName(): string }): ResourceRef {
  const parts = req.getUrn().split("::");
  // Older engines send only the URN: urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME.
  const type = req.getType() || (parts[2] ?? "").split("$").at(-1) || "";
  return { urn: req.getUrn(), type, name: req.getName() || parts.slice(3).join("::") };
}

function failure(item: CheckFailure): pb.CheckFailure {
  return new pb.CheckFailure().setProperty(item.property).setReason(item.reason);
}

const KINDS: Record<DiffKind, pb.PropertyDiff.Kind> = {
  add: pb.PropertyDiff.Kind.ADD,
  "add-replace": pb.PropertyDiff.Kind.ADD_REPLACE,
  delete: pb.PropertyDiff.Kind.DELETE,
  "delete-replace": pb.PropertyDiff.Kind.DELETE_REPLACE,
  update: pb.PropertyDiff.Kind.UPDATE,
  "update-replace": pb.PropertyDiff.Kind.UPDATE_REPLACE,
};

function diffResponse(diff: DiffResult): pb.DiffResponse {
  const { DIFF_SOME, DIFF_NONE } = pb.DiffResponse.DiffChanges;
  const response = new pb.DiffResponse()
    .setChanges(diff.changes ? DIFF_SOME : DIFF_NONE)
    .setReplacesList(diff.replaces)
    .setDiffsList(diff.diffs)
    .setDeletebeforereplace(diff.deleteBeforeReplace ?? false)
    .setHasdetaileddiff(diff.detailed !== undefined);
  for (const [path, kind] of Object.entries(diff.detailed ?? {})) {
    response.getDetaileddiffMap().set(path, new pb.PropertyDiff().setKind(KINDS[kind]).setInputdiff(true));
  }
  return response;
}
