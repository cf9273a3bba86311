#!/usr/bin/python3
"""Runs the unit tests (cmocka) and the integration tests (pytest) and adds up what they say.

Arguments, if any, select: names of unit tests (buf_test) and pytest arguments (tests/integration/..., -k ...).
The last line is `N passed, N failed`, `, N skipped` behind it when there were any.
"""
import importlib.util
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / os.environ.get("VARIANT", "release")


def unit(binary):
    """(passed, failed) of one cmocka binary; a crash counts as one more failure."""
    run = subprocess.run([binary], cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=600)
    out = run.stdout + run.stderr
    passed = sum(map(int, re.findall(r"\[  PASSED  \] (\d+) test", out)))
    failed = sum(map(int, re.findall(r"\[  FAILED  \] (\d+) test", out)))
    if run.returncode != 0 and failed == 0:
        failed = 1
    if failed:
        sys.stdout.write(out)
    print(f"{binary.name}: {passed} passed, {failed} failed", flush=True)
    return passed, failed


def integration(arguments):
    """(passed, failed, skipped) of the pytest run."""
    report = ROOT / "build" / "pytest.xml"
    report.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "--durations=8", "-p", "no:cacheprovider",
               f"--junitxml={report}", *arguments]
    if importlib.util.find_spec("xdist") and "-n" not in arguments:
        command += ["-n", str(2 * os.cpu_count())]  # they wait for others' programs more than they work
    run = subprocess.run(command, cwd=ROOT)
    if run.returncode == 5:  # nothing collected
        return 0, 0, 0
    if not report.exists():
        return 0, 1, 0
    suite = ET.parse(report).getroot().find("testsuite")
    total, skipped = int(suite.get("tests")), int(suite.get("skipped"))
    failed = int(suite.get("failures")) + int(suite.get("errors"))
    if run.returncode not in (0, 1) and failed == 0:
        failed = 1
    return max(total - failed - skipped, 0), failed, skipped


def main():
    chosen = sys.argv[1:]
    units = sorted((BUILD / "unit").glob("*_test"))
    named = [u for u in units if u.name in chosen]
    rest = [a for a in chosen if a not in {u.name for u in units}]
    start = time.monotonic()
    passed = failed = skipped = 0
    for binary in named if chosen else units:
        p, f = unit(binary)
        passed, failed = passed + p, failed + f
    if rest or not chosen:
        p, f, skipped = integration(rest or ["tests/integration"])
        passed, failed = passed + p, failed + f
    print(f"took {time.monotonic() - start:.0f} s")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""), flush=True)
    sys.exit(1 if failed or passed == 0 else 0)


if __name__ == "__main__":
    main()
