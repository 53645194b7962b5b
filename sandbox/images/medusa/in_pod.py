"""Medusa's command line and its restore program in a pod without cluster DNS.

`in_pod.py cli ...` is the command line, `in_pod.py restore FILE KEY` what the operator's init container runs.
Names of other pods come from /etc/hosts, where a cluster has PTR records.
"""

import os
import re
import runpy
import sys

from medusa.network.hostname_resolver import HostnameResolver

POD = re.compile(r".*-sts-\d+$")


def pod_name(_, address=""):
    """The pod behind an address; this one without an address."""
    if not address:
        return os.environ["HOSTNAME"]
    with open("/etc/hosts", encoding="utf-8") as hosts:
        for line in hosts:
            ip, *names = line.split()
            heads = [name.split(".")[0] for name in names]
            pods = [head for head in heads if POD.match(head)]
            if ip == address and pods:
                return pods[0]
    raise RuntimeError(f"no pod has the address {address}")


HostnameResolver.resolve_fqdn = pod_name

if __name__ == "__main__":
    mode = sys.argv.pop(1)
    if mode == "restore":
        runpy.run_module("medusa.service.grpc.restore", run_name="__main__")
    else:
        from medusa.medusacli import cli

        sys.argv[0] = "medusa"
        cli()
