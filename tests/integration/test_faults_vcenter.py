# SPDX-License-Identifier: Apache-2.0
"""Faults of vCenter and of the connection to it. Each ends with a comparison of stream and vCenter (test_faults.py)."""
import time
from urllib.parse import urlsplit

import pytest

from lab.stream import Stream
from lab.process import wait_until
from lab.proxy import Proxy
from lab.pipeline import LONG, more_stored, pause, stored_at_least


@pytest.mark.parametrize("kind", ["cut", "truncated", "reset", "503", "302", "html", "garbage", "flood", "control", "utf8", "tags",
                                  "entities", "notauth", "notfound", "invalidstate", "runtime"])
def test_bad_reply(pipeline, kind):
    lab = pipeline("-backlog", "1500", auditInterval="5s")
    for method in ("ReadNextEvents", "ReadNextEvents", "CreateCollectorForEvents", None):
        lab.vc.fault(kind, n=1, method=method)
        lab.vc.burst(100)
    lab.ledger.settle()
    wait_until(lambda: lab.vc.stats()["faults"] == 0, 60, f"all {kind} faults met")
    lab.vc.burst(10)
    lab.ledger.settle()
    assert lab.col.rss() < 200 << 20


def test_expiry_reported_only_by_a_missing_property(pipeline):
    """HTTP 200 without a SOAP fault: the property collector reports an expired session in this way."""
    lab = pipeline("-backlog", "100")
    lab.ledger.settle()
    logins = lab.vc.stats()["calls"]["Login"]
    lab.vc.fault("missing", method="RetrievePropertiesEx")
    wait_until(lambda: lab.vc.stats()["calls"]["Login"] == logins + 1, 30, "a new session")
    lab.vc.burst(10)
    lab.ledger.settle()
    assert lab.vc.stats()["sessions"] == 1


@pytest.mark.parametrize("what", ["sessions", "collectors", "state"])
def test_expiry(pipeline, what):
    lab = pipeline("-backlog", "500", "-rate", "100")
    lab.col.wait_ready()
    for _ in range(3):
        before = lab.ledger.js.count("VC_lab")
        lab.vc.lab("expire", what=what)
        stored_at_least(lab, before + 50)
    lab.vc.lab("rate", r=0)
    lab.ledger.settle()


def test_slow_and_trickling(pipeline):
    lab = pipeline("-backlog", "300")
    lab.vc.fault("slow", n=5, ms=700)
    lab.vc.fault("trickle", n=2, ms=1, method="CreateCollectorForEvents")
    lab.vc.burst(50)
    lab.ledger.settle()


def test_silent(pipeline):
    lab = pipeline("-backlog", "100", timeout="3s")
    lab.col.wait_ready()
    lab.vc.fault("silent", n=2)
    lab.vc.burst(50)
    lab.ledger.settle()
    assert lab.vc.stats()["faults"] == 0


def test_connection_faults_to_vcenter(lab, pipeline, rng):
    """Silent, reset and refused connections between the collector and a healthy vCenter."""
    lab = pipeline("-backlog", "500", "-rate", "100", timeout="3s")
    proxy = Proxy(urlsplit(lab.vc.url).port)
    lab.closers.append(proxy.close)
    lab.config["eventProvider"]["vcenter"]["address"] = f"https://127.0.0.1:{proxy.port}/sdk"
    lab.col.configure(lab.config)  # read again without a restart
    wait_until(lambda: proxy.accepted > 0, 30, "it goes through the proxy")
    for _ in range(3):
        proxy.reset()
        pause(rng, 0.5)
        proxy.down()
        pause(rng, 0.5)
        proxy.up()
        more_stored(lab, 50)
    proxy.frozen = True
    wait_until(lambda: lab.col.get("/readyz")[0] == 503, 60, "not ready")
    proxy.frozen = False
    more_stored(lab, 50)
    lab.vc.lab("rate", r=0)
    lab.ledger.settle()


def test_vcenter_restarts(lab, pipeline):
    """vCenter is down for some time: sessions and event history collectors are lost, and its events too (the simulator starts empty)."""
    lab = pipeline("-backlog", "400", "-uuid", "11111111-2222-3333-4444-555555555555")
    lab.ledger.settle()
    before = set(lab.ledger.stored())
    lab.vc.kill()
    wait_until(lambda: lab.col.get("/readyz")[0] == 503, 30, "not ready without vCenter")
    lab.vc.argv += ["-backlog", "0"]
    lab.vc.start()
    lab.col.wait_ready()
    lab.vc.burst(200)
    wait_until(lambda: not lab.ledger.missing(), 60, "the new events are stored")
    stored = lab.ledger.stored()
    assert before <= set(stored) and len(stored) == len(set(stored))


def test_storm_ties_late_holes_wrap(pipeline):
    lab = pipeline("-backlog", "1000", "-keystart", str(2**31 - 6000), "-tie", "7", "-gap", "0.02", "-ooo", "0.05")
    for _ in range(3):
        lab.vc.burst(5000)
    lab.vc.lab("rate", r=300)
    stored_at_least(lab, 17000)
    lab.vc.lab("rate", r=0)
    assert lab.ledger.settle() > 16000
    assert min(lab.vc.events())[0] < 0


def test_open_collector_hides_late_events(pipeline):
    """Only the audit finds them."""
    lab = pipeline("-skip-late", "-ooo", "0.1", "-ooo-by", "2s", "-rate", "100", auditInterval="2s")
    lab.col.wait_ready()
    time.sleep(4)
    lab.vc.lab("rate", r=0)
    lab.ledger.settle()


def test_scroll_order_is_by_time(pipeline):
    lab = pipeline("-by-time", "-backlog", "3000", "-ooo", "0.05", "-rate", "100")
    stored_at_least(lab, 3100)
    lab.vc.lab("expire")
    lab.vc.lab("rate", r=0)
    lab.ledger.settle()


def test_database_recreated(pipeline):
    lab = pipeline("-backlog", "500")
    lab.ledger.settle()
    lab.vc.lab("reinit")
    lab.vc.burst(300)
    lab.ledger.settle()
    wait_until(lambda: lab.col.metric("vcourier_collector_epochs_total") == 1, 60, "a new epoch is counted")
    assert lab.col.lines("level=error .*keys start over")


def test_restored_from_backup(pipeline):
    """The same keys are used again for other events."""
    lab = pipeline("-backlog", "500")
    lab.vc.burst(200)
    lab.ledger.settle()
    lab.vc.lab("restore", drop=150)
    lab.vc.burst(400)
    lab.ledger.settle()
    wait_until(lambda: lab.col.metric("vcourier_collector_epochs_total") == 1, 60, "a new epoch is counted")


@pytest.mark.parametrize("stuck", [0, 1])
def test_hidden_events(pipeline, stuck):
    """Runs of 1500 events that the user may not see. With stuck, a page of only hidden events is returned repeatedly."""
    lab = pipeline("-backlog", "100")
    lab.ledger.settle()
    lab.vc.lab("hide", run=1500, every=4000, stuck=stuck)
    for _ in range(130):
        lab.vc.burst(100)  # 13,000 events in half a second; times have milliseconds
    lab.ledger.settle(120)


def one_microsecond(lab, template=None):
    """About 2,500 visible events after a stuck page of 1,400 hidden ones, all created in the same microsecond."""
    lab.ledger.settle()
    lab.vc.lab("hide", run=1500, every=4000, stuck=1)
    lab.vc.lab("shape", tie=4000)
    lab.vc.burst(4000, tmpl=template)
    lab.vc.lab("shape", tie=1)


def test_hidden_events_in_one_microsecond(pipeline):
    """A time window cannot separate them, but event types can."""
    lab = pipeline("-backlog", "100")
    one_microsecond(lab)
    lab.ledger.settle(180)


def test_hidden_events_of_one_type_in_one_microsecond(pipeline):
    """No filter separates them: logged and counted. Later events are read (long form: slowly), these events once they are visible."""
    lab = pipeline("-backlog", "100")
    one_microsecond(lab, "VmPoweredOnEvent")
    wait_until(lambda: lab.col.metric("vcourier_collector_stalls_total", reason="unseen") > 0, 180, "given up")
    assert lab.col.lines("cannot be read, and other events")
    behind = set(lab.ledger.missing())
    for _ in range(25 if LONG else 0):
        lab.vc.burst(100)
    wait_until(lambda: set(lab.ledger.missing()) <= behind, 300, "the later ones")
    lab.vc.lab("hide")
    lab.vc.burst(1)
    lab.ledger.settle()


def test_hidden_events_at_the_very_beginning(pipeline):
    """A stuck page while the stream is still empty."""
    lab = pipeline("-hide", "1500/4000", "-hide-stuck", "-backlog", "6000")
    lab.ledger.settle(120)


def test_events_purged_before_they_are_read(pipeline):
    """Purged events are lost. The remaining events are read, and the gap is recorded."""
    lab = pipeline("-backlog", "2000")
    lab.ledger.settle()
    lab.col.kill()
    lab.vc.burst(3000)
    lab.vc.lab("purge", keep=1000)
    lab.col.start()
    wait_until(lambda: not lab.ledger.missing(), 60, "the events that vCenter still has")
    assert len(lab.ledger.gaps()) == 1 and lab.col.metric("vcourier_collector_event_gaps_total") == 1


@pytest.mark.parametrize("step", ["1h", "-1h"])
def test_clock_step(pipeline, step):
    lab = pipeline("-backlog", "200", "-rate", "50")
    stored_at_least(lab, 250)
    lab.vc.lab("clock", offset=step)
    lab.vc.burst(300)
    stored_at_least(lab, 560)
    lab.vc.lab("clock", offset="0s")
    lab.vc.burst(300)
    lab.vc.lab("rate", r=0)
    lab.ledger.settle(120)


def test_huge_events(pipeline):
    """Larger than NATS accepts: the event is trimmed and keeps its main members. Other events are not affected."""
    lab = pipeline("-backlog", "100")
    lab.vc.burst(1, pad=3_000_000)
    lab.vc.burst(1, pad=20_000_000)
    lab.vc.burst(50)
    lab.ledger.settle()
    big = [m.json() for m in lab.ledger.js.read("VC_lab") if m.json().get("trimmed") == "true"]
    assert len(big) == 2 and lab.col.metric("vcourier_collector_events_truncated_total") == 2
    heads = {(e["data"]["Key"], e["data"]["CreatedTime"]) for e in big}
    assert len(heads) == 2 and all(e["data"]["UserName"] and e["eventkey"] == str(e["data"]["Key"]) for e in big)


def odd_events(lab, **arguments):
    """Creates an event of this kind and returns its stored message. The collector's own login is an event, too, and may come after it."""
    lab.vc.lab("odd", **arguments)
    key = max(key for (key, _), (cls, _) in lab.vc.events().items() if cls != "UserLoginSessionEvent")
    lab.ledger.settle()
    return next(m for m in lab.ledger.js.read("VC_lab") if m.json().get("eventkey") == str(key))


@pytest.mark.parametrize("names", [dict(datacenter="😀" * 80, cluster="😀" * 80), dict(datacenter="é" * 3000, cluster="中" * 5000),
                                   dict(id="." * 3000), dict(id="esx.é" * 20_000), dict(datacenter="x" * 80, cluster="<&>\"" * 30)],
                         ids=["emoji", "two-bytes", "dots", "id", "escapes"])
def test_long_names(pipeline, names):
    """Events with names of any length and script are stored once, even after an audit."""
    lab = pipeline("-backlog", "10", auditInterval="1s")
    message = odd_events(lab, **names)
    event = message.json()
    wanted = names.get("id", "VmPoweredOnEvent")
    assert len(message.subject) < 1024 and all(0 < len(t) <= 64 for t in message.subject.split("."))
    assert event["data"]["ComputeResource"]["Name"] == names.get("cluster", "DC0_C0")
    if len(wanted.encode()) > 1024:
        head, _, mark = event["subject"].rpartition("~")
        assert wanted.startswith(head) and len(mark) == 8 and event["trimmed"] == "true" and event["data"]["EventTypeId"] == wanted
    else:
        assert event["subject"] == wanted and "trimmed" not in event
    audits = lab.col.metric("vcourier_collector_polls_total", result="ok")
    assert lab.col.metric("vcourier_collector_events_total", result="rejected") == 0 and audits > 0


def test_an_event_that_is_too_large_after_trimming(pipeline):
    """An event with very many small members: a record with its key and time is stored instead, and it is counted once."""
    lab = pipeline("-backlog", "10", auditInterval="1s", eventMaxBytes="128KiB")
    event = odd_events(lab, members=60_000).json()
    assert event["stub"] == event["trimmed"] == "true" and event["subject"] == "VmPoweredOnEvent"
    assert event["data"]["Key"] == int(event["eventkey"]) and event["data"]["Host"] is None
    creations = lab.vc.stats()["calls"]["CreateCollectorForEvents"]
    wait_until(lambda: lab.vc.stats()["calls"]["CreateCollectorForEvents"] >= creations + 2, 20, "two audits")
    assert lab.col.metric("vcourier_collector_events_stubbed_total") == 1
    assert lab.col.metric("vcourier_collector_events_total", result="rejected") == 0
    lab.ledger.settle()


def restart_with(bus, extra):
    bus.extra = extra
    bus.kill()
    bus.start()


def test_the_server_accepts_only_smaller_messages(lab, pipeline):
    """max_payload limits an event, also after it is lowered. Below the minimum nothing is sent, /readyz says so, and no event is lost."""
    pipeline("-backlog", "10", bus=lab.nats(extra="max_payload: 100KB"))
    lab.vc.burst(1, pad=300_000)
    lab.ledger.settle()
    restart_with(lab.bus, "max_payload: 48KB")
    lab.vc.burst(1, pad=60_000)
    lab.ledger.settle()
    assert lab.col.metric("vcourier_collector_events_truncated_total") == 2
    restart_with(lab.bus, "max_payload: 16KB")
    lab.vc.burst(5)
    wait_until(lambda: "raise max_payload" in lab.col.get("/readyz")[1], 30, lambda: lab.col.get("/readyz")[1])
    assert lab.col.get("/readyz")[0] == 503
    restart_with(lab.bus, "")
    lab.ledger.settle()
    lab.col.wait_ready()


def test_the_stream_accepts_only_smaller_messages(lab, pipeline):
    """A stream that an administrator created with a max_msg_size."""
    bus = lab.nats()
    stream = Stream(lab, bus)
    stream.make_stream(max_msg_size=40_000)
    pipeline("-backlog", "10", bus=bus)
    lab.vc.burst(1, pad=60_000)
    lab.vc.burst(5)
    lab.ledger.settle()
    assert lab.col.metric("vcourier_collector_events_truncated_total") == 1


def test_page_larger_than_accepted(pipeline):
    """The collector requests smaller pages until one fits."""
    lab = pipeline("-backlog", "100", pageMaxBytes="1MiB")
    lab.vc.burst(60, pad=200_000)
    lab.ledger.settle()


def test_returns_sessions_and_collectors(pipeline):
    """After many failures there is one session with few event history collectors."""
    lab = pipeline("-backlog", "200", "-max-collectors", "4")
    lab.col.wait_ready()
    for _ in range(10):
        lab.vc.fault("truncated", method="ReadNextEvents")
        wait_until(lambda: lab.vc.stats()["faults"] == 0, 30, "fault met")
        before = lab.ledger.js.count("VC_lab")
        lab.vc.burst(1)
        stored_at_least(lab, before + 1)
    lab.ledger.settle()
    stats = lab.vc.stats()
    assert stats["sessions"] == 1 and stats["collectors"] <= 4
