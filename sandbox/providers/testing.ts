/** What the tests of the providers share: a client of the engine's protocol, and a control plane on a unix socket. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials, type ServiceError } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import { ControlClient } from "../cloud/api";
import { CloudError, type Props } from "../lib/types";
import { type Provider, startServer } from "./server";
import { fromStruct, toStruct } from "./values";

type Unary<Req, Res> = (request: Req, done: (error: ServiceError | null, response: Res) => void) => unknown;

/** A provider as the engine meets it: every call goes through the protocol. */
export interface EngineSide {
  configure(config: Props): Promise<void>;
  check(urn: string, news: Props, olds?: Props, seed?: Buffer): Promise<{ inputs: Props; failures: string[] }>;
  diff(urn: string, olds: Props, news: Props): Promise<pb.DiffResponse.AsObject>;
  create(urn: string, inputs: Props, preview?: boolean): Promise<{ id: string; outputs: Props }>;
  read(urn: string, id: string, inputs?: Props): Promise<{ id: string; inputs: Props; outputs: Props }>;
  update(
    urn: string,
    id: string,
    old: { inputs: Props; outputs: Props },
    news: Props,
    preview?: boolean,
  ): Promise<Props>;
  delete(urn: string, id: string, inputs: Props): Promise<void>;
  invoke(token: string, args: Props): Promise<Props>;
  close(): void;
}

/** Serves a provider and connects to it. */
export async function connect(provider: Provider): Promise<EngineSide> {
  const server = await startServer(provider);
  const client = new ResourceProviderClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
  const send = <Req, Res>(method: Unary<Req, Res>, request: Req): Promise<Res> =>
    new Promise((resolve, reject) => {
      method.call(client, request, (error, response) => (error ? reject(error) : resolve(response)));
    });
  return {
    async configure(config) {
      await send<pb.ConfigureRequest, pb.ConfigureResponse>(
        client.configure,
        new pb.ConfigureRequest().setArgs(toStruct(config)),
      );
    },
    async check(urn, news, olds = {}, seed = Buffer.from("0123456789abcdef", "hex")) {
      const request = new pb.CheckRequest().setUrn(urn).setOlds(toStruct(olds)).setNews(toStruct(news));
      const response = await send<pb.CheckRequest, pb.CheckResponse>(client.check, request.setRandomseed(seed));
      const failures = response.getFailuresList().map((one) => `${one.getProperty()}: ${one.getReason()}`);
      return { inputs: fromStruct(response.getInputs()), failures };
    },
    async diff(urn, olds, news) {
      const request = new pb.DiffRequest().setUrn(urn).setId("id").setOldInputs(toStruct(olds));
      return (await send<pb.DiffRequest, pb.DiffResponse>(client.diff, request.setNews(toStruct(news)))).toObject();
    },
    async create(urn, inputs, preview = false) {
      const request = new pb.CreateRequest().setUrn(urn).setProperties(toStruct(inputs)).setPreview(preview);
      const response = await send<pb.CreateRequest, pb.CreateResponse>(client.create, request);
      return { id: response.getId(), outputs: fromStruct(response.getProperties()) };
    },
    async read(urn, id, inputs = {}) {
      const request = new pb.ReadRequest().setUrn(urn).setId(id).setInputs(toStruct(inputs));
      const response = await send<pb.ReadRequest, pb.ReadResponse>(client.read, request);
      return {
        id: response.getId(),
        inputs: fromStruct(response.getInputs()),
        outputs: fromStruct(response.getProperties()),
      };
    },
    async update(urn, id, old, news, preview = false) {
      const request = new pb.UpdateRequest().setUrn(urn).setId(id).setNews(toStruct(news)).setPreview(preview);
      request.setOldInputs(toStruct(old.inputs)).setOlds(toStruct(old.outputs));
      return fromStruct((await send<pb.UpdateRequest, pb.UpdateResponse>(client.update, request)).getProperties());
    },
    async delete(urn, id, inputs) {
      await send(client.delete, new pb.DeleteRequest().setUrn(urn).setId(id).setOldInputs(toStruct(inputs)));
    },
    async invoke(token, args) {
      const request = new pb.InvokeRequest().setTok(token).setArgs(toStruct(args));
      return fromStruct((await send<pb.InvokeRequest, pb.InvokeResponse>(client.invoke, request)).getReturn());
    },
    close() {
      client.close();
      server.stop();
    },
  };
}

/** URN of a resource in a test. */
export function urn(type: string, name: string): string {
  return `urn:pulumi:test::project::${type}::${name}`;
}

/** Answers control requests; a {@link CloudError} it throws is sent as the daemon would. */
export type Answer = (path: string, body: Props) => unknown;

/** A control plane on a unix socket that answers as `answer` says. */
export async function fakeControl(answer: Answer): Promise<{ socket: string; client: ControlClient; close(): void }> {
  const folder = mkdtempSync(join(tmpdir(), "control-"));
  const socket = join(folder, "s");
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    try {
      const result = answer(request.url ?? "", JSON.parse(Buffer.concat(chunks).toString() || "{}"));
      response.end(JSON.stringify(result ?? {}));
    } catch (error) {
      const { status, reason, message } = error as CloudError;
      response.statusCode = error instanceof CloudError ? status : 500;
      response.end(JSON.stringify({ error: { status, reason, message } }));
    }
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    socket,
    client: new ControlClient(socket),
    close() {
      server.close();
      server.closeAllConnections();
      rmSync(folder, { recursive: true });
    },
  };
}
