#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the bench_*.py in this folder (or those that are named) and describes the machine. Each has run(lab) -> rows of
(what, figure, unit) or (what, figure, against, at least). A ratio below its bound is marked."""
import importlib
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from lab.lab import Lab  # noqa: E402


def first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0].strip()
    except (OSError, IndexError):
        return f"{command[0]}: not here"


def machine():
    model = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    print(f"{os.cpu_count()} x {model[0] if model else platform.machine()}, load {os.getloadavg()[0]:.1f}, Linux {platform.release()}")
    versions = [first_line("nats-server", "--version"), first_line("gcc", "--version")]
    for package in ("libnats3.4", "libcurl4", "libxml2"):
        version = first_line("dpkg-query", "-W", "-f", "${Version}\n", package)
        if version:
            versions.append(f"{package} {version}")
    print("; ".join(versions), flush=True)


def show(row):
    if len(row) == 4:
        what, ratio, against, least = row
        mark = "" if ratio >= least else "   BELOW"
        print(f"  {what:<52} {ratio:8.2f}  x {against} (at least {least}){mark}", flush=True)
    else:
        what, figure, unit = row
        print(f"  {what:<52} {figure:>8,.4g}  {unit}" if figure < 1000 else f"  {what:<52} {figure:>8,.0f}  {unit}", flush=True)


def main():
    names = sys.argv[1:] or sorted(p.stem.removeprefix("bench_") for p in HERE.glob("bench_*.py"))
    machine()
    for name in names:
        module = importlib.import_module(f"bench_{name}")
        print(f"{name}: {module.__doc__.splitlines()[0]}", flush=True)
        with tempfile.TemporaryDirectory(prefix="vcourier-bench-") as directory:
            lab = Lab(Path(directory))
            try:
                for row in module.run(lab):
                    show(row)
            finally:
                lab.close()


if __name__ == "__main__":
    main()
