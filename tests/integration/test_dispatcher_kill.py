# SPDX-License-Identifier: Apache-2.0
"""D1, D2: a dispatcher that stops returns its events, and a killed one repeats at most `concurrency` deliveries.
A delivery counts as in flight until the server has confirmed its ack, because it would be repeated until then."""
import os

from lab.stream import settle
from lab.process import wait_until
from lab.proxy import Proxy
from lab.receiver import Answer

FAST = {"retry": {"initial": "50ms", "max": "200ms", "maxDeliveries": 1000}, "ackWait": "1s"}


def test_d1_kill_during_a_delivery(lab, stream):
    receiver = lab.receiver(lambda request: Answer(hang=0.05))
    dispatcher = lab.dispatcher(stream.config(receiver.url, concurrency=16, **FAST))
    want = stream.publish(400)
    kills = 3
    for i in range(kills):
        receiver.wait_count(100 * (i + 1))
        dispatcher.kill()
        dispatcher.start()
    assert settle(stream, receiver, want, twice=16 * kills) == []


def test_d1_kill_at_random_times(lab, stream):
    receiver = lab.receiver(lambda request: Answer(hang=0.01))
    dispatcher = lab.dispatcher(stream.config(receiver.url, concurrency=8, **FAST))
    limit = int(os.environ.get("KILLS", "20"))  # 100 in long runs by hand
    want = stream.publish(150 * limit)
    kills = 0
    while kills < limit and receiver.count < 125 * limit:
        receiver.wait_count(receiver.count + 1 + kills * 7 % 40)
        dispatcher.kill()
        dispatcher.start()
        kills += 1
    assert settle(stream, receiver, want, twice=8 * kills, timeout=300) == []
    assert kills == limit


def test_d1_kill_while_acks_are_delayed(lab, stream):
    """The backend replies, but no ack reaches the server: only the events delivered meanwhile are repeated."""
    proxy = Proxy(stream.server.port)
    lab.closers.append(proxy.close)
    receiver = lab.receiver()
    config = stream.config(receiver.url, concurrency=4, **FAST)
    config["bus"]["urls"] = [f"nats://127.0.0.1:{proxy.port}"]
    dispatcher = lab.dispatcher(config).wait_ready()

    def freeze(request):
        proxy.frozen = True
        return Answer()
    receiver.answer = freeze
    want = stream.publish(100)
    receiver.wait_count(4)
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_in_flight") == 0, what="no new request starts without acks")
    dispatcher.kill()
    receiver.answer = None
    proxy.frozen = False
    dispatcher.start()
    assert settle(stream, receiver, want, twice=4) == []


def test_d2_sigterm_under_load_returns_all_events(lab, stream):
    """Events held by a stopping replica go to the others at once. They must not wait for ack_wait, which is very long here."""
    receiver = lab.receiver(lambda request: Answer(hang=0.002))
    config = stream.config(receiver.url, concurrency=8, ackWait="30m")
    stays = lab.dispatcher(config, name="stays").wait_ready()
    goes = lab.dispatcher(config, name="goes")
    want = []
    for _ in range(12):
        goes.wait_ready()
        want += stream.publish(150)
        receiver.wait_count(len(want) - 120)
        assert goes.stop() == 0
        goes.start()
    assert goes.wait_ready().stop() == 0
    assert settle(stream, receiver, want, twice=0) == []
    assert stays.running()
