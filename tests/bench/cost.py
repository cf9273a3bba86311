# SPDX-License-Identifier: Apache-2.0
"""What a process spends: CPU time and wake-ups from /proc, allocations by a counter that is preloaded, system calls by strace."""
import os
import re
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.process import ROOT, wait_until

PROGRAMS = ROOT / "build" / "release" / "bench"  # those of this checkout, also when another one is measured
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Usage:
    """cpu: user and system time in seconds. wakeups: how often a thread that waited ran again (voluntary context switches)."""
    cpu: float
    wakeups: int

    def __sub__(self, earlier):
        return Usage(self.cpu - earlier.cpu, self.wakeups - earlier.wakeups)


def usage(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    wakeups = 0
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        wakeups += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text(), re.M)[1])
    return Usage((int(fields[11]) + int(fields[12])) / TICKS, wakeups)


class Meter:
    """What processes spend from here on."""

    def __init__(self, *processes):
        self.processes = processes
        self.before = [usage(p) for p in processes]

    def spent(self):
        """One Usage for each process, in the order of the arguments."""
        return [usage(p) - before for p, before in zip(self.processes, self.before)]


def loop(name, *arguments):
    """Runs a bare loop of this folder; returns its seconds, and its seconds of CPU time."""
    out = subprocess.run([PROGRAMS / name, *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout
    seconds, cpu = out.split()
    return float(seconds), float(cpu)


class Allocations:
    """Counts the allocations of a process. Create it before the process starts."""

    def __init__(self, process, directory):
        self.file = directory / f"{process.name}.allocations"
        self.file.write_bytes(bytes(8))
        process.env = {**(process.env or {}), "LD_PRELOAD": str(PROGRAMS / "allocations.so"), "ALLOCATIONS_FILE": str(self.file)}

    def count(self):
        return struct.unpack("=Q", self.file.read_bytes())[0]


class SystemCalls:
    """Counts the system calls of a process, from its start to its end. Create it before the process starts. -D makes strace a
    grandchild, so that signals go to the process."""

    def __init__(self, process, directory):
        self.file = directory / f"{process.name}.calls"
        process.argv = ["strace", "-D", "-f", "-qq", "-c", "-o", str(self.file), *process.argv]

    def count(self):
        """Call it after the process has ended."""
        return wait_until(lambda: self.file.exists() and total_calls(self.file.read_text()), 30, "strace has written its table")


def total_calls(table):
    """The total of the table that `strace -c` writes; None if it is not there. The column of errors may be empty."""
    found = re.search(r"^100\.00\s+\S+\s+\d+\s+(\d+)\s+(?:\d+\s+)?total$", table, re.M)
    return int(found[1]) if found else None
