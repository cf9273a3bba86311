# SPDX-License-Identifier: Apache-2.0
"""What collectors answer to status requests on the bus. test_status.py has the command that asks."""
import pytest

from lab.process import wait_until

ASK = "vcourier.status.collector.lab"


def ask(lab, expected=1):
    """The replies of the collectors that run."""
    wire = lab.bus.connect()
    sid = wire.subscribe("_INBOX_test.status")
    wire.publish(ASK, b"", reply="_INBOX_test.status")
    replies = []
    try:
        while len(replies) < expected:
            message = wire.next(sid)
            if not message.data:  # the server: nobody listens yet
                break
            replies.append(message.json())
    except TimeoutError:
        pass
    finally:
        wire.close()
    return replies


def test_a_collector_reports_what_it_reads(pipeline):
    lab = pipeline("-backlog", "50")
    lab.ledger.settle()
    events = lab.vc.stats()["events"]
    wait_until(lambda: [r["published"] for r in ask(lab)] == [events], 30, "all are counted")
    [report] = ask(lab)
    assert report["leader"] and report["connected"] and report["pid"] == lab.col.pid
    assert report["read"] - report["published"] >= 0 == report["in_flight"] == report["rejected"]
    assert report["kind"] == "vcenter" and report["address"] == f"{lab.vc.url}"
    newest = max(lab.vc.json(), key=lambda event: event["CreatedTime"])
    assert report["last_event"] == newest["CreatedTime"] and report["last_key"] == newest["Key"]
    assert report["state"]["ready"] and report["state"]["checks"]["vcenter"] == {"ok": True, "why": ""}
    assert 0 <= report["lag_ms"] < 5000 and 0 <= report["loop_ms"] < 5000


def test_lag_grows_while_the_vcenter_does_not_answer(pipeline):
    lab = pipeline("-backlog", "10")
    lab.col.wait_ready()
    lab.vc.stop()
    wait_until(lambda: not ask(lab)[0]["state"]["ready"], 30, "the collector sees it")
    first = ask(lab)[0]
    assert first["state"]["checks"]["vcenter"]["why"] and first["leader"]
    later = wait_until(lambda: max(ask(lab)[0]["lag_ms"] - first["lag_ms"], 0), 30, "it grows")
    assert later > 0


def test_leader_and_standby_reply_and_a_killed_one_does_not(pipeline):
    lab = pipeline("-backlog", "10", standby=True)
    second = lab.collector(lab.config, name="second")
    wait_until(lambda: sorted(r["leader"] for r in ask(lab, 2)) == [False, True], 60, "one of two leads")
    second.wait_ready()
    reports = {r["pid"]: r for r in ask(lab, 2)}
    leader = lab.col if reports[lab.col.pid]["leader"] else second
    standby = second if leader is lab.col else lab.col
    assert "standby" in reports[standby.pid]["state"]["checks"]["vcenter"]["why"] and reports[standby.pid]["lag_ms"] < 5000
    leader.kill()
    wait_until(lambda: [r["pid"] for r in ask(lab)] == [standby.pid], 10, "the killed one does not reply")
    standby.kill()
    wire = lab.bus.connect()
    assert wire.request(ASK).headers.startswith(b"NATS/1.0 503"), "the server says that nobody answers"


@pytest.mark.parametrize("bytes_sent", [0, 1, 900_000])
def test_a_request_of_any_size_is_answered(pipeline, bytes_sent):
    lab = pipeline("-backlog", "1")
    lab.col.wait_ready()
    wire = lab.bus.connect()
    wire.publish(ASK, b"x", reply="")  # no reply subject: nothing to answer
    assert wire.request(ASK, b"x" * bytes_sent).json()["pid"] == lab.col.pid
    assert lab.col.running()
