#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a collector for each vCenter of a configuration file, as services of compose.

    vcenters.py my.yaml > vcenters.yaml
    docker compose -f compose.yaml -f vcenters.yaml up -d nats dispatcher-knative $(./vcenters.py --services my.yaml)

The list of vCenters is eventProviders in my.yaml. The service collector-NAME is the service `collector` of compose.yaml with that name,
and its secrets: those of the directory secrets/services/collector-NAME, which secrets.sh makes from secrets/vcenter-NAME.
"""
import argparse
import copy
import json
import re
import sys
from pathlib import Path

try:
    import yaml
except ImportError:
    sys.exit("vcenters.py needs the package python3-yaml")

OTHERS = ("webhook", "horizon")  # collector-NAME is a service of compose.yaml


def vcenters(path):
    """The names of the vCenters in a configuration file."""
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        found = [p["name"] for p in [config.get("eventProvider")] + (config.get("eventProviders") or []) if p and p["type"] in ("vcenter", "vcsim")]
    except OSError as error:
        sys.exit(f"vcenters.py: {path}: {error.strerror}")
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError):
        sys.exit(f"vcenters.py: {path}: `vcourier check` says what is wrong in this file")
    for name in found:
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name, re.ASCII) or name in OTHERS:
            sys.exit(f"vcenters.py: {path}: {json.dumps(str(name))} cannot be a part of a service's name: letters, digits, - and _ can, {' and '.join(OTHERS)} are taken")
    if len(set(found)) < len(found):
        sys.exit(f"vcenters.py: {path}: a name is there twice")
    if not found:
        sys.exit(f"vcenters.py: {path}: no vCenter is in it")
    return found


def collector(of_compose, name):
    """The service `collector` for this vCenter. It uses the image that `collector` builds."""
    service = copy.deepcopy(of_compose)
    service.pop("build", None)
    service["command"] = [name if "VCENTER_NAME" in word else word for word in service["command"]]
    service["environment"] = {"NATS_USER": f"collector-{name}"}
    service["volumes"] = [volume.replace("/services/collector:", f"/services/collector-{name}:") for volume in service["volumes"]]
    return service


def main():
    """Prints the services, or their names."""
    parser = argparse.ArgumentParser(description="Writes a collector for each vCenter of a configuration file, as services of compose.")
    parser.add_argument("config", type=Path, help="the configuration file")
    parser.add_argument("--services", action="store_true", help="print the names of the services alone")
    args = parser.parse_args()
    names = vcenters(args.config)
    if args.services:
        print(*[f"collector-{name}" for name in names])
        return
    with open(Path(__file__).resolve().parent / "compose.yaml", encoding="utf-8") as file:
        of_compose = yaml.safe_load(file)["services"]["collector"]
    print(f"# Written by vcenters.py from {args.config.name}; do not edit.")
    print(json.dumps({"services": {f"collector-{name}": collector(of_compose, name) for name in names}}, indent=2))


main()
