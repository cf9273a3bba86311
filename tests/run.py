#!/usr/bin/python3
"""Runs the unit tests (cmocka) and the integration tests (pytest) and adds up their results.

The unit tests run as released and with AddressSanitizer and UBSan, some with ThreadSanitizer and in valgrind. Each fuzz target
reads its corpus, and counts as one.

Arguments select tests: names of unit tests (buf_test) and pytest arguments (tests/integration/..., -k ...).
A test that fails while others run is repeated alone and marked AGAIN, ALONE. If it then passes, it counts as passed, and the line
`needed a second run: ...` near the end names it. The last line is `N passed, N failed`, with `, N skipped` if tests were
skipped. VCOURIER_COMPOSE=1 adds the container stack (`make compose-test`), VCOURIER_SYSTEMD=1 the packaged units on a machine with systemd
(`make deb-test`), VCOURIER_DEBIAN=trixie that release in a new root (`make debian-test`), VCOURIER_FUZZ=1 adds `make fuzz`; each counts as one test. The argument `unit` selects all unit tests in all variants.
"""
import importlib.util
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tested

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / os.environ.get("VARIANT", "release")


VALGRIND = ("backlog_test", "body_fetch_test", "bus_test", "deliver_test", "event_test", "eventbridge_reply_test", "eventbridge_test",
            "functions_test", "knative_test", "lib_basics_test", "normalize_test", "openfaas_lists_test", "openfaas_test", "openfaas_topics_test",
            "publisher_test", "retry_test", "settle_test", "soap_test", "tail_test")


def unit(binary, *wrapper):
    """(passed, failed) of one cmocka binary. A crash or a sanitizer report counts as one more failure."""
    environment = {**os.environ, "TSAN_OPTIONS": "exitcode=66", "UBSAN_OPTIONS": "print_stacktrace=1",
                   "LSAN_OPTIONS": f"suppressions={ROOT / 'tests/unit/lsan.supp'}:print_suppressions=0"}
    run = subprocess.run([*wrapper, binary], cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=900,
                         env=environment)
    out = run.stdout + run.stderr
    passed = sum(map(int, re.findall(r"\[  PASSED  \] (\d+) test", out)))
    failed = sum(map(int, re.findall(r"\[  FAILED  \] (\d+) test", out)))
    if run.returncode != 0 and failed == 0:
        failed = 1
    if failed:
        sys.stdout.write(out)
    variant = "valgrind" if wrapper else binary.parent.parent.name
    print(f"{binary.name} ({variant}): {passed} passed, {failed} failed", flush=True)
    return passed, failed


def units():
    """Every way to run every unit test, one for each core at a time; the longest first, so that no core is idle at the end."""
    valgrind = ("valgrind", "-q", f"--suppressions={ROOT / 'tests/unit/valgrind.supp'}", "--error-exitcode=65", "--leak-check=full", "--errors-for-leak-kinds=definite")
    runs = [(ROOT / "build/release/unit" / name, *valgrind) for name in VALGRIND]
    runs += [(u,) for v in ("asan", "tsan", "release") for u in sorted((ROOT / "build" / v / "unit").glob("*_test"))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda run: unit(*run), runs))
    for i, (_, failed) in enumerate(results):
        if failed:
            results[i] = unit(*runs[i])
            alone(runs[i][0].name, results[i][1] == 0)
    return sum(p for p, _ in results), sum(f for _, f in results)


def corpus(program):
    """(passed, failed) of a fuzz target that reads each file of its corpus once."""
    files = sorted((ROOT / "tests/fuzz/corpus" / program.name).glob("*"))
    run = subprocess.run([program, "-timeout=60", *files], cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=900)
    if failed := run.returncode != 0 or not files:
        sys.stdout.write(run.stdout + run.stderr)
    print(f"{program.name} (fuzz): {len(files)} files of its corpus, {'failed' if failed else 'passed'}", flush=True)
    return int(not failed), int(failed)


def corpora():
    """Every fuzz target."""
    programs = [ROOT / "build/fuzz/bin" / f.name.removesuffix("_fuzz.c") for f in sorted((ROOT / "tests/fuzz").glob("*_fuzz.c"))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(corpus, programs))
    return sum(p for p, _ in results), sum(f for _, f in results)


second_runs = []  # names of the tests that failed at first and passed alone


def alone(name, passed):
    """Reports the result of a test that was repeated alone, because it failed while others ran."""
    print(f"AGAIN, ALONE: {name}: {'passed' if passed else 'failed again'}", flush=True)
    if passed:
        second_runs.append(name)


def outcomes(report):
    """{pytest id: whether it passed} of a report. A file that cannot be loaded has a case without a class; its id is the file."""
    passed = {}
    for case in ET.parse(report).iter("testcase"):
        file = (case.get("classname") or case.get("name")).replace(".", "/") + ".py"
        name = f"{file}::{case.get('name')}" if case.get("classname") else file
        ok = case.find("failure") is None and case.find("error") is None
        passed[name] = ok and passed.get(name, True)  # a test and its teardown may be two cases
    return passed


def pytest(report, arguments):
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", f"--junitxml={report}", *arguments]
    return subprocess.run(command, cwd=ROOT).returncode


def integration(arguments):
    """(passed, failed, skipped) of the pytest run."""
    report, second = ROOT / "build/pytest.xml", ROOT / "build/pytest-again.xml"
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    company = ["--durations=8", *arguments]
    if importlib.util.find_spec("xdist") and "-n" not in arguments:
        company += ["-n", str(2 * os.cpu_count())]  # more processes than cores, because tests mostly wait for programs
    code = pytest(report, company)
    if code == 5:  # nothing collected
        return 0, 0, 0
    if not report.exists():
        return 0, 1, 0
    suite = ET.parse(report).getroot().find("testsuite")
    total, skipped = int(suite.get("tests")), int(suite.get("skipped"))
    failed = sorted(name for name, ok in outcomes(report).items() if not ok)
    if failed and len(failed) <= 10:
        second.unlink(missing_ok=True)
        pytest(second, failed)
        again = outcomes(second) if second.exists() else {}
        for name in failed:
            alone(name, again.get(name, False))
        failed = [name for name in failed if not again.get(name, False)]
    elif code not in (0, 1):
        failed = failed or ["pytest itself"]
    return max(total - len(failed) - skipped, 0), len(failed), skipped


def outside(name, *command):
    """(passed, failed, skipped) of a test that is a separate program and counts as one. Exit code 77 means skipped."""
    code = subprocess.run(command, cwd=ROOT).returncode
    if code not in (0, 77):
        code = subprocess.run(command, cwd=ROOT).returncode
        alone(name, code == 0)
    return code == 0, code not in (0, 77), code == 77


def separate_programs():
    """(name, command...) of the separate programs that the environment selects."""
    if os.environ.get("VCOURIER_COMPOSE"):
        yield "compose-test", sys.executable, ROOT / "tests/compose/run.py"
    if os.environ.get("VCOURIER_SYSTEMD"):
        yield "deb-test", sys.executable, ROOT / "tests/pages/systemd.py"
    if os.environ.get("VCOURIER_FUZZ"):
        yield "fuzz", "make", "-s", "fuzz"
    if release := os.environ.get("VCOURIER_DEBIAN"):
        yield "debian-test", ROOT / "tests/debian/run.sh", release


def timed(name, function, *arguments):
    start = time.monotonic()
    result = function(*arguments)
    print(f"stage {name}: {time.monotonic() - start:.0f} s", flush=True)
    return result


def main():
    chosen = sys.argv[1:]
    every_unit = chosen in ([], ["unit"])
    named = [BUILD / "unit" / name for name in chosen if (BUILD / "unit" / name).exists()]
    rest = [] if every_unit else [a for a in chosen if not (BUILD / "unit" / a).exists()]
    start = time.monotonic()
    passed = failed = skipped = 0
    if every_unit:
        passed, failed = map(sum, zip(timed("units", units), timed("fuzz corpora", corpora)))
    for binary in named:
        p, f = unit(binary)
        passed, failed = passed + p, failed + f
    if rest or not chosen:
        p, f, skipped = timed("integration", integration, rest or ["tests/integration"])
        passed, failed = passed + p, failed + f
    for name, *command in [] if chosen else separate_programs():
        p, f, s = timed(name, outside, name, *command)
        passed, failed, skipped = passed + p, failed + f, skipped + s
    print(f"took {time.monotonic() - start:.0f} s")
    if second_runs:
        print(f"needed a second run: {', '.join(second_runs)}")
    result = f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")
    if every_unit:
        tested.record(re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.M)[1], result)
    print(result, flush=True)
    sys.exit(1 if failed or passed == 0 else 0)


if __name__ == "__main__":
    main()
