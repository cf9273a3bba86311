#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the bench_*.py in this folder (or those that are named) and describes the machine. Each has run(lab) -> rows: see
results.py. A ratio below its bound is marked. build/bench/results.json has the figures of the last run, which are printed beside.

run.py --against CHECKOUT [NAME...]: the same benchmarks with the programs of this and of the other checkout in alternating rounds
(BENCH_ROUNDS, 3), and the medians. Scripts, simulator and bare loops are those of this checkout for both."""
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import results  # noqa: E402
from lab.lab import Lab  # noqa: E402
from lab.process import ROOT  # noqa: E402

RESULTS = ROOT / "build" / "bench" / "results.json"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))


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


def title(name):
    module = importlib.import_module(f"bench_{name}")
    print(f"{name}: {module.__doc__.splitlines()[0]}", flush=True)
    return module


def rows_of(module):
    with tempfile.TemporaryDirectory(prefix="vcourier-bench-") as directory:
        lab = Lab(Path(directory))
        try:
            yield from module.run(lab)
        finally:
            lab.close()


def measure(name):
    """Prints each row as it comes, beside the last run's."""
    last, rows = results.read(RESULTS).get(name, {}), []
    for row in rows_of(title(name)):
        rows.append(row)
        print(results.text(row, last.get(results.key(row))), flush=True)
    results.keep(RESULTS, name, rows)


def round_of(name, build):
    """The rows of one round, measured by a process of its own with the programs in `build`."""
    environment = {**os.environ, "BENCH_ROUNDS": "1", "VCOURIER_BUILD": str(build)}
    out = subprocess.run([sys.executable, __file__, "--rows", name], env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def compare(name, other):
    title(name)
    rounds = [], []
    builds = ROOT / "build" / "release", other / "build" / "release"
    for i in range(ROUNDS):
        for side in (0, 1) if i % 2 == 0 else (1, 0):
            rounds[side].append(round_of(name, builds[side]))
    print(f"  {f'medians of {ROUNDS} rounds':<56} {'here':>9} {'there':>9}   h / t")
    for line in results.compared(*rounds):
        print(line, flush=True)


def main():
    names = sys.argv[1:]
    if names[:1] == ["--rows"]:
        for row in rows_of(importlib.import_module(f"bench_{names[1]}")):
            print(json.dumps(row), flush=True)
        return
    other = None
    if names[:1] == ["--against"]:
        other, names = Path(names[1]).resolve(), names[2:]
        print(f"there: {other}, {first_line('git', '-C', other, 'log', '-1', '--format=%h %s')}")
    machine()
    for name in names or sorted(p.stem.removeprefix("bench_") for p in HERE.glob("bench_*.py")):
        if other is not None:
            compare(name, other)
        else:
            measure(name)


if __name__ == "__main__":
    main()
