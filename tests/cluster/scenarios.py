# SPDX-License-Identifier: Apache-2.0
"""What happens to pods on a real node, and what must be true after it: every pod is Ready again and the books balance. The
commands are those of docs/kubernetes.md.

Runs inside the node's namespaces, started by run.py: scenarios.py STATE [NAME...]"""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "pages")]
from deployment import BACKENDS, DISPATCHER_OF, HERE, Deployment, kubectl  # noqa: E402

OURS = ["collector", *(f"dispatcher-{name}" for name in DISPATCHER_OF.values())]
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def say(text):
    print(f"  {text}", flush=True)


def process_of(workload):
    """The pid of the workload's process."""
    pattern = {"nats": "^/bin/nats-server|^nats-server", "collector": "^/bin/vcourier-collector"}.get(
        workload, f"^/bin/vcourier-dispatcher.*--name {workload.removeprefix('dispatcher-')} ")
    found = subprocess.run(["pgrep", "-f", "--", pattern], capture_output=True, text=True, check=False).stdout.split()
    assert found, f"no process of {workload}"
    return int(found[0])


@scenario
def starts(d):
    """From nothing, with the commands of the page."""
    kubectl("apply", "-f", HERE / "peers.yaml")
    for namespace, name in [("peers", "vcenter"), *((namespace, name) for name, (namespace, _) in BACKENDS.items())]:
        kubectl("-n", namespace, "rollout", "status", f"deployment/{name}", "--timeout=120s")
    d.write()
    began = time.monotonic()
    said = d.create()
    d.wait_ready()
    say(f"all Ready {time.monotonic() - began:.1f} s after the first command of the page")
    assert "Warning" not in said, said
    unhealthy = [line for line in d.reasons().splitlines() if "probe failed" in line]
    say(f"{len(unhealthy)} failed probes" + "".join(f"\n    {line[:200]}" for line in unhealthy))
    d.burst()
    d.books("up")
    again = d.apply()
    changed = [line for line in again.splitlines() if not line.endswith("unchanged")]
    assert not [line for line in changed if not line.startswith("poddisruptionbudget")], again


@scenario
def kills(d):
    """kill -9 of the process of each container, with events before and after."""
    for name in [*OURS, "nats"]:
        before = d.pods(name)
        d.burst()
        began = time.monotonic()
        os.kill(process_of(name), signal.SIGKILL)
        took = d.seconds_until_new(name, before, began)
        d.burst()
        d.wait_ready()
        say(f"{name:24} killed: Ready again after {took:.1f} s, all Ready after {time.monotonic() - began:.1f} s")
        d.books(f"{name} killed")


@scenario
def deletes(d):
    """kubectl delete of each pod."""
    for name in [*OURS, "nats"]:
        before = d.pods(name)
        d.burst()
        began = time.monotonic()
        kubectl("-n", "vcourier", "delete", "pod", next(iter(before)), "--wait=false")
        took = d.seconds_until_new(name, before, began)
        d.burst()
        d.wait_ready()
        say(f"{name:24} deleted: Ready again after {took:.1f} s, all Ready after {time.monotonic() - began:.1f} s")
        d.books(f"{name} deleted")


def memory(d):
    for name in [*OURS, "nats"]:
        status = Path(f"/proc/{process_of(name)}/status").read_text()
        say(f"{name:24} resident {int(status.split('VmRSS:')[1].split()[0]) / 1024:.1f} MB")


def main():
    d = Deployment(Path(sys.argv[1]) / "checkout")
    wanted = sys.argv[2:] or [s.__name__ for s in SCENARIOS]
    for function in SCENARIOS:
        if function.__name__ in wanted or function is SCENARIOS[0]:
            began = time.monotonic()
            print(f"{function.__name__}: {function.__doc__}", flush=True)
            function(d)
            say(f"{time.monotonic() - began:.0f} s")
    memory(d)


if __name__ == "__main__":
    main()
