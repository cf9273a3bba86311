# SPDX-License-Identifier: Apache-2.0
"""Many vCenters on one bus: a simulator with many endpoints, a collector for each, and dispatchers that share them."""
import json
import os
import time
from pathlib import Path

from .nginx import Nginx
from .process import wait_until
from .product import knative, provider, router_config
from .vcenter import PASSWORD, USER

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(process):
    """User and system time of a process so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def name_of(i, dispatchers):
    return f"site{i % dispatchers}-vc{i:03}"


class Fleet:
    """n vCenters named site<dispatcher>-vc<number>, each in a file of its own; dispatcher i has the vCenters of its site."""

    def __init__(self, lab, n, dispatchers=3, max_bytes="64MiB", **options):
        self.lab, self.n = lab, n
        self.bus, self.nginx = lab.nats(), lab._keep(Nginx(lab.directory)).start()
        self.js = lab.jetstream(self.bus)
        self.simulator = lab.vcenter("-endpoints", str(n), "-vm", "1", "-notify", "200ms")
        self.vcenters = {name_of(i, dispatchers): endpoint for i, endpoint in enumerate(self.simulator.endpoints())}
        self.folder = lab.directory / "vcenters.d"
        self.folder.mkdir()
        (self.folder / "password").write_text(PASSWORD)
        for name, vcenter in self.vcenters.items():
            entry = provider(vcenter, name=name, startFrom="earliest", **options)
            entry["vcenter"]["auth"]["basicAuth"] = {"username": USER, "passwordFile": "password"}
            (self.folder / f"{name}.yaml").write_text(json.dumps(entry))
        processors = [{**knative(self.nginx.url, name=f"site{i}"), "vcenters": [f"site{i}-*"]} for i in range(dispatchers)]
        self.config = router_config(self.bus, lab.authority.ca, processors=processors, eventProvidersFrom="vcenters.d")
        self.config["bus"]["stream"] = {"maxBytes": max_bytes}
        self.collectors, self.dispatchers = {}, {}

    def start(self):
        for name in self.vcenters:
            self.collectors[name] = self.lab.collector(self.config, "--name", name, name=f"collector-{name}")
        for collector in self.collectors.values():
            collector.wait_ready()
        for i in range(len(self.config.get("eventProcessors", [0]))):
            self.dispatchers[f"site{i}"] = self.lab.dispatcher(self.config, "--name", f"site{i}", name=f"site{i}")
        for dispatcher in self.dispatchers.values():
            dispatcher.wait_ready()

    def rate(self, r):
        for vcenter in self.vcenters.values():
            vcenter.lab("rate", r=r)

    def processes(self):
        return {"collectors": list(self.collectors.values()), "dispatchers": list(self.dispatchers.values()), "nats-server": [self.bus],
                "simulator": [self.simulator], "nginx": [self.nginx]}

    def calls(self):
        return sum(sum(v.stats()["calls"].values()) for v in self.vcenters.values())

    def measure(self, seconds):
        """CPU in percent of a core, memory in MB of each kind of process, and calls on one vCenter a second, over some seconds."""
        before = {p.pid: cpu_seconds(p) for group in self.processes().values() for p in group}
        calls, start = self.calls(), time.monotonic()
        time.sleep(seconds)
        elapsed = time.monotonic() - start
        out = {"calls": (self.calls() - calls) / elapsed / self.n}
        for kind, group in self.processes().items():
            same = [p for p in group if p.pid in before]
            out[kind] = (sum(cpu_seconds(p) - before[p.pid] for p in same) / elapsed * 100, sum(p.rss() for p in group) / 1e6, len(group))
        return out

    def settled(self, name):
        """The books of one vCenter: what it has, what the stream has, what its dispatcher has settled."""
        events = self.vcenters[name].stats()["events"]
        state = self.js.info(f"VC_{name}")["state"]
        consumer = self.js.consumer(f"VC_{name}", name.split("-")[0])
        return (events == state["messages"] == state["last_seq"] == consumer["ack_floor"]["stream_seq"]
                and consumer["num_pending"] == consumer["num_ack_pending"] == 0)

    def settle(self, timeout=300):
        """Every event of every vCenter is in its stream once and is delivered; the counters of the dispatchers add up."""
        left = set(self.vcenters)

        def all_settled():
            left.difference_update([name for name in left if self.settled(name)])
            return not left
        wait_until(all_settled, timeout, lambda: f"books of {len(left)} vCenters: {sorted(left)[:3]}")
        stored = {d: sum(self.js.count(f"VC_{name}") for name in self.vcenters if name.startswith(d + "-")) for d in self.dispatchers}
        results = {d: {r: int(p.metric("vcourier_dispatcher_events_total", result=r)) for r in ("delivered", "filtered", "dead", "expired")}
                   for d, p in self.dispatchers.items()}
        for d, found in results.items():
            assert found == {"delivered": stored[d], "filtered": 0, "dead": 0, "expired": 0}, (d, found, stored[d])
        return sum(stored.values())
