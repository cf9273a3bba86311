# SPDX-License-Identifier: Apache-2.0
"""The Horizon source: what it stores, its session, its pages, and bad replies."""
import json

import pytest

from lab.horizon import PASSWORD, Pod, reply
from lab.pipeline import balanced
from lab.process import wait_until
from lab.receiver import Answer


def test_the_event(lab):
    """Attributes as of the event router, with the type's name as subject; the data is the summary, digit for digit."""
    pod = Pod(lab)
    pod.horizon.next_id = 2**53 + 1
    first, second = pod.horizon.add(2, at=1764366000123, type="VLSI_USERLOGGEDIN", message='a <b> "ü" \\ 1')
    stored = pod.settle()
    event = stored[0].json()
    assert {k: v for k, v in event.items() if k != "data"} == {
        "specversion": "1.0", "id": str(first["id"]), "source": pod.horizon.url, "subject": "VLSI_USERLOGGEDIN",
        "type": "com.vmware.event.router/horizon.vlsi_userloggedin.v0", "time": "2025-11-28T21:40:00.123Z",
        "datacontenttype": "application/json"}
    assert stored[0].subject == "ce.pod.com.vmware.event=2Erouter=2Fhorizon.vlsi_userloggedin.v0".replace("=2E", ".")
    assert stored[0].headers["Nats-Msg-Id"] == f"horizon/{first['id']}/1764366000123"
    assert [m.json()["data"]["id"] for m in stored] == [first["id"], second["id"]] == [2**53 + 1, 2**53 + 2]
    wait_until(lambda: balanced(pod.collector), 60)
    pod.collector.kill()
    pod.collector.start()
    pod.horizon.add(1)
    pod.settle()
    assert not pod.collector.lines("another writer"), "the stream's tail shows all that is stored"


def test_session(lab):
    """A login, a refresh after 401, a new login after 400, a logout at the end; the password is nowhere in the log."""
    pod = Pod(lab)
    horizon = pod.horizon
    horizon.add(3)
    pod.settle()
    for refresh, calls in ((False, {("refresh", 200): 1, ("login", 200): 1}), (True, {("refresh", 400): 1, ("login", 200): 2})):
        horizon.expire(refresh)
        horizon.add(2)
        pod.settle()
        assert {call: horizon.calls[call] for call in calls} == calls
    assert pod.collector.metric("vcourier_horizon_calls_total", call="refresh", result="expired") == 1
    pod.collector.stop()
    assert horizon.calls["logout", 200] == 1 and not horizon.refresh
    text = pod.collector.text()
    assert PASSWORD not in text and "access." not in text and "refresh." not in text


def test_refused_login(lab):
    """It is reported, not repeated at once, and tried again when passwordFile changes."""
    pod = Pod(lab, start=False)
    pod.password_file.write_text("wrong")
    pod.horizon.add()
    collector = pod.collector = lab.collector(pod.config)
    wait_until(lambda: collector.lines("login refused"), 60)
    assert collector.get("/readyz")[0] == 503 and pod.horizon.calls["login", 401] == 1
    pod.password_file.write_text(PASSWORD)
    pod.settle()
    assert pod.horizon.calls["login", 401] == 1
    collector.wait_ready()


def test_pages_in_order(lab):
    """A backlog of many pages, with more events on one millisecond than a page holds, is stored in ascending order."""
    pod = Pod(lab, start=False, pageSize=20)
    start = pod.horizon.now_ms() - 3_600_000
    for i in range(300):
        pod.horizon.add(1, at=start + i * i * 7)
    tied = pod.horizon.add(70, at=start + 500_000)
    pod.collector = lab.collector(pod.config)
    stored = pod.settle()
    times = [m.json()["data"]["time"] for m in stored]
    assert times == sorted(times) and times.count(start + 500_000) >= len(tied)
    assert not any("Vcourier-Out-Of-Order" in m.headers for m in stored)


def test_ties_of_now(lab):
    """Events that come later on a millisecond that was read already, and one that Horizon stores late, are found."""
    pod = Pod(lab, pageSize=5, auditInterval="1s")
    at = pod.horizon.now_ms()
    for n in (3, 4, 9):
        pod.horizon.add(n, at=at)
        pod.settle()
    pod.horizon.add(1, at=at - 300_000)
    pod.settle()
    assert pod.collector.metric("vcourier_collector_events_out_of_order_total", date="behind") == 1


def test_start_from_now(lab):
    """Events from before the first start are not stored, not even by a collector that starts again."""
    pod = Pod(lab, start=False, startFrom="now", auditInterval="1s")
    pod.horizon.add(5, at=pod.horizon.now_ms() - 30_000)
    pod.collector = lab.collector(pod.config).wait_ready()
    new = pod.horizon.add(2)
    pod.settle(new)
    pod.collector.stop()
    pod.collector.start()
    pod.collector.wait_ready()
    new += pod.horizon.add(2)
    calls = pod.horizon.calls["audit-events", 200]
    wait_until(lambda: pod.horizon.calls["audit-events", 200] > calls + 3, 60)
    pod.settle(new)


HTML = Answer(200, {"Content-Type": "text/html"}, b"<html><body>VMware Horizon</body></html>")
BAD = (
    (HTML, "not a JSON array"),
    (Answer(200, {}, b'[{"id": 1, "time": 17'), "not valid JSON"),
    (Answer(503, {"Retry-After": "1"}), "HTTP status 503"),
    (reply([], has_more_records="true"), "the page is empty, but says that more follows"),
    (Answer(raw=b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n[{"id": 1,'), "broke off"),
)


def test_bad_replies(lab):
    """Each is reported with its cause, and reading goes on when replies are right again."""
    pod = Pod(lab)
    pod.collector.wait_ready()
    for answer, said in BAD:
        before = len(pod.collector.lines(said))
        pod.horizon.fail(answer)
        wait_until(lambda: len(pod.collector.lines(said)) > before, 60, said)
        pod.horizon.add(3)
        pod.settle()
    pod.collector.wait_ready()


@pytest.mark.parametrize("answer, said", [
    (reply({"error_message": "DB is not initialized"}, 409), "no event database"), (Answer(403), "may not read events")], ids=["409", "403"])
def test_not_ready(lab, answer, said):
    pod = Pod(lab)
    pod.collector.wait_ready()
    pod.horizon.fail(*[answer] * 50)
    wait_until(lambda: pod.collector.get("/readyz")[0] == 503 and pod.collector.lines(said), 60)


def test_bad_login_replies(lab):
    pod = Pod(lab, start=False)
    pod.horizon.add(1)
    pod.horizon.fail(HTML, Answer(500), path="/rest/login")
    pod.collector = lab.collector(pod.config)
    pod.settle()
    assert pod.collector.lines("login: the reply is not JSON") and pod.collector.lines("login: HTTP status 500")


def test_slow_reply(lab):
    """It ends at the time limit and is asked for again; the daemon stays alive meanwhile."""
    pod = Pod(lab, timeout="1s")
    pod.collector.wait_ready()
    pod.horizon.fail(Answer(200, {}, b"[]", hang=5))
    wait_until(lambda: pod.collector.metric("vcourier_horizon_calls_total", call="events", result="error") == 1, 60)
    pod.horizon.add(2)
    pod.settle()


def test_strange_events(lab):
    """Each is stored once, with what can be known of it; none stops the others."""
    pod = Pod(lab, start=False)
    now = pod.horizon.now_ms()
    for text in (f'{{"time": {now}, "type": "NO_ID"}}', f'{{"id": "77", "time": "{now}", "type": "TEXT"}}',
                 '{"id": 78, "time": "2026-01-02T03:04:05.5Z", "type": "RFC"}', '{"id": 79, "type": "NO_TIME"}', "7", "null",
                 f'{{"id": 80, "time": {now}, "type": "BYTES", "message": "a\udcffb"}}', f'{{"id": "a-b", "time": {now}}}',
                 f'{{"id": 81, "time": {now}, "type": "a\\u0007b/Ü {"x" * 400}"}}', f'{{"id": 82, "time": 1e400, "type": "HUGE"}}'):
        pod.horizon.put(text)
    usual = pod.horizon.add(2)
    pod.collector = lab.collector(pod.config)
    pod.wait_stored(10)
    calls = pod.horizon.calls["audit-events", 200]
    wait_until(lambda: pod.horizon.calls["audit-events", 200] > calls + 3, 60)
    pod.collector.kill()
    pod.collector.start()
    pod.collector.wait_ready()
    wait_until(lambda: pod.collector.metric("vcourier_collector_events_read_total") >= 20, 60)
    stored = {m.json()["subject"]: m.json() for m in pod.stored()}
    assert len(pod.stored()) == 8 + len(usual), [m.json() for m in pod.stored()]
    assert stored["NO_ID"]["id"].startswith("hash-") and stored["TEXT"]["id"] == "77"
    assert stored["RFC"]["time"] == "2026-01-02T03:04:05.5Z" and "time" not in stored["NO_TIME"] and "time" not in stored["HUGE"]
    assert stored["BYTES"]["data"]["message"] == "a\ufffdb" and stored["UNKNOWN"]["id"] == "a-b"
    assert all(len(subject.encode()) <= 256 for subject in stored)


def test_large_pages_and_events(lab):
    """A page above pageMaxBytes is read in parts; an event larger than a message is stored without its text; a larger one is left out
    and counted once."""
    pod = Pod(lab, lab.nats(extra="max_payload: 65536"), start=False, pageMaxBytes="128KiB", auditInterval="1s")
    now = pod.horizon.now_ms() - 30_000
    for i in range(30):
        pod.horizon.add(1, at=now + i // 3, message="x" * 15_000)
    large = pod.horizon.add(1, at=now + 5, message="y" * 90_000)[0]
    pod.horizon.add(1, at=now + 6, message="z" * 200_000)
    usual = [e for e in pod.horizon.events if len(e["message"]) < 80_000]
    pod.collector = lab.collector(pod.config)
    pod.wait_stored(len(usual) + 1)
    pod.collector.wait_ready()
    wait_until(lambda: pod.collector.metric("vcourier_collector_events_total", result="duplicate") > len(usual), 60, "a second reading")
    assert pod.collector.metric("vcourier_collector_events_total", result="rejected") == 1
    stored = {m.json()["id"]: m.json() for m in pod.stored()}
    trimmed = stored.pop(str(large["id"]))
    assert trimmed["trimmed"] == "true" and trimmed["data"] == {k: v for k, v in large.items() if k != "message"}
    assert {i: e["data"] for i, e in stored.items()} == {str(e["id"]): e for e in usual}


def test_a_large_event_is_remembered(lab):
    """A pass goes round the millisecond of an event that is too large; a search for missed events asks once whether it has more."""
    pod = Pod(lab, start=False, pageMaxBytes="64KiB", auditInterval="1s", overlap="10m")
    page, passes = pod.horizon._page, [[]]

    def watched(query):
        passes[-1].append(json.loads(query["filter"][0]))
        if passes[-1][-1]["toValue"] > pod.horizon.now_ms() + 3_600_000:
            passes.append([])
        return page(query)
    pod.horizon._page = watched
    at = pod.horizon.now_ms() - 20_000
    for shift in (-3000, 0, 0, 5000):
        pod.horizon.add(1, at=at + shift)
    pod.horizon.add(1, at=at, message="z" * 100_000)
    pod.collector = lab.collector(pod.config)

    def usual():
        return [e for e in pod.horizon.events if len(e["message"]) < 80_000]

    def settled(rejected):
        pod.settle(usual())
        seen = len(passes)
        wait_until(lambda: len(passes) > seen + 12 and {2} <= {len(p) for p in passes[-12:-1]} <= {2, 3}, 60, lambda: [len(p) for p in passes[-20:]])
        assert pod.collector.metric("vcourier_collector_events_total", result="rejected") == rejected
    settled(1)
    pod.horizon.add(1, at=at)  # stored late
    settled(1)
    pod.horizon.add(1, at=at, message="z" * 100_000)
    wait_until(lambda: pod.collector.metric("vcourier_collector_events_total", result="rejected") == 2, 60)
    settled(2)


def test_replies_without_an_end(lab):
    """Neither replies that are always too large nor a page that comes again and again keep the collector busy."""
    pod = Pod(lab, start=False, pageMaxBytes="64KiB", pageSize=5)
    pod.horizon.fail(*[Answer(200, {}, b"[" + b" " * 70_000)] * 200)
    pod.collector = lab.collector(pod.config)
    wait_until(lambda: pod.collector.lines("cannot read events.*more than 65536 bytes"), 60)
    assert pod.collector.metric("vcourier_collector_events_total", result="rejected") <= 32
    with pod.horizon.lock:
        pod.horizon.faults.clear()
        pod.horizon.ignores_page = True
    at = pod.horizon.now_ms()
    pod.horizon.add(9, at=at)
    later = pod.horizon.add(3, at=at + 1)
    wait_until(lambda: {str(e["id"]) for e in later} <= set(pod.ids()), 60)
    assert pod.collector.lines("the same page again")


@pytest.mark.parametrize("offset", [-3 * 365 * 86400, 3 * 365 * 86400], ids=["behind", "ahead"])
def test_clock_years_off(lab, offset):
    """Events follow Horizon's clock, also when it is set right while the collector runs or is down."""
    pod = Pod(lab)
    pod.horizon.clock_offset = offset
    pod.horizon.add(3)
    pod.settle()
    pod.horizon.clock_offset = 0
    pod.horizon.add(3)
    pod.settle()
    pod.horizon.clock_offset = offset
    pod.horizon.add(2)
    pod.settle()
    pod.collector.kill()
    pod.horizon.clock_offset = 0
    pod.horizon.add(2)
    pod.collector.start()
    pod.settle()


def test_event_of_the_future(lab):
    """It is stored and does not move the position."""
    pod = Pod(lab)
    pod.horizon.add(1, at=pod.horizon.now_ms() + 7_200_000)
    pod.settle()
    pod.horizon.add(3)
    pod.settle()
    assert pod.collector.metric("vcourier_collector_events_out_of_order_total", date="ahead") == 1
