#!/bin/sh
# The Cassandra image. `configure` renders /etc/cassandra for this pod, `run` starts the node, `nodetool` and `sstableloader`
# are Cassandra's own programs. Needs NODE_IP, DATACENTER, RACK, FIRST_RACK, SEEDS and ADDITIONAL_SEEDS (comma separated names) and, of the
# image, CASSANDRA_LIB, JAVA and HEAP_MIB.
set -eu

# All pods share one loopback interface, but JMX listens on 127.0.0.1 only: each address gets a port of its own.
jmx_port() {
  echo "$NODE_IP" | awk -F. '{ print 20000 + ($2 % 6) * 2000 + ($3 * 254 + $4) % 2000 }'
}

configure() {
  sed -e "s|@NODE_IP@|$NODE_IP|g" /config/cassandra.yaml >/etc/cassandra/cassandra.yaml
  printf 'dc=%s\nrack=%s\n' "$DATACENTER" "$RACK" >/etc/cassandra/cassandra-rackdc.properties
  cp /image/logback.xml /etc/cassandra/logback.xml
}

# A node that has been a member may start without any other. So may the very first one: the first of its datacenter's
# first rack, when no other datacenter's seeds are known.
first_seed() {
  [ -d /var/lib/cassandra/data/system ] && return 0
  [ "$RACK" = "$FIRST_RACK" ] || return 1
  case "$HOSTNAME" in *-0) ;; *) return 1 ;; esac
  for name in $(echo "$ADDITIONAL_SEEDS" | tr , ' '); do
    getent hosts "$name" >/dev/null && return 1
  done
  return 0
}

exports="java.base/jdk.internal.misc java.base/jdk.internal.ref java.base/sun.nio.ch
  java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry java.rmi/sun.rmi.server
  java.rmi/sun.rmi.transport.tcp java.sql/java.sql jdk.unsupported/sun.misc"
opens="java.base/java.io java.base/java.lang java.base/java.lang.module java.base/java.lang.reflect java.base/java.net
  java.base/java.nio java.base/java.util java.base/java.util.concurrent java.base/java.util.concurrent.atomic
  java.base/jdk.internal.loader java.base/jdk.internal.math java.base/jdk.internal.module java.base/jdk.internal.ref
  java.base/jdk.internal.reflect java.base/jdk.internal.util.jar java.base/sun.nio.ch
  jdk.management/com.sun.management.internal"

module_flags() {
  for package in $exports; do printf -- '--add-exports=%s=ALL-UNNAMED ' "$package"; done
  for package in $opens; do printf -- '--add-opens=%s=ALL-UNNAMED ' "$package"; done
}

run() {
  mkdir -p /var/lib/cassandra/tmp
  seeds=$SEEDS,$ADDITIONAL_SEEDS
  if first_seed; then seeds=$NODE_IP,$seeds; fi
  sed -i "s|@SEEDS@|${seeds%,}|" /etc/cassandra/cassandra.yaml
  daemon /etc/cassandra /var/lib/cassandra -Dcassandra.ring_delay_ms=1000 \
    -Dcassandra.skip_wait_for_gossip_to_settle=0 -Dcassandra.superuser_setup_delay_ms=500
}

# The server with the configuration in one folder and what that does not place in another.
daemon() {
  conf=$1 storage=$2
  shift 2
  mkdir -p "$storage/tmp"
  # shellcheck disable=SC2046 # one word per flag
  # JVM_EXTRA_OPTS is the image's own: that a node replaces another one is said there.
  # Quick starts on an idle machine: no long waits for gossip to settle, for the ring or for the superuser.
  exec "$JAVA" "-Xms${HEAP_MIB}m" "-Xmx${HEAP_MIB}m" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xss512k \
    "-javaagent:$CASSANDRA_LIB/$(cd "$CASSANDRA_LIB" && ls jamm-*.jar)" $(module_flags) \
    -Djdk.attach.allowAttachSelf=true "-Djava.io.tmpdir=$storage/tmp" -Dcassandra-foreground=yes \
    "-Dcassandra.config=file://$conf/cassandra.yaml" \
    "-Dcassandra-rackdc.properties=file://$conf/cassandra-rackdc.properties" \
    "-Dlogback.configurationFile=$conf/logback.xml" "-Dcassandra.storagedir=$storage" \
    "-Dcassandra.jmx.local.port=$(jmx_port)" ${JVM_EXTRA_OPTS:-} "$@" \
    -cp "$CASSANDRA_LIB/*" org.apache.cassandra.service.CassandraDaemon
}

# `cassandra -f` of the published image: its configuration is in CASSANDRA_CONF.
server() {
  NODE_IP=$(sed -n 's/.*"*listen_address"*: *"*\([0-9.]*\).*/\1/p' "$CASSANDRA_CONF/cassandra.yaml")
  daemon "$CASSANDRA_CONF" "${TMPDIR:-/tmp}/cassandra" -Dcassandra.ring_delay_ms=1000 \
    -Dcassandra.skip_wait_for_gossip_to_settle=0 -Dcassandra.superuser_setup_delay_ms=500
}

nodetool() {
  flags=
  while [ $# -gt 0 ]; do case "$1" in -D*) flags="$flags $1"; shift ;; *) break ;; esac; done
  # shellcheck disable=SC2046,SC2086
  exec "$JAVA" -Xmx96m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC $(module_flags) $flags \
    "-Dlogback.configurationFile=$(dirname "$0")/nodetool.xml" \
    -cp "$CASSANDRA_LIB/*" org.apache.cassandra.tools.NodeTool -h 127.0.0.1 -p "$(jmx_port)" "$@"
}

sstableloader() {
  # shellcheck disable=SC2046
  exec "$JAVA" "-Xmx256m" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC $(module_flags) \
    "-Dlogback.configurationFile=$(dirname "$0")/nodetool.xml" -Dcassandra.storagedir=/tmp \
    -cp "$CASSANDRA_LIB/*" org.apache.cassandra.tools.BulkLoader "$@"
}

case "${1:-run}" in
configure | run) "$1" ;;
nodetool | sstableloader | server) "$@" ;;
*) echo "unknown command $1; known are configure, run, server, nodetool and sstableloader" >&2; exit 2 ;;
esac
