# SPDX-License-Identifier: Apache-2.0
"""The watchdog: a dispatcher that stalls by its own fault logs this and restarts its loop. The faults come from
tests/toy/faults.c, which is not part of the product."""
from lab.process import wait_until
from lab.receiver import Answer

KIND = "toy"


def keys(requests):
    bodies = [r.json() for r in requests]  # an event, or a batch of events
    return [int(e["eventkey"]) for b in bodies for e in (b if isinstance(b, list) else [b])]


def start(lab, stream, receiver, fault, monkeypatch, **options):
    processor = {"type": KIND, "name": "kn", KIND: {"address": receiver.url}, "concurrency": 1,
                 "retry": {"initial": "20ms", "max": "100ms", "retry": 0, "maxAge": "1h"}, **options}
    monkeypatch.setenv("VCOURIER_TOY_FAULT", fault)
    config = stream.config(processor)
    return lab.daemon("toy-dispatcher", config, name="dispatcher").start().wait_ready()


def wait_for_stall(dispatcher, kind):
    assert dispatcher.metric("vcourier_dispatcher_stalls_total") == 0
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_stalls_total", kind=kind) == 1, 90, f"the watchdog: {kind}")
    line, = dispatcher.lines("the dispatcher has stopped")
    assert f"stopped={kind}" in line
    return line


def test_d18_a_paused_dispatcher_that_does_not_pull(lab, stream, monkeypatch):
    up = [False]
    receiver = lab.receiver(lambda request: Answer(200, body=b"202") if up[0] else Answer(503))
    dispatcher = start(lab, stream, receiver, "untried", monkeypatch)
    given_up = stream.publish(8)
    wait_until(lambda: len(stream.dead()) == len(given_up), 60, lambda: f"all given up: {len(stream.dead())} dead letters")
    up[0] = True
    stream.server.stop()  # the waiting pulls end with the connection
    stream.js.close()
    stream.server.start()
    good = stream.publish(5)
    line = wait_for_stall(dispatcher, "pull")
    assert "pending=5" in line and "held=0" in line and "untried=1" in line and "circuit_open=1" in line
    stream.idle()
    assert [k for k in keys(receiver.requests) if k not in given_up] == list(good)
    assert stream.dead_ids() == list(given_up)
    assert dispatcher.metric("vcourier_dispatcher_stalls_total") == 1


def test_d18_an_event_that_is_in_no_queue(lab, stream, monkeypatch):
    receiver = lab.receiver(lambda request: Answer(200, body=b"202"))
    dispatcher = start(lab, stream, receiver, "lost", monkeypatch)
    want = stream.publish(10)
    receiver.wait_count(9)
    line = wait_for_stall(dispatcher, "deliver")
    assert "held=1" in line and "in_flight=0" in line
    stream.idle()
    assert sorted(keys(receiver.requests)) == list(want) and stream.dead() == []
    assert dispatcher.metric("vcourier_dispatcher_stalls_total") == 1
