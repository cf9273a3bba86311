# SPDX-License-Identifier: Apache-2.0
"""
Wrong times: the vCenter's clock is set, clocks of hosts are wrong, events are stored late. Each ends with a comparison of stream
and vCenter (test_faults.py).

The tests set the simulator's clock instead of waiting. `off` is the difference of a host's clock from the vCenter's.
"""
import json
import time

import pytest

from lab.process import wait_until
from lab.pipeline import stored_at_least

GAPS = "vcourier_collector_event_gaps_total"
EPOCHS = "vcourier_collector_epochs_total"
ORDER = "vcourier_collector_events_out_of_order_total"


def read_to_the_end(lab):
    """Waits until the collector has read an empty page after the last event."""
    lab.ledger.settle()
    wait_until(lambda: lab.col.metric("vcourier_collector_publish_in_flight") == 0, 30, "all events are acknowledged")


def cut_off_for_20_minutes(lab, missed=100):
    """No connection to vCenter. Meanwhile events occur and its clock advances by 20 minutes."""
    lab.vc.fault("503", n=-1)
    wait_until(lab.col.reasons, 60, "not ready without vCenter")
    lab.vc.lab("expire", what="sessions")
    lab.vc.lab("clock", offset="1m")
    lab.vc.burst(missed)
    lab.vc.lab("clock", offset="20m")
    lab.vc.burst(10)
    lab.vc.lab("clear")


def no_gap(lab):
    assert lab.ledger.gaps() == [] and lab.col.metric(GAPS) == 0


def wrong_for_a_moment(lab):
    """The vCenter's own clock is wrong and then corrected."""
    lab.vc.lab("clock", offset="7h")
    lab.vc.burst(1)
    read_to_the_end(lab)
    lab.vc.lab("clock", offset="0s")


def a_host_ahead(lab):
    lab.vc.burst(1, off="7h")
    read_to_the_end(lab)


def a_host_years_ahead(lab):
    lab.vc.burst(1, off="87600h")
    read_to_the_end(lab)


def a_host_a_little_ahead(lab):
    """Ahead within the tolerance."""
    lab.vc.burst(1, off="4m")
    read_to_the_end(lab)


AHEAD = [wrong_for_a_moment, a_host_ahead, a_host_years_ahead, a_host_a_little_ahead]


@pytest.mark.parametrize("wrong", AHEAD, ids=lambda f: f.__name__)
def test_connection_lost_after_an_event_dated_ahead(pipeline, wrong):
    lab = pipeline("-backlog", "200", "-backlog-span", "1h", overlap="5s", auditWindow="5s")
    lab.ledger.settle()
    wrong(lab)
    lab.vc.burst(50)
    read_to_the_end(lab)
    cut_off_for_20_minutes(lab)
    lab.ledger.settle()
    no_gap(lab)


@pytest.mark.parametrize("wrong", AHEAD, ids=lambda f: f.__name__)
def test_restart_after_a_future_date_has_passed(pipeline, wrong):
    """A future date is in the past when the collector restarts. Only the stream records that it was ahead."""
    lab = pipeline("-backlog", "200", "-backlog-span", "1h", overlap="5s", auditWindow="5s")
    lab.ledger.settle()
    wrong(lab)
    lab.vc.burst(50)
    read_to_the_end(lab)
    lab.vc.burst(1)  # it is the only message in flight, so it does not mark others as possibly missing
    read_to_the_end(lab)
    lab.col.kill()
    lab.vc.lab("clock", offset="1h")
    lab.vc.burst(100)
    lab.vc.lab("clock", offset="87700h")
    lab.vc.burst(10)
    lab.col.start()
    lab.ledger.settle()
    no_gap(lab)


@pytest.mark.parametrize("start", ["earliest", "now", "1h"])
def test_clock_corrected_while_the_collector_is_down(pipeline, start):
    """All stored events have wrong dates, because the vCenter's clock was ahead from the beginning."""
    lab = pipeline(startFrom=start, overlap="1s", auditWindow="1s")
    lab.vc.lab("clock", offset="7h")
    lab.col.wait_ready()
    lab.vc.burst(20)
    wait_until(lambda: lab.ledger.js.count("VC_lab") >= 20, 60, "20 stored")
    lab.col.stop()
    stored = len(lab.ledger.stored())
    lab.vc.lab("clock", offset="0s")
    lab.vc.burst(30)
    lab.vc.lab("clock", offset="10s")
    lab.vc.burst(3)
    lab.col.start()
    stored_at_least(lab, stored + 33)
    lab.ledger.settle(since=None if start == "earliest" else min(key for _, key, _ in lab.ledger.stored()))
    no_gap(lab)


def test_clock_slightly_ahead_corrected_while_the_collector_is_down(pipeline):
    """A date ten minutes ahead is in the past when the collector restarts after twenty minutes."""
    lab = pipeline(overlap="1s", auditWindow="1s")
    lab.vc.lab("clock", offset="10m")
    lab.col.wait_ready()
    lab.vc.burst(20)
    read_to_the_end(lab)
    lab.col.kill()
    lab.vc.lab("clock", offset="0s")
    lab.vc.burst(30)
    lab.vc.lab("clock", offset="20m")
    lab.vc.burst(3)
    lab.col.start()
    lab.ledger.settle()
    no_gap(lab)


@pytest.mark.parametrize("skip_late", [(), ("-skip-late",)], ids=["by key", "skips late"])
@pytest.mark.parametrize("steps", [("1h", "0s"), ("-1h", "0s"), ("1h", "-1h", "3h", "0s")], ids="_".join)
def test_clock_steps(pipeline, steps, skip_late):
    """Steps in both directions while events occur: no event is lost or stored twice."""
    lab = pipeline("-backlog", "200", "-rate", "50", *skip_late, overlap="1s", auditWindow="2s", auditInterval="1s")
    stored_at_least(lab, 220)
    for step in steps:
        before = lab.ledger.js.count("VC_lab")
        lab.vc.lab("clock", offset=step)
        lab.vc.burst(100)
        stored_at_least(lab, before + 120)
    lab.vc.lab("rate", r=0)
    lab.ledger.settle()
    no_gap(lab)


@pytest.mark.parametrize("how", ["kill", "cut"])
@pytest.mark.parametrize("step", ["1h", "-1h"])
def test_clock_step_while_no_collector_runs(pipeline, step, how):
    lab = pipeline("-backlog", "200", overlap="1s", auditWindow="1s")
    lab.vc.burst(20)
    read_to_the_end(lab)
    if how == "kill":
        lab.col.kill()
    else:
        lab.vc.fault("503", n=-1)
        wait_until(lab.col.reasons, 60, "not ready without vCenter")
        lab.vc.lab("expire", what="sessions")
    lab.vc.lab("clock", offset=step)
    lab.vc.burst(50)
    lab.vc.lab("clear")
    if how == "kill":
        lab.col.start()
    lab.ledger.settle()
    no_gap(lab)


@pytest.mark.parametrize("off", ["-1h", "-72h", "-87600h"])
@pytest.mark.parametrize("start", ["now", "earliest"])
def test_events_dated_back(pipeline, start, off):
    """They are stored once, without other events from before startFrom, also after a restart."""
    lab = pipeline("-backlog", "3000", "-backlog-span", "720h", startFrom=start, overlap="1s", auditWindow="1s")
    lab.col.wait_ready()
    if start == "earliest":
        lab.ledger.settle()
    first = max(key for key, _ in lab.vc.events()) + 1
    for n in (1, 20):
        lab.vc.burst(n, off=off)
        lab.ledger.settle(since=first)
        lab.vc.burst(5)
        lab.ledger.settle(since=first)
    lab.col.kill()
    lab.vc.burst(3, off=off)
    lab.vc.burst(5)
    lab.col.start()
    lab.ledger.settle(since=first)
    lab.vc.burst(1, off=off)
    lab.ledger.settle(since=first)
    if start == "now":
        assert not [e for e in lab.ledger.stored() if e[1] <= 3000]  # the backlog
    no_gap(lab)
    assert lab.col.metric(EPOCHS) == 0 and not lab.col.lines("went back|set back")


@pytest.mark.parametrize("how", ["kill", "cut"])
def test_events_dated_back_during_a_long_interruption(pipeline, how):
    """More events follow them than the page of newest events shows."""
    lab = pipeline("-backlog", "3000", "-backlog-span", "720h", overlap="1s", auditWindow="1s")
    lab.ledger.settle()
    if how == "kill":
        lab.col.kill()
    else:
        lab.vc.fault("503", n=-1)
        wait_until(lab.col.reasons, 60, "not ready without vCenter")
        lab.vc.lab("expire", what="sessions")
    lab.vc.burst(20, off="-72h")
    lab.vc.burst(1500)
    lab.vc.burst(3, off="-87600h")
    lab.vc.burst(2500)
    lab.vc.lab("clear")
    if how == "kill":
        lab.col.start()
    lab.ledger.settle()
    no_gap(lab)


def test_events_that_the_stream_dropped_are_not_stored_again(pipeline):
    """Retention has removed most of the stream. An event dated years back does not cause them to be read again."""
    lab = pipeline("-backlog", "3000", "-backlog-span", "720h", overlap="1s", auditWindow="1s")
    lab.ledger.settle()
    first = max(key for key, _ in lab.vc.events()) + 1
    config = lab.ledger.js.info("VC_lab")["config"]
    for limit in (50, -1):  # it refuses purges
        lab.ledger.js.api("STREAM.UPDATE.VC_lab", json.dumps({**config, "max_msgs": limit}).encode())
    kept = {e for e in lab.ledger.stored()}
    for off in ("-1h", "-100h", "-87600h"):
        lab.vc.burst(1, off=off)
        lab.ledger.settle(since=first)
    lab.col.kill()
    lab.vc.burst(1, off="-100h")
    lab.vc.burst(1)
    lab.col.start()
    lab.ledger.settle(since=first)
    lab.vc.lab("clock", offset="-200h")  # a real step of the clock, to a time whose events the stream has dropped
    lab.vc.burst(20)
    lab.ledger.settle(since=first)
    assert {e for e in lab.ledger.stored() if e[1] < first} <= kept
    no_gap(lab)


def test_events_stored_later_than_the_audit_window(pipeline):
    """An open event history collector hides late events, and the audit covers only two seconds here."""
    began = time.time() * 1000
    lab = pipeline("-skip-late", "-rate", "100", overlap="1s", auditWindow="2s", auditInterval="2s")
    lab.col.wait_ready()
    stored_at_least(lab, 100)

    def late(events):
        return {e for e in events if e[1] < began}
    for n, off in ((1, "-10m"), (30, "-3h"), (300, "-26h"), (2, "-87600h")):
        lab.vc.burst(n, off=off)
        wait_until(lambda: late(lab.vc.events()) == late(e[1:] for e in lab.ledger.stored()), 60, f"{n} events {off}")
    lab.vc.lab("rate", r=0)
    lab.ledger.settle()
    no_gap(lab)
    assert lab.col.metric(ORDER, date="behind") >= 333


def test_a_vcenter_that_does_not_tell_its_latest_event(pipeline):
    """The newest events from before startFrom are not mistaken for events that were stored late."""
    lab = pipeline("-backlog", "3000", "-backlog-span", "720h", "-notify", "1h", startFrom="now")
    lab.col.wait_ready()
    first = max(key for key, _ in lab.vc.events()) + 1
    lab.vc.burst(5)
    lab.ledger.settle(since=first)
    lab.col.kill()
    lab.vc.burst(5)
    lab.col.start()
    lab.ledger.settle(since=first)
    assert [e for e in lab.ledger.stored() if e[1] < first] == []


def test_the_latest_event_is_dated_far_ahead(pipeline):
    """Its date does not count as lag, and the collector does not search up to it, even if it is hidden."""
    lab = pipeline("-backlog", "100", overlap="1s", auditWindow="1s")
    lab.ledger.settle()
    lab.vc.burst(3, off="87600h")
    lab.ledger.settle()
    wait_until(lambda: lab.col.metric(ORDER, date="ahead") == 3, 30, "three are counted")
    assert lab.col.metric("vcourier_collector_lag_seconds") < 60
    assert lab.col.metric("vcourier_collector_last_event_timestamp_seconds") < time.time() + 60
    lab.vc.burst(10)
    lab.ledger.settle()
    no_gap(lab)


def test_keys_and_dates_go_back_together(pipeline):
    """A VM snapshot is restored: the clock is set back too, until it is corrected."""
    lab = pipeline("-backlog", "500", overlap="1s", auditWindow="1s")
    lab.vc.burst(200)
    read_to_the_end(lab)
    lab.col.kill()
    lab.vc.lab("restore", drop=150)
    lab.vc.lab("clock", offset="-2h")
    lab.vc.burst(100)
    lab.vc.lab("clock", offset="0s")
    lab.vc.burst(100)
    lab.col.start()
    lab.ledger.settle()


def test_keys_repeat_after_events_that_are_dated_ahead(pipeline):
    lab = pipeline("-backlog", "500", overlap="1s", auditWindow="1s")
    lab.vc.burst(50, off="7h")
    lab.vc.burst(50)
    read_to_the_end(lab)
    lab.vc.lab("restore", drop=80)
    lab.vc.burst(300)
    lab.ledger.settle()
    wait_until(lambda: lab.col.metric(EPOCHS) >= 1, 60, "a new epoch is counted")


def test_a_stream_that_is_not_in_the_order_of_dates(pipeline):
    """
    The stream has the end of the month before its beginning, without a header that says so, as if another program had filled it.
    Its end then shows an old position. Events read from there are refused as duplicates, a few times and not once for each event.
    """
    lab = pipeline("-backlog", "20000", "-backlog-span", "720h")
    lab.ledger.settle()
    lab.col.stop()
    config = lab.ledger.js.info("VC_lab")["config"]
    messages = list(lab.ledger.js.read("VC_lab"))
    lab.ledger.js.api("STREAM.DELETE.VC_lab")
    lab.ledger.js.api("STREAM.CREATE.VC_lab", json.dumps(config).encode())
    for m in messages[14000:] + messages[:14000]:
        lab.ledger.js.wire.publish(m.subject, m.data, headers={"Nats-Msg-Id": m.headers["Nats-Msg-Id"]})
    wait_until(lambda: lab.ledger.js.count("VC_lab") == len(messages), 60, "the stream is filled again")
    lab.col.start()
    lab.vc.burst(50)
    lab.ledger.settle()
    assert lab.col.metric("vcourier_collector_fenced_total") <= 3
    no_gap(lab)
