/** One real Cassandra node that encrypts towards other nodes, with the real Medusa beside it; for tests, without any cluster. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { auth, Client } from "cassandra-driver";
import { cassandraImage } from "../../sandbox/images/cassandra";
import { medusaImage } from "../../sandbox/images/medusa";
import { ProcessTable, waitUntil } from "../../sandbox/lib/process";
import type { ExecResult, ImageProgram } from "../../sandbox/lib/types";
import type { Mount } from "../../sandbox/nodes/bubblewrap";
import { ContainerProcess } from "../../sandbox/nodes/container";
import { cassandraYaml, encodeConfig, medusaIni } from "../../sandbox/operators/k8ssandra/files";
import { loadTools } from "../../sandbox/toolchain";

const POD = "iconik-emea-rack1-sts-0";
const USER = "cassandra";

/** A node that runs. `folder` holds its data, and `secrets` in the form in which pods mount them. */
export class CassandraNode {
  private readonly processes: ProcessTable;
  private readonly tools = loadTools();
  private server?: ContainerProcess;
  private medusa?: ContainerProcess;

  private constructor(
    readonly folder: string,
    /** Address of the node, and of nobody else's. */
    readonly address: string,
    private readonly storage: { env: Record<string, string>; bucket: string },
  ) {
    this.processes = new ProcessTable(folder);
  }

  /** Starts it; it answers then. @param names by which it is found @param storage where Medusa keeps backups */
  static async start(
    address: string,
    names: readonly string[],
    storage: { env: Record<string, string>; bucket: string },
  ): Promise<CassandraNode> {
    const node = new CassandraNode(mkdtempSync(join(tmpdir(), "cassandra-node-")), address, storage);
    node.configure(names);
    await node.run();
    return node;
  }

  /** Files of the superuser's Secret, of the keystores' and of their authority's. */
  get secrets() {
    return { superuser: join(this.folder, "superuser"), internode: join(this.folder, "internode") };
  }

  private configure(names: readonly string[]): void {
    for (const name of ["etc", "data", "medusa", "hosts", "superuser", "internode"]) mkdirSync(join(this.folder, name));
    writeFileSync(
      join(this.folder, "hosts", "hosts"),
      `127.0.0.1 localhost\n${this.address} ${POD}.svc ${POD} ${names.join(" ")}\n`,
    );
    for (const key of ["username", "password"]) writeFileSync(join(this.secrets.superuser, key), USER);
    const keytool = (args: string[]) => execFileSync(this.tools.cassandra.keytool, args, { stdio: "pipe" });
    const keystore = join(this.secrets.internode, "keystore.p12");
    writeFileSync(join(this.secrets.internode, "keystore-password"), "keep-out");
    const store = ["-storetype", "PKCS12", "-storepass", "keep-out"];
    const certificate = join(this.folder, "node.crt");
    keytool([
      ...["-genkeypair", "-alias", "node", "-keyalg", "RSA", "-dname", "CN=node", "-keystore", keystore, ...store],
    ]);
    keytool(["-exportcert", "-alias", "node", "-keystore", keystore, "-file", certificate, ...store]);
    const truststore = join(this.secrets.internode, "truststore.p12");
    keytool([
      ...["-importcert", "-noprompt", "-alias", "node", "-file", certificate, "-keystore", truststore, ...store],
    ]);
    const encryption = {
      internode_encryption: "all",
      require_client_auth: true,
      require_endpoint_verification: false,
      enable_legacy_ssl_storage_port: false,
      store_type: "PKCS12",
      keystore: "/stores/keystore.p12",
      keystore_password: "keep-out",
      truststore: "/stores/truststore.p12",
      truststore_password: "keep-out",
    };
    const yaml = cassandraYaml({
      metadata: { name: "emea" },
      spec: {
        clusterName: "iconik",
        config: encodeConfig({
          "cassandra-yaml": { server_encryption_options: encryption, uuid_sstable_identifiers_enabled: true },
        }),
      } as never,
    });
    const etc = (name: string) => join(this.folder, "etc", name);
    writeFileSync(
      etc("cassandra.yaml"),
      yaml.replaceAll("@NODE_IP@", this.address).replaceAll("@SEEDS@", this.address),
    );
    writeFileSync(etc("cassandra-rackdc.properties"), "dc=emea\nrack=rack1\n");
    writeFileSync(etc("logback.xml"), `<configuration><root level="INFO"/></configuration>`);
    const ini = medusaIni({
      storageProperties: {
        storageProvider: "google_storage",
        credentialsType: "role-based",
        bucketName: this.storage.bucket,
        prefix: "cassandra",
      },
    });
    writeFileSync(join(this.folder, "medusa", "medusa.ini"), ini.replaceAll("@POD_NAME@", POD));
  }

  private async run(): Promise<void> {
    const log = this.log("server");
    this.server = this.container("server", cassandraImage(this.tools), ["/image/cassandra.sh", "run"], [], log);
    const client = () => this.client();
    await waitUntil(
      "Cassandra",
      async () => {
        const connected = await client().then(
          (each) => each.shutdown().then(() => true),
          () => false,
        );
        return connected;
      },
      { timeoutMs: 90_000, child: this.server.process, log },
    );
    this.medusa = this.container("medusa", medusaImage(this.tools), ["/medusa/medusa.sh", "serve"], []);
  }

  /** Where the output of a container is. */
  log(name: string): string {
    return join(this.folder, `${name}.log`);
  }

  /** Starts a container beside the node: its network, its folders and those given. */
  container(
    name: string,
    image: ImageProgram,
    command: string[],
    mounts: Mount[],
    log = this.log(name),
    env: Record<string, string> = {},
  ): ContainerProcess {
    const mount = (source: string, target: string): Mount => ({ source, target, readOnly: false });
    return ContainerProcess.start(
      {
        name,
        bwrap: this.tools.bwrap,
        root: {
          mounts: [
            ...Object.entries(image.mounts).map(([target, source]) => ({ source, target, readOnly: true })),
            mount(join(this.folder, "data"), "/var/lib/cassandra"),
            mount(join(this.folder, "etc"), "/etc/cassandra"),
            mount(join(this.folder, "medusa"), "/etc/medusa"),
            mount(this.secrets.internode, "/stores"),
            ...mounts,
          ],
          hostsFolder: join(this.folder, "hosts"),
          workingDir: "/",
          readOnly: false,
        },
        command,
        env: {
          PATH: [...image.path, "/usr/bin", "/bin"].join(":"),
          HOME: "/tmp",
          HOSTNAME: POD,
          NODE_IP: this.address,
          DATACENTER: "emea",
          RACK: "rack1",
          FIRST_RACK: "rack1",
          SEEDS: this.address,
          ADDITIONAL_SEEDS: "",
          CQL_USERNAME: USER,
          CQL_PASSWORD: USER,
          ...this.storage.env,
          ...image.env,
          ...env,
        },
        log,
        lastWords: join(this.folder, `${name}.words`),
      },
      this.processes,
    );
  }

  /** A connected session of the superuser. */
  async client(): Promise<Client> {
    const client = new Client({
      contactPoints: [this.address],
      localDataCenter: "emea",
      authProvider: new auth.PlainTextAuthProvider(USER, USER),
      socketOptions: { readTimeout: 60_000, connectTimeout: 5_000 },
    });
    try {
      await client.connect();
    } catch (error) {
      await client.shutdown();
      throw error;
    }
    return client;
  }

  /** Runs nodetool. @throws when it fails */
  async nodetool(...args: string[]): Promise<string> {
    return succeeded(await this.server!.exec(["/image/nodetool", ...args]));
  }

  /** A backup by the real Medusa. @throws when it fails */
  async backup(name: string): Promise<string> {
    const command = ["/medusa/medusa.sh", "cli", "backup-node", `--backup-name=${name}`, "--mode=differential"];
    return succeeded(await this.medusa!.exec(command));
  }

  async stop(): Promise<void> {
    await Promise.all([this.medusa?.stop(0), this.server?.stop(0)]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function succeeded({ code, stdout, stderr }: ExecResult): string {
  if (code !== 0) throw new Error((stderr + stdout).slice(-3000));
  return stdout;
}
