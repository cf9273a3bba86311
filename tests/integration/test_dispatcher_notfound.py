# SPDX-License-Identifier: Apache-2.0
""""Not found" is not accepted at once: the server may be a replica or a leader that lags."""
import threading
from collections import Counter

import pytest

from lab.stream import Stream, counters, keys
from lab.gateway import Gateway
from lab.process import wait_until
from lab.stand_in import StandIn, elections, not_found

FAST = {"retry": {"initial": "20ms", "max": "100ms"}, "ackWait": "5s"}
NS = "openfaas-fn"
DIRECT_GET = "$JS.API.DIRECT.GET.VC_lab"
STREAM_INFO = "$JS.API.STREAM.INFO.VC_lab"
MSG_GET = "$JS.API.STREAM.MSG.GET.VC_lab"


@pytest.fixture
def gateway():
    gateway = Gateway().start()
    yield gateway
    gateway.close()


class Waiting:
    """300 events wait for a failing function, without their bodies. Another function has received all of its events."""

    def __init__(self, lab, stream, gateway):
        self.stream, self.gateway, self.up = stream, gateway, threading.Event()
        gateway.deploy("bad", "VmPoweredOnEvent", lambda call: 200 if self.up.is_set() else 500)
        gateway.deploy("good", "VmPoweredOffEvent")
        auth = {"type": "basic_auth", "basicAuth": {"username": gateway.user, "password": gateway.password}}
        config = stream.config(
            {"type": "openfaas", "name": "of", "openfaas": {"address": gateway.url, "auth": auth}, "concurrency": 4, **FAST})
        self.dispatcher = lab.dispatcher(config)
        self.want = [f"{k}-1700000000000" for k in stream.publish(300)]
        others = [f"{k}-1700000000000" for k in stream.publish(50, "VmPoweredOffEvent")]
        gateway.wait(lambda g: len(g.ids(f"good.{NS}")) >= len(others))
        self.all = len(self.want) + len(others)

    def delivered(self):
        return Counter(self.gateway.ids(f"bad.{NS}"))

    def settled(self):
        self.stream.idle("of")
        return counters(self.dispatcher)


def test_a_lagging_replica_does_not_find_an_event(lab, stream, gateway):
    waiting = Waiting(lab, stream, gateway)
    replica = StandIn([stream.server], {DIRECT_GET: lambda request: "404 Message Not Found"})
    waiting.up.set()
    replica.wait_asked(DIRECT_GET, 100)
    replica.end()  # the replica has caught up
    ends = waiting.settled()
    assert waiting.delivered() == Counter(waiting.want)
    assert (ends["delivered"], ends["expired"]) == (waiting.all, 0)
    assert len(waiting.dispatcher.lines("does not find an event that waits here")) < 10


def test_a_diverged_replica_has_another_event_at_this_sequence(lab, stream, gateway):
    """The replica has diverged from the others. The event of the stream's leader is delivered."""
    waiting = Waiting(lab, stream, gateway)
    wrong = {"Nats-Stream": "VC_lab", "Nats-Time-Stamp": "2020-01-01T00:00:00Z", "Nats-Subject": "vc.lab.dc.cluster.info.event.X"}
    lines = "".join(f"\r\n{name}: {value}" for name, value in wrong.items())
    replica = StandIn([stream.server], {DIRECT_GET: lambda request: lines})
    waiting.up.set()
    replica.wait_asked(DIRECT_GET, 20)
    replica.end()
    ends = waiting.settled()
    assert waiting.delivered() == Counter(waiting.want)
    assert (ends["delivered"], ends["expired"]) == (waiting.all, 0)


def test_events_that_left_the_stream_are_counted(lab, stream, gateway):
    """Events that were removed, at the beginning of the stream and in the middle, are counted as expired and not awaited."""
    waiting = Waiting(lab, stream, gateway)
    stream.js.api("STREAM.PURGE.VC_lab", {"seq": 101})
    for seq in (150, 200, 201, 202):
        stream.js.api("STREAM.MSG.DELETE.VC_lab", {"seq": seq})
    waiting.up.set()
    ends = waiting.settled()
    wait_until(lambda: counters(waiting.dispatcher)["all"] == waiting.all, 60, lambda: counters(waiting.dispatcher))
    ends = counters(waiting.dispatcher)
    still = [e for n, e in enumerate(waiting.want, 1) if n > 100 and n not in (150, 200, 201, 202)]
    assert set(still) <= set(waiting.delivered())
    assert ends["delivered"] + ends["expired"] == waiting.all and ends["expired"] > 0
    assert ends["delivered"] == len(gateway.ids(f"bad.{NS}")) + 50


@pytest.fixture
def three(lab):
    stream = Stream(lab, lab.cluster(3)[0])
    stream.servers = [p for p in lab.processes]
    stream.make_stream(num_replicas=3)
    return stream


def clustered(stream, receiver, **more):
    config = stream.config(receiver.url, **FAST, **more)
    config["bus"] |= {"urls": [s.url for s in stream.servers], "stream": {"replicas": 3}, "deadLetters": {"replicas": 3}}
    return config


def test_a_lagging_leader_does_not_move_the_consumer(lab, three):
    """After an election, the leader reports for a short time that the stream ends before the delivered events."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(clustered(three, receiver)).wait_ready()
    want = [*three.publish(100)]
    three.idle()
    created = three.consumer()["created"]
    leader = StandIn(three.servers, {STREAM_INFO: elections(three.js.info("VC_lab"), 60), MSG_GET: lambda request: not_found()})
    leader.wait_asked(STREAM_INFO, 2)
    leader.end()
    want += three.publish(50)
    receiver.wait_for(lambda requests: set(want) <= set(keys(requests)), 60, "all events")
    three.idle()
    assert not dispatcher.lines("recreated")
    assert three.consumer()["created"] == created
    assert Counter(keys(receiver.requests)) == Counter(want)


def test_a_consumer_that_is_temporarily_not_found(lab, three):
    """The leader of the cluster has not read all of its log. A dispatcher that starts meanwhile skips no event."""
    receiver = lab.receiver()
    config = clustered(three, receiver, startFrom="now")
    dispatcher = lab.dispatcher(config).wait_ready()
    want = [*three.publish(20)]
    three.idle()
    dispatcher.stop()
    want += three.publish(30)
    created = three.consumer()["created"]
    asked = "$JS.API.CONSUMER.INFO.VC_lab.kn"
    create = "$JS.API.CONSUMER.DURABLE.CREATE.VC_lab.kn"
    leader = StandIn(three.servers, {asked: lambda request: not_found("consumer not found", 10014), create: lambda request: {},
                                     STREAM_INFO: elections(three.js.info("VC_lab"), 50)})
    dispatcher.start()
    leader.wait_asked(asked, 3)
    leader.end()
    assert not leader.asked[create]
    receiver.wait_for(lambda requests: set(want) <= set(keys(requests)), 60, "all events")
    three.idle()
    assert three.consumer()["created"] == created
    assert Counter(keys(receiver.requests)) == Counter(want)


def test_a_checkpoint_that_is_temporarily_not_found(lab, three):
    """Without the checkpoint the dispatcher could not detect a cut stream, so it delivers nothing until it has read it."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(clustered(three, receiver)).wait_ready()
    want = [*three.publish(20)]
    three.idle()
    wait_until(lambda: three.js.count("KV_vcourier-checkpoints"), what="the checkpoint is stored")
    dispatcher.stop()
    before = receiver.count
    want += three.publish(30)
    checkpoint = "$JS.API.STREAM.MSG.GET.KV_vcourier-checkpoints"
    leader = StandIn(three.servers, {checkpoint: lambda request: not_found(), STREAM_INFO: elections(three.js.info("VC_lab"), 50)})
    dispatcher.start()
    leader.wait_asked(checkpoint, 3)
    assert receiver.count == before
    leader.end()
    receiver.wait_for(lambda requests: set(want) <= set(keys(requests)), 60, "all events")
    three.idle()
    assert Counter(keys(receiver.requests)) == Counter(want)


def test_a_stream_that_is_temporarily_not_found(lab, three):
    """The stream is not created a second time."""
    receiver = lab.receiver()
    want = three.publish(20)
    create = "$JS.API.STREAM.CREATE.VC_lab"
    leader = StandIn(three.servers, {STREAM_INFO: lambda request: not_found("stream not found", 10059), create: lambda request: {}})
    lab.dispatcher(clustered(three, receiver))
    leader.wait_asked(STREAM_INFO, 4)
    leader.end()
    receiver.wait_for(lambda requests: set(want) <= set(keys(requests)), 60, "all events")
    assert not leader.asked[create]


def numbers(info, seq, leader, given=None):
    """The consumer info when everything up to this sequence is delivered and settled."""
    delivered = {"consumer_seq": given or seq, "stream_seq": seq}
    return {**info, "delivered": delivered, "ack_floor": {"consumer_seq": seq, "stream_seq": seq}, "num_pending": 0,
            "num_ack_pending": 0, "cluster": {"name": "lab", "leader": leader}}


def test_a_new_leader_of_the_consumer_lags(lab, stream):
    """According to its numbers, events that have left the stream were not delivered. In fact all were."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    stream.publish(100)
    stream.idle()
    info, subject = stream.consumer(), "$JS.API.CONSUMER.INFO.VC_lab.kn"
    said = [numbers(info, 100, "n1")]
    leader = StandIn([stream.server], {subject: lambda request: said[0]})
    leader.wait_asked(subject, 3)  # longer than the time after which it would be accepted
    stream.publish(100)
    receiver.wait_count(200)
    stream.js.api("STREAM.PURGE.VC_lab")
    said[0] = numbers(info, 150, "n2")
    leader.wait_asked(subject, len(leader.asked[subject]) + 2)
    said[0] = numbers(info, 200, "n2")
    leader.wait_asked(subject, len(leader.asked[subject]) + 4)
    assert counters(dispatcher)["expired"] == 0


def test_a_killed_server_forgets_its_deliveries(lab, stream):
    """The consumer then reports fewer deliveries than there were. Events that are still in the stream are not counted as expired."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    stream.publish(100)
    stream.idle()
    info, subject = stream.consumer(), "$JS.API.CONSUMER.INFO.VC_lab.kn"
    said = [numbers(info, 100, "n1")]
    consumer = StandIn([stream.server], {subject: lambda request: said[0]})
    consumer.wait_asked(subject, 3)
    stream.publish(100)
    receiver.wait_count(200)
    said[0] = numbers(info, 200, "n1", given=150)
    consumer.wait_asked(subject, len(consumer.asked[subject]) + 2)
    assert counters(dispatcher)["expired"] == 0
