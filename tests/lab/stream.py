# SPDX-License-Identifier: Apache-2.0
"""Shared by the dispatcher's tests: a stream into which a test publishes events, and the counters of a dispatcher."""
import json
from collections import Counter

from .jetstream import ApiError
from .process import wait_until
from .product import knative, router_config

PROVIDER = {"type": "vcenter", "name": "lab", "vcenter": {"address": "https://vc.invalid/sdk", "auth": {
    "type": "basic_auth", "basicAuth": {"username": "u", "password": "p"}}}}
STREAM = "VC_lab"
CHECKPOINTS = "KV_vcourier-checkpoints"
SECOND = 1_000_000_000


def event(n, name="VmPoweredOnEvent", data=None, **more):
    """The bytes of a CloudEvent in the collector's format."""
    kind = "eventex" if "." in name else "event"
    attributes = {"specversion": "1.0", "id": f"{n}-1700000000000", "source": "https://vc.invalid/sdk",
                  "type": f"com.vmware.event.router/{kind}", "subject": name, "time": "2026-11-22T10:11:12.345Z",
                  "datacontenttype": "application/json", "vsphereapiversion": "8.0.1.0", "eventclass": kind, "eventkey": str(n),
                  "severity": "info", **more, "data": {"Key": n} if data is None else data}
    return json.dumps(attributes, separators=(",", ":")).encode()


def subject(name="VmPoweredOnEvent", severity="info", vcenter="lab"):
    kind = "eventex" if "." in name else "event"
    return f"vc.{vcenter}.dc.cluster.{severity}.{kind}.{name}"


class Stream:
    def __init__(self, lab, server):
        self.lab, self.server = lab, server
        self.js = lab.jetstream(server)
        self.published = 0

    def config(self, backend, providers=(PROVIDER,), **more):
        """backend: an eventProcessor entry, or the URL of a receiver for a Knative entry named "kn".
        more: options of the eventProcessor; `knative`: options of its knative block; `bus`: options of bus."""
        block, bus = more.pop("knative", {}), more.pop("bus", {})
        processor = knative(backend, **block) if isinstance(backend, str) else backend
        config = router_config(self.server, providers=providers, processors=[processor | more])
        config["bus"].update(bus)
        return config

    def make_stream(self, stream=STREAM, vcenter="lab", **more):
        self.js.create(stream, {"name": stream, "subjects": [f"vc.{vcenter}.>"], "retention": "limits",
                    "storage": "file", "max_age": 7 * 86400 * SECOND, "max_bytes": 8 << 30, "num_replicas": 1,
                    "duplicate_window": 1800 * SECOND, "discard": "old", "allow_direct": True, **more})
        self.make_bucket(more.get("num_replicas", 1))

    def make_bucket(self, replicas=1):
        """The bucket for checkpoints, which a collector creates."""
        if CHECKPOINTS not in self.js.streams():
            self.js.create(CHECKPOINTS, {"name": CHECKPOINTS, "subjects": [f"$KV.{CHECKPOINTS.removeprefix('KV_')}.>"],
                        "retention": "limits", "storage": "file", "num_replicas": replicas, "max_msgs_per_subject": 1, "discard": "new",
                        "deny_delete": True, "deny_purge": True})

    def publish(self, n, name="VmPoweredOnEvent", data=None, vcenter="lab", **more):
        """Publishes n events with consecutive ids and waits until they are stored."""
        wire = self.js.wire or self.server.connect()
        stream = f"VC_{vcenter}"
        before = self.js.last_seq(stream)
        for i in range(self.published + 1, self.published + n + 1):
            wire.publish(subject(name, vcenter=vcenter), event(i, name, data(i) if callable(data) else data, **more), headers={
                "Content-Type": "application/cloudevents+json", "Nats-Msg-Id": f"uuid/{i}/1700000000000"})
        self.published += n
        wait_until(lambda: self.js.last_seq(stream) >= before + n, 60, lambda: f"{n} events in {stream}")
        return range(self.published - n + 1, self.published + 1)

    def consumer(self, name="kn", stream=STREAM):
        return self.js.consumer(stream, name)

    def wait_consumer(self, name="kn", stream=STREAM):
        def there():
            try:
                return self.consumer(name, stream)
            except (ApiError, OSError):
                return None
        return wait_until(there, 60, f"consumer {name}")

    def idle(self, name="kn", stream=STREAM, timeout=60):
        """Waits until the dispatcher has settled all events that were published. For a moment after a message was stored,
        nats-server does not count it as pending; so the last one must have been delivered."""
        flushed = not stream.startswith("VC_")

        def settled():
            nonlocal flushed
            try:
                if not flushed:
                    self.js.flush(f"vc.{stream[len('VC_'):]}.flush")
                    flushed = True
                info = self.js.info(stream)
                c = self.consumer(name, stream)
            except (ApiError, OSError):
                return False
            state, subjects = info["state"], info["config"].get("subjects", [])
            all_of_it = c["config"].get("filter_subject", "") in ["", *subjects]
            last = state["last_seq"] if all_of_it and state["messages"] and not state.get("num_deleted") else 0
            return c["num_pending"] == 0 and c["num_ack_pending"] == 0 and c["delivered"]["stream_seq"] >= last
        wait_until(settled, timeout, lambda: f"all settled: {self.consumer(name, stream)}")

    def dead(self):
        """The dead letters, in order. Repeats the request while a cluster has no leader."""
        def read():
            try:
                return [list(self.js.read("VCDEAD"))]
            except ApiError:
                return [[]]
            except OSError:
                return None
        return wait_until(read, 60, "an answer about VCDEAD")[0]

    def dead_ids(self):
        return sorted(int(json.loads(m.data)["eventkey"]) for m in self.dead())


def keys(requests):
    return [int(r.event()["eventkey"]) for r in requests]


def got_202(request):
    return request.status == 202


def settle(stream, receiver, want, accepted=lambda request: True, twice=0, timeout=60):
    """
    Checks that each event of `want` was accepted by the receiver or is a dead letter, with at most `twice` repeated deliveries.
    Returns the dead letters.
    """
    stream.idle(timeout=timeout)
    got = Counter(keys(r for r in receiver.requests if accepted(r)))
    dead = stream.dead_ids()
    lost = [k for k in want if k not in got and k not in dead]
    assert not lost, f"lost: {lost[:10]} of {len(lost)}"
    extra = sum(got.values()) - len(got)
    assert extra <= twice, f"{extra} deliveries too many, {twice} allowed: {[k for k, n in got.items() if n > 1][:10]}"
    assert len(dead) == len(set(dead)), "a dead letter twice"
    both = set(dead) & set(got)
    assert not both, f"delivered and dead: {both}"
    return dead


def ends(dispatcher):
    """The event counters of one dispatcher that has run without a restart, without those that are pending, which it measures now and then."""
    return {end: int(dispatcher.metric("vcourier_dispatcher_events_total", result=end)) for end in ("delivered", "filtered", "dead", "expired")}


def counters(dispatcher):
    """The same with those that are pending. `all` is their sum."""
    found = ends(dispatcher)
    found["pending"] = int(dispatcher.metric("vcourier_dispatcher_consumer_pending") +
                           dispatcher.metric("vcourier_dispatcher_consumer_ack_pending"))
    return found | {"all": sum(found.values())}
