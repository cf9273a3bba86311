# SPDX-License-Identifier: Apache-2.0
"""Programs of other projects that vcourier works with, in the node: Contour, KEDA and Knative Eventing themselves, deployed with their own manifests.

Runs inside the node's namespaces, started by run.py --projects: projects.py STATE [NAME...]. A project that is not built is skipped, and a line says so."""
import json
import sys
from pathlib import Path

import yaml

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "pages")]
import images  # noqa: E402
from deployment import kubectl  # noqa: E402
from lab.process import ROOT  # noqa: E402

MANIFESTS = ROOT / "build/interop/projects"  # copies of folders of their Go modules, made by rules.mk
# project: {image: programs}. The first program is the entry point.
PROGRAMS = {
    "contour": {"contour": ["contour"], "envoy": ["envoy"]},
    "keda": {"keda": ["keda-operator"], "keda-adapter": ["keda-adapter"]},
    "knative": {name: [name] for name in ("knative-controller", "knative-webhook", "knative-mtbroker", "knative-ingress", "knative-filter",
                                          "knative-imc-controller", "knative-imc-dispatcher")}}


def image(name):
    return f"test.example.com/{name}:1"


def built(project):
    programs = [images.BIN / program for names in PROGRAMS[project].values() for program in names]
    return (MANIFESTS / project).is_dir() and all(program.exists() for program in programs)


def their_images():
    """The images of all projects that are built, for images.make()."""
    return {image(name): ([f"/bin/{programs[0]}"], [images.BIN / program for program in programs], "65532")
            for project in PROGRAMS if built(project) for name, programs in PROGRAMS[project].items()}


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def pods_of(document):
    """The specification of the pods of a workload: a list of one, or of none."""
    template = document.get("spec", {}).get("template") if document["kind"] in ("Deployment", "DaemonSet", "Job") else None
    return [template["spec"]] if template else []


def deploy(found, names, change=lambda document: None):
    """Applies the manifests of a project. names: {their image: ours}; Kubernetes must not look for an image, and the node has two processors."""
    for document in found:
        for pod in pods_of(document):
            for container in pod.get("initContainers", []) + pod["containers"]:
                container["image"] = names[container["image"].partition("@")[0]]
                container["imagePullPolicy"] = "IfNotPresent"
                container.pop("resources", None)
        change(document)
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input="\n---\n".join(map(json.dumps, found)))


def wait_for(namespace, timeout=300):
    """All workloads of a namespace are up."""
    workloads = json.loads(kubectl("-n", namespace, "get", "deployment,daemonset", "-o", "json"))["items"]
    assert workloads, namespace
    for workload in workloads:
        run = kubectl("-n", namespace, "rollout", "status", f"{workload['kind'].lower()}/{workload['metadata']['name']}", f"--timeout={timeout}s", check=False)
        assert run.returncode == 0, run.stderr + kubectl("-n", namespace, "get", "events", "--sort-by=.lastTimestamp")[-3000:]


def resident(*programs):
    """MB of memory of the processes of these programs."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            command, text = status.with_name("cmdline").read_bytes().split(b"\0")[0].decode(), status.read_text()
        except OSError:
            continue
        if command.rpartition("/")[2] in programs and "VmRSS:" in text:
            total += int(text.split("VmRSS:")[1].split()[0]) / 1024
    return total


def main():
    import contour  # they import this file
    import keda
    import knative
    import scenarios
    found = {"contour": contour.SCENARIOS, "keda": keda.SCENARIOS, "knative": knative.SCENARIOS}
    wanted = [s for project, list_ in found.items() if built(project) for s in list_]
    scenarios.run(Path(sys.argv[1]), [scenarios.starts, *wanted], sys.argv[2:])
    for project, programs in PROGRAMS.items():
        names = [name for list_ in programs.values() for name in list_]
        if memory := resident(*names):
            scenarios.say(f"{project:24} resident {memory:.0f} MB in all")


if __name__ == "__main__":
    main()
