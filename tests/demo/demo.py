#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs all of vcourier on this machine: vCenter simulator, collector, NATS, dispatcher, receiver, console. Shows events as they arrive.

Runs until Ctrl-C, or for --duration SECONDS. Then all events must have arrived; otherwise the exit status is 1.
"""
import argparse
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import webbrowser
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import show  # noqa: E402
from lab.console import Console  # noqa: E402
from lab.lab import Lab  # noqa: E402
from lab.process import BUILD, wait_until  # noqa: E402
from lab.product import knative, provider, router_config  # noqa: E402

NAME, STREAM = "demo", "VC_demo"


class Demo:
    def __init__(self, lab):
        self.arrived = {}  # id: latency in ms
        self.output = threading.Lock()
        self.announced = threading.Event()  # the header is printed
        self.nats = lab.nats()
        self.vcenter = lab.vcenter("-real", "4", "-rate", "1")
        self.receiver = lab.receiver(self.take, keep=False)
        config = router_config(self.nats, lab.authority.ca, [provider(self.vcenter, NAME)],
                               [knative(self.receiver.url)])
        self.collector = lab.collector(config)
        self.dispatcher = lab.dispatcher(config)
        self.password = secrets.token_urlsafe(9)
        self.console = lab._keep(Console(lab.directory, self.nats, users={"demo": self.password})).start()
        self.js = lab.jetstream(self.nats)

    def header(self):
        power = subprocess.check_output([BUILD / "vcourier", "subject", "--vcenter", NAME, "--event", "VmPoweredOnEvent"],
                                        text=True, stderr=subprocess.DEVNULL).strip()
        program = BUILD.relative_to(Path.cwd()) if BUILD.is_relative_to(Path.cwd()) else BUILD
        self.say(f"""
  vCenter     {self.vcenter.url}  (simulator over TLS, live inventory events)
  collector   reads it, writes CloudEvents to NATS      metrics http://127.0.0.1:{self.collector.port}/metrics
  NATS        {self.nats.url}  stream {STREAM}, nats-server with JetStream in a scratch directory
  dispatcher  delivers them, Knative style              metrics http://127.0.0.1:{self.dispatcher.port}/metrics
  receiver    {self.receiver.url}  prints what arrives
  console     {self.console.url}  user demo, password {self.password}
  latency     from createdTime to the receiver; most of it is the wait for the next poll of
              vCenter, 52 ms to 1 s: docs/scale.md

  In another terminal, here:
    {program}/vcourier status --server {self.nats.url}
    {program}/vcourier tail --server {self.nats.url}
    {program}/vcourier tail --server {self.nats.url} '{power}'
    {program}/vcourier dead ls --server {self.nats.url}
  The same with the nats CLI:
    nats --server {self.nats.url} sub 'vc.{NAME}.>'
    nats --server {self.nats.url} sub '{power}'
  Ctrl-C ends it all.

{show.HEADING}""")
        self.announced.set()

    def say(self, text):
        """Threads of the receiver print, too."""
        with self.output:
            print(text, flush=True)

    def take(self, request):
        event = request.event()
        if event["id"] not in self.arrived:
            self.arrived[event["id"]] = show.milliseconds(event, request.at)
            self.announced.wait()
            self.say(show.line(event, NAME, request.at))

    def happened(self, since):
        """Ids of the events that vCenter has created since then."""
        return {f"{key}-{created}" for (key, created), _ in self.vcenter.events().items() if created >= since * 1000}

    def summary(self, expected):
        """Prints the last lines. Returns whether all expected events arrived."""
        lost = expected - set(self.arrived)
        latencies = list(self.arrived.values())
        self.say(f"\n{self.js.count(STREAM)} published, {len(self.arrived)} delivered, {len(lost)} lost; "
              f"latency p50 {show.percentile(latencies, 50):.0f} ms, p99 {show.percentile(latencies, 99):.0f} ms")
        return not lost and bool(self.arrived)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--duration", type=float, help="seconds")
    options.add_argument("--browser", action="store_true", help="open the console")
    options = options.parse_args()
    interrupted = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    print("Starting NATS, a vCenter simulator, collector, dispatcher, receiver and console. Events follow when these are ready.", flush=True)
    with tempfile.TemporaryDirectory(prefix="vcourier-demo-") as directory:
        lab = Lab(directory)
        try:
            demo = Demo(lab)
            demo.header()
            demo.collector.wait_ready()
            demo.dispatcher.wait_ready()
            demo.console.wait_ready()
            if options.browser and not webbrowser.open(demo.console.url):
                demo.say(f"No browser opens here; the console is {demo.console.url}")
            begin = time.time()
            interrupted.wait(options.duration)
            if options.duration is None:
                demo.summary(set())
                return 0
            expected = demo.happened(begin)
            try:
                wait_until(lambda: interrupted.is_set() or expected <= set(demo.arrived), 30)
            except AssertionError:
                lab.show_logs(sys.stderr)
            return 0 if demo.summary(expected) else 1
        except (AssertionError, OSError) as e:
            if interrupted.is_set():
                return 0
            print(f"demo: {e}", file=sys.stderr)
            lab.show_logs(sys.stderr)
            return 1
        finally:
            lab.close()


if __name__ == "__main__":
    sys.exit(main())
