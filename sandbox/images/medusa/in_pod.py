"""Medusa's command line and its restore program in a pod without cluster DNS.

`in_pod.py cli ...` is the command line, `in_pod.py restore FILE KEY` what the operator's init container runs.
Names of other pods come from /etc/hosts, where a cluster has PTR records.
"""

import re
import runpy
import socket
import sys

POD = re.compile(r".*-sts-\d+$")


def pod_name(address=""):
    """The pod behind an address; its own name without one."""
    with open("/etc/hosts", encoding="utf-8") as hosts:
        for line in hosts:
            ip, *names = line.split()
            if ip != address:
                continue
            for name in names:
                head = name.split(".")[0]
                if POD.match(head):
                    return head
    return address


socket.getfqdn = pod_name

if __name__ == "__main__":
    mode = sys.argv.pop(1)
    if mode == "restore":
        runpy.run_module("medusa.service.grpc.restore", run_name="__main__")
    else:
        from medusa.medusacli import cli

        sys.argv[0] = "medusa"
        cli()
