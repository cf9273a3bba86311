# SPDX-License-Identifier: Apache-2.0
"""Single events that cannot be read: each is stored as a stub, or counted when it has no key, and the others are read."""
import pytest

from lab.process import wait_until
from lab.pipeline import stored_at_least

METRIC = "vcourier_collector_"


def key_of_next(lab, n=1, **arguments):
    """Creates n events; returns the key of the last one."""
    lab.vc.burst(n, **arguments)
    return max(key for key, _ in lab.vc.events())


def events(lab):
    """The stored events by key."""
    return {e["eventkey"]: e for e in (m.json() for m in lab.ledger.js.read("VC_lab")) if "eventkey" in e}


def are_stubs(lab, *keys):
    """Whether the events with these keys, and no others, are stored as stubs, and each was counted once."""
    stored = events(lab)
    stubs = {e["data"]["Key"] for e in stored.values() if e.get("stub") == "true"}
    return stubs == set(keys) and lab.col.metric(METRIC + "events_stubbed_total") == len(keys)


@pytest.mark.parametrize("limit, pad", [("1MiB", 3_000_000), (None, 40_000_000)], ids=["1MiB", "default"])
def test_event_larger_than_a_page(pipeline, limit, pad):
    """A reply with this event alone exceeds pageMaxBytes; so do latestEvent and latestPage while it is the newest."""
    lab = pipeline("-backlog", "100", auditInterval="2s", **({"pageMaxBytes": limit} if limit else {}))
    lab.ledger.settle()
    key = key_of_next(lab, pad=pad)
    lab.ledger.settle()
    lab.col.wait_ready()
    lab.vc.burst(300)
    lab.ledger.settle()
    assert are_stubs(lab, key)
    assert lab.col.rss() < 256 << 20


def test_events_larger_than_a_page_one_after_the_other(pipeline):
    lab = pipeline("-backlog", "100", pageMaxBytes="1MiB", pageSize=10)
    lab.ledger.settle()
    keys = []
    for _ in range(12):
        keys.append(key_of_next(lab, pad=1_500_000))
        keys.append(key_of_next(lab, pad=1_500_000))
        lab.vc.burst(3)
    lab.ledger.settle()
    assert are_stubs(lab, *keys)


@pytest.mark.parametrize("kind", ["cut", "truncated"])
@pytest.mark.parametrize("backlog", ["200", "0"], ids=["among others", "the first"])
def test_reply_that_ends_in_the_same_event_each_time(pipeline, kind, backlog):
    lab = pipeline("-backlog", backlog, auditInterval="2s")
    lab.col.wait_ready()
    lab.ledger.settle()
    lab.vc.lab("key", next=5000)
    lab.vc.fault(kind, n=-1, key=5000, at=120)  # after its createdTime
    lab.vc.burst(300)
    lab.ledger.settle()
    lab.vc.burst(50)
    lab.ledger.settle()
    assert are_stubs(lab, 5000)


def test_two_events_that_end_their_replies(pipeline):
    lab = pipeline("-backlog", "200")
    lab.ledger.settle()
    lab.vc.lab("key", next=5000)
    lab.vc.fault("cut", n=-1, key=5000, at=120)
    lab.vc.fault("truncated", n=-1, key=5001, at=120)
    lab.vc.burst(100)
    lab.ledger.settle()
    assert are_stubs(lab, 5000, 5001)


@pytest.mark.parametrize("fault", [dict(kind="cut", at=-4), dict(kind="truncated", at=3), dict(kind="nokey")],
                         ids=["cut", "truncated", "nokey"])
def test_event_without_a_key(pipeline, fault):
    """Nothing identifies it: it is counted once, however often it is read, and the others are stored."""
    lab = pipeline("-backlog", "200", auditInterval="1s")
    lab.ledger.settle()
    lab.vc.lab("key", next=5000)
    lab.vc.fault(n=-1, key=5000, **fault)
    lab.vc.burst(100)
    stored_at_least(lab, 299)
    audits = lab.col.metric(METRIC + "polls_total", result="ok")
    lab.vc.burst(50)
    stored_at_least(lab, 349)
    wait_until(lambda: lab.col.metric(METRIC + "polls_total", result="ok") > audits + 20, 60, "more audits")
    assert {key for key, _ in lab.ledger.missing()} == {5000}
    assert lab.col.metric(METRIC + "events_total", result="rejected") == 1


@pytest.mark.parametrize("kind", ["runtime", "reset", "503"])
@pytest.mark.parametrize("backlog", ["200", "0"], ids=["among others", "the first"])
def test_call_that_fails_at_the_same_event_each_time(pipeline, kind, backlog):
    """The event is skipped and a record takes its place. It is stored as soon as vCenter returns it within the audit's span."""
    lab = pipeline("-backlog", backlog, auditInterval="2s")
    lab.col.wait_ready()
    lab.ledger.settle()
    before = lab.ledger.js.count("VC_lab")
    lab.vc.lab("key", next=5000)
    lab.vc.fault(kind, n=-1, key=5000)
    lab.vc.burst(300)
    wait_until(lambda: {key for key, _ in lab.ledger.missing()} == {5000}, 120, "the events after it")
    lab.vc.burst(50)
    wait_until(lambda: {key for key, _ in lab.ledger.missing()} == {5000}, 60, "later events")
    audits = lab.col.metric(METRIC + "polls_total", result="ok")
    wait_until(lambda: lab.col.metric(METRIC + "polls_total", result="ok") > audits + 20, 60, "more audits")
    lab.col.wait_ready()
    assert lab.col.metric(METRIC + "events_total", result="rejected") == 1
    assert lab.col.metric(METRIC + "event_gaps_total") == 1
    assert len(lab.col.lines("level=error.*event skipped: vCenter fails each time that it is read")) == 1
    records = [m for m in lab.ledger.js.read("VC_lab") if m.subject.endswith("EventGap")]
    assert len(records) == 1 and lab.ledger.js.count("VC_lab") == before + 349 + 1
    lab.vc.lab("clear")
    wait_until(lambda: not lab.ledger.missing(), 60, "the event that was skipped")


def test_calls_that_fail_at_every_event(pipeline):
    """While every call fails, vCenter is at fault: no event is skipped."""
    lab = pipeline("-backlog", "20")
    lab.ledger.settle()
    lab.vc.fault("runtime", n=-1, method="ReadNextEvents")
    lab.vc.burst(50)
    calls = lab.vc.stats()["calls"]["ReadNextEvents"]
    wait_until(lambda: lab.vc.stats()["calls"]["ReadNextEvents"] > calls + 20, 120, "more attempts")
    lab.vc.lab("clear")
    lab.ledger.settle()
    assert lab.col.metric(METRIC + "event_gaps_total") == 0
    assert not lab.col.lines("event skipped")


def test_every_reply_cut_short_is_no_fault_of_the_events(pipeline):
    """While no reply is complete, the connection is at fault: no part of a reply is stored as a stub."""
    lab = pipeline("-backlog", "0")
    lab.ledger.settle()  # the collector's own login
    before = lab.ledger.js.count("VC_lab")
    lab.vc.fault("truncated", n=-1, method="ReadNextEvents")
    lab.vc.burst(50)
    calls = lab.vc.stats()["calls"]["ReadNextEvents"]
    wait_until(lambda: lab.vc.stats()["calls"]["ReadNextEvents"] > calls + 15, 120, "more attempts")
    assert lab.ledger.js.count("VC_lab") == before
    lab.vc.lab("clear")
    lab.ledger.settle()
    assert not any("stub" in e for e in events(lab).values())


# Each exceeds a bound of the parser or is not well formed.
UNPARSABLE = {
    "attributes": dict(open="<a", unit=" @='1'", close="/>", size=4000),
    "a long tag": dict(open="<a b='", unit="x", close="'/>", size=100_000),
    "namespaces": dict(unit="<a xmlns:@='b' xmlns:c@='b'>", size=60_000),
    "depth": dict(unit="<a>", size=30_000),
    "names": dict(unit="<@/>", size=3_000_000),
    "long names": dict(unit="<@#/>", size=20_000_000),
    "broken tags": dict(unit="</a><b", size=300_000),
    "no tag at all": dict(unit="<", size=300_000),
    "comment without an end": dict(open="<!--", unit="x", size=10_000),
    "CDATA without an end": dict(open="<userName><![CDATA[", unit="x", size=10_000),
    "references": dict(unit="&#x0;&b", size=10_000),
}


@pytest.mark.parametrize("page_size", [1000, 1])
@pytest.mark.parametrize("name", UNPARSABLE)
def test_event_that_cannot_be_parsed(pipeline, name, page_size):
    lab = pipeline("-backlog", "20", pageSize=page_size)
    lab.ledger.settle()
    lab.vc.lab("key", next=5000)
    lab.vc.fault("hostile", n=-1, key=5000, **UNPARSABLE[name])
    lab.vc.burst(20)
    lab.ledger.settle()
    assert events(lab)["5000"]["data"]["Key"] == 5000
