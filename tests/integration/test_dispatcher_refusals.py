# SPDX-License-Identifier: Apache-2.0
"""Faults of an event and faults of the destination: refused requests, and requests that cannot be encoded."""
import itertools
import random
import re
import threading
from collections import Counter

import pytest

from lab.stream import counters, got_202, keys, settle
from lab.kubernetes import Kubernetes
from lab.process import wait_until
from lab.receiver import Answer

FAST = {"retry": {"initial": "50ms", "max": "200ms"}, "ackWait": "2s"}


def balanced(dispatcher, stored):
    """Waits until all stored events are counted and none is pending. Returns the counters."""
    wait_until(lambda: counters(dispatcher)["all"] == stored and counters(dispatcher)["pending"] == 0, what=lambda: str(counters(dispatcher)))
    return counters(dispatcher)


def test_an_event_with_an_invalid_header_is_a_dead_letter_at_once(lab, stream):
    """Five of them in a row do not open the circuit of the destination."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    forged = stream.publish(6, datacontenttype="application/json\r\nX-Forged: yes")
    good = stream.publish(20)
    assert settle(stream, receiver, [*forged, *good]) == list(forged)
    assert {m.headers["Vcourier-Reason"] for m in stream.dead()} == {"unencodable"}
    assert sorted(keys(receiver.requests)) == list(good) and not any("x-forged" in r.headers for r in receiver.requests)
    assert dispatcher.metric("vcourier_dispatcher_circuit_opens_total") == 0
    assert balanced(dispatcher, 26)["dead"] == 6


def test_a_token_too_large_to_send_causes_no_dead_letters(lab, stream):
    """After a start there is no token yet, so nothing is sent. Later the last good token stays in use."""
    cluster = Kubernetes(lab.directory, lab.authority)
    lab.closers.append(cluster.close)
    cluster.padding = "x" * 100_000
    receiver = lab.receiver()
    destination = {"uri": receiver.url, "audience": "a", "kubernetes": cluster.options}
    config = stream.config("", **FAST)
    config["eventProcessor"]["knative"]["destination"] = destination
    dispatcher = lab.daemon("dispatcher", config)
    dispatcher.env = cluster.env
    dispatcher.start()
    want = stream.publish(5)
    wait_until(lambda: "bytes, more than the 16384 that fit a request" in dispatcher.get("/readyz")[1], what="/readyz names it")
    assert not receiver.requests and stream.dead() == []
    cluster.padding = ""
    assert settle(stream, receiver, want) == []
    assert {r.headers["authorization"][:12] for r in receiver.requests} == {"Bearer oidc-"}
    balanced(dispatcher, 5)


def test_invalid_credentials_pause_deliveries(lab, stream):
    receiver = lab.receiver()
    auth = {"type": "basic_auth", "basicAuth": {"username": "u" * 60_000, "password": "p"}}
    dispatcher = lab.dispatcher(stream.config(receiver.url, knative={"auth": auth}, **FAST))
    want = stream.publish(30)
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_circuit_state") == 2, what="deliveries pause")
    assert dispatcher.lines("deliveries pause.*credentials")
    wait_until(lambda: counters(dispatcher)["pending"] == counters(dispatcher)["all"] == len(want), what=lambda: str(counters(dispatcher)))
    assert not receiver.requests and stream.dead() == []


# ---- refusals that may be faults of the destination: rejectGrace


def reply_while(flag, answer):
    """A reply function for a receiver: `answer` while the flag is set."""
    return lambda request: Answer(**vars(answer)) if flag.is_set() else None


@pytest.mark.parametrize("status", [400, 413, 415, 422, 302, 307, 418, 403])
def test_a_destination_that_temporarily_refuses_everything(lab, stream, status):
    """A starting ingress, a firewall, a login page: each event is delivered later, once, and none becomes a dead letter."""
    closed = threading.Event()
    closed.set()
    receiver = lab.receiver(reply_while(closed, Answer(status, {"Location": "/login"}, b"<html>not now</html>")))
    dispatcher = lab.dispatcher(stream.config(receiver.url, concurrency=8, **FAST))
    want = stream.publish(60)
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_circuit_state") == 2, what="deliveries pause")
    tried = receiver.count
    assert 5 <= tried < 40, "it gets only probes"
    receiver.wait_for(lambda requests: len(requests) > tried + 3, what="probes")
    closed.clear()
    assert settle(stream, receiver, want, accepted=got_202) == []
    assert balanced(dispatcher, 60)["delivered"] == 60
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_circuit_state") == 0, what="deliveries run")


@pytest.mark.parametrize("concurrency", [1, 64])
def test_a_destination_that_starts_to_refuse_everything(lab, stream, concurrency):
    """Deliveries just before the refusals do not prove that the refused events are at fault."""
    closed = threading.Event()
    taken, lock = [], threading.Lock()

    def answer(request):
        with lock:
            if closed.is_set():
                return Answer(400, body=b"no route")
            taken.append(request)
            if len(taken) == 150:  # while requests are in progress
                closed.set()
        return Answer(hang=random.random() / 100)
    receiver = lab.receiver(answer)
    dispatcher = lab.dispatcher(stream.config(receiver.url, concurrency=concurrency, **FAST))
    want = stream.publish(500)
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_circuit_state") == 2, what="deliveries pause")
    receiver.wait_for(lambda requests: len(requests) > len(taken) + concurrency + 4, what="probes")
    closed.clear()
    stream.idle()
    assert stream.dead() == [] and sorted(keys(taken)) == list(want)
    assert balanced(dispatcher, 500)["delivered"] == 500


def test_a_destination_that_refuses_everything_after_a_restart(lab, stream):
    """The destination accepts events, stops, and refuses everything after its restart."""
    now = [None]
    receiver = lab.receiver(lambda request: now[0])
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    assert settle(stream, receiver, stream.publish(20)) == []
    now[0] = Answer(0)
    want = stream.publish(1)
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_errors_total") > 0, what="it breaks off")
    now[0] = Answer(400)
    tries = receiver.count
    receiver.wait_count(tries + 4)
    now[0] = None
    assert settle(stream, receiver, want, accepted=got_202) == []
    assert balanced(dispatcher, 21)["delivered"] == 21


def test_one_bad_event_among_others_costs_one_request(lab, stream):
    """With other events before and after it: no pause and no grace time."""
    receiver = lab.receiver(lambda request: Answer(422, body=b"no such field") if keys([request])[0] % 50 == 0 else None)
    dispatcher = lab.dispatcher(stream.config(receiver.url, concurrency=16, **FAST))
    want = stream.publish(410)
    assert settle(stream, receiver, want, accepted=lambda r: keys([r])[0] % 50) == [50, 100, 150, 200, 250, 300, 350, 400]
    assert {m.headers["Vcourier-Reason"] for m in stream.dead()} == {"rejected"}
    assert receiver.count <= 410 + 8, "requested at most twice"
    assert dispatcher.metric("vcourier_dispatcher_circuit_opens_total") == 0
    assert balanced(dispatcher, 410)["dead"] == 8


def test_a_lone_bad_event_is_a_dead_letter_after_the_grace(lab, stream):
    receiver = lab.receiver(lambda request: Answer(400, body=b"no") if keys([request]) == [1] else None)
    dispatcher = lab.dispatcher(stream.config(receiver.url, retry={"initial": "50ms", "max": "200ms", "rejectGrace": "1s"}))
    stream.publish(1)
    wait_until(stream.dead, what="the dead letter")
    tries = [r.at for r in receiver.requests]
    letter = stream.dead()[0]
    assert letter.headers["Vcourier-Reason"] == "rejected" and letter.headers["Vcourier-Status"] == "400"
    assert int(letter.headers["Vcourier-Attempts"]) == len(tries) > 2 and tries[-1] - tries[0] > 0.9
    assert settle(stream, receiver, stream.publish(3), accepted=lambda r: keys([r]) != [1]) == [1]
    assert balanced(dispatcher, 4)["dead"] == 1


def test_after_the_grace_the_flood_guard_limits_dead_letters(lab, stream):
    """A wrong setting: first no dead letters, then a few, never the whole stream."""
    receiver = lab.receiver(lambda request: Answer(400))
    dispatcher = lab.dispatcher(stream.config(receiver.url, concurrency=64, retry={
        "initial": "50ms", "max": "200ms", "rejectGrace": "1s"}))
    want = stream.publish(500)
    wait_until(lambda: len(stream.dead()) >= 3, what="dead letters, when the grace is over")
    receiver.answer = None
    dead = settle(stream, receiver, want, accepted=got_202, twice=1)
    assert 3 <= len(dead) <= 40
    assert balanced(dispatcher, 500)["dead"] == len(dead)


def test_without_a_grace_a_refused_event_is_a_dead_letter_at_once(lab, stream):
    receiver = lab.receiver(lambda request: Answer(400))
    dispatcher = lab.dispatcher(stream.config(receiver.url, retry={"rejectGrace": "0s"}))
    want = stream.publish(1)
    assert settle(stream, receiver, want, accepted=lambda r: False) == list(want)
    assert stream.dead()[0].headers["Vcourier-Attempts"] == "1" and balanced(dispatcher, 1)["dead"] == 1


@pytest.mark.parametrize("ordering", ["key", "strict"])
def test_a_bad_event_first_in_an_order_waits_for_the_grace_once(lab, stream, ordering):
    """It delays the events after it for the grace time, later bad events delay them only briefly, and no event waits forever."""
    bad = {3, 6, 9}
    receiver = lab.receiver(lambda request: Answer(400) if keys([request])[0] in bad else None)
    dispatcher = lab.dispatcher(stream.config(receiver.url, ordering=ordering, retry={
        "initial": "50ms", "max": "200ms", "rejectGrace": "2s"}))
    vm = {"Vm": {"Vm": {"Type": "VirtualMachine", "Value": "vm-1"}}}
    want = stream.publish(12, data=vm)
    assert settle(stream, receiver, want, accepted=lambda r: keys([r])[0] not in bad) == sorted(bad)
    tries = Counter(keys(receiver.requests))
    assert tries[3] > 2 and tries[6] == tries[9] == 2
    assert [k for k in keys(receiver.requests) if k not in bad] == [k for k in want if k not in bad]
    assert balanced(dispatcher, 12)["dead"] == 3


def test_413_for_an_event_smaller_than_accepted_ones(lab, stream):
    """A temporary size limit of a proxy: other events pass, but the refused event is not at fault."""
    small = threading.Event()
    receiver = lab.receiver(lambda request: Answer(413) if small.is_set() and len(request.body) > 4000 else None)
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    text = lambda n: lambda i: {"Key": i, "Text": "x" * n}
    assert settle(stream, receiver, stream.publish(2, data=text(30_000))) == []
    small.set()
    refused = stream.publish(2, data=text(8_000))
    passing = stream.publish(10, data=text(10))
    receiver.wait_for(lambda requests: min(Counter(keys(requests))[k] for k in refused) >= 4, what="they are tried again")
    passing = [*passing, *stream.publish(10, data=text(10))]
    receiver.wait_for(lambda requests: set(passing) <= set(keys(requests)), what="the others are accepted")
    small.clear()
    assert settle(stream, receiver, [*refused, *passing], accepted=got_202) == []
    assert balanced(dispatcher, 24)["delivered"] == 24


# ---- a circuit that flaps


def test_a_flapping_destination_is_logged_in_summaries(lab, stream):
    """Half of all requests fail. The counter has every pause; the log has two lines and then summaries."""
    turn, lock, half = itertools.count(), threading.Lock(), True

    def answer(request):
        with lock:
            n = next(turn)
        return Answer(503) if half and n // 8 % 2 else None  # eight requests fail, then eight succeed
    receiver = lab.receiver(answer)
    dispatcher = lab.dispatcher(stream.config(receiver.url, concurrency=16, retry={"initial": "10ms", "max": "20ms"}))
    want = stream.publish(2000)
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_circuit_opens_total") >= 20, what="it flaps")
    half = False
    stream.idle()
    assert set(want) <= set(keys(receiver.requests)) and stream.dead() == []
    opens = dispatcher.metric("vcourier_dispatcher_circuit_opens_total")
    assert balanced(dispatcher, 2000)["delivered"] == 2000
    assert dispatcher.stop() == 0
    single = dispatcher.lines("destination fails: deliveries pause")
    sums = [re.search(r"pauses=(\d+).* paused=(\w+)", line) for line in dispatcher.lines("again and again")]
    assert len(single) == 1 and len(dispatcher.lines("deliveries go on")) == 1 and 1 <= len(sums) <= 3
    assert len(single) + sum(int(m[1]) for m in sums) == opens
    assert sums[-1][2] == "false", "the last line has the current state"


def test_the_summary_names_the_status(lab, stream):
    """A pause soon after another one has no line of its own: a restart of the destination, which then refuses the token."""
    now = {"status": 503}
    receiver = lab.receiver(lambda request: Answer(now["status"]) if now["status"] else None)
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    stream.publish(5)
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_circuit_state") == 2, what="deliveries pause")
    now["status"] = None
    stream.idle()
    now["status"] = 403
    stream.publish(5)
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_circuit_opens_total") >= 2, what="deliveries pause again")
    assert dispatcher.stop() == 0
    last, = dispatcher.lines("again and again")
    assert "paused=true" in last and "status=403" in last, last
