# SPDX-License-Identifier: Apache-2.0
"""Messages that any publisher of events can put into a stream: each ends in exactly one counter and stops no process."""
import json
import subprocess
import threading
from collections import Counter
from urllib.parse import unquote

import pytest
from test_functions import Functions, config as functions_config

from lab.aws import REGION, EventBridge
from lab.stream import counters, event, keys, subject
from lab.gateway import Gateway
from lab.hostile import HEADERS_MAX, PAYLOAD_MAX, TOPIC, Hostile, block
from lab.process import BUILD, wait_until
from lab.receiver import Answer
from lab.pipeline import LONG, seeded

FAST = {"retry": {"initial": "50ms", "max": "200ms", "rejectGrace": "0s"}, "ackWait": "2s"}
def openfaas(stream, gateway, **more):
    auth = {"type": "basic_auth", "basicAuth": {"username": gateway.user, "password": gateway.password}}
    block = {"address": gateway.url, "auth": auth, "refreshInterval": "1s", **more.pop("block", {})}
    return stream.config(
        {"type": "openfaas", "name": "of", "openfaas": block, "emptyGrace": "0s", **FAST, **more})


def vcourier(daemon, *arguments, code=0):
    run = subprocess.run([BUILD / "vcourier", *arguments, "-c", daemon.file], capture_output=True, text=True, timeout=60)
    assert run.returncode == code, run.stdout + run.stderr
    return run.stdout


def key_of(event_id):
    return int(event_id.split("-")[0])


UNSTORABLE = {  # messages that are not events: (subject, header block, body)
    "headers of 65,400 bytes": (subject(), block(size=65400), b"no event"),
    "headers of 64 KiB": (subject(), block(size=HEADERS_MAX - 8), b"no event"),
    "headers and a body that fill max_payload": (subject(), block(size=60000), b"x" * (PAYLOAD_MAX - 60100)),
    "a body that fills max_payload": (subject(), block(), b"x" * (PAYLOAD_MAX - len(block()))),
    "a subject that was cut behind a dot": ("vc.lab.ba" + ".a" * 600, block(), b"no event"),
    "a subject of 3,000 bytes": ("vc.lab." + "b" * 3000, block(), b"no event"),
    "a wildcard as a token": ("vc.lab.*.a", block(), b"no event"),
    "a wildcard as the last token": ("vc.lab.a.>", block(), b"no event"),
    "bytes that are no text": (b"vc.lab.\xff\xfe.\x01\x1b[2J\xc2", block(), b"no event"),
    "2,000 headers": (subject(), block(*(b"X-%d: v" % i for i in range(2000))), b"no event"),
    "header names with blanks and line feeds": (subject(), block(b"a b: c", b"x\nVcourier-Target: evil", b": no name"), b"no"),
}


@pytest.mark.parametrize("kind", UNSTORABLE)
def test_a_dead_letter_can_always_be_stored(lab, stream, kind):
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    want = [*stream.publish(1)]
    where, headers, body = UNSTORABLE[kind]
    before = stream.js.last_seq("VC_lab")
    stream.js.wire.publish_block(where, headers, body)
    wait_until(lambda: stream.js.last_seq("VC_lab") == before + 1, 20, stream.js.wire.take_errors)  # it was published without an ack
    want += stream.publish(5)
    stream.idle()
    assert sorted(keys(receiver.requests)) == want
    (letter,) = stream.dead()
    assert (letter.headers["Vcourier-Reason"], letter.headers["Vcourier-Stream"]) == ("invalid_event", "VC_lab")
    assert letter.headers["Vcourier-Sequence"] == "2" and letter.subject.startswith("vcdead.kn.")
    assert letter.data == body or letter.headers["Vcourier-Body"].startswith("omitted")
    wait_until(lambda: counters(dispatcher)["all"] == 7, 30, lambda: counters(dispatcher))
    assert not dispatcher.lines("dead letter not stored") and dispatcher.get("/readyz")[0] == 200


def test_a_dead_letter_that_its_stream_refuses_is_stored_without_content(lab, stream):
    """The stored headers name the position of the original, so a redrive still works."""
    stream.js.api("STREAM.CREATE.VCDEAD", {"name": "VCDEAD", "subjects": ["vcdead.>"], "storage": "file", "retention": "limits",
                                           "num_replicas": 1, "max_msg_size": 1500})
    refuses = threading.Event()
    refuses.set()
    receiver = lab.receiver(lambda r: Answer(400 if refuses.is_set() and r.headers["ce-eventkey"] == "1" else 202))
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    stream.js.wire.publish(subject(), b"x" * 5000, headers=binary(1, **{"ce-note": "n" * 3000, "Content-Type": "text/plain"}))
    stream.published = 1
    want = stream.publish(5, data="x" * 3000)
    stream.idle()
    assert sorted(int(r.headers["ce-eventkey"]) for r in receiver.requests) == [1, *want]
    (letter,) = stream.dead()
    assert letter.data == b"" and letter.headers["Vcourier-Body"].startswith("omitted") and "ce-note" not in letter.headers
    assert (letter.headers["Vcourier-Reason"], letter.headers["Vcourier-Stream"], letter.headers["Vcourier-Sequence"]) == (
        "rejected", "VC_lab", "1")
    assert dispatcher.get("/readyz")[0] == 200 and not dispatcher.lines("deliveries pause")
    refuses.clear()
    assert vcourier(dispatcher, "dead", "redrive", "--all") == "1 sent again\n"
    again = receiver.wait_count(len(want) + 2)[-1]
    assert again.body == b"x" * 5000 and again.headers["ce-note"] == "n" * 3000 and again.headers["content-type"] == "text/plain"


def test_an_event_that_cannot_be_sent_again_does_not_stop_a_replay(lab, stream):
    """The copy has a new id. A message as large as max_payload has no space for it, and neither has one with a long subject."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    fill = PAYLOAD_MAX - len(block()) - len(event(1, data=""))
    stream.js.wire.publish_block(subject(), block(), event(1, data="x" * fill))
    stream.js.wire.publish_block("vc.lab." + "b" * 3880, block(), event(2))
    stream.published = 2
    stream.publish(3)
    receiver.wait_count(5)
    assert vcourier(dispatcher, "replay", "--dispatcher", "kn", "--all", code=1) == "3 of 5 events sent again\n"
    assert sorted(keys(receiver.wait_count(8))) == [1, 2, 3, 3, 4, 4, 5, 5]
    assert stream.dead() == []


def test_headers_without_a_value_do_not_hide_others(lab, stream):
    """cnats searches for the value beyond the end of the line, so it takes the next header as the value."""
    receiver = lab.receiver()
    lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    lines = [f"{name}: {value}".encode() for name, value in binary(1).items()]
    for empty in ([b"X:", *lines], [*lines[:2], b"X:", *lines[2:]], [*lines, b"X:"]):
        stream.js.wire.publish_block(subject(), block(*empty), b"{}")
    receiver.wait_count(3)
    stream.idle()
    assert keys(receiver.requests) == [1, 1, 1] and stream.dead() == []


STATUSES = ["100", "404", "408", "409", "503"]


@pytest.mark.parametrize("status", STATUSES)
def test_a_stored_message_is_not_taken_for_a_status_of_the_server(lab, stream, status):
    """Neither with a header Status, nor in the form that the server itself uses."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    stream.publish(1)
    wire = stream.js.wire
    wire.publish(subject(), b"", headers={"Status": status, "Description": "Consumer Deleted", "Nats-Pending-Messages": "9"})
    wire.publish_status(subject(), f"{status} Consumer Deleted")
    want = [1, *stream.publish(5)]
    stream.idle()
    assert sorted(keys(receiver.requests)) == want
    assert [m.headers["Vcourier-Sequence"] for m in stream.dead()] == ["2", "3"]
    wait_until(lambda: counters(dispatcher)["all"] == 8, 30, lambda: counters(dispatcher))


def binary(n, **more):
    """Headers of an event in binary mode."""
    return {"ce-specversion": "1.0", "ce-id": f"{n}-1700000000000", "ce-source": "s", "ce-type": "t", "ce-subject": "VmPoweredOnEvent",
            "ce-eventkey": str(n), **more}


FORGED = {  # headers that the server adds when it returns a stored message, or reports that there is none
    "another time": {"Nats-Time-Stamp": "2020-01-01T00:00:00Z"}, "no time": {"Nats-Time-Stamp": "yesterday"},
    "another subject": {"Nats-Subject": "x"}, "another sequence": {"Nats-Sequence": "1", "Nats-Stream": "VC_other"},
    "not found": {"Status": "404", "Description": "Message Not Found"}, "unavailable": {"Status": "503"}}


def test_forged_headers_of_an_event_that_is_read_again_from_the_stream(lab, stream):
    """The bodies of events that wait for a failed function are dropped and read again. The stored content is delivered."""
    gateway = Gateway().start()
    lab.closers.append(gateway.close)
    down = threading.Event()
    down.set()
    gateway.deploy("down", "VmPoweredOnEvent", lambda call: 500 if down.is_set() else 200)
    gateway.deploy("good", "VmPoweredOnEvent")
    dispatcher = lab.dispatcher(openfaas(stream, gateway, bufferSize="1MiB", concurrency=8)).wait_ready()
    hostile = list(FORGED.values())
    for i, headers in enumerate(hostile):
        stream.js.wire.publish(subject(), b"", headers=binary(1000 + i, **headers))
    want = [*stream.publish(60, data={"Padding": "x" * 20000}), *(1000 + i for i in range(len(hostile)))]
    gateway.wait(lambda g: len(g.ids("good.openfaas-fn")) == len(want))
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_waiting") > 0, 60, "events wait")
    down.clear()
    stream.idle("of")
    dead = {json.loads(m.data or b"{}").get("eventkey", m.headers.get("ce-eventkey")) for m in stream.dead()}
    got = {key_of(id) for id in gateway.ids("down.openfaas-fn")}
    assert got | {int(k) for k in dead} == set(want)
    assert not [k for k in dead if int(k) >= 1000], "given up only what fills the buffer"
    assert {key_of(id) for id in gateway.ids("good.openfaas-fn")} == set(want)
    assert not dispatcher.lines("replica")


def eventbridge(stream, aws):
    keys = aws.keys[0]
    block = {"region": REGION, "eventBus": "default", "endpoint": aws.url, "auth": {"type": "aws_access_key", "awsAccessKeyAuth": {
        "accessKey": keys.access_key, "secretKey": keys.secret_key}}}
    return stream.config(
        {"type": "aws_event_bridge", "name": "aws", "awsEventBridge": block, **FAST})


def publish_all(stream, messages):
    """Publishes the messages. Returns {number: sequence} of those that the server stored; it does not store duplicates."""
    wire = stream.server.connect()
    sid = wire.subscribe(f"{wire.inbox}.hostile.*")
    stored = {}
    for n, (where, headers, body) in enumerate(messages):
        wire.publish_block(where, headers, body, f"{wire.inbox}.hostile.{n}")
        if n % 50 == 49:
            wire.flush()
    wire.flush()
    wire.publish(subject(), event(len(messages)), f"{wire.inbox}.hostile.last")
    while True:
        answer = wire.next(sid)
        number = answer.subject.rsplit(".", 1)[1]
        reply = json.loads(answer.data) if answer.data else {}
        if "seq" in reply and "error" not in reply and not reply.get("duplicate"):
            stored[len(messages) if number == "last" else int(number)] = reply["seq"]
        if number == "last":
            break
    wire.close()
    assert len(stored) == stream.js.count("VC_lab")
    return stored


def number_of(event_id):
    return int(event_id.split("-")[0])


def balance(stream, dispatcher, name, stored, delivered, good):
    """Checks that one dispatcher counted each message once and delivered every valid one. Returns the counters."""
    stream.idle(name, timeout=300)
    wait_until(lambda: counters(dispatcher)["all"] == len(stored), 60, lambda: f"{name}: {counters(dispatcher)} of {len(stored)}")
    letters = [m for m in stream.dead() if m.headers["Vcourier-Dispatcher"] == name]
    dead = Counter(int(m.headers["Vcourier-Sequence"]) for m in letters)
    sent = Counter(stored[n] for n in delivered)
    columns = counters(dispatcher)
    assert columns["pending"] == columns["expired"] == 0, columns
    assert not good - set(delivered), f"{name}: good ones that were not delivered: {sorted(good - set(delivered))[:10]}"
    assert max(dead.values(), default=1) == 1 and not set(dead) & set(sent), f"{name}: in two columns"
    assert (columns["dead"], columns["delivered"]) == (len(dead), len(sent)), (name, columns, len(dead), len(sent))
    assert dispatcher.running() and not dispatcher.lines("deliveries pause") and dispatcher.get("/readyz")[0] == 200
    assert dispatcher.peak() < 160 << 20
    return columns


def test_hostile_messages_do_not_stop_valid_ones(lab, stream):
    rng = seeded()
    total = 10000 if LONG else 1000
    hostile = Hostile(rng, large=0.003 if LONG else 0.01)
    good = {n for n in range(total) if rng.random() < 0.2} | {total}
    receiver, aws, gateway = lab.receiver(), EventBridge(), Gateway().start()
    lab.closers += [aws.close, gateway.close]
    gateway.deploy("f", TOPIC)
    functions = Functions(lab.directory / "functions")
    lab.closers.append(functions.receiver.close)
    functions.deploy("f", {"filter": {}})
    messages = [(subject(), block(b"Content-Type: application/cloudevents+json"), event(n)) if n in good else
                (m := hostile(n)) and (m.subject, m.block, m.body) for n in range(total)]
    dispatchers = {"kn": lab.dispatcher(stream.config(receiver.url, **FAST), name="kn"),
                   "of": lab.dispatcher(openfaas(stream, gateway), name="of"),
                   "aws": lab.dispatcher(eventbridge(stream, aws), name="aws"),
                   "fn": lab.dispatcher(functions_config(stream, functions, **FAST), name="fn")}
    for dispatcher in dispatchers.values():
        dispatcher.wait_ready()
    stored = publish_all(stream, messages)
    got = {"kn": lambda: [number_of(unquote(r.headers["ce-id"])) for r in receiver.requests],
           "of": lambda: [number_of(unquote(i)) for i in gateway.ids("f.openfaas-fn")],
           "fn": lambda: [number_of(unquote(r.headers["ce-id"])) for r in functions.receiver.requests],
           "aws": lambda: [number_of(json.loads(e["Detail"])["id"]) for e in aws.buses["default"]]}
    for name, dispatcher in dispatchers.items():
        stream.idle(name, timeout=300)
        columns = balance(stream, dispatcher, name, stored, got[name](), good)
        print(f"{name}: {len(messages) + 1} published, {len(stored)} stored, {len(good)} of them good: {columns}, "
              f"peak {dispatcher.peak() >> 20} MiB")
    redrive(stream, dispatchers["kn"], receiver)


def letters_of(stream, name):
    """The number of dead letters. It does not use a consumer, because nats-server 2.9 miscounts pending messages after deletions."""
    info = stream.js.api("STREAM.INFO.VCDEAD", json.dumps({"subjects_filter": f"vcdead.{name}.>"}).encode())
    return sum((info["state"].get("subjects") or {}).values())


def redrive(stream, dispatcher, receiver):
    """Every dead letter of "kn" is sent again and counted once again: as delivered if the invalid part was not copied."""
    letters = [json.loads(line) for line in vcourier(dispatcher, "dead", "ls", "--json").splitlines()]
    before = len(receiver.requests)
    again = len([m for m in letters if m["dispatcher"] == "kn"])
    assert len(letters) == len(stream.dead())
    assert vcourier(dispatcher, "dead", "redrive", "--dispatcher", "kn") == f"{again} sent again\n"
    stream.idle("kn", "VCREPLAY", timeout=300)
    wait_until(lambda: letters_of(stream, "kn") + len(receiver.requests) - before == again, 60,
               lambda: (letters_of(stream, "kn"), len(receiver.requests) - before, again))
    assert not dispatcher.lines("deliveries pause")


def test_an_event_for_thousands_of_functions_counts_in_the_buffer(lab, stream):
    """Each function has its own attempts, so an event needs memory for each. The dispatcher pulls only as many events as the buffer can hold."""
    gateway, release = Gateway().start(), threading.Event()
    lab.closers += [gateway.close, release.set]

    def hang(call):
        release.wait(60)
        return 200
    for i in range(5000):
        gateway.deploy(f"f{i}", TOPIC, hang)
    dispatcher = lab.dispatcher(openfaas(stream, gateway, bufferSize="16MiB", concurrency=64, timeout="50s", ackWait="5m")).wait_ready()
    stream.publish(200)
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_in_flight") > 0, 60, "deliveries are under way")
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_consumer_ack_pending") > 0, 60, "the watch thread has checked the consumer")
    assert 1 <= stream.consumer("of")["num_ack_pending"] <= 40
    assert dispatcher.peak() < 80 << 20


def test_names_that_are_path_components_are_not_functions(lab, stream):
    """Also, an event whose subject is longer than any topic is not compared with each pattern."""
    gateway = Gateway(namespaces=[]).start()
    lab.closers.append(gateway.close)
    for name in ("..", ".", "f"):
        gateway.deploy(name, TOPIC)
    lab.dispatcher(openfaas(stream, gateway, block={"topicWildcards": True})).wait_ready()
    want = stream.publish(3)
    stream.js.wire.publish(subject(), event(4, subject="E" * 5000))
    stream.idle("of")
    assert gateway.seen == {"/function/f"} and len(gateway.calls) == len(want)
    assert [m.headers["Vcourier-Reason"] for m in stream.dead()] == ["unroutable"]
