# SPDX-License-Identifier: Apache-2.0
"""The dispatcher and its backend: fault scenarios. Each ends with a check that every event is delivered or a dead letter.
ROWS is the table of faults. The name of a test begins with the rows that it covers. Tests are in this file and in
test_dispatcher_kill.py (the dispatcher ends), _bus.py (NATS fails), _cut.py (NATS lost data) and test_eventbridge.py."""
import re
import threading
import time
from collections import Counter
from email.utils import formatdate
from pathlib import Path

import pytest

from lab.stream import got_202, keys, settle, subject
from lab.process import free_port, wait_until
from lab.proxy import Proxy
from lab.receiver import Answer

ROWS = {
    "d1": "a dispatcher is killed during a delivery", "d2": "it is asked to stop", "d3": "replicas start and stop under load",
    "d4": "the backend is down", "d5": "the backend is slow", "d6": "replies that cause a retry", "d7": "Retry-After",
    "d8": "replies that refuse the event", "d9": "a timeout after the backend has done its work", "d10": "half-open connections",
    "d11": "invalid, endless and broken replies", "d12": "PutEvents accepts only some entries",
    "d13": "an entry that is too large", "d14": "a wrong local clock", "d15": "a changed secret",
    "d16": "dead letters cannot be stored", "d17": "one poison event", "d18": "the dispatcher stalls by its own fault",
    "n1": "the server restarts or is killed", "n2": "a cluster loses its leader", "n3": "a cluster loses its quorum",
    "n4": "the server's disk is full", "n5": "a stream is full", "n6": "the server is stopped (SIGSTOP)",
    "n8": "a power cut sets the store back", "n9": "a consumer that is ahead of its stream, or belongs to a previous stream",
    "n10": "the consumer or the stream is deleted", "n11": "credentials change", "n12": "forged messages",
}
FAST = {"retry": {"initial": "50ms", "max": "200ms"}, "ackWait": "2s"}


def test_the_stream_reaches_the_backend(lab, stream):
    receiver = lab.receiver()
    want = stream.publish(500)
    dispatcher = lab.dispatcher(stream.config(receiver.url + "/in"))
    receiver.wait_count(500)
    want = [*want, *stream.publish(100)]
    assert settle(stream, receiver, want) == []
    first = receiver.requests[0]
    assert first.path == "/in" and first.method == "POST" and first.headers["content-type"] == "application/json"
    assert first.headers["ce-type"] == "com.vmware.event.router/event"
    assert dispatcher.wait_ready().metric("vcourier_dispatcher_events_total", result="delivered") == 600
    assert dispatcher.stop() == 0


def test_d2_sigterm_returns_unsent_events_to_nats(lab, stream):
    receiver = lab.receiver(lambda request: Answer(hang=0.2))
    dispatcher = lab.dispatcher(stream.config(receiver.url, concurrency=8, ackWait="60s"))
    want = stream.publish(300)
    receiver.wait_count(20)
    assert dispatcher.stop() == 0
    receiver.answer = None
    dispatcher.start()  # no event waits for ack_wait
    assert settle(stream, receiver, want, twice=0, timeout=30) == []


def test_d3_scaling_under_load(lab, stream):
    receiver = lab.receiver(lambda request: Answer(hang=0.02))
    config = stream.config(receiver.url, concurrency=8)
    want = [*stream.publish(500)]
    replicas = [lab.dispatcher(config, name=f"replica{i}") for i in range(5)]
    want += stream.publish(1500)
    receiver.wait_count(600)
    for replica in replicas[1:]:
        assert replica.stop() == 0
    assert settle(stream, receiver, want, twice=0) == []


def test_d4_backend_down_only_delays_events(lab, stream):
    port = free_port()
    dispatcher = lab.dispatcher(stream.config(f"http://127.0.0.1:{port}", concurrency=8, **FAST)).wait_ready()
    want = stream.publish(1000)
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_circuit_state") == 2, what="the circuit opens")
    tried = dispatcher.metric("vcourier_dispatcher_errors_total")
    assert tried < 50, "a backend that is down gets only probes"
    held = stream.consumer()["num_ack_pending"]
    assert held < 100, "a backend that is down does not fill the memory"
    receiver = lab.receiver(port=port)
    assert settle(stream, receiver, want, twice=0) == []
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_circuit_state") == 0, what="deliveries run")


def test_d5_slow_backend_gets_at_most_concurrency_requests(lab, stream):
    now, peak, lock = [0], [0], threading.Lock()

    def slow(request):
        with lock:
            now[0] += 1
            peak[0] = max(peak[0], now[0])
        time.sleep(0.1)
        with lock:
            now[0] -= 1
        return Answer()
    receiver = lab.receiver(slow)
    lab.dispatcher(stream.config(receiver.url, concurrency=8))
    assert settle(stream, receiver, stream.publish(100)) == []
    assert peak[0] == 8


def test_a_delivery_longer_than_ack_wait_is_not_repeated(lab, stream):
    receiver = lab.receiver(lambda request: Answer(hang=3))
    lab.dispatcher(stream.config(receiver.url, ackWait="1s"))
    assert settle(stream, receiver, stream.publish(5), twice=0) == []


@pytest.mark.parametrize("status", [500, 503, 408, 409, 404, 401, 403, 429, 425])
def test_d6_temporary_failures_are_retried(lab, stream, status):
    tries = Counter()

    def answer(request):
        tries[request.headers["ce-eventkey"]] += 1
        return Answer(status if tries[request.headers["ce-eventkey"]] <= 2 else 202)
    receiver = lab.receiver(answer)
    lab.dispatcher(stream.config(receiver.url, **FAST))
    want = stream.publish(20)
    stream.idle()
    assert set(keys(receiver.requests)) == set(want) and min(tries.values()) == 3 and stream.dead() == []


def test_d6_events_are_given_up_by_age(lab, stream):
    receiver = lab.receiver(lambda request: Answer(500 if request.headers["ce-eventkey"] == "3" else 202))
    lab.dispatcher(stream.config(receiver.url, retry={"initial": "20ms", "max": "100ms", "maxAge": "1s"}))
    want = stream.publish(50)
    assert settle(stream, receiver, want, accepted=lambda r: r.headers["ce-eventkey"] != "3") == [3]
    letter = stream.dead()[0]
    assert letter.headers["Vcourier-Reason"] == "gave_up" and letter.headers["Vcourier-Status"] == "500"
    assert int(letter.headers["Vcourier-Attempts"]) == sum(k == 3 for k in keys(receiver.requests)) > 3
    assert letter.headers["Vcourier-First-Attempt"] < letter.headers["Vcourier-Last-Attempt"]
    assert letter.headers["Vcourier-Stream"] == "VC_lab" and letter.headers["Vcourier-Sequence"] == "3"
    assert letter.subject == "vcdead.kn.lab.dc.cluster.info.event.VmPoweredOnEvent"
    assert letter.headers["Content-Type"] == "application/cloudevents+json"


def test_d4_an_outage_after_a_bad_event_does_not_stop_the_dispatcher(lab, stream):
    """An event becomes a dead letter when it arrives, while another has not been tried yet. Then all held events are given up in an outage."""
    release, up = threading.Event(), [True]

    def answer(request):
        release.wait(60)
        return Answer(202 if up[0] else 503)
    receiver = lab.receiver(answer)
    lab.closers.append(release.set)
    dispatcher = lab.dispatcher(stream.config(receiver.url, concurrency=1, filter={"pattern": {"source": [{"exists": True}]}},
                                              retry={"initial": "20ms", "max": "100ms", "retry": 0, "maxAge": "1h"}))
    good = [*stream.publish(2)]
    receiver.wait_count(1)
    stream.server.connect().publish(subject(), b'{"specversion":"1.0","id":"no type","source":"s"}',
                                    headers={"Content-Type": "application/cloudevents+json"})
    wait_until(lambda: len(stream.dead()) == 1, 60, "the bad event is a dead letter")
    release.set()
    stream.idle()
    up[0] = False
    given_up = [*stream.publish(8)]
    wait_until(lambda: len(stream.dead()) == 9, 60, lambda: f"all given up: {len(stream.dead())} dead letters")
    up[0] = True
    stream.server.stop()  # the earlier pulls end with the connection
    stream.js.close()
    stream.server.start()
    dispatcher.wait_ready()
    good += stream.publish(5)
    stream.idle()
    assert [k for k in keys(receiver.requests) if k not in given_up] == good
    assert dispatcher.metric("vcourier_dispatcher_events_total", result="delivered") == len(good)
    assert dispatcher.metric("vcourier_dispatcher_events_total", result="dead") == 9


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_d7_retry_after_pauses_deliveries(lab, stream, form):
    times = []

    def answer(request):
        times.append(time.monotonic())
        if len(times) > 1:
            return Answer()
        return Answer(429, {"Retry-After": "2" if form == "seconds" else formatdate(time.time() + 3, usegmt=True)})
    receiver = lab.receiver(answer)
    lab.dispatcher(stream.config(receiver.url, concurrency=1, **FAST))
    assert settle(stream, receiver, stream.publish(5), accepted=lambda r: r is not receiver.requests[0]) == []
    assert times[1] - times[0] >= 1.9


def test_d7_retry_after_is_capped(lab, stream):
    first = []

    def answer(request):
        first.append(request)
        return Answer() if len(first) > 1 else Answer(503, {"Retry-After": "86400"})
    receiver = lab.receiver(answer)
    lab.dispatcher(stream.config(receiver.url, retry={"initial": "50ms", "max": "100ms", "retryAfterMax": "1s"}))
    assert settle(stream, receiver, stream.publish(3), accepted=lambda r: r is not receiver.requests[0], twice=1) == []


@pytest.mark.parametrize("status", [400, 413, 415, 422, 302, 307, 418])
def test_d8_a_rejected_event_is_a_dead_letter_at_once(lab, stream, status):
    def answer(request):
        bad = request.headers["ce-eventkey"] == "7"
        return Answer(status, {"Location": "/elsewhere"}, b'{"why":"no\nsuch thing"}') if bad else Answer()
    receiver = lab.receiver(answer)
    lab.dispatcher(stream.config(receiver.url, **FAST))
    want = stream.publish(30)
    assert settle(stream, receiver, want, accepted=lambda r: r.headers["ce-eventkey"] != "7") == [7]
    letter = stream.dead()[0]
    assert letter.headers["Vcourier-Reason"] == "rejected" and letter.headers["Vcourier-Status"] == str(status)
    assert "no such thing" in letter.headers["Vcourier-Error"] and letter.headers["Vcourier-Attempts"] == "1"
    assert keys(receiver.requests).count(7) == 1 and all(r.path == "/" for r in receiver.requests)


def test_d8_a_flood_of_rejections_does_not_empty_the_stream(lab, stream):
    receiver = lab.receiver(lambda request: Answer(400))
    dispatcher = lab.dispatcher(stream.config(receiver.url, concurrency=64, **FAST))
    want = stream.publish(2000)
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_circuit_state") == 2, what="deliveries pause")
    wait_until(lambda: dispatcher.lines("rejects most events"), what="the error is logged")
    receiver.answer = None  # the setting is corrected
    dead = settle(stream, receiver, want, accepted=got_202, twice=2000)
    assert dead == [], "within the grace; what comes after it: test_dispatcher_refusals.py"


def test_d9_a_timeout_after_the_work_repeats_the_event(lab, stream):
    seen = Counter()

    def answer(request):
        seen[request.headers["ce-id"]] += 1
        return Answer(hang=1.5 if seen[request.headers["ce-id"]] == 1 else 0)
    receiver = lab.receiver(answer)
    lab.dispatcher(stream.config(receiver.url, timeout="500ms", concurrency=4, **FAST))
    want = stream.publish(10)
    assert settle(stream, receiver, want, twice=10) == []
    assert set(seen.values()) == {2}, "the repeated event has the same id"


def test_d10_half_open_connections(lab, stream):
    receiver = lab.receiver()
    proxy = Proxy(receiver.port)
    lab.closers.append(proxy.close)
    dispatcher = lab.dispatcher(stream.config(f"http://127.0.0.1:{proxy.port}", timeout="1s", concurrency=8, **FAST))
    want = [*stream.publish(50)]
    receiver.wait_count(50)
    proxy.frozen = True
    want += stream.publish(50)
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_errors_total", kind="timeout") >= 5, what="deadlines hold")
    proxy.frozen = False
    assert settle(stream, receiver, want, twice=16) == []


def test_d10_resets_and_slow_connections(lab, stream):
    receiver = lab.receiver()
    proxy = Proxy(receiver.port)
    lab.closers.append(proxy.close)
    lab.dispatcher(stream.config(f"http://127.0.0.1:{proxy.port}", timeout="2s", concurrency=8, **FAST))
    want = [*stream.publish(50)]
    for i in range(5):
        want += stream.publish(20)
        receiver.wait_count(30 * (i + 1))
        proxy.reset()
    proxy.down()
    want += stream.publish(20)
    proxy.up()
    proxy.delay = 0.05
    assert settle(stream, receiver, want, twice=5 * 8 + 8) == []


BAD_ANSWERS = {
    "100 MB": b"HTTP/1.1 202 Accepted\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 300000,
    "endless headers": b"HTTP/1.1 202 Accepted\r\n" + b"X-Filler: 0123456789abcdef\r\n" * 20000,
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" + b"\r\n\r\n",
    "not HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "nothing": b"",
    "bad chunks": b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nxx\r\n",
    "short": b"HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nonly this",
    "bad length": b"HTTP/1.1 202 Accepted\r\nContent-Length: minus one\r\n\r\n",
    "hints only": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
}
ACCEPTED_ANYWAY = {"100 MB"}  # the status is complete and means success


@pytest.mark.parametrize("kind", BAD_ANSWERS)
def test_d11_invalid_replies(lab, stream, kind):
    seen = Counter()

    def answer(request):
        seen[request.headers["ce-eventkey"]] += 1
        return Answer(raw=BAD_ANSWERS[kind]) if seen[request.headers["ce-eventkey"]] == 1 else Answer()
    receiver = lab.receiver(answer)
    dispatcher = lab.dispatcher(stream.config(receiver.url, timeout="2s", concurrency=4, **FAST))
    want = stream.publish(10)
    assert settle(stream, receiver, want, twice=0 if kind in ACCEPTED_ANYWAY else 10) == []
    assert set(seen.values()) == ({1} if kind in ACCEPTED_ANYWAY else {2})
    assert dispatcher.rss() < 32 << 20


def test_d11_one_byte_a_second(lab, stream):
    receiver = lab.receiver()
    proxy = Proxy(receiver.port)
    lab.closers.append(proxy.close)
    proxy.rate = 10
    dispatcher = lab.dispatcher(stream.config(f"http://127.0.0.1:{proxy.port}", timeout="1s", concurrency=4, **FAST))
    want = stream.publish(5)
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_errors_total", kind="timeout") >= 4, what="deadlines hold")
    proxy.rate = 0
    assert settle(stream, receiver, want, twice=10) == []


def test_d16_dead_letters_cannot_be_stored(lab, stream):
    stream.js.api("STREAM.CREATE.VCDEAD", {"name": "VCDEAD", "subjects": ["vcdead.>"], "storage": "file", "retention": "limits",
                "discard": "new", "max_bytes": 1200, "num_replicas": 1})
    receiver = lab.receiver(lambda request: Answer(400 if request.headers["ce-eventkey"] in ("3", "4") else 202))
    dispatcher = lab.dispatcher(stream.config(receiver.url, retry={**FAST["retry"], "rejectGrace": "0s"}))
    want = stream.publish(10)
    wait_until(lambda: dispatcher.lines("dead letter not stored"), what="the error is logged")
    assert dispatcher.get("/readyz")[0] == 503
    info = stream.js.info("VCDEAD")["config"]
    stream.js.api("STREAM.UPDATE.VCDEAD", info | {"max_bytes": 1 << 20})
    assert settle(stream, receiver, want, accepted=lambda r: r.headers["ce-eventkey"] not in ("3", "4")) == [3, 4]
    dispatcher.wait_ready()


def test_d17_a_poison_event_delays_no_other_event(lab, stream):
    receiver = lab.receiver(lambda request: Answer(500 if request.headers["ce-eventkey"] == "1" else 202))
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    stream.publish(1)
    receiver.wait_count(8)  # it fails alone, repeatedly
    stream.publish(500)
    receiver.wait_for(lambda requests: set(keys(requests)) == set(range(1, 502)), 20)
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_events_total", result="delivered") == 500, 20)
    assert stream.dead() == []


def test_every_row_has_a_scenario():
    here = Path(__file__).parent
    names = [name for file in [*here.glob("test_dispatcher*.py"), here / "test_eventbridge.py"]
             for name in re.findall(r"^def test_((?:[dn]\d+_)+)", file.read_text(), re.M)]
    assert {row for name in names for row in name.split("_") if row} == set(ROWS)
