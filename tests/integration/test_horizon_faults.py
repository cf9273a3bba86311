# SPDX-License-Identifier: Apache-2.0
"""The Horizon source under faults: each event is in the stream once, whatever is killed or cut."""
import json
import subprocess
import threading

from lab.bususers import SecuredNats
from lab.horizon import STREAM, Horizon, Pod
from lab.pipeline import LONG, balanced, pause, seeded
from lab.process import BUILD, wait_until
from lab.product import knative, router_config
from lab.proxy import Proxy
from lab.receiver import Answer

CUT = Answer(raw=b'HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n[{"id": 1, "time": 1764366000123, "type": "X"},')


class Load:
    """Events that keep coming, many on one millisecond."""

    def __init__(self, horizon, rng, longest=0.04):
        self.horizon, self.rng, self.longest, self.end = horizon, rng, longest, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.end.is_set():
            self.horizon.add(self.rng.choice((1, 1, 2, 7, 40)))
            self.end.wait(self.rng.uniform(0, self.longest))

    def stop(self):
        self.end.set()
        self.thread.join()


def test_kill9(lab):
    """The collector or NATS at random instants, with expired tokens, cut and broken replies between, while events come."""
    rng = seeded()
    pod = Pod(lab, pageSize=30)
    load = Load(pod.horizon, rng)
    for i in range(50 if LONG else 9):
        pod.horizon.fail(*rng.choices((None, CUT, Answer(500), Answer(0)), (6, 1, 1, 1), k=3))
        if i % 3 == 0:
            pod.horizon.expire(refresh=i % 2 == 0)
        pause(rng, 0.5)
        victim = pod.nats if i % 4 == 3 else pod.collector
        victim.kill()
        victim.start()
    load.stop()
    pod.settle()
    pod.collector.wait_ready()


def test_two_collectors(lab):
    """Without a lease both read, and the fence keeps each event single; with it one reads, and the other takes over."""
    rng = seeded()
    pod = Pod(lab, pageSize=30)
    second = lab.collector(pod.config, name="second")
    load = Load(pod.horizon, rng)
    pod.wait_stored(200)
    load.stop()
    pod.settle()
    pod.collector.stop()
    second.stop()
    pod.config["eventProvider"]["horizon"]["standby"] = True
    collectors = [pod.collector, second]
    for collector in collectors:
        collector.configure(pod.config)
        collector.start()
    load = Load(pod.horizon, rng, longest=0.3)
    wait_until(lambda: sum(c.metric("vcourier_collector_leader") == 1 for c in collectors) == 1, 60)
    leader = next(c for c in collectors if c.metric("vcourier_collector_leader") == 1)
    pod.wait_stored(pod.js.count(STREAM) + 20)
    if LONG:
        leader.kill()  # the lease has to expire
    else:
        leader.stop()
    pod.wait_stored(pod.js.count(STREAM) + 20)
    leader.start()
    load.stop()
    pod.settle()


def test_bus_away(lab):
    """Events that come while NATS cannot be reached are stored when it is back; a stream that is full is reported."""
    pod = Pod(lab, start=False)
    proxy = Proxy(pod.nats.port)
    lab.closers.append(proxy.close)
    pod.config["bus"]["urls"] = [f"nats://127.0.0.1:{proxy.port}"]
    pod.collector = lab.collector(pod.config)
    pod.horizon.add(50)
    pod.settle()
    for _ in range(3):
        proxy.down()
        pod.horizon.add(20)
        wait_until(lambda: pod.collector.get("/readyz")[0] == 503, 60)
        pod.horizon.expire(refresh=True)
        proxy.up()
        pod.horizon.add(20)
        pod.settle()
    wait_until(lambda: balanced(pod.collector), 60)


def test_another_connection_server(lab):
    """The address of another server of the pod: the same events are not stored again."""
    pod = Pod(lab)
    pod.horizon.add(20)
    pod.settle()
    pod.collector.stop()
    other = Horizon(lab)
    other.events, other.next_id = pod.horizon.events, pod.horizon.next_id
    other.add(5)
    pod.config["eventProvider"]["horizon"]["address"] = other.url
    pod.collector.configure(pod.config)
    pod.collector.start()
    assert {m.json()["source"] for m in pod.settle()} == {pod.horizon.url, other.url}


def cli(nats, *arguments):
    return subprocess.run([BUILD / "vcourier", *arguments, "--server", nats.url], capture_output=True, text=True, timeout=60)


def test_dispatcher_and_operator(lab):
    """A dispatcher sends both dialects, filters and dead-letters; status, tail and replay know the stream; `check --connect` tries it."""
    pod = Pod(lab)
    pod.horizon.add(4)
    pod.settle()
    receiver = lab.receiver(lambda r: Answer(400) if r.event()["id"] == "3" else None)
    backend = knative(receiver.url) | {"retry": {"rejectGrace": "0s"}}
    backend["knative"]["typeStyle"] = "vsphere"
    config = router_config(pod.nats, lab.authority.ca, [pod.provider], [backend])
    lab.dispatcher(config).wait_ready()
    receiver.wait_count(4)
    assert {r.event()["type"] for r in receiver.requests} == {f"com.vmware.horizon.{e['type'].lower()}.v0" for e in pod.horizon.events}
    assert {r.event()["subject"] for r in receiver.requests} == {e["type"] for e in pod.horizon.events}
    wait_until(lambda: "horizon.agent_disconnected" in cli(pod.nats, "dead", "ls").stdout, 60)
    replay = cli(pod.nats, "replay", "--dispatcher", "kn", "--all", "--filter", "ce.pod.>")
    assert replay.returncode == 0, replay
    receiver.wait_count(8)
    report = json.loads(cli(pod.nats, "status", "--json").stdout)
    assert STREAM in json.dumps(report) and '"horizon"' in json.dumps(report)
    tail = cli(pod.nats, "tail", "ce.pod.>", "--since", "1h", "-n", "4", "--json")
    assert [json.loads(line)["id"] for line in tail.stdout.splitlines()] == ["1", "2", "3", "4"], tail


def test_check_connect(lab):
    pod = Pod(lab, start=False)
    file = lab.directory / "router.yaml"

    def check(**more):
        config = json.loads(json.dumps(pod.config))
        config["eventProvider"]["horizon"].update(more)
        if "insecureSSL" not in more and "caFile" not in more:
            del config["certificates"]
        file.write_text(json.dumps(config | {"eventProcessor": knative("http://127.0.0.1:9/")}))
        run = subprocess.run([BUILD / "vcourier", "check", "--connect", file], capture_output=True, text=True, timeout=60)
        return run.stdout + run.stderr
    trusted = {"caFile": str(lab.authority.ca)}
    assert "ok     Horizon pod: logged in, may read events" in check(**trusted)
    assert "eventProvider.horizon" in check() and "thumbprint" in check()
    pod.horizon.fail(Answer(409))
    assert "no event database" in check(**trusted)
    pod.password_file.write_text("wrong")
    assert "FAILED Horizon pod: login: HTTP status 401" in check(**trusted)


def test_with_permissions(lab, tmp_path):
    """The user of `users.py --source` may do what the collector needs, also with a lease."""
    nats = lab._keep(SecuredNats(tmp_path, "--source", "pod", "--dispatcher", "kn")).start()
    nats.account = ("admin", nats.password("admin"))
    pod = Pod(lab, nats, user="collector-pod", standby=True)
    pod.horizon.add(3)
    pod.settle()
    pod.collector.wait_ready()
    assert not nats.lines("Violation")
