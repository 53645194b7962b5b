/** One real Cassandra node that encrypts towards other nodes, with the real Medusa beside it; for tests, without any cluster. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { auth, Client, policies } from "cassandra-driver";
import { diskFailures } from "../../plan/storage";
import { cassandraImage } from "../../sandbox/images/cassandra";
import { medusaImage } from "../../sandbox/images/medusa";
import { ProcessTable, waitUntil } from "../../sandbox/lib/process";
import type { ExecResult, ImageProgram } from "../../sandbox/lib/types";
import type { Mount } from "../../sandbox/nodes/bubblewrap";
import { ContainerProcess } from "../../sandbox/nodes/container";
import { cassandraYaml, encodeConfig, medusaIni } from "../../sandbox/operators/k8ssandra/files";
import { loadTools } from "../../sandbox/toolchain";

const USER = "cassandra";

/** Where a node stands. */
export interface NodePlace {
  /** Address of the node, and of nobody else's. */
  address: string;
  /** `rack1` starts the ring. Default: rack1. */
  rack?: string;
  /** Names by which the nodes are found, with the address that they lead to. Default: none. */
  names?: Record<string, string>;
  /** A node of the ring that this one joins, whose keys it has. Default: it is the first. */
  joins?: CassandraNode;
}

/** A node that runs. `folder` holds its data, and `secrets` in the form in which pods mount them. */
export class CassandraNode {
  private readonly processes: ProcessTable;
  private readonly tools = loadTools();
  private server?: ContainerProcess;
  private medusa?: ContainerProcess;

  private constructor(
    readonly folder: string,
    private readonly place: NodePlace,
    private readonly storage: { env: Record<string, string>; bucket: string },
  ) {
    this.processes = new ProcessTable(folder);
  }

  /** Starts it; it answers then. @param storage where Medusa keeps backups */
  static async start(
    place: NodePlace,
    storage: { env: Record<string, string>; bucket: string },
  ): Promise<CassandraNode> {
    const node = new CassandraNode(mkdtempSync(join(tmpdir(), "cassandra-node-")), place, storage);
    node.configure();
    await node.run();
    return node;
  }

  get address(): string {
    return this.place.address;
  }

  get rack(): string {
    return this.place.rack ?? "rack1";
  }

  /** Name of the pod that the node would be. */
  get pod(): string {
    return `iconik-emea-${this.rack}-sts-0`;
  }

  /** Files of the superuser's Secret, of the keystores' and of their authority's. */
  get secrets(): { superuser: string; internode: string } {
    return (
      this.place.joins?.secrets ?? {
        superuser: join(this.folder, "superuser"),
        internode: join(this.folder, "internode"),
      }
    );
  }

  private configure(): void {
    for (const name of ["etc", "data", "medusa", "hosts", "superuser", "internode"]) mkdirSync(join(this.folder, name));
    const first = this.place.joins ?? this;
    const known = { [`${first.pod}.svc`]: first.address, [`${this.pod}.svc`]: this.address, ...this.place.names };
    const lines = Object.entries(known).map(([name, address]) => `${address} ${name} ${name.split(".")[0]}`);
    writeFileSync(join(this.folder, "hosts", "hosts"), ["127.0.0.1 localhost", ...lines, ""].join("\n"));
    if (!this.place.joins) this.makeSecrets();
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
          "cassandra-yaml": {
            server_encryption_options: encryption,
            uuid_sstable_identifiers_enabled: true,
            ...diskFailures,
            // Two nodes, and one of them may be away.
            auth_read_consistency_level: "LOCAL_ONE",
          },
        }),
      } as never,
    });
    const etc = (name: string) => join(this.folder, "etc", name);
    writeFileSync(
      etc("cassandra.yaml"),
      yaml.replaceAll("@NODE_IP@", this.address).replaceAll("@SEEDS@", first.address),
    );
    writeFileSync(etc("cassandra-rackdc.properties"), `dc=emea\nrack=${this.rack}\n`);
    copyFileSync(join(__dirname, "..", "..", "sandbox", "images", "cassandra", "logback.xml"), etc("logback.xml"));
    const ini = medusaIni({
      storageProperties: {
        storageProvider: "google_storage",
        credentialsType: "role-based",
        bucketName: this.storage.bucket,
        prefix: "cassandra",
      },
    });
    const own = ini.replaceAll("@POD_NAME@", this.pod);
    writeFileSync(join(this.folder, "medusa", "medusa.ini"), own);
    // As the image's `configure` writes it: whoever restores starts and stops the node.
    const restoring = own.replace(/(\[kubernetes\][^[]*?^enabled = ).*/m, "$1true");
    writeFileSync(join(this.folder, "medusa", "restore.ini"), restoring);
  }

  private makeSecrets(): void {
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
  }

  /** @param options of the server's JVM */
  private async run(options = ""): Promise<void> {
    const log = this.log("server");
    this.server = this.container("server", cassandraImage(this.tools), ["/image/cassandra.sh", "run"], [], log, {
      JVM_EXTRA_OPTS: options,
    });
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
          HOSTNAME: this.pod,
          NODE_IP: this.address,
          DATACENTER: "emea",
          RACK: this.rack,
          FIRST_RACK: "rack1",
          SEEDS: (this.place.joins ?? this).address,
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

  /** A connected session with this node and no other. @param user whose password is its name; default: the superuser */
  async client(user = USER): Promise<Client> {
    const nearby = new policies.loadBalancing.DCAwareRoundRobinPolicy("emea");
    const client = new Client({
      contactPoints: [this.address],
      policies: { loadBalancing: new policies.loadBalancing.AllowListPolicy(nearby, [`${this.address}:9042`]) },
      localDataCenter: "emea",
      authProvider: new auth.PlainTextAuthProvider(user, user),
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

  /** Folder of a table's files. @throws when there is none */
  tableFolder(keyspace: string, table: string): string {
    const folder = join(this.folder, "data", "data", keyspace);
    const found = readdirSync(folder).find((name) => name.startsWith(`${table}-`));
    if (!found) throw new Error(`${folder} has no table ${table}`);
    return join(folder, found);
  }

  /**
   * Lets a table's folder take no more than a page of new files, by a file system of that size over it: "no space left on
   * device" is the kernel's own. What is open stays readable. It goes with the node's processes.
   */
  async fillDisk(keyspace: string, table: string): Promise<void> {
    const folder = join("/var/lib/cassandra/data", keyspace, basename(this.tableFolder(keyspace, table)));
    succeeded(await this.server!.exec(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", folder]));
  }

  /** Ends its processes at once, as a machine that goes away. Its files stay. */
  async kill(): Promise<void> {
    await Promise.all([this.medusa?.stop(0), this.server?.stop(0)]);
  }

  /** Removes every file of a node that was killed. */
  wipe(): void {
    rmSync(join(this.folder, "data"), { recursive: true, force: true });
    mkdirSync(join(this.folder, "data"));
  }

  /**
   * Starts a node again that was killed.
   * @param replaces as cass-operator does it for `replacenode`: it takes the place of the node that had this address
   * @throws when it ends instead, with its last lines
   */
  async restart(replaces?: string): Promise<void> {
    await this.run(replaces === undefined ? "" : `-Dcassandra.replace_address_first_boot=${replaces}`);
  }

  /** What the server has logged. */
  get words(): string {
    return readFileSync(this.log("server"), "utf8");
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function succeeded({ code, stdout, stderr }: ExecResult): string {
  if (code !== 0) throw new Error((stderr + stdout).slice(-3000));
  return stdout;
}
