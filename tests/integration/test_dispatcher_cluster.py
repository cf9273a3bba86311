# SPDX-License-Identifier: Apache-2.0
"""
Three servers are killed one after the other and all together, while targets fail and the bodies of waiting events are dropped
from memory. The bodies are read again by sequence from servers that lag. The counters are checked for each target.
"""
import json
import threading
from collections import Counter

from lab.aws import REGION, EventBridge
from lab.stream import PROVIDER, Stream, counters
from lab.gateway import Gateway
from lab.jetstream import ApiError
from lab.process import wait_until
from lab.product import knative, router_config
from lab.receiver import Answer
from lab.pipeline import LONG

ROUNDS = 6 if LONG else 1
EVENTS = 280  # for each kill; a quarter of them fails. The window is 20 events, and 56 for EventBridge
# failed events wait so long that their bodies are dropped
OPTIONS = {"retry": {"initial": "2s", "max": "2s"}, "ackWait": "5s", "concurrency": 2}


class Backends:
    """One backend of each kind. While they are down they fail every fourth event, except one function that accepts all."""

    def __init__(self, lab):
        self.down = threading.Event()
        self.gateway = Gateway().start()
        self.gateway.deploy("good", "VmPoweredOnEvent")
        self.gateway.deploy("bad", "VmPoweredOnEvent", lambda call: 503 if self.refuses(call.event["eventkey"]) else 200)
        self.events = Counter()  # accepted by the receiver
        self.receiver = lab.receiver(self.receive)
        self.aws = EventBridge()
        self.aws.fail = lambda entry: (("InternalFailure", "not now") if self.refuses(json.loads(entry["Detail"])["eventkey"]) else None)
        lab.closers += [self.gateway.close, self.aws.close]

    def receive(self, request):
        key = int(request.headers["ce-eventkey"])
        if self.refuses(key):
            return Answer(503)
        self.events[key] += 1
        return Answer(202)

    def refuses(self, key):
        return self.down.is_set() and int(key) % 4 == 0

    def processors(self):
        keys = self.aws.keys[0]
        return [
            {"type": "openfaas", "name": "of", "openfaas": {"address": self.gateway.url, "auth": {"type": "basic_auth", "basicAuth": {
                "username": self.gateway.user, "password": self.gateway.password}}}, **OPTIONS},
            knative(self.receiver.url, "kn") | OPTIONS,
            {"type": "aws_event_bridge", "name": "aws", "awsEventBridge": {
                "region": REGION, "eventBus": "default", "endpoint": self.aws.url, "auth": {
                    "type": "aws_access_key", "awsAccessKeyAuth": {"accessKey": keys.access_key, "secretKey": keys.secret_key}}}, **OPTIONS}]

    def taken(self):
        """{target: how often it accepted each event}"""
        return {
            "of good": Counter(int(i.split("-")[0]) for i in self.gateway.ids("good.openfaas-fn")),
            "of bad": Counter(int(i.split("-")[0]) for i in self.gateway.ids("bad.openfaas-fn")),
            "kn": Counter(self.events),
            "aws": Counter(int(json.loads(e["Detail"])["eventkey"]) for e in list(self.aws.buses["default"]))}


class Cluster:
    def __init__(self, lab):
        self.servers = lab.cluster(3)
        self.stream = Stream(lab, self.servers[0])
        self.stream.make_stream(num_replicas=3)

    def look_through(self, server):
        self.stream.server = self.stream.js.server = server
        self.stream.js.close()

    def leader_name(self):
        """The name of the stream's leader, or None."""
        try:
            return self.stream.js.info("VC_lab")["cluster"].get("leader")
        except (ApiError, OSError):
            return False

    def leader(self):
        name = wait_until(self.leader_name, 60, "a leader")
        return next(server for server in self.servers if server.name == name)

    def kill(self, victims):
        for server in victims:
            server.kill()
        alive = [s for s in self.servers if s not in victims]
        if alive:
            self.look_through(alive[0])
            wait_until(self.leader_name, 60, "another leader")
        for server in victims:
            server.start()
        self.look_through(self.servers[0])
        wait_until(self.leader_name, 60, "a leader")


def test_servers_are_killed_while_targets_fail(lab):
    cluster, backends = Cluster(lab), Backends(lab)
    dispatchers = {}
    for entry in backends.processors():
        config = router_config(cluster.servers[0], providers=[PROVIDER], processors=[entry])
        config["bus"] |= {"urls": [s.url for s in cluster.servers], "stream": {"replicas": 3}, "deadLetters": {"replicas": 3}}
        dispatchers[entry["name"]] = lab.dispatcher(config, name=entry["name"])
    for dispatcher in dispatchers.values():
        dispatcher.wait_ready()
    want = []
    for _ in range(ROUNDS):
        backends.down.set()
        want += cluster.stream.publish(EVENTS)
        for server in cluster.servers if LONG else [cluster.leader()]:
            cluster.kill([server])
        # it never fails; each of the others has dropped bodies by then, unless it paused before
        wait_until(lambda: set(want) <= set(backends.taken()["of good"]), 60, lambda: f"{len(backends.taken()['of good'])} of {len(want)}")
        backends.down.clear()  # the bodies of waiting events are requested while the servers restart
        cluster.kill(cluster.servers)
    for name, dispatcher in dispatchers.items():
        cluster.stream.idle(name, timeout=120)
        wait_until(lambda: counters(dispatcher)["pending"] == 0, 60, lambda: counters(dispatcher))
        ends = counters(dispatcher)
        assert (ends["expired"], ends["dead"], ends["filtered"]) == (0, 0, 0), f"{name}: {ends}"
        assert not dispatcher.lines("left the stream"), name
    for target, taken in backends.taken().items():
        lost = [key for key in want if key not in taken]
        assert not lost, f"{target}: lost {len(lost)}: {lost[:10]}"
        assert set(taken) == set(want), target
    assert cluster.stream.js.count("VC_lab") == len(want)
