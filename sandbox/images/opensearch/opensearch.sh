#!/bin/bash
# The OpenSearch image, in Elasticsearch's place. `run` starts the node on port 9201 without TLS, `proxy` the HTTPS and
# basic authentication in front of it on 9200. Needs NODE_IP and, of the image, OPENSEARCH_HOME, JAVA, KEYTOOL and HEAP_MIB.
set -eu

# Settings of the client of S3, from what a pod on AWS is told: the endpoint, and the role that its own token takes.
s3_client() {
  if [ -z "${AWS_ENDPOINT_URL_S3:-}" ]; then return; fi
  echo "s3.client.default.endpoint: $AWS_ENDPOINT_URL_S3"
  echo "s3.client.default.region: $AWS_REGION"
  # The endpoint is an address: no bucket can be a part of its name.
  echo "s3.client.default.path_style_access: true"
  # Its role and session it reads from the environment, as Elasticsearch does.
  if [ -n "${AWS_WEB_IDENTITY_TOKEN_FILE:-}" ]; then echo "s3.client.default.identity_token_file: $AWS_WEB_IDENTITY_TOKEN_FILE"; fi
}

# Java's options for S3 and STS: it asks neither the environment nor a file in PEM for the authorities that it trusts.
s3_options() {
  if [ -z "${AWS_ENDPOINT_URL_S3:-}" ]; then return; fi
  "$KEYTOOL" -importcert -noprompt -alias aws -file "$AWS_CA_BUNDLE" -keystore "$1" -storetype PKCS12 -storepass changeit >&2
  echo "-Djavax.net.ssl.trustStore=$1 -Djavax.net.ssl.trustStoreType=PKCS12 -Djavax.net.ssl.trustStorePassword=changeit"
  echo "-Daws.stsEndpointOverride=$AWS_ENDPOINT_URL_STS"
}

run() {
  config=/var/lib/elasticsearch/config
  data=/var/lib/elasticsearch/data
  mkdir -p "$data/nodes" /tmp/logs "$config"
  cp /image/log4j2.properties "$config/log4j2.properties"
  {
    cat /config/elasticsearch.yml
    echo "node.name: $HOSTNAME"
    echo "network.host: $NODE_IP"
    echo "http.port: 9201"
    echo "transport.port: 9300"
    echo "path.data: $data"
    echo "path.logs: /tmp/logs"
    echo "node.store.allow_mmap: false"
    # Tokens come from the pod's metadata server, as in Google Cloud; only the address of the storage differs.
    if [ -n "${STORAGE_EMULATOR_HOST:-}" ]; then echo "gcs.client.default.endpoint: $STORAGE_EMULATOR_HOST"; fi
    s3_client
  } >"$config/opensearch.yml"
  rm -f "$config/trusted.p12"
  options=$(s3_options "$config/trusted.p12")
  # shellcheck disable=SC2086 # several words
  exec "$JAVA" $options "-Xms${HEAP_MIB}m" "-Xmx${HEAP_MIB}m" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xss512k -Djava.io.tmpdir=/tmp \
    "-Dopensearch.path.home=$OPENSEARCH_HOME" "-Dopensearch.path.conf=$config" -Dopensearch.distribution.type=tar \
    -cp "$OPENSEARCH_HOME/lib/*" org.opensearch.bootstrap.OpenSearch
}

# The published image: settings are environment variables with dots in their names, which bash leaves in the environment and
# other shells do not; port 9200 answers without TLS.
published() {
  config=/tmp/config
  mkdir -p "$config" /tmp/logs
  cp /image/log4j2.properties "$config/log4j2.properties"
  {
    env | sed -n 's/^\([a-z_]*\.[a-z_.]*\)=\(.*\)$/\1: \2/p' | grep -v '^xpack\.'
    echo "path.logs: /tmp/logs"
    echo "node.store.allow_mmap: false"
  } >"$config/opensearch.yml"
  exec "$JAVA" "-Xms${HEAP_MIB}m" "-Xmx${HEAP_MIB}m" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xss512k -Djava.io.tmpdir=/tmp \
    "-Dopensearch.path.home=$OPENSEARCH_HOME" "-Dopensearch.path.conf=$config" -Dopensearch.distribution.type=tar \
    -cp "$OPENSEARCH_HOME/lib/*" org.opensearch.bootstrap.OpenSearch
}

case "${1:-run}" in
run | published) "$1" ;;
proxy) exec "$NODE" /image/proxy.mjs ;;
*) echo "unknown command $1; known are run, published and proxy" >&2; exit 2 ;;
esac
