# SPDX-License-Identifier: Apache-2.0
"""The contract of processors/processor.h, tested through the dispatcher with the backends of tests/toy: with and without batches, a
route, fan-out and a refresh. Each combination gets faulty events among good ones."""
import json
import threading
from collections import Counter, defaultdict

import pytest

from lab.stream import STREAM, counters, event, subject
from lab.process import wait_until
from lab.receiver import Answer

# the fault that an event causes in the backend or the receiver, and its result; all other kinds are delivered
DEAD = {"unreadable": "invalid_event", "unroutable": "unroutable", "unencodable": "unencodable", "rejected": "rejected"}
FAULTS = [*DEAD, "nobody", "big", "later", "split"]


class Toy:
    """A stream of good and faulty events, a receiver that replies as the events demand, and the result of each event."""

    def __init__(self, lab, stream, kind, **options):
        self.lab, self.stream = lab, stream
        self.routes, self.fans_out = "-one" in kind or "-fan" in kind, "-fan" in kind
        self.lock = threading.Lock()
        self.where = ("in", "abc")  # the current path, and the existing targets
        self.stored = {}  # key -> (kind of event, targets, bytes)
        self.accepted = defaultdict(list)  # (key, target) -> the received events
        self.tries, self.bad_paths, self.first_refresh = Counter(), 0, threading.Event()
        self.first_refresh.set()
        self.receiver = lab.receiver(self.answer)
        processor = {"type": kind, "name": "kn", kind: {"address": self.receiver.url}, "concurrency": 4, "ackWait": "5s",
                     "retry": {"initial": "20ms", "max": "100ms", "rejectGrace": "300ms"}, **options}
        self.dispatcher = lab.daemon("toy-dispatcher", stream.config(processor),
                                     name="dispatcher").start()

    def put(self, kind, targets="abc", binary=False):
        """Publishes one event."""
        key = len(self.stored) + 1
        attributes = json.loads(event(key, toy=kind, targets=targets, data={"Key": key, "Text": "x" * (key % 7) * 100}))
        headers = {"Content-Type": "application/cloudevents+json"}
        if kind == "unreadable":
            del attributes["type"]
        body = json.dumps(attributes).encode()
        if binary:
            body = json.dumps(attributes.pop("data")).encode()
            headers = {"Content-Type": attributes.pop("datacontenttype")} | {f"ce-{k}": v for k, v in attributes.items()}
        self.stored[key] = (kind, targets if self.fans_out else "", body)
        wire = self.stream.js.wire or self.stream.server.connect()
        wire.publish(subject(), body, headers=headers)

    def stream_complete(self):
        wait_until(lambda: self.stream.js.last_seq(STREAM) == len(self.stored), 30, "all events are stored")

    def status(self, sent, target, together):
        """The status for one event of a request."""
        key, kind = int(sent["eventkey"]), sent["toy"]
        self.tries[key, target] += 1
        if kind == "rejected":
            return 400
        if kind == "later" and self.tries[key, target] == 1:
            return 503
        assert kind != "big" or together == 1, "an event that fills a request was not alone"
        self.accepted[key, target].append(sent)
        return 202

    def answer(self, request):
        with self.lock:
            if request.path == "/step":
                self.first_refresh.wait(60)
                return Answer(200)
            if request.path == "/where":
                return Answer(200, body=" ".join(self.where).encode())
            path, target = request.path.strip("/").partition("/")[::2]
            events = request.json()
            events = events if isinstance(events, list) else [events]
            if path != self.where[0]:
                self.bad_paths += 1
                return Answer(401)
            if target not in self.where[1]:
                return Answer(404)
            if len(events) > 1 and any(e["toy"] == "split" for e in events):
                return Answer(413)
            return Answer(200, body=" ".join(str(self.status(e, target, len(events))) for e in events).encode())

    def end_of(self, key):
        """The result according to the contract: dead, filtered or delivered."""
        kind = self.stored[key][0]
        if not self.routes and kind in ("nobody", "unroutable"):
            return "delivered"
        return "dead" if kind in DEAD else "filtered" if kind == "nobody" else "delivered"

    def check(self):
        """Checks that each event was delivered unchanged to its targets once, or is an unchanged dead letter, and that the counters add up."""
        self.stream.idle()
        ends = Counter(self.end_of(key) for key in self.stored)
        wanted = {(key, target) for key, (_, targets, _) in self.stored.items() if self.end_of(key) == "delivered"
                  for target in targets or [""]}
        assert set(self.accepted) == wanted
        for (key, target), copies in self.accepted.items():
            assert len(copies) == 1, f"event {key} came {len(copies)} times to {target!r}"
            assert (copies[0]["id"], copies[0]["data"]["Key"]) == (f"{key}-1700000000000", key)
        letters = self.stream.dead()
        found = Counter((int(m.headers["Vcourier-Sequence"]), m.headers.get("Vcourier-Target", ""), m.headers["Vcourier-Reason"])
                        for m in letters)
        assert found == Counter(self.letters())
        for letter in letters:
            assert letter.data == self.stored[int(letter.headers["Vcourier-Sequence"])][2]
        want = {"delivered": 0, "filtered": 0, "dead": 0, "expired": 0, "pending": 0, "all": len(self.stored)} | ends
        wait_until(lambda: counters(self.dispatcher) == want, 20, lambda: f"{counters(self.dispatcher)}, want {want}")

    def letters(self):
        """(sequence, target, reason) of the expected dead letters. An event that fails before routing has no target."""
        for key, (kind, targets, _) in self.stored.items():
            if self.end_of(key) == "dead":
                for target in targets if kind in ("unencodable", "rejected") and targets else [""]:
                    yield key, target, DEAD[kind]


KINDS = [f"toy{batch}{route}{refresh}" for batch in ("", "-batch") for route in ("", "-one", "-fan") for refresh in ("", "-refresh")]


def fill(toy, rng, n):
    """Publishes one good event that is delivered first, so that the destination is known to work; then each fault among good events."""
    toy.dispatcher.wait_ready()
    toy.put("good")
    toy.stream_complete()
    toy.stream.idle()
    kinds = FAULTS * (n // 20) + ["good"] * (n - n // 20 * len(FAULTS))
    rng.shuffle(kinds)
    for kind in kinds:
        toy.put(kind, "".join(sorted(rng.sample("abc", rng.randint(1, 3)))), binary=rng.random() < 0.3)
    toy.stream_complete()


@pytest.mark.parametrize("kind", KINDS)
def test_faulty_events_among_good_ones(lab, stream, rng, kind):
    toy = Toy(lab, stream, kind)
    fill(toy, rng, 100)
    toy.check()


@pytest.mark.parametrize("ordering", ["key", "strict"])
@pytest.mark.parametrize("kind", ["toy", "toy-batch", "toy-batch-fan"])
def test_faulty_events_in_an_order(lab, stream, rng, kind, ordering):
    toy = Toy(lab, stream, kind, ordering=ordering, retry={"initial": "20ms", "max": "100ms", "rejectGrace": "500ms"})
    fill(toy, rng, 60)
    toy.check()


@pytest.mark.parametrize("kind", [k for k in KINDS if "refresh" in k])
def test_nothing_is_sent_before_the_first_refresh_and_a_refusal_causes_another(lab, stream, rng, kind):
    toy = Toy(lab, stream, kind)
    toy.first_refresh.clear()
    lab.closers.append(toy.first_refresh.set)
    for _ in range(20):
        toy.put("good")
    toy.stream_complete()
    toy.receiver.wait_for(lambda requests: [r for r in requests if r.path == "/step"])
    assert {r.path for r in toy.receiver.requests} == {"/step"}
    toy.first_refresh.set()
    stream.idle()
    with toy.lock:
        toy.where = ("moved", "abc")
    for i in range(20):
        toy.put(rng.choice(["good", "unencodable", "unreadable"]))
    toy.stream_complete()
    toy.check()
    assert toy.bad_paths > 0


@pytest.mark.parametrize("kind", ["toy-fan-refresh", "toy-batch-fan-refresh"])
def test_a_removed_target_gets_no_more_events(lab, stream, kind):
    """404 causes a refresh. Events that were only for this target are then filtered, and no other event is affected."""
    toy = Toy(lab, stream, kind)
    toy.put("good")
    toy.stream_complete()
    stream.idle()
    with toy.lock:
        toy.where = ("in", "ab")
    for targets in ["c", "ac", "ab", "bc", "c", "abc", "a"] * 5:
        toy.put("good", targets)
    toy.stream_complete()
    stream.idle()
    gone = [key for key, (_, targets, _) in toy.stored.items() if targets == "c"]
    assert set(toy.accepted) == {(key, t) for key, (_, targets, _) in toy.stored.items() for t in targets if t != "c" or key == 1}
    assert all(e["id"] == f"{key}-1700000000000" for (key, _), copies in toy.accepted.items() for e in copies)
    assert stream.dead() == []
    want = {"delivered": len(toy.stored) - len(gone), "filtered": len(gone), "dead": 0, "expired": 0, "pending": 0,
            "all": len(toy.stored)}
    wait_until(lambda: counters(toy.dispatcher) == want, 20, lambda: f"{counters(toy.dispatcher)}, want {want}")
