/** What a program declares, collected with Pulumi's mocks: nothing is created, nothing is asked. */
import * as pulumi from "@pulumi/pulumi";

/** A resource with its inputs and the options that the plan depends on. */
export interface DeclaredResource {
  /** Pulumi type token. */
  type: string;
  /** Pulumi name. */
  name: string;
  /** Name of the parent; undefined for what stands at the top of the stack. */
  parent: string | undefined;
  /** Managed by a provider; false for components. */
  custom: boolean;
  protect: boolean;
  retainOnDelete: boolean;
  /** Name of the resource whose end is this one's as well. */
  deletedWith: string | undefined;
  dependsOn: string[];
  /** Inputs that are set once: later changes of them are left alone. */
  ignoreChanges: string[];
  /** Name of the provider that was chosen; undefined for the default one. */
  provider: string | undefined;
  /** Inputs, each secret replaced by {@link SECRET}. */
  inputs: Record<string, unknown>;
}

/** What Kubernetes would fill into a Secret for a service account's token. */
export const SERVICE_ACCOUNT_TOKEN = "a service account's token";

/** Stands for a secret value. */
export const SECRET = "[secret]";

/** Stands for the public half of a key of the cloud. */
export const MARKER_KEY = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEr9IiyIOPjZCmjeL2Y740v3/o8nLG
8ASWyLBdOAFlm/ZbHLv0zW+JH+qhIGbfjyy0groKwIndcUBdEUgNZcy1xg==
-----END PUBLIC KEY-----
`;

type Values = Record<string, unknown>;
type Options = Pick<
  DeclaredResource,
  "parent" | "protect" | "retainOnDelete" | "deletedWith" | "dependsOn" | "ignoreChanges" | "provider"
>;

const ROOT_TYPE = "pulumi:pulumi:Stack";

/** What became of a program. */
export interface Declaration {
  /** In the order of type and name. */
  resources: DeclaredResource[];
  /** What the program returned, resolved. */
  outputs: Values;
}

/** Ends with the program that is declared last: Pulumi's mocks are one for the process. */
let queue: Promise<unknown> = Promise.resolve();

/**
 * Runs a program under mocks, one at a time.
 * @throws whatever the program throws
 */
export function declared(program: () => unknown, stack = "test"): Promise<Declaration> {
  const declaration = queue.then(() => declaredUnmapped(program, stack));
  queue = declaration.catch(() => undefined);
  return declaration;
}

/**
 * Pulumi keeps the stack trace of each promise. Looking its lines up in source maps takes half of the time; those of an error
 * that is thrown are looked up when it is shown.
 */
async function declaredUnmapped(program: () => unknown, stack: string): Promise<Declaration> {
  process.setSourceMapsEnabled(false);
  try {
    return await declaredBy(program, stack);
  } finally {
    process.setSourceMapsEnabled(true);
  }
}

async function declaredBy(program: () => unknown, stack: string): Promise<Declaration> {
  const options = new Map<string, Options>();
  const resources: DeclaredResource[] = [];
  await pulumi.runtime.setMocks(
    {
      call: ({ token, inputs }) => ({
        ...inputs,
        ...(token.includes("getKMSCryptoKeyVersion") && { publicKeys: [{ pem: MARKER_KEY }] }),
      }),
      newResource: ({ type, name, inputs, custom }) => {
        if (type !== ROOT_TYPE) {
          const known = options.get(`${type} ${name}`);
          if (!known) throw new Error(`${type} ${name} was registered without having been declared`);
          resources.push({ type, name, custom: custom ?? false, ...known, inputs: withoutSecrets(inputs) as Values });
        }
        return { id: `${name}-id`, state: { ...inputs, ...computed(type, inputs) } };
      },
    },
    "iconik-dr",
    stack,
  );
  const outputs = await pulumi.runtime.runInPulumiStack(async () => {
    pulumi.runtime.registerStackTransformation(({ type, name, opts }) => {
      options.set(`${type} ${name}`, described(opts));
      return undefined;
    });
    return program();
  });
  await pulumi.runtime.disconnect();
  return {
    resources: resources.sort((one, other) => (key(one) < key(other) ? -1 : 1)),
    outputs: outputs as Values,
  };
}

const key = ({ type, name }: DeclaredResource) => `${type} ${name}`;

function described(opts: pulumi.CustomResourceOptions): Options {
  const dependsOn = [opts.dependsOn ?? []].flat() as pulumi.Resource[];
  return {
    parent: opts.parent && nameOf(opts.parent),
    protect: opts.protect === true,
    retainOnDelete: opts.retainOnDelete === true,
    deletedWith: opts.deletedWith && nameOf(opts.deletedWith as pulumi.Resource),
    dependsOn: dependsOn.map((each) => nameOf(each) ?? "").sort(),
    ignoreChanges: opts.ignoreChanges ?? [],
    provider: opts.provider && nameOf(opts.provider),
  };
}

/** A resource's Pulumi name; the stack's own is left out. */
function nameOf(resource: pulumi.Resource): string | undefined {
  const { __name: name, __pulumiType: type } = resource as unknown as { __name: string; __pulumiType: string };
  return type === ROOT_TYPE ? undefined : name;
}

/** Outputs that programs use and that the cloud would compute. */
function computed(type: string, inputs: Values): Values {
  if (type === "gcp:serviceaccount/account:Account") {
    const email = `${inputs.accountId}@${inputs.project}.iam.gserviceaccount.com`;
    return {
      email,
      member: `serviceAccount:${email}`,
      name: `projects/${inputs.project}/serviceAccounts/${email}`,
    };
  }
  if (type === "gcp:kms/cryptoKeyVersion:CryptoKeyVersion") {
    return { name: "projects/iconik-vault/locations/europe-west6/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1" };
  }
  if (type === "gcp:projects/serviceIdentity:ServiceIdentity") {
    const email = "service-123456789012@container-engine-robot.iam.gserviceaccount.com";
    return { email, member: `serviceAccount:${email}` };
  }
  if (type === "gcp:iam/workloadIdentityPool:WorkloadIdentityPool") {
    return { name: `projects/123456789012/locations/global/workloadIdentityPools/${inputs.workloadIdentityPoolId}` };
  }
  if (type === "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider") {
    const { workloadIdentityPoolId: pool, workloadIdentityPoolProviderId: provider } = inputs;
    return { name: `projects/123456789012/locations/global/workloadIdentityPools/${pool}/providers/${provider}` };
  }
  if (type === "gcp:compute/globalAddress:GlobalAddress") return { address: "192.0.2.2" };
  if (type === "gcp:certificatemanager/dnsAuthorization:DnsAuthorization") {
    const record = { name: `_acme-challenge.${inputs.domain}.`, type: "CNAME", data: "authorize.example.com." };
    return { dnsResourceRecords: [record] };
  }
  if (type === "gcp:container/cluster:Cluster") {
    return {
      endpoint: "192.0.2.1",
      privateClusterConfig: { ...(inputs.privateClusterConfig as Values), privateEndpoint: "10.0.0.2" },
      masterAuth: { clusterCaCertificate: "Y2VydGlmaWNhdGU=" },
    };
  }
  const aws = /^aws:/.test(type) && awsComputed(type, inputs);
  if (aws) return aws;
  if (type === "kubernetes:core/v1:Secret" && inputs.type === "kubernetes.io/service-account-token") {
    return { data: { token: Buffer.from(SERVICE_ACCOUNT_TOKEN).toString("base64") } };
  }
  return {};
}

const REGION = "eu-central-1";
const ACCOUNT = "123456789012";

/** Outputs of AWS's resources that programs use. */
function awsComputed(type: string, inputs: Values): Values {
  const arn = (service: string, rest: string, region = REGION) => `arn:aws:${service}:${region}:${ACCOUNT}:${rest}`;
  const name = String(inputs.name);
  switch (type) {
    case "aws:eks/cluster:Cluster":
      return {
        endpoint: "https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com",
        certificateAuthority: { data: "Y2VydGlmaWNhdGU=" },
        identities: [{ oidcs: [{ issuer: `https://oidc.eks.${REGION}.amazonaws.com/id/${"A".repeat(32)}` }] }],
        vpcConfig: { ...(inputs.vpcConfig as Values), clusterSecurityGroupId: "sg-cluster" },
        arn: arn("eks", `cluster/${name}`),
      };
    case "aws:iam/role:Role":
      return { arn: `arn:aws:iam::${ACCOUNT}:role/${name}` };
    case "aws:iam/openIdConnectProvider:OpenIdConnectProvider":
      return { arn: `arn:aws:iam::${ACCOUNT}:oidc-provider/${String(inputs.url).slice("https://".length)}` };
    case "aws:kms/key:Key":
      return { arn: arn("kms", "key/00000000-0000-0000-0000-000000000000"), keyId: "00000000-0000" };
    case "aws:s3/bucket:Bucket":
      return { arn: `arn:aws:s3:::${inputs.bucket}` };
    case "aws:sns/topic:Topic":
      return { arn: arn("sns", name, String(inputs.region ?? REGION)) };
    case "aws:ec2/eip:Eip":
      return { allocationId: "eipalloc-0" };
    case "aws:ec2/launchTemplate:LaunchTemplate":
      return { latestVersion: 1 };
    case "aws:ec2/vpc:Vpc":
      return { defaultRouteTableId: "rtb-default" };
    case "aws:route53/zone:Zone":
      return { zoneId: "Z0STANDBY", nameServers: ["ns-1.awsdns-00.org", "ns-2.awsdns-00.com"] };
    case "aws:acm/certificate:Certificate": {
      const option = {
        resourceRecordName: `_0123456789.${inputs.domainName}.`,
        resourceRecordType: "CNAME",
        resourceRecordValue: "_0123456789.acm-validations.aws.",
      };
      return { arn: arn("acm", "certificate/0"), domainValidationOptions: [option] };
    }
    case "aws:lb/loadBalancer:LoadBalancer":
      return {
        arn: arn("elasticloadbalancing", `loadbalancer/app/${name}/0`),
        arnSuffix: `app/${name}/0`,
        dnsName: `${name}-0.${REGION}.elb.amazonaws.com`,
        zoneId: "Z215JYRZR1TBD5",
      };
    case "aws:lb/targetGroup:TargetGroup":
      return {
        arn: arn("elasticloadbalancing", `targetgroup/${name}/0`),
        arnSuffix: `targetgroup/${name}/0`,
      };
    default:
      return {};
  }
}

/** Pulumi's mark of a secret among deserialized values. */
const MARK = "4dabf18193072939515e22adb298388d";

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (value === null || typeof value !== "object") return value;
  if (MARK in value) return SECRET;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutSecrets(inner)]));
}
