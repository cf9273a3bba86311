#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A fleet of simulated vCenters on this machine: idle, then a steady load with a storm, a vCenter that is down and a collector that is killed.
Prints CPU, memory and calls, and checks the books of each vCenter.  run.py [N [SECONDS]]"""
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.fleet import Fleet  # noqa: E402
from lab.lab import Lab  # noqa: E402

RATE, STORM, DISPATCHERS = 20, 50000, 3
IDLE_S = 60  # an audit of each vCenter is in it
POLL_MIN = os.environ.get("POLL_MIN", "250ms")  # the simulator has to answer all of them


def show(title, figures, n):
    print(f"{title}: {figures.pop('calls'):.2f} calls a second on each vCenter", flush=True)
    for kind, (percent, megabytes, processes) in figures.items():
        print(f"  {kind:<12} {processes:>4} processes  {percent:8.1f} % of a core  {megabytes:8.1f} MB"
              f"  {percent / n:8.3f} %, {megabytes * 1000 / n:7.0f} kB for each vCenter", flush=True)


def trouble(fleet, names, seconds):
    """A storm, a vCenter that is down, a collector that is killed."""
    fleet.vcenters[names[0]].burst(STORM)
    fleet.vcenters[names[1]].fault("503", n=-1)
    fleet.collectors[names[2]].kill()
    time.sleep(seconds / 4)
    fleet.collectors[names[2]].start()
    fleet.vcenters[names[1]].lab("clear")


def run(lab, n, seconds):
    print(f"{n} vCenters, {DISPATCHERS} dispatchers, pollMin {POLL_MIN}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    fleet = Fleet(lab, n, DISPATCHERS, max_bytes="256MiB", pollMin=POLL_MIN)
    start = time.monotonic()
    fleet.start()
    print(f"all are ready after {time.monotonic() - start:.1f} s", flush=True)
    fleet.settle()
    time.sleep(30)  # the looks at latestEvent become rare
    show("idle", fleet.measure(IDLE_S), n)
    start = time.monotonic()
    fleet.rate(RATE)
    trouble(fleet, list(fleet.vcenters), seconds)
    left = start + seconds - time.monotonic()
    show(f"{RATE} events/s from each, a storm of {STORM:,}", fleet.measure(max(left, 5)), n)
    fleet.rate(0)
    start = time.monotonic()
    total = fleet.settle(600)
    state = fleet.bus.jsz()
    print(f"books balanced for each of {n} vCenters, {time.monotonic() - start:.1f} s after the last event: {total:,} events stored = delivered, lost 0")
    print(f"NATS: {state['streams']} streams, {state['consumers']} consumers, {state['messages']:,} messages, {state['bytes'] / 1e6:.0f} MB stored", flush=True)


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory(prefix="vcourier-fleet-") as directory:
        lab = Lab(Path(directory))
        try:
            run(lab, n, float(sys.argv[2]) if len(sys.argv) > 2 else 120)
        finally:
            lab.close()


if __name__ == "__main__":
    main()
