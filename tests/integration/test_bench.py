# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks count and compare; and that the scripts which no test runs find what they import."""
import subprocess
import sys

import pytest

from lab.process import ROOT, Process, wait_until

sys.path.append(str(ROOT / "tests" / "bench"))
import cost  # noqa: E402
import results  # noqa: E402

# strace(1) with and without errors
TABLES = {"""% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 57.14    0.000004           2         2           write
 42.86    0.000003           1         3         1 openat
------ ----------- ----------- --------- --------- ----------------
100.00    0.000007           1         5         1 total
""": 5, """% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
  0.00    0.000000           0        12           write
------ ----------- ----------- --------- --------- ----------------
100.00    0.000000           0        12           total
""": 12, "": None, "% time     seconds  usecs/call     calls    errors syscall\n": None}

WORKER = """
import ctypes, sys, time
malloc, free = ctypes.CDLL(None).malloc, ctypes.CDLL(None).free
malloc.restype, free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
print("ready", flush=True)
sys.stdin.readline()
for _ in range(10000):
    free(malloc(16))
while time.process_time() < 0.3:
    pass
for _ in range(20):
    time.sleep(0.001)
print("done", flush=True)
sys.stdin.readline()
"""


def test_the_table_of_strace():
    assert {text: cost.total_calls(text) for text in TABLES} == TABLES


def test_what_a_process_spends_is_counted(tmp_path):
    subprocess.run(["make", "-s", "VARIANT=release", "build/release/bench/allocations.so"], cwd=ROOT, check=True)
    worker = Process("worker", [sys.executable, "-c", WORKER], tmp_path, stdin=subprocess.PIPE)
    counter = cost.Allocations(worker, tmp_path)
    worker.start()
    try:
        wait_until(lambda: "ready" in worker.text(), 60)
        meter, before = cost.Meter(worker), counter.count()
        worker.process.stdin.write(b"go\n")
        worker.process.stdin.flush()
        wait_until(lambda: "done" in worker.text(), 60)
        (spent,), count = meter.spent(), counter.count() - before
    finally:
        worker.kill()
    assert 10000 <= count < 20000, count  # Python allocates, too
    assert spent.cpu > 0.1 and spent.wakeups >= 20, spent


def test_medians_of_two_checkouts():
    here = [[("rate", 10, "events/s"), ("rate", 0.5, "the bare loop", 0.7)], [("rate", 30, "events/s")], [("rate", 20, "events/s")]]
    there = [[("rate", 40, "events/s"), ("old", 1, "MiB")]]
    assert [line.split() for line in results.compared(here, there)] == [["rate", "20", "40", "0.500", "events/s"]]


def test_a_run_is_compared_with_the_last(tmp_path):
    file = tmp_path / "build" / "results.json"
    assert results.read(file) == {}
    results.keep(file, "start", [("ready", 7, "ms")])
    results.keep(file, "dispatcher", [("rate", 10, "events/s"), ("rate", 0.5, "the bare loop", 0.7)])
    row = ("rate", 0.8, "the bare loop", 0.7)
    last = results.read(file)
    assert last["start"] == {"ready | ms": 7}
    assert results.text(row, last["dispatcher"][results.key(row)]).endswith("0.8  x the bare loop (at least 0.7); last run 0.5")
    assert results.text(("rate", 0.6, "the bare loop", 0.7)).endswith("(at least 0.7)   BELOW")
    file.write_text("{")
    assert results.read(file) == {}


@pytest.mark.parametrize("folder", ["appliance", "bench", "cluster", "compose", "fleet", "pages", "release"])
def test_scripts_find_what_they_import(folder):
    """`make bench`, `make fleet`, `make cluster-test` and their like are not part of `make test`: a name that moves would end them."""
    names = sorted(p.stem for p in (ROOT / "tests" / folder).glob("*.py"))
    path = [str(ROOT / "tests" / own) for own in (folder, "pages", "")]
    text = f"import sys, importlib\nsys.path[:0] = {path}\nfor name in {names}:\n    importlib.import_module(name)\n"
    run = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True)
    assert names and run.returncode == 0, run.stderr
