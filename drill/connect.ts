/** The way to a region's stores for an operator: its kubeconfig, the pods and the Secrets behind it. */
import type { Client } from "cassandra-driver";
import { elasticsearchName, elasticsearchService, namespaces, secrets } from "../plan/names";
import { type CassandraAccess, connect } from "./cassandra";
import { kubeConfig, type RegionOutput, readSecret, readyPodIPs } from "./clusters";
import { Elasticsearch } from "./elastic";

export interface Connected {
  region: RegionOutput;
  access: CassandraAccess;
  cassandra: Client;
  elasticsearch: Elasticsearch;
}

/** @throws when a store has no ready pod, or a Secret is missing */
export async function connectRegion(region: RegionOutput): Promise<Connected> {
  const config = kubeConfig(region.kubeconfig);
  const ready = async (namespace: string, selector: string) => {
    const addresses = await readyPodIPs(config, namespace, selector);
    if (addresses.length === 0)
      throw new Error(`no pod ${selector} is ready in ${region.name}, namespace ${namespace}`);
    return addresses;
  };
  const superuser = (key: string) => readSecret(config, namespaces.cassandra, secrets.cassandraSuperuser, key);
  const access: CassandraAccess = {
    addresses: await ready(namespaces.cassandra, `cassandra.datastax.com/datacenter=${region.datacenter}`),
    datacenter: region.datacenter,
    username: await superuser("username"),
    password: await superuser("password"),
  };
  const [address] = await ready(
    namespaces.elasticsearch,
    `elasticsearch.k8s.elastic.co/cluster-name=${elasticsearchName}`,
  );
  const elasticsearch = new Elasticsearch({
    address: address!,
    port: elasticsearchService.port,
    servername: `${elasticsearchService.name}.${namespaces.elasticsearch}.svc`,
    ca: await readSecret(config, namespaces.elasticsearch, secrets.elasticCertificates, "ca.crt"),
    user: "elastic",
    password: await readSecret(config, namespaces.elasticsearch, secrets.elasticUser, "elastic"),
  });
  return { region, access, cassandra: await connect(access), elasticsearch };
}
