# SPDX-License-Identifier: Apache-2.0
"""OpenFaaS, end to end: which function receives which event how often, under all faults of functions and gateway."""
import json
import subprocess
import threading
from collections import Counter

import pytest

from lab.stream import event, subject
from lab.gateway import Gateway
from lab.process import BUILD, wait_until
from lab.receiver import Receiver

FAST = {"retry": {"initial": "20ms", "max": "100ms"}, "ackWait": "2s", "emptyGrace": "2s"}
NS = "openfaas-fn"


@pytest.fixture
def gateway():
    gateway = Gateway().start()
    yield gateway
    gateway.close()


def config(stream, gateway, block=None, **options):
    auth = {"type": "basic_auth", "basicAuth": {"username": gateway.user, "password": gateway.password}}
    return stream.config(
        {"type": "openfaas", "name": "of", "openfaas": {"address": gateway.url, "auth": auth, "refreshInterval": "1s",
                                                        **(block or {})}, **{**FAST, **options}})


def ids(keys):
    return [f"{k}-1700000000000" for k in keys]


def delivered(gateway, name, namespace=NS):
    return Counter(gateway.ids(f"{name}.{namespace}"))


def dead_letters(stream):
    """{(event id, function): reason}"""
    letters = Counter()
    reasons = {}
    for m in stream.dead():
        key = json.loads(m.data)["id"], m.headers["Vcourier-Target"]
        letters[key] += 1
        reasons[key] = m.headers["Vcourier-Reason"]
    assert all(n == 1 for n in letters.values()), letters
    return reasons


def test_topics_bodies_and_headers(lab, stream, gateway):
    gateway.namespaces.append("other")
    gateway.deploy("on", "VmPoweredOnEvent")
    gateway.deploy("both", "VmPoweredOffEvent, VmPoweredOnEvent")
    gateway.deploy("on", "VmPoweredOnEvent", namespace="other")
    gateway.deploy("none")
    gateway.deploy("odd", annotations="topic")
    gateway.deploy("ha", "com.vmware.vc.HA.X")
    dispatcher = lab.dispatcher(config(stream, gateway)).wait_ready()
    on = stream.publish(3)
    off = stream.publish(2, "VmPoweredOffEvent")
    ha = stream.publish(1, "com.vmware.vc.HA.X")
    nobody = stream.publish(4, "VmCreatedEvent")
    stream.idle("of")
    assert delivered(gateway, "on") == delivered(gateway, "on", "other") == Counter(ids(on))
    assert delivered(gateway, "both") == Counter(ids([*on, *off]))
    assert delivered(gateway, "ha") == Counter(ids(ha))
    assert len(gateway.calls) == 3 * 3 + 2 + 1
    metric = dispatcher.metric
    assert metric("vcourier_dispatcher_events_total", result="delivered") == len(on) + len(off) + len(ha)
    assert metric("vcourier_dispatcher_events_total", result="filtered") == len(nobody)
    ages = [v for k, v in dispatcher.metrics().items() if k.startswith("vcourier_dispatcher_refresh_age_seconds")]
    assert len(ages) == 1 and 0 <= ages[0] < 30
    call = gateway.calls[0]
    assert call.headers["content-type"] == "application/cloudevents+json"
    assert call.headers["x-topic"] == call.event["subject"] == "VmPoweredOnEvent"
    assert call.headers["x-connector"] == "vcourier"
    assert call.headers["x-call-id"] == call.event["id"]
    assert "authorization" not in call.headers
    assert list(call.event)[:8] == ["specversion", "id", "source", "type", "subject", "datacontenttype", "time", "data"]


def test_fan_out_to_50_functions_of_which_3_fail(lab, stream, gateway):
    bad = {"f7", "f23", "f49"}
    for i in range(50):
        gateway.deploy(f"f{i}", "VmPoweredOnEvent", (lambda call: 500) if f"f{i}" in bad else None)
    dispatcher = lab.dispatcher(config(stream, gateway, retry={"initial": "20ms", "max": "100ms", "maxAge": "3s"})).wait_ready()
    events = ids(stream.publish(20))
    stream.idle("of")
    for i in range(50):
        want = Counter() if f"f{i}" in bad else Counter(events)
        assert delivered(gateway, f"f{i}") == want, f"f{i}"
    assert dead_letters(stream) == {(e, f"{f}.{NS}"): "gave_up" for e in events for f in bad}
    assert dispatcher.metric("vcourier_dispatcher_events_total", result="dead") == 20


def test_a_retry_goes_to_the_function_that_failed(lab, stream, gateway):
    tries = Counter()

    def flaky(call):
        tries[call.id] += 1
        return 200 if tries[call.id] > 2 else 503

    gateway.deploy("good", "VmPoweredOnEvent")
    gateway.deploy("flaky", "VmPoweredOnEvent", flaky)
    lab.dispatcher(config(stream, gateway))
    events = ids(stream.publish(4))
    stream.idle("of")
    assert delivered(gateway, "good") == delivered(gateway, "flaky") == Counter(events)
    assert all(n == 3 for n in tries.values())
    assert len(gateway.ids(f"good.{NS}", ok=False)) == 4
    assert not stream.dead()


def test_a_rejected_event_is_a_dead_letter_of_that_function(lab, stream, gateway):
    gateway.deploy("good", "VmPoweredOnEvent")
    gateway.deploy("picky", "VmPoweredOnEvent", lambda call: (400, "no") if call.id.startswith("2-") else 200)
    lab.dispatcher(config(stream, gateway))
    events = ids(stream.publish(5))
    stream.idle("of")
    assert delivered(gateway, "good") == Counter(events)
    assert delivered(gateway, "picky") == Counter(e for e in events if not e.startswith("2-"))
    assert dead_letters(stream) == {(events[1], f"picky.{NS}"): "rejected"}
    assert [m.headers["Vcourier-Error"] for m in stream.dead()] == ["HTTP 400: no"]


def test_a_function_that_temporarily_refuses_everything(lab, stream, gateway):
    """Its new image is starting: each target has its own grace time, and other functions are not delayed."""
    starting = threading.Event()
    starting.set()
    gateway.deploy("good", "VmPoweredOnEvent")
    gateway.deploy("new", "VmPoweredOnEvent", lambda call: 415 if starting.is_set() else 200)
    dispatcher = lab.dispatcher(config(stream, gateway))
    events = ids(stream.publish(30))
    gateway.wait(lambda g: len(g.ids(f"good.{NS}")) >= 30 and len(g.ids(f"new.{NS}", ok=False)) >= 8)
    starting.clear()
    stream.idle("of")
    assert delivered(gateway, "good") == delivered(gateway, "new") == Counter(events)
    assert not stream.dead() and dispatcher.metric("vcourier_dispatcher_events_total", result="delivered") == 30


@pytest.mark.parametrize("slow_ones", [1, 6])
def test_slow_functions_delay_no_other(lab, stream, gateway, slow_ones):
    release = threading.Event()
    for i in range(slow_ones):
        gateway.deploy(f"slow{i}", "VmPoweredOnEvent", lambda call: 200 if release.wait(120) else 500)
    gateway.deploy("quick", "VmPoweredOnEvent,VmPoweredOffEvent")
    lab.dispatcher(config(stream, gateway, concurrency=16, timeout="100s"))
    events = ids([*stream.publish(200), *stream.publish(100, "VmPoweredOffEvent")])
    gateway.wait(lambda g: len(g.ids(f"quick.{NS}")) >= 300)
    assert delivered(gateway, "quick") == Counter(events)
    assert not any(delivered(gateway, f"slow{i}") for i in range(slow_ones))
    release.set()
    stream.idle("of", timeout=120)
    for i in range(slow_ones):
        assert delivered(gateway, f"slow{i}") == Counter(events[:200])
    assert delivered(gateway, "quick") == Counter(events)


@pytest.mark.parametrize("status", [500, 429])
def test_a_failing_function_does_not_stop_others(lab, stream, gateway, status):
    """Far more events than fit into the window wait for it, while the other functions receive theirs."""
    gateway.deploy("bad", "VmPoweredOnEvent", lambda call: status)
    gateway.deploy("good", "VmPoweredOffEvent")
    lab.dispatcher(config(stream, gateway, concurrency=4))
    stream.publish(300)
    want = ids(stream.publish(50, "VmPoweredOffEvent"))
    gateway.wait(lambda g: len(g.ids(f"good.{NS}")) >= 50)
    assert delivered(gateway, "good") == Counter(want)
    assert not stream.dead()


def test_the_backlog_of_a_failing_function_becomes_dead_letters(lab, stream, gateway):
    """Half of the events fail in one function, and they exceed the buffer. No other function is delayed."""
    broken = threading.Event()
    broken.set()

    def even_fails(call):
        return 500 if broken.is_set() and int(call.event["eventkey"]) % 2 == 0 else 200

    gateway.deploy("half", "VmPoweredOnEvent", even_fails)
    gateway.deploy("good", "VmPoweredOnEvent")
    dispatcher = lab.dispatcher(config(stream, gateway, bufferSize="1MiB"))
    events = Counter(ids(stream.publish(200, data={"Padding": "x" * 20000})))
    gateway.wait(lambda g: len(g.ids(f"good.{NS}")) == 200)
    assert delivered(gateway, "good") == events
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_waiting") > 0, what="waiting events are counted")
    broken.clear()
    stream.idle("of", timeout=120)
    assert delivered(gateway, "good") == events
    dead = dead_letters(stream)
    assert set(dead.values()) == {"backlog"} and {f for _, f in dead} == {f"half.{NS}"}
    assert delivered(gateway, "half") + Counter(e for e, _ in dead) == events


def test_a_busy_function_is_not_overloaded(lab, stream, gateway):
    """of-watchdog's own limit: it replies 429 above it, and the event is retried."""
    limited = gateway.deploy("limited", "VmPoweredOnEvent", max_inflight=2)
    lab.dispatcher(config(stream, gateway))
    events = ids(stream.publish(100))
    stream.idle("of")
    assert delivered(gateway, "limited") == Counter(events)
    assert limited.peak <= 2 and not stream.dead()


def test_kill_during_fan_out(lab, stream, gateway):
    names = [f"f{i}" for i in range(10)]
    for name in names:
        gateway.deploy(name, "VmPoweredOnEvent")
    dispatcher = lab.dispatcher(config(stream, gateway, concurrency=16))
    events = ids(stream.publish(300))
    kills = 4
    for i in range(kills):
        gateway.wait(lambda g: len(g.calls) > 500 * (i + 1))
        dispatcher.kill()
        dispatcher.start()
    stream.idle("of", timeout=120)
    for name in names:
        got = delivered(gateway, name)
        assert set(got) == set(events), f"{name} missed {sorted(set(events) - set(got))[:5]}"
    assert not stream.dead()


def test_a_wrong_password_causes_no_dead_letters(lab, stream, gateway, tmp_path):
    password = tmp_path / "password"
    password.write_text("not-this-one\n")
    password.chmod(0o600)
    gateway.deploy("f", "VmPoweredOnEvent")
    gateway.auth_invoke = True
    auth = {"type": "basic_auth", "basicAuth": {"username": "admin", "passwordFile": str(password)}}
    dispatcher = lab.dispatcher(config(stream, gateway, {"auth": auth, "authInvoke": True}, retry={
        "initial": "20ms", "max": "100ms", "maxAge": "1s"}))
    events = ids(stream.publish(10))
    wait_until(lambda: "refuses our credentials" in dispatcher.get("/readyz")[1], what="the reason on /readyz")
    assert dispatcher.get("/readyz")[0] == 503
    assert not gateway.calls
    password.write_text(gateway.password + "\n")
    stream.idle("of")
    assert delivered(gateway, "f") == Counter(events)
    dispatcher.wait_ready()
    assert not stream.dead()
    assert "not-this-one" not in dispatcher.text() and gateway.password not in dispatcher.text()


def html(handler):
    if handler.command != "GET":
        return False
    handler.answer(200, "<html>Please sign in</html>", [("Content-Type", "text/html")])
    return True


def vanish_in_mid_list(handler):
    if "/system/functions" not in handler.path:
        return False
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b'[{"name":"f","annotations":{"topic":"VmPowe')
    handler.close_connection = True
    return True


def unauthorized(handler):
    if handler.command == "GET":
        handler.unauthorized()
    return handler.command == "GET"


@pytest.mark.parametrize("fault, reason", [(html, "not JSON"), (vanish_in_mid_list, "is incomplete"),
                                           (unauthorized, "refuses our credentials")])
def test_the_last_good_function_map_stays_in_use(lab, stream, gateway, fault, reason):
    gateway.deploy("f", "VmPoweredOnEvent")
    dispatcher = lab.dispatcher(config(stream, gateway)).wait_ready()
    before = ids(stream.publish(5))
    gateway.fault = fault
    wait_until(lambda: reason in dispatcher.get("/readyz")[1], what=f"{reason} on /readyz")
    during = ids(stream.publish(5))
    stream.idle("of")
    assert delivered(gateway, "f") == Counter(before + during)
    gateway.fault = None
    gateway.deploy("g", "VmPoweredOffEvent")
    dispatcher.wait_ready()
    after = ids(stream.publish(1, "VmPoweredOffEvent"))
    stream.idle("of")
    assert delivered(gateway, "g") == Counter(after)


def test_the_gateway_stops_and_starts_again(lab, stream, gateway):
    gateway.deploy("f", "VmPoweredOnEvent")
    gateway.deploy("g", "VmPoweredOnEvent")
    dispatcher = lab.dispatcher(config(stream, gateway, retry={"initial": "20ms", "max": "100ms", "maxAge": "60s"})).wait_ready()
    events = ids(stream.publish(20))
    stream.idle("of")
    gateway.close()
    events += ids(stream.publish(500))
    wait_until(lambda: dispatcher.lines("deliveries pause"), what="the pause")
    gateway.start()
    stream.idle("of", timeout=120)
    assert delivered(gateway, "f") == delivered(gateway, "g") == Counter(events)
    assert not stream.dead()


def test_a_function_that_is_removed(lab, stream, gateway):
    """404, then two lists without it, then it gets no more events. Events of other functions are not delayed."""
    gateway.deploy("stays", "VmPoweredOnEvent")
    gateway.deploy("goes", "VmPoweredOnEvent")
    dispatcher = lab.dispatcher(config(stream, gateway, {"refreshInterval": "1h"})).wait_ready()
    first = ids(stream.publish(3))
    stream.idle("of")
    gateway.remove("goes")
    then = ids(stream.publish(30))
    stream.idle("of")
    assert delivered(gateway, "stays") == Counter(first + then)
    assert delivered(gateway, "goes") == Counter(first)
    assert not stream.dead()
    assert dispatcher.metric("vcourier_dispatcher_events_total", result="delivered") == 33


def test_async_and_its_callback(lab, stream, gateway):
    callback = Receiver()
    gateway.deploy("f", "vm.powered.on", lambda call: (200, "result of " + call.id))
    lab.dispatcher(config(stream, gateway, {"async": True, "callbackUrl": callback.url + "/back", "topicStyle": "dotted"}))
    events = ids(stream.publish(5))
    stream.idle("of")
    callback.wait_count(5)
    assert all(c.is_async and c.status == 202 for c in gateway.calls)
    assert Counter(c.id for c in gateway.calls) == Counter(events)
    assert sorted(r.body.decode() for r in callback.requests) == sorted("result of " + e for e in events)
    assert {c.headers["x-topic"] for c in gateway.calls} == {"vm.powered.on"}
    callback.close()


def test_names_that_need_escaping(lab, stream, gateway):
    gateway.deploy("a_b-C.9", "VmPoweredOnEvent")
    gateway.deploy("sp ace/../x", "VmPoweredOffEvent")
    lab.dispatcher(config(stream, gateway))
    events = ids(stream.publish(2))
    stream.idle("of")
    assert delivered(gateway, "a_b-C.9") == Counter(events)
    stream.publish(1, "VmPoweredOffEvent")
    gateway.wait(lambda g: "/function/sp%20ace%2F..%2Fx.openfaas-fn" in g.seen)


def test_an_event_is_sent_again_to_one_function_only(lab, stream, gateway):
    """A message that names its target, as a redrive or a replay does, is sent to this function only."""
    gateway.deploy("a", "VmPoweredOnEvent")
    gateway.deploy("b", "VmPoweredOnEvent")
    lab.dispatcher(config(stream, gateway))
    first = ids(stream.publish(1))
    for i, target in ((8, f"b.{NS}"), (9, f"gone.{NS}")):
        stream.js.wire.publish(subject(), event(i), headers={
            "Content-Type": "application/cloudevents+json", "Nats-Msg-Id": f"again/{i}", "Vcourier-Target": target})
    last = ids(stream.publish(1))
    stream.idle("of")
    assert delivered(gateway, "a") == Counter(first + last)
    assert delivered(gateway, "b") == Counter(first + ids([8]) + last)


def test_a_function_deployed_later_gets_past_events(lab, stream, gateway):
    gateway.deploy("old", "VmPoweredOnEvent")
    dispatcher = lab.dispatcher(config(stream, gateway)).wait_ready()
    events = ids(stream.publish(20))
    stream.publish(5, "VmPoweredOffEvent")
    stream.idle("of")
    gateway.deploy("new", "VmPoweredOnEvent")
    listings = gateway.listings
    gateway.wait(lambda g: g.listings > listings + 1)
    run = subprocess.run([BUILD / "vcourier", "replay", "-c", dispatcher.file, "--dispatcher", "of", "--function", f"new.{NS}",
                          "--since", "2h"], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    gateway.wait(lambda g: len(g.ids(f"new.{NS}")) >= 20)
    last = ids(stream.publish(1))
    stream.idle("of")
    gateway.wait(lambda g: last[0] in g.ids(f"new.{NS}"))
    assert delivered(gateway, "new") == Counter(events + last)
    assert delivered(gateway, "old") == Counter(events + last)
    assert not stream.dead()


def test_dead_letters_of_a_function_are_sent_again_to_it_only(lab, stream, gateway):
    refuses = threading.Event()
    refuses.set()
    gateway.deploy("good", "VmPoweredOnEvent")
    gateway.deploy("picky", "VmPoweredOnEvent", lambda call: 400 if refuses.is_set() else 200)
    dispatcher = lab.dispatcher(config(stream, gateway, retry={"initial": "20ms", "max": "100ms", "rejectGrace": "300ms"}))
    events = ids(stream.publish(3))
    stream.idle("of")
    assert set(dead_letters(stream)) == {(e, f"picky.{NS}") for e in events}
    refuses.clear()
    run = subprocess.run([BUILD / "vcourier", "dead", "redrive", "-c", dispatcher.file, "--all"], capture_output=True, text=True,
                         timeout=60)
    assert run.returncode == 0, run.stderr
    gateway.wait(lambda g: len(g.ids(f"picky.{NS}")) >= 3)
    assert delivered(gateway, "good") == delivered(gateway, "picky") == Counter(events)
    assert not stream.dead()
