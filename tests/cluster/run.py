#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [--projects] [SCENARIO...]: vcourier on a real Kubernetes node: kubelet, containerd, kube-proxy, CoreDNS and enforced network policies.
With --projects, it works there with Knative Eventing, KEDA and Contour themselves.

Skips with exit code 77 and a reason where no node can run."""
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import images  # noqa: E402
import node  # noqa: E402
import projects  # noqa: E402
from lab.process import ROOT  # noqa: E402

LIMIT = 40 * 60  # seconds
SKIPPED = 77


def end_of_time(*_):
    raise AssertionError("stopped from outside, or not done in time")


def main(arguments):
    with_projects = "--projects" in arguments
    script, record = ("projects.py", "projects") if with_projects else ("scenarios.py", "cluster")
    wanted = [a for a in arguments if a != "--projects"]
    if reason := node.missing():
        print(f"cluster-test: SKIPPED: {reason}", flush=True)
        return SKIPPED
    missing = [project for project in projects.PROGRAMS if with_projects and not projects.built(project)]
    for project in missing:
        print(f"cluster-test: SKIPPED: {project} is not built, is Go's module proxy reachable?", flush=True)
    if with_projects and len(missing) == len(projects.PROGRAMS):
        return SKIPPED
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, end_of_time)
    signal.alarm(LIMIT)
    state = Path(tempfile.mkdtemp(prefix="state-", dir=ROOT / "build/cluster"))
    cluster = node.Node(state)
    try:
        archives = images.make(ROOT / "build/cluster/images", projects.their_images() if with_projects else ())
        print(f"cluster-test: the node is up after {cluster.up(archives):.0f} s", flush=True)
        failed = subprocess.run(cluster.command(sys.executable, node.HERE / script, state, *wanted), check=False).returncode
    except AssertionError as why:
        print(f"cluster-test: FAILED: {why}", file=sys.stderr)
        failed = 1
    finally:
        signal.alarm(0)
        cluster.down()
        shutil.rmtree(state, ignore_errors=True)
    result = "FAILED" if failed else f"passed without {', '.join(missing)}" if missing else "passed"
    if not failed and not wanted:
        subprocess.run([ROOT / "tests/tested.py", "record", record, result], check=True)
    print(f"cluster-test: {result}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
