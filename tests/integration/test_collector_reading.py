# SPDX-License-Identifier: Apache-2.0
"""Normal reading: where the collector starts, how often it polls, over how many connections, and its metrics."""
import signal
import time
from datetime import datetime, timedelta, timezone

import pytest

from lab.process import wait_until

DAY = timedelta(days=1)


def right(lab, first, last):
    """The collector started to read at a time between these two: what came later is stored, nothing from before. The clocks may differ by 5 s."""
    stored, truth = {e[1:] for e in lab.ledger.stored()}, set(lab.vc.events())
    return {e for e in truth if e[1] > last.timestamp() * 1000 + 5000} <= stored and \
        not {e for e in stored if e[1] < first.timestamp() * 1000 - 5000} and stored <= truth


@pytest.mark.parametrize("start, ago", [("now", timedelta()), ("100m", timedelta(minutes=100)), ("earliest", 2 * DAY), ("time", 5 / 24 * DAY)])
def test_start_from(pipeline, start, ago):
    """240 events of one day, one every six minutes. A restart continues from the stream, whatever startFrom says."""
    moment = datetime.now(timezone.utc) - ago
    lab = pipeline("-backlog", "240", startFrom=moment.strftime("%Y-%m-%dT%H:%M:%SZ") if start == "time" else start)
    lab.col.wait_ready()
    wait_until(lambda: lab.vc.stats()["calls"].get("ReadNextEvents", 0) > 1, 30, "it has started")
    last = moment if start == "time" else datetime.now(timezone.utc) - ago
    for down in (False, True):
        if down:
            lab.col.kill()
        before = set(lab.vc.events())
        lab.vc.burst(7)
        new = set(lab.vc.events()) - before
        if down:
            lab.col.start()
        wait_until(lambda: new <= {e[1:] for e in lab.ledger.stored()}, 30, lambda: f"the new ones, down: {down}")
    wait_until(lambda: right(lab, moment, last), 30, lambda: f"{len(lab.ledger.stored())} stored since {moment}")


def test_checkpoint_options_are_accepted_without_effect(pipeline, tmp_path):
    """Options of the Event Router whose function is always on: they are logged, and no file is written."""
    directory = tmp_path / "checkpoints"
    directory.mkdir()
    lab = pipeline("-backlog", "20", checkpoint=False, checkpointDir=str(directory))
    lab.ledger.settle()
    lab.col.kill()
    lab.col.start()
    lab.vc.burst(5)
    lab.ledger.settle()
    for option in ("checkpoint", "checkpointDir"):
        assert lab.col.lines(rf"level=warn .*vcenter\.{option}: .*the stream itself is the checkpoint")
    assert not list(directory.iterdir())


def test_gives_back_the_memory_of_a_backlog(pipeline):
    """Pages of 1,000 events take some MiB; those that follow are small."""
    lab = pipeline("-backlog", "10000", startFrom="earliest")
    lab.ledger.settle()
    lab.vc.burst(10)
    lab.ledger.settle()
    wait_until(lambda: lab.col.rss("RssAnon") < 7 << 20, 30, lambda: f"{lab.col.rss('RssAnon') >> 10} KiB")


def test_polls_less_often_when_idle(pipeline):
    lab = pipeline("-backlog", "20", pollMin="5ms", pollMax="500ms")
    lab.ledger.settle()
    time.sleep(2)  # the interval doubles from 5 to 500 ms
    before = lab.vc.stats()["calls"]["ReadNextEvents"]
    time.sleep(3)  # otherwise there would be 600 polls
    assert lab.vc.stats()["calls"]["ReadNextEvents"] - before < 30
    lab.vc.burst(1)
    lab.ledger.settle()


def test_one_session_over_one_connection(pipeline):
    lab = pipeline("-backlog", "2000", auditInterval="1s")
    for _ in range(10):
        more = lab.ledger.js.count("VC_lab")
        lab.vc.burst(20)
        wait_until(lambda: lab.ledger.js.count("VC_lab") >= more + 20, 30, "a burst stored")
    stats = lab.vc.stats()
    assert stats["calls"]["Login"] == 1 and stats["sessions"] == 1 and stats["calls"]["ReadNextEvents"] > 10
    assert stats["connections"] == 1
    lab.col.stop(20)
    stats = lab.vc.stats()
    assert stats["calls"]["Logout"] == 1 and stats["sessions"] == 0 and stats["connections"] == 1


def test_lag_is_reported_while_it_lasts(pipeline):
    """In seconds and in events; zero when the backlog has been read."""
    lab = pipeline("-backlog", "100", auditInterval="1s")
    lab.ledger.settle()
    lab.bus.signal(signal.SIGSTOP)
    lab.vc.burst(300)
    wait_until(lambda: lab.col.metric("vcourier_collector_backlog_events") > 0, 60, "events that wait")
    wait_until(lambda: lab.col.metric("vcourier_collector_lag_seconds") > 0 or lab.vc.burst(1), 60, "seconds")
    wait_until(lab.col.reasons, 60, "not ready, and why")
    lab.bus.signal(signal.SIGCONT)
    lab.ledger.js.close()
    lab.ledger.settle()
    wait_until(lambda: lab.col.metric("vcourier_collector_backlog_events") == 0 == lab.col.metric("vcourier_collector_lag_seconds"),
               60, "caught up")
