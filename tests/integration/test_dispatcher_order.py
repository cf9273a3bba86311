# SPDX-License-Identifier: Apache-2.0
"""The dispatcher: several targets, filters, ordering, start position, several vCenters, reload."""
import signal
import threading
import time
from collections import Counter, defaultdict

import pytest

from lab.stream import PROVIDER, keys, settle
from lab.gateway import Gateway
from lab.process import wait_until
from lab.receiver import Answer

FAST = {"retry": {"initial": "50ms", "max": "200ms"}, "ackWait": "2s"}


@pytest.fixture
def gateway(lab):
    gateway = Gateway().start()
    lab.closers.append(gateway.close)
    return gateway


def openfaas(stream, gateway, **more):
    auth = {"type": "basic_auth", "basicAuth": {"username": "admin", "password": "secret"}}
    block = {"address": gateway.url, "auth": auth, "refreshInterval": "1s"}
    return stream.config({"type": "openfaas", "name": "kn", "openfaas": block} | more)


def ids(numbers):
    return sorted(f"{n}-1700000000000" for n in numbers)


def test_a_retry_goes_only_to_the_function_that_failed(lab, stream, gateway):
    failed = Counter()

    def flaky(call):
        failed[call.id] += 1
        return 500 if failed[call.id] <= 2 else 200
    gateway.deploy("good", "VmPoweredOnEvent")
    gateway.deploy("flaky", "VmPoweredOnEvent", flaky)
    dispatcher = lab.dispatcher(openfaas(stream, gateway, **FAST))
    want = stream.publish(30)
    stream.idle()
    assert sorted(gateway.ids("good.openfaas-fn")) == ids(want) == sorted(gateway.ids("flaky.openfaas-fn"))
    assert dispatcher.metric("vcourier_dispatcher_events_total", result="delivered") == 30


def test_a_rejecting_function_gets_its_own_dead_letter(lab, stream, gateway):
    gateway.deploy("good", "VmPoweredOnEvent")
    gateway.deploy("picky", "VmPoweredOnEvent", lambda call: 400 if call.id.startswith("7-") else 200)
    lab.dispatcher(openfaas(stream, gateway, **FAST))
    want = stream.publish(10)
    stream.idle()
    assert sorted(gateway.ids("good.openfaas-fn")) == ids(want)
    [letter] = stream.dead()
    assert letter.headers["Vcourier-Target"] == "picky.openfaas-fn" or letter.headers["Vcourier-Target"] == "picky"
    assert letter.headers["Vcourier-Sequence"] == "7"


def test_a_failing_function_delays_no_other(lab, stream, gateway):
    """More events for it than fit in memory. Their bodies are dropped from memory, and they are delivered when it recovers."""
    alive = threading.Event()
    gateway.deploy("good", "VmPoweredOffEvent")
    gateway.deploy("broken", "VmPoweredOnEvent", lambda call: 200 if alive.is_set() else 503)
    dispatcher = lab.dispatcher(openfaas(stream, gateway, concurrency=8, **FAST))
    for _ in range(10):
        stream.publish(100, "VmPoweredOnEvent")
        stream.publish(10, "VmPoweredOffEvent")
    gateway.wait(lambda g: len(g.ids("good.openfaas-fn")) == 100, 30)
    assert gateway.ids("broken.openfaas-fn") == []
    alive.set()
    stream.idle(timeout=90)
    assert len(gateway.ids("broken.openfaas-fn")) == len(set(gateway.ids("broken.openfaas-fn"))) == 1000
    assert len(gateway.ids("good.openfaas-fn")) == 100
    assert dispatcher.metric("vcourier_dispatcher_redelivered_total") == 0
    assert stream.dead() == []


def test_a_slow_function_delays_no_other(lab, stream, gateway):
    release = threading.Event()
    gateway.deploy("fast", "VmPoweredOffEvent")
    gateway.deploy("slow", "VmPoweredOnEvent", lambda call: 200 if release.wait(30) else 500)
    lab.dispatcher(openfaas(stream, gateway, concurrency=16, **FAST))
    stream.publish(200, "VmPoweredOnEvent")
    stream.publish(50, "VmPoweredOffEvent")
    gateway.wait(lambda g: len(g.ids("fast.openfaas-fn")) == 50, 30)
    assert gateway.functions[("openfaas-fn", "slow")].peak <= 4, "a quarter of concurrency"
    release.set()
    stream.idle()
    assert len(gateway.ids("slow.openfaas-fn")) == 200


def test_an_event_without_a_function_is_filtered(lab, stream, gateway):
    gateway.deploy("other", "VmRemovedEvent")
    dispatcher = lab.dispatcher(openfaas(stream, gateway, **FAST))
    stream.publish(25)
    stream.idle()
    assert dispatcher.metric("vcourier_dispatcher_events_total", result="filtered") == 25


def test_the_gateway_is_down(lab, stream, gateway):
    gateway.deploy("good", "VmPoweredOnEvent")
    dispatcher = lab.dispatcher(openfaas(stream, gateway, **FAST)).wait_ready()
    gateway.close()
    want = stream.publish(300)
    wait_until(lambda: dispatcher.lines("destination does not answer"), 30, "it pauses")
    gateway.start()
    stream.idle()
    assert sorted(gateway.ids("good.openfaas-fn")) == ids(want)


def test_filter_by_pattern(lab, stream):
    receiver = lab.receiver()
    pattern = {"subject": [{"prefix": "VmPowered"}], "data": {"Key": [{"numeric": ["<=", 20]}]}}
    dispatcher = lab.dispatcher(stream.config(receiver.url, filter={"pattern": pattern}, **FAST))
    stream.publish(10, "VmPoweredOnEvent")
    stream.publish(10, "VmRemovedEvent")
    stream.publish(10, "VmPoweredOffEvent")
    stream.idle()
    assert sorted(keys(receiver.requests)) == [*range(1, 11)]
    assert dispatcher.metric("vcourier_dispatcher_events_total", result="filtered") == 20


def test_filter_by_subject_is_applied_by_the_server(lab, stream):
    receiver = lab.receiver()
    lab.dispatcher(stream.config(receiver.url, filter={"subject": "vc.*.*.*.*.eventex.com.vmware.vc.HA.>"}, **FAST))
    stream.publish(10, "VmPoweredOnEvent")
    want = stream.publish(10, "com.vmware.vc.HA.DasHostFailedEvent")
    assert settle(stream, receiver, want) == []
    assert sorted(keys(receiver.requests)) == [*want]
    assert stream.consumer()["delivered"]["consumer_seq"] == 10


def vm(n):
    return {"Key": n, "Vm": {"Name": "x", "Vm": {"Type": "VirtualMachine", "Value": f"vm-{n % 5}"}}}


def test_ordering_by_key(lab, stream):
    """The events of each VM arrive in order although some fail at first, and different VMs in parallel."""
    tries, now, peak, lock = Counter(), [0], [0], threading.Lock()

    def answer(request):
        key = request.headers["ce-eventkey"]
        with lock:
            tries[key] += 1
            now[0] += 1
            peak[0] = max(peak[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1
        return Answer(503 if int(key) % 7 == 0 and tries[key] == 1 else 202)
    receiver = lab.receiver(answer)
    stream.publish(200, data=vm)
    lab.dispatcher(stream.config(receiver.url, ordering="key", **FAST))
    stream.idle()
    order = defaultdict(list)
    for key in keys(receiver.requests):
        order[key % 5].append(key)
    for seen in order.values():
        assert list(dict.fromkeys(seen)) == sorted(set(seen))
    assert peak[0] > 1


def test_strict_ordering(lab, stream):
    tries = Counter()

    def answer(request):
        tries[request.headers["ce-eventkey"]] += 1
        return Answer(503 if int(request.headers["ce-eventkey"]) % 10 == 0 and tries[request.headers["ce-eventkey"]] < 3 else 202)
    receiver = lab.receiver(answer)
    want = stream.publish(100)
    lab.dispatcher(stream.config(receiver.url, ordering="strict", **FAST))
    stream.idle()
    assert list(dict.fromkeys(keys(receiver.requests))) == [*want]
    assert keys(receiver.requests) == sorted(keys(receiver.requests))


@pytest.mark.parametrize("start", ["now", "earliest", "time"])
def test_where_a_new_dispatcher_starts(lab, stream, start):
    receiver = lab.receiver()
    early = stream.publish(10)
    time.sleep(0.01)
    middle = time.time()
    late = stream.publish(10)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(middle)) + f".{int(middle % 1 * 1000000):06}Z"
    lab.dispatcher(stream.config(receiver.url, startFrom=text if start == "time" else start, **FAST)).wait_ready()
    new = stream.publish(10)
    want = {"now": [*new], "time": [*late, *new], "earliest": [*early, *late, *new]}[start]
    assert settle(stream, receiver, want) == []
    assert sorted(keys(receiver.requests)) == want


def test_several_vcenters(lab, stream):
    receiver = lab.receiver()
    stream.make_stream("VC_b", "b")
    want = [*stream.publish(100), *stream.publish(100, vcenter="b")]
    lab.dispatcher(stream.config(receiver.url, providers=[PROVIDER, PROVIDER | {"name": "b"}], **FAST))
    stream.idle(stream="VC_b")
    assert settle(stream, receiver, want) == []


def test_reload_loses_and_repeats_nothing(lab, stream):
    old, new = lab.receiver(lambda request: Answer(hang=0.05)), lab.receiver()
    dispatcher = lab.dispatcher(stream.config(old.url, concurrency=8, **FAST))
    want = stream.publish(300)
    old.wait_count(50)
    dispatcher.configure(stream.config(new.url, concurrency=8, **FAST))
    dispatcher.signal(signal.SIGHUP)
    stream.idle()
    got = Counter(keys(old.requests)) + Counter(keys(new.requests))
    assert set(got) == set(want) and set(got.values()) == {1} and new.count > 0
    assert dispatcher.running()
