# SPDX-License-Identifier: Apache-2.0
"""From the vCenter simulator to HTTP 202: collector, NATS and a dispatcher, all on this machine."""
import os
import statistics
import time

from cost import Meter
from lab.nginx import Nginx
from lab.process import wait_until
from lab.receiver import Answer
from lab.product import knative, provider, router_config
from lab.vcenter import milliseconds

BACKLOG = int(os.environ.get("BENCH_EVENTS", "100000"))
ROUTER_CEILING = 100  # events/s: the Event Router reads one page of 100 events per second
STEADY, SECONDS = 50, 20


def delivered(dispatcher):
    return dispatcher.metric("vcourier_dispatcher_events_total", result="delivered")


def memory(process):
    """Resident memory in MiB, and how much of it is the process's own: not a page of a program or library, which all processes share."""
    return process.rss() / 2**20, process.rss("RssAnon") / 2**20


def throughput(lab, bus, vc):
    nginx = lab._keep(Nginx(lab.directory)).start()
    config = router_config(bus, lab.authority.ca, [provider(vc, startFrom="earliest")], [{**knative(nginx.url), "concurrency": 256}])
    start = time.monotonic()
    collector = lab.collector(config)
    dispatcher = lab.dispatcher(config).wait_ready()
    meter, peak = Meter(collector, dispatcher, bus, vc, nginx), {}
    while delivered(dispatcher) < BACKLOG:
        assert dispatcher.running() and time.monotonic() - start < 600, dispatcher.text()[-2000:]
        for daemon in (collector, dispatcher):
            peak[daemon] = max(peak.get(daemon, (0, 0)), memory(daemon))
        time.sleep(0.05)
    rate = BACKLOG / (time.monotonic() - start)
    yield f"backlog of {BACKLOG:,} to HTTP 202, start-up included", rate, "events/s"
    yield "whole pipeline", rate / ROUTER_CEILING, "the old router's 100 events/s", 100
    for name, spent in zip(("collector", "dispatcher", "nats-server", "simulator", "nginx"), meter.spent()):
        yield f"CPU of {name}", spent.cpu / BACKLOG * 1e6, "us an event"
    for daemon, (resident, own) in peak.items():
        yield f"{daemon.name}, resident memory at most", resident, "MiB"
        yield f"{daemon.name}, of this its own", own, "MiB"
    assert dispatcher.stop() == 0
    nginx.stop()
    return collector, config


def latency(lab, vc, collector, config):
    """From createdTime to the arrival of the request, by one clock. The figure includes the time of the receiver, which is Python."""
    arrived = []

    def answer(request):
        arrived.append((request.at * 1000, request.headers.get("ce-time")))
        return Answer(202)
    receiver = lab.receiver(answer, keep=False)
    config["eventProcessor"]["knative"]["destination"]["uri"] = receiver.url
    dispatcher = lab.dispatcher(config, name="dispatcher-steady").wait_ready()
    vc.lab("rate", r=STEADY)
    wait_until(lambda: len(arrived) >= STEADY * (SECONDS + 1), SECONDS * 4)
    vc.lab("rate", r=0)
    late = sorted(at - milliseconds(created) for at, created in arrived[STEADY:])  # ignore the first second, in which the collector still polls slowly
    yield f"steady {STEADY}/s: created to backend, p50", statistics.median(late), "ms (at most 50)"
    yield f"steady {STEADY}/s: created to backend, p99", late[int(len(late) * 0.99)], "ms (at most 150)"
    for name, daemon in (("collector", collector), ("dispatcher", dispatcher)):
        resident, own = memory(daemon)
        yield f"steady {STEADY}/s: {name}, resident memory", resident, "MiB"
        yield f"steady {STEADY}/s: {name}, of this its own", own, "MiB"


def run(lab):
    bus, vc = lab.nats(), lab.vcenter("-backlog", str(BACKLOG))
    collector, config = yield from throughput(lab, bus, vc)
    yield from latency(lab, vc, collector, config)
