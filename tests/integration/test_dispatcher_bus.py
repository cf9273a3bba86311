# SPDX-License-Identifier: Apache-2.0
"""The dispatcher and NATS: scenarios N1 to N6 and N9 to N12. Each ends with a check that every event is accounted for."""
import json
import re
import signal
import threading
import time
from datetime import datetime, timedelta

import pytest

from lab.disk import small_disk
from lab.stream import SECOND, Stream, counters, event, got_202, keys, settle, subject
from lab.process import wait_until
from lab.proxy import Proxy
from lab.receiver import Answer

FAST = {"retry": {"initial": "50ms", "max": "200ms"}, "ackWait": "2s"}
# A refused event that comes last, when no later one proves that the destination is well, is a dead letter after rejectGrace.
ALONE = FAST | {"retry": FAST["retry"] | {"rejectGrace": "1s"}}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_n1_the_server_restarts(lab, stream, how):
    receiver = lab.receiver(lambda request: Answer(hang=0.02))
    lab.dispatcher(stream.config(receiver.url, concurrency=16, **FAST))
    want = stream.publish(1500)
    for i in range(3):
        receiver.wait_count(300 * (i + 1))
        stream.server.signal(how)
        stream.server.wait()
        stream.js.close()
        stream.server.start()
    assert settle(stream, receiver, want, twice=3 * 16) == []


def test_n2_n3_a_cluster_loses_its_leader_and_its_quorum(lab):
    servers = lab.cluster(3)
    stream = Stream(lab, servers[0])
    stream.make_stream(num_replicas=3)
    receiver = lab.receiver(lambda request: Answer(hang=0.01))
    config = stream.config(receiver.url, concurrency=16, **FAST)
    config["bus"] |= {"urls": [s.url for s in servers], "stream": {"replicas": 3}, "deadLetters": {"replicas": 3}}
    lab.dispatcher(config).wait_ready()
    want = [*stream.publish(500)]
    receiver.wait_count(100)
    leader = stream.js.info("VC_lab")["cluster"]["leader"]
    victim = next(s for s in servers if s.name == leader)
    alive = next(s for s in servers if s is not victim)
    victim.kill()
    stream.server, stream.js.server = alive, alive
    stream.js.close()
    receiver.wait_count(500)
    other = next(s for s in servers if s not in (victim, alive))
    other.kill()  # the quorum is lost
    victim.start()
    other.start()
    stream.js.close()
    wait_until(lambda: stream.js.whole("VC_lab"), 120, "the cluster is whole again")
    want += stream.publish(100)
    assert settle(stream, receiver, want, twice=3 * 16, timeout=90) == []


def test_n4_the_disk_is_full(lab, tmp_path):
    """The store is full: acknowledgements continue or wait, and no event is lost."""
    with small_disk(tmp_path / "small", "8m") as store:
        server = lab.nats(store=store / "js")
        stream = Stream(lab, server)
        stream.make_stream(max_bytes=-1)
        receiver = lab.receiver(lambda request: Answer(400 if int(request.headers["ce-eventkey"]) % 50 == 25 else 202, hang=0.02))
        config = stream.config(receiver.url, bus={"stream": {"maxBytes": "1MiB"}, "deadLetters": {"maxBytes": "1MiB"}},
                               concurrency=4, **ALONE)
        dispatcher = lab.dispatcher(config).wait_ready()
        want = stream.publish(300)
        receiver.wait_count(20)
        filler = store / "filler"
        with open(filler, "wb", buffering=0) as f:
            try:
                while f.write(b"x" * 65536):
                    pass
            except OSError:
                pass
        wait_until(lambda: dispatcher.lines("dead letter not stored"), 60, "the disk is full")
        filler.unlink()
        server.stop()  # 2.9 needs a restart
        stream.js.close()
        server.start()
        dead = settle(stream, receiver, want, accepted=lambda r: int(r.headers["ce-eventkey"]) % 50 != 25, twice=300)
        assert dead == [25, 75, 125, 175, 225, 275]
        for process in reversed(lab.processes):
            process.stop()


def test_dead_letters_refused_by_a_full_stream_of_three_replicas(lab):
    """
    nats-server 2.10 and 2.11 remember the ids of the dead letters that they refused, until the end of the duplicate window. They are stored all the
    same once there is space, also by a dispatcher that has been started again and does not know that they were refused.
    """
    stream = Stream(lab, lab.cluster(3)[0])
    stream.make_stream(num_replicas=3)
    receiver = lab.receiver(lambda request: Answer(400))
    config = stream.config(receiver.url, **ALONE)
    config["bus"] |= {"stream": {"replicas": 3}, "deadLetters": {"replicas": 3}}
    dispatcher = lab.dispatcher(config).wait_ready()
    full = stream.js.info("VCDEAD")["config"]
    stream.js.api("STREAM.UPDATE.VCDEAD", {**full, "max_msgs": 3})
    want = [*stream.publish(5)]
    wait_until(lambda: dispatcher.lines("dead letter not stored"), 60, "the stream is full")
    stream.js.api("STREAM.UPDATE.VCDEAD", full)
    wait_until(lambda: dispatcher.lines("dead letters are stored again"), 60, "there is space")
    stream.js.api("STREAM.UPDATE.VCDEAD", {**full, "max_msgs": stream.js.count("VCDEAD")})
    want += stream.publish(5)
    wait_until(lambda: len(dispatcher.lines("dead letter not stored")) == 2, 60, "the stream is full again")
    dispatcher.kill()
    stream.js.api("STREAM.UPDATE.VCDEAD", full)
    dispatcher.start()
    assert settle(stream, receiver, want, accepted=lambda r: False, twice=5, timeout=120) == list(range(1, 11))


PAD = {"FullFormattedMessage": "x" * 2000}


def test_n5_a_full_stream_drops_its_oldest(lab, stream):
    """whenFull: dropOldest while the backend is down: dropped events are counted, the others are delivered."""
    stream.js.api("STREAM.UPDATE.VC_lab", {**stream.js.info("VC_lab")["config"], "max_bytes": 1 << 20})
    down = [True]
    receiver = lab.receiver(lambda request: Answer(503 if down[0] else 202))
    dispatcher = lab.dispatcher(stream.config(receiver.url, bus={"stream": {"maxBytes": "1MiB"}}, concurrency=4, **FAST)).wait_ready()
    stream.publish(100)
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_circuit_state") == 2, what="the backend is down")
    want = stream.publish(1900, data=PAD)
    first = stream.js.info("VC_lab")["state"]["first_seq"]
    assert first > 500, "the stream was full"
    down[0] = False
    settle(stream, receiver, [n for n in want if n >= first], accepted=got_202)
    wait_until(lambda: counters(dispatcher)["all"] == 2000 and counters(dispatcher)["pending"] == 0, 30, lambda: counters(dispatcher))
    assert 0 < counters(dispatcher)["expired"] < first


def test_n5_a_full_stream_refuses_the_new(lab, stream):
    """whenFull: pause: stored events are delivered, and the others once there is space."""
    stream.js.api("STREAM.UPDATE.VC_lab", {**stream.js.info("VC_lab")["config"], "max_bytes": 1 << 20, "discard": "new"})
    bus = {"stream": {"maxBytes": "1MiB", "whenFull": "pause"}}
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, bus=bus, **FAST)).wait_ready()
    wire, stored = stream.js.wire, 0
    while "error" not in (answer := wire.request(subject(), event(stored + 1, data=PAD)).json()):
        stored = answer["seq"]
    assert answer["error"]["err_code"] == 10077
    assert settle(stream, receiver, range(1, stored + 1)) == []
    stream.js.api("STREAM.UPDATE.VC_lab", {**stream.js.info("VC_lab")["config"], "max_bytes": 8 << 20})
    stream.published = stored
    want = stream.publish(50)
    assert settle(stream, receiver, want) == []
    assert dispatcher.metric("vcourier_dispatcher_events_total", result="delivered") == stored + 50


def test_n5_the_stream_of_dead_letters_is_full(lab, stream):
    """More dead letters than the stream accepts: their events stay pending, and the dead letters are stored later."""
    stream.js.api("STREAM.CREATE.VCDEAD", {"name": "VCDEAD", "subjects": ["vcdead.>"], "storage": "file", "retention": "limits",
                "discard": "new", "max_bytes": 8000, "num_replicas": 1})
    receiver = lab.receiver(lambda request: Answer(400 if int(request.headers["ce-eventkey"]) % 10 == 0 else 202))
    dispatcher = lab.dispatcher(stream.config(receiver.url, concurrency=4, **ALONE)).wait_ready()
    want = stream.publish(400)
    wait_until(lambda: dispatcher.lines("dead letter not stored"), what="the error is logged")
    assert dispatcher.get("/readyz")[0] == 503
    dispatcher.kill()
    dispatcher.start()
    wait_until(lambda: len(dispatcher.lines("dead letter not stored")) > 1, what="the error is logged again")
    some = len(stream.dead())
    assert 0 < some < 40
    stream.js.api("STREAM.UPDATE.VCDEAD", stream.js.info("VCDEAD")["config"] | {"max_bytes": 1 << 20})
    dead = settle(stream, receiver, want, accepted=lambda r: int(r.headers["ce-eventkey"]) % 10, twice=4)
    assert dead == [*range(10, 401, 10)], "each once, those stored before the kill too"
    dispatcher.wait_ready()


def test_n6_the_server_is_stopped_for_longer_than_ack_wait(lab, stream):
    receiver = lab.receiver(lambda request: Answer(hang=0.02))
    dispatcher = lab.dispatcher(stream.config(receiver.url, concurrency=8, **FAST))
    want = stream.publish(800)
    receiver.wait_count(100)
    stream.server.signal(signal.SIGSTOP)
    lab.closers.insert(0, lambda: stream.server.signal(signal.SIGCONT))
    # requests in flight end, their acks wait in the connection, and without a confirmation no new request starts
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_in_flight") == 0, 30, "deliveries pause")
    time.sleep(3)  # longer than ack_wait, as the test requires
    stream.server.signal(signal.SIGCONT)
    assert settle(stream, receiver, want, twice=8) == []


def test_x4_partition_between_dispatcher_and_bus(lab, stream):
    proxy = Proxy(stream.server.port)
    lab.closers.append(proxy.close)
    receiver = lab.receiver(lambda request: Answer(hang=0.01))
    config = stream.config(receiver.url, concurrency=8, **FAST)
    config["bus"]["urls"] = [f"nats://127.0.0.1:{proxy.port}"]
    dispatcher = lab.dispatcher(config)
    want = [*stream.publish(300)]
    for _ in range(3):
        receiver.wait_count(receiver.count + 20)
        proxy.reset()
        want += stream.publish(100)
    proxy.down()
    wait_until(lambda: dispatcher.get("/readyz")[0] == 503, 30, "the lost connection to NATS is logged")
    proxy.up()
    assert settle(stream, receiver, want, twice=4 * 8) == []


# as the dispatcher creates a stream, so it does not matter which of both comes first
AS_CONFIGURED = {"deny_delete": True, "deny_purge": True}


def test_n9_the_stream_is_recreated(lab, stream):
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    want = [*stream.publish(100)]
    receiver.wait_count(100)
    stream.js.api("STREAM.DELETE.VC_lab")
    stream.make_stream(**AS_CONFIGURED)
    want += stream.publish(60)
    receiver.wait_for(lambda requests: set(want) <= set(keys(requests)), 60, "the new stream's events")
    assert settle(stream, receiver, want, twice=0) == []
    assert dispatcher.running()


def test_n9_events_are_held_while_the_stream_is_recreated(lab, stream):
    """Sequences start again at 1, so settled and held events of the old stream are not confused with those of the new one."""
    slow = threading.Event()

    def answer(request):
        slow.wait(30)
        return Answer(202)
    receiver = lab.receiver(answer)
    dispatcher = lab.dispatcher(stream.config(receiver.url, concurrency=8, **FAST))
    old = [*stream.publish(20)]
    receiver.wait_count(8)
    stream.js.api("STREAM.DELETE.VC_lab")
    wait_until(lambda: "not found" in dispatcher.text(), what=dispatcher.text)
    stream.make_stream(**AS_CONFIGURED)
    new = [*stream.publish(40)]
    wait_until(lambda: "stream was recreated" in dispatcher.text(), what=dispatcher.text)
    slow.set()
    receiver.wait_for(lambda requests: set(new) <= set(keys(requests)), 60, "all of the new stream's events")
    stream.idle()
    assert set(old[:8]) <= set(keys(receiver.requests)), "and the held events"


def test_n10_the_consumer_is_deleted(lab, stream):
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    want = [*stream.publish(100)]
    receiver.wait_count(100)
    stream.idle()
    stream.js.delete_consumer("VC_lab", "kn")
    want += stream.publish(60)
    receiver.wait_for(lambda requests: set(want) <= set(keys(requests)), 60)
    assert settle(stream, receiver, want, twice=0) == [], "its checkpoint is known: no event is repeated"
    assert dispatcher.lines("consumer was removed")


def test_n10_the_stream_is_deleted(lab, stream):
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    stream.js.api("STREAM.DELETE.VC_lab")
    wait_until(lambda: "VC_lab" in stream.js.streams(), 30, "it exists again, as configured")
    missed = re.search(r"^ts=(\S+)Z .*not found", dispatcher.text(), re.M)[1]
    created = stream.js.api("STREAM.INFO.VC_lab")["created"].rstrip("Z")[:23]
    assert datetime.fromisoformat(created) - datetime.fromisoformat(missed) >= timedelta(milliseconds=200), \
        "not while nats-server may still be removing the old one, however often the ends of pulls request a check"
    want = stream.publish(20)
    assert settle(stream, receiver, want, twice=0) == []
    assert dispatcher.lines("stream was recreated")


def test_other_settings_of_a_consumer_are_logged_and_kept(lab, stream):
    stream.js.api("CONSUMER.DURABLE.CREATE.VC_lab.kn", {"stream_name": "VC_lab", "config": {
        "durable_name": "kn", "ack_policy": "explicit", "ack_wait": 7 * SECOND, "max_ack_pending": 5, "max_deliver": -1}})
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    want = stream.publish(100)
    assert settle(stream, receiver, want, twice=0) == []
    assert dispatcher.lines("other settings than configured.*ack_wait.*max_ack_pending")
    assert stream.consumer()["config"]["ack_wait"] == 7 * SECOND


def test_a_push_consumer_with_our_name_is_refused(lab, stream):
    stream.js.api("CONSUMER.DURABLE.CREATE.VC_lab.kn", {"stream_name": "VC_lab", "config": {
        "durable_name": "kn", "ack_policy": "explicit", "deliver_subject": "somewhere"}})
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    wait_until(lambda: dispatcher.lines("consumer is not usable.*push"), what="the error is logged")
    assert dispatcher.get("/readyz")[0] == 503
    stream.js.delete_consumer("VC_lab", "kn")
    want = stream.publish(10)
    assert settle(stream, receiver, want, twice=0) == []


def test_n11_the_password_is_changed(lab, tmp_path):
    secret = tmp_path / "secret"

    def users(password):
        return (f'accounts {{ A {{ jetstream: enabled, users: [ {{user: d, password: "{password}"}}, '
                '{user: admin, password: admin} ] } }\nno_auth_user: admin')
    server = lab.nats(extra=users("one"))
    stream = Stream(lab, server)
    stream.make_stream()
    secret.write_text("one\n")
    receiver = lab.receiver()
    config = stream.config(receiver.url, bus={"user": "d", "passwordFile": str(secret)}, **FAST)
    dispatcher = lab.dispatcher(config)
    want = [*stream.publish(50)]
    receiver.wait_count(50)
    server.extra = users("two")
    server.stop()
    stream.js.close()
    server.start()
    wait_until(lambda: dispatcher.get("/readyz")[0] == 503, 30, "it is not ready with the old one")
    secret.write_text("two\n")
    want += stream.publish(50)
    assert settle(stream, receiver, want, twice=0) == []


FORGED = {
    "no JSON": (b"hello", {}),
    "empty": (b"", {"X": "y"}),
    "an array": (b"[1,2]", {}),
    "no id": (json.dumps({"specversion": "1.0", "source": "s", "type": "t"}).encode(), {}),
    "another version": (json.dumps({"specversion": "0.3", "id": "1", "source": "s", "type": "t"}).encode(), {}),
    "cut": (event(99)[:-10], {"Content-Type": "application/cloudevents+json"}),
    "binary without type": (b"{}", {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "s"}),
    "64 KB of attributes": (event(99, note="x" * 65536), {}),
    "bad UTF-8": (event(99).replace(b"VmPoweredOnEvent", b"\xff\xfe"), {}),
}


def test_n12_forged_messages_are_dead_letters(lab, stream):
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    for body, headers in FORGED.values():
        stream.js.wire.publish(subject(), body, headers=headers)
    want = stream.publish(20)
    stream.idle()
    assert sorted(keys(receiver.requests)) == [*want]
    letters = stream.dead()
    assert [m.data for m in letters] == [body for body, _ in FORGED.values()]
    assert {m.headers["Vcourier-Reason"] for m in letters} == {"invalid_event"}
    assert all(m.headers["Vcourier-Error"] for m in letters)
    assert dispatcher.metric("vcourier_dispatcher_events_total", result="dead") == len(FORGED)


def test_events_of_other_publishers_are_delivered(lab, stream):
    """Both content modes of the NATS binding, with attributes in any order."""
    receiver = lab.receiver()
    lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    wire = stream.js.wire
    wire.publish(subject(), b'\x00raw', headers={"ce-specversion": "1.0", "ce-id": "b1", "ce-source": "s", "ce-type": "t",
                 "ce-note": "Euro%20%E2%82%AC", "Content-Type": "application/octet-stream"})
    wire.publish(subject(), json.dumps({"data": {"specversion": "x"}, "type": "t", "source": "s", "id": "b2",
                                        "specversion": "1.0", "note": "late"}).encode())
    receiver.wait_count(2)
    stream.idle()
    by_id = {r.headers["ce-id"]: r for r in receiver.requests}
    assert by_id["b1"].body == b"\x00raw" and by_id["b1"].headers["ce-note"] == "Euro%20%E2%82%AC"
    assert by_id["b1"].headers["content-type"] == "application/octet-stream"
    assert by_id["b2"].headers["ce-note"] == "late" and by_id["b2"].json() == {"specversion": "x"}
    assert stream.dead() == []


def test_an_event_that_is_never_settled_becomes_a_dead_letter(lab, stream):
    """NATS delivers it repeatedly, as if it crashed the process each time."""
    stream.publish(1)
    stream.js.api("CONSUMER.DURABLE.CREATE.VC_lab.kn", {"stream_name": "VC_lab", "config": {
        "durable_name": "kn", "ack_policy": "explicit", "ack_wait": 2 * SECOND, "max_ack_pending": 1000, "max_deliver": -1}})
    wire = stream.js.wire
    for _ in range(5):
        message = wire.request("$JS.API.CONSUMER.MSG.NEXT.VC_lab.kn", {"batch": 1})
        wire.publish(message.reply, b"-NAK")
    receiver = lab.receiver()
    lab.dispatcher(stream.config(receiver.url, ackWait="2s", retry={"maxDeliveries": 5}))
    want = stream.publish(10)
    assert settle(stream, receiver, [1, *want]) == [1]
    assert stream.dead()[0].headers["Vcourier-Reason"] == "poison"


@pytest.mark.parametrize("filtered", [False, True], ids=["all", "by subject"])
def test_expired_events_are_counted(lab, stream, filtered):
    """Events that leave the stream before their delivery are counted as expired; with a filter, only those that match."""
    more = {"filter": {"subject": "vc.*.*.*.*.event.VmPoweredOnEvent"}} if filtered else {}
    receiver = lab.receiver(lambda request: Answer(503))
    dispatcher = lab.dispatcher(stream.config(receiver.url, concurrency=1, **more, **FAST)).wait_ready()
    stream.publish(50)
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_circuit_state") == 2, what="the backend is down")
    for name, n in (("VmPoweredOnEvent", 150), ("VmRemovedEvent", 100), ("VmPoweredOnEvent", 200)) * 3:
        stream.publish(n, name)
    stored = 50 + 3 * (350 if filtered else 450)
    wait_until(lambda: counters(dispatcher)["all"] == stored, 30, lambda: counters(dispatcher))
    stream.js.api("STREAM.PURGE.VC_lab", {"seq": 651})
    stream.publish(70)
    stream.publish(30, "VmRemovedEvent")
    stored += 70 if filtered else 100
    wait_until(lambda: counters(dispatcher)["expired"] > 0, 30, lambda: counters(dispatcher))
    receiver.answer = None  # the server no longer tracks the held events; those whose body is in memory are delivered
    wait_until(lambda: counters(dispatcher)["pending"] == 0 and counters(dispatcher)["all"] == stored, 30,
               lambda: (counters(dispatcher), stream.consumer()))
    assert 400 < counters(dispatcher)["expired"] <= (550 if filtered else 650), "all but the held events"
    assert dispatcher.lines("left the stream before they were delivered")
