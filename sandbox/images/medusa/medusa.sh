#!/bin/sh
# The Medusa image. `configure` renders /etc/medusa for this pod, `serve` waits for commands, `restore` restores once per
# RESTORE_KEY, `cli` is Medusa's command line.
set -eu

configure() {
  sed -e "s|@POD_NAME@|$HOSTNAME|g" /config/medusa.ini >/etc/medusa/medusa.ini
  # Kubernetes starts and stops the node during a restore; snapshots are taken by nodetool.
  sed -e "/^\[kubernetes\]/,/^\[/s|^enabled = .*|enabled = true|" /etc/medusa/medusa.ini >/etc/medusa/restore.ini
}

restore() {
  done=/var/lib/cassandra/.restored
  if [ -z "${RESTORE_KEY:-}" ] || [ "$(cat $done 2>/dev/null)" = "$RESTORE_KEY" ]; then
    echo "nothing to restore"
    return
  fi
  MEDUSA_TMP_DIR=/var/lib/cassandra/restore
  export MEDUSA_TMP_DIR
  rm -rf "$MEDUSA_TMP_DIR"
  mkdir -p "$MEDUSA_TMP_DIR"
  "$PYTHON" /medusa/in_pod.py restore /etc/medusa/restore.ini "$RESTORE_KEY"
  rm -rf "$MEDUSA_TMP_DIR"
  printf '%s' "$RESTORE_KEY" >$done
}

case "${1:-serve}" in
configure | restore) "$1" ;;
serve) exec sleep infinity ;;
cli) shift; exec "$PYTHON" /medusa/in_pod.py cli --config-file /etc/medusa/medusa.ini "$@" ;;
*) echo "unknown command $1; known are configure, serve, restore and cli" >&2; exit 2 ;;
esac
