import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { credentials, type ServiceError } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import { Status } from "@pulumi/pulumi/proto/status_pb.js";
import { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { containsUnknown, InitializationError, type Provider, startServer, UNKNOWN } from "./server";

const calls: { method: string; request: unknown }[] = [];
const record =
  <T, R>(method: string, answer: (request: T) => R) =>
  async (request: T) => {
    calls.push({ method, request });
    return answer(request);
  };

const echo: Provider = {
  name: "echo",
  version: "1.2.3",
  schema: () => "{}",
  configure: record("configure", () => undefined),
  check: record("check", ({ news }) => ({ inputs: news, failures: [{ property: "a", reason: "because" }] })),
  diff: record("diff", () => ({ changes: true, replaces: ["a"], diffs: ["a"], detailed: { "a.b": "update-replace" } })),
  create: record("create", ({ inputs, name }) => {
    if (name === "half") throw new InitializationError("id-1", { a: 1 }, ["not ready", "image missing"]);
    if (name === "bad") throw new Error("googleapi: Error 403: no");
    return { id: "id-2", outputs: { ...inputs, gone: undefined } };
  }),
  read: record("read", ({ id }) => (id === "gone" ? undefined : { id, inputs: { a: 1 }, outputs: { a: 2 } })),
  update: record("update", ({ news }) => news),
  delete: record("delete", () => undefined),
  invoke: record("invoke", (token) => ({ outputs: { token } })),
};

let client: ResourceProviderClient;
let stop: () => void;

before(async () => {
  const server = await startServer(echo);
  stop = server.stop;
  client = new ResourceProviderClient(`127.0.0.1:${server.port}`, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
});
after(() => {
  client.close();
  stop();
});

const URN = "urn:pulumi:s::p::a:b:Parent$gcp:storage/bucket:Bucket::backup";
const last = (method: string) => calls.filter((call) => call.method === method).at(-1)?.request;
const create = promisify((request: pb.CreateRequest, done: (e: ServiceError | null, r?: pb.CreateResponse) => void) =>
  client.create(request, done),
);

test("a created resource gets its type and name from the URN, plain secrets and one unknown", async () => {
  const properties = Struct.fromJavaScript({
    password: { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value: "s3cret" },
    nested: [{ count: "3eeb2bf0-c639-47a8-9e75-3b44932eb421" }],
  });
  const request = new pb.CreateRequest().setUrn(URN).setProperties(properties).setPreview(true).setTimeout(30);
  const response = await create(request);
  assert.deepEqual(last("create"), {
    urn: URN,
    type: "gcp:storage/bucket:Bucket",
    name: "backup",
    inputs: { password: "s3cret", nested: [{ count: UNKNOWN }] },
    preview: true,
    timeoutSeconds: 30,
  });
  assert.equal(response?.getId(), "", "a preview makes no id");
  assert.deepEqual(response?.getProperties()?.toJavaScript(), { password: "s3cret", nested: [{ count: UNKNOWN }] });
  assert.ok(containsUnknown({ a: [UNKNOWN] }) && !containsUnknown({ a: ["x", null] }));
});

test("a resource that did not become ready keeps its id, properties and reasons", async () => {
  const request = new pb.CreateRequest().setUrn("urn:pulumi:s::p::t::half").setProperties(new Struct());
  const error = await create(request).then(
    () => assert.fail("it was created"),
    (thrown: ServiceError) => thrown,
  );
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  const [packed] = Status.deserializeBinary(bytes as Buffer).getDetailsList();
  const detail = packed?.unpack(pb.ErrorResourceInitFailed.deserializeBinary, "pulumirpc.ErrorResourceInitFailed");
  assert.equal(detail?.getId(), "id-1");
  assert.deepEqual(detail?.getProperties()?.toJavaScript(), { a: 1 });
  assert.deepEqual(detail?.getReasonsList(), ["not ready", "image missing"]);
});

test("an error of the provider reaches the engine with its message", async () => {
  const request = new pb.CreateRequest().setUrn("urn:pulumi:s::p::t::bad").setProperties(new Struct());
  await assert.rejects(create(request), /googleapi: Error 403: no/);
});

test("check, diff and read answers arrive complete", async () => {
  const news = Struct.fromJavaScript({ a: "x" });
  const check = await promisify(client.check.bind(client) as Unary<pb.CheckRequest, pb.CheckResponse>)(
    new pb.CheckRequest()
      .setUrn(URN)
      .setNews(news)
      .setRandomseed(Buffer.from([1, 2])),
  );
  assert.deepEqual(check.getFailuresList()[0]?.toObject(), { property: "a", reason: "because" });
  assert.deepEqual([...(last("check") as { randomSeed: Uint8Array }).randomSeed], [1, 2]);
  const diff = await promisify(client.diff.bind(client) as Unary<pb.DiffRequest, pb.DiffResponse>)(
    new pb.DiffRequest().setUrn(URN).setNews(news).setOldInputs(news).setIgnorechangesList(["z"]),
  );
  assert.equal(diff.getChanges(), pb.DiffResponse.DiffChanges.DIFF_SOME);
  assert.deepEqual(diff.getReplacesList(), ["a"]);
  assert.equal(diff.getDetaileddiffMap().get("a.b")?.getKind(), pb.PropertyDiff.Kind.UPDATE_REPLACE);
  const read = promisify(client.read.bind(client) as Unary<pb.ReadRequest, pb.ReadResponse>);
  assert.equal((await read(new pb.ReadRequest().setId("gone").setUrn(URN))).getId(), "");
  assert.deepEqual((await read(new pb.ReadRequest().setId("x").setUrn(URN))).getInputs()?.toJavaScript(), { a: 1 });
});

test("secrets of the provider's config stay secrets, and configure sees their values", async () => {
  const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value: "apiVersion: v1" };
  const args = Struct.fromJavaScript({ kubeconfig: secret });
  const checkConfig = promisify(client.checkConfig.bind(client) as Unary<pb.CheckRequest, pb.CheckResponse>);
  const checked = await checkConfig(new pb.CheckRequest().setNews(args));
  assert.deepEqual(checked.getInputs()?.toJavaScript(), { kubeconfig: secret });
  const configure = promisify(client.configure.bind(client) as Unary<pb.ConfigureRequest, pb.ConfigureResponse>);
  const configured = await configure(new pb.ConfigureRequest().setArgs(args));
  assert.deepEqual(last("configure"), { kubeconfig: "apiVersion: v1" });
  assert.ok(configured.getSupportspreview());
  assert.ok(!configured.getAcceptsecrets(), "the engine must mark the outputs of secret inputs itself");
});

test("large resources pass", async () => {
  const big = "x".repeat(12 * 1024 * 1024);
  const response = await create(new pb.CreateRequest().setUrn(URN).setProperties(Struct.fromJavaScript({ big })));
  assert.equal(response?.getProperties()?.toJavaScript().big, big);
});

type Unary<Req, Res> = (request: Req, done: (error: ServiceError | null, response: Res) => void) => void;
