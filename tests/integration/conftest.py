# SPDX-License-Identifier: Apache-2.0
"""Fixtures: `lab` starts the parts of a pipeline for one test and ends them after it."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.desk import Desk  # noqa: E402
from lab.pipeline import Pipeline  # noqa: E402
from lab.process import wait_until  # noqa: E402
from lab.product import Daemon  # noqa: E402
from lab.vcenter import Authority  # noqa: E402
from lab.world import balanced, build, seeded  # noqa: E402


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
    pipeline = Pipeline(tmp_path, authority)
    yield pipeline
    pipeline.close()
    if request.node.stash.get(FAILED, False):
        pipeline.show_logs()


@pytest.fixture
def desk(lab):
    """A stream whose events the test puts there by hand."""
    desk = Desk(lab, lab.nats())
    desk.make_stream()
    return desk


@pytest.fixture
def chance():
    return seeded()


@pytest.fixture
def world(lab):
    """Builds what the fault suite needs; gives the lab with bus, vc, col and book in it. In the end the counters add up."""
    yield lambda *flags, **options: build(lab, *flags, **options)
    for collector in (p for p in lab.processes if isinstance(p, Daemon) and p.running()):
        wait_until(lambda: balanced(collector), 20, lambda: f"the books of {collector.name}: {collector.get('/metrics')[1]}")
