# SPDX-License-Identifier: Apache-2.0
"""Fixtures. `lab` starts the processes that a test needs and stops them after it."""
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.stream import Stream  # noqa: E402
from lab.lab import Lab  # noqa: E402
from lab.process import wait_until  # noqa: E402
from lab.product import Daemon  # noqa: E402
from lab.vcenter import Authority  # noqa: E402
from lab.pipeline import balanced, build, seeded  # noqa: E402

# A shell that runs the tests in the background starts them with these two ignored. The programs under test would inherit that,
# and would not end when a test sends one of them.
for number in (signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or outcome.get_result().failed


FAILED = pytest.StashKey()


@pytest.fixture
def lab(request, tmp_path, authority):
    lab = Lab(tmp_path, authority)
    yield lab
    lab.close()
    if request.node.stash.get(FAILED, False):
        lab.show_logs()


@pytest.fixture
def stream(lab):
    """A stream into which the test publishes events itself; no collector."""
    stream = Stream(lab, lab.nats())
    stream.make_stream()
    return stream


@pytest.fixture
def rng():
    return seeded()


@pytest.fixture
def pipeline(lab):
    """Starts NATS, a vCenter and a collector; returns the lab with bus, vc, col and ledger. At the end the counters add up."""
    yield lambda *flags, **options: build(lab, *flags, **options)
    for collector in (p for p in lab.processes if isinstance(p, Daemon) and p.running()):
        wait_until(lambda: balanced(collector), 20, lambda: f"the counters of {collector.name} add up: {collector.get('/metrics')[1]}")
