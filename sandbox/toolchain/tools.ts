/** Where the sandbox's programs are on this machine. All paths are absolute. */
export interface Tools {
  /** The Pulumi command line: an installed official one of a good version, else built. */
  pulumi: string;
  /** Folder with `pulumi-language-nodejs` to put on PATH; absent when an official installation brings its own. */
  languageHost?: string;
  etcd: string;
  kubeApiserver: string;
  kubeControllerManager: string;
  kubeScheduler: string;
  fakeGcsServer: string;
  /** SeaweedFS, the S3 server. */
  seaweedfs: string;
  /** The proxy behind forwarding rules. */
  envoy: string;
  /** The load generator of the fault matrices. */
  vegeta: string;
  kubectl: string;
  /** Folder of Python packages with AWS's command line. */
  aws: string;
  bwrap: string;
  /** Python environment with Medusa and rclone; its programs are in `bin`. */
  python: { home: string; medusa: string; rclone: string };
  /** Cassandra's jars, the JDK (17) that runs them and its keytool. */
  cassandra: { lib: string; java: string; keytool: string };
  /** OpenSearch's home (lib, modules, plugins) and the JDK (21 or later) that runs it. */
  opensearch: { home: string; java: string };
}
