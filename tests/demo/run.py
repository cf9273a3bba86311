#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the collector and the dispatcher for a configuration file on this machine, and shows the events on NATS as they arrive.

Uses the NATS of the file (`bus.urls`, otherwise 127.0.0.1:4222). If no server listens there, it starts a nats-server with its
store in build/run (--store), so that the next run continues where this one ended.
"""
import argparse
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import show  # noqa: E402
from lab.natsserver import NatsServer  # noqa: E402
from lab.nats_wire import Wire  # noqa: E402
from lab.process import BUILD, ROOT, Process  # noqa: E402


def bus_address(text):
    """(host, port) of the first NATS URL in the file."""
    found = re.search(r"(?:nats|tls)://[^\s\"',\]]+", text)
    url = urlsplit(found[0] if found else "nats://127.0.0.1:4222")
    return url.hostname, url.port or 4222


def listens(host, port):
    try:
        socket.create_connection((host, port), 3).close()
        return True
    except OSError:
        return False


def show_events(port, stop):
    """Prints the events on NATS. Prints nothing if NATS requires a login, because it is then not the one started here."""
    while not stop.is_set():
        try:
            wire = Wire(port)
            wire.sock.settimeout(None)
            sid = wire.subscribe("vc.>")
            while True:
                event = wire.next(sid).json()
                print(show.line(event, urlsplit(event["source"]).hostname[:8], time.time()), flush=True)
        except (OSError, PermissionError):
            stop.wait(1)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("config", type=Path)
    options.add_argument("--duration", type=float, help="seconds")
    options.add_argument("--store", type=Path, default=ROOT / "build" / "run", help="where nats-server keeps its store")
    options.add_argument("--collector", action="append", metavar="NAME", help="which of eventProviders (repeat)")
    options.add_argument("--dispatcher", action="append", metavar="NAME", help="which of eventProcessors (repeat)")
    options = options.parse_args()
    if code := subprocess.run([BUILD / "vcourier", "check", options.config]).returncode:  # it says what is wrong
        return code
    host, port = bus_address(options.config.read_text())
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    directory = options.store
    directory.mkdir(parents=True, exist_ok=True)
    processes = []
    try:
        if not listens(host, port):
            if host not in ("127.0.0.1", "localhost", "::1"):
                print(f"run: no NATS at {host}:{port}", file=sys.stderr)
                return 1
            nats = NatsServer(directory)
            nats.port = port
            processes.append(nats)
            nats.start()
            print(f"nats-server started on {nats.url}, store in {directory}", flush=True)
        for program, names in (("collector", options.collector), ("dispatcher", options.dispatcher)):
            for name in names or [None]:
                argv = [BUILD / f"vcourier-{program}", "-c", options.config.resolve(), *(["--name", name] if name else [])]
                child = Process(program, argv, directory, stdout=None, stderr=None)
                processes.append(child)
                child.start()
        print(show.HEADING, flush=True)
        if host in ("127.0.0.1", "localhost"):
            threading.Thread(target=show_events, args=(port, stop), daemon=True).start()
        end = time.monotonic() + options.duration if options.duration else None
        while not stop.wait(0.2) and (end is None or time.monotonic() < end):
            for child in processes:
                if not child.running():
                    print(f"run: {child.name} ended with {child.process.returncode}", file=sys.stderr)
                    return child.process.returncode or 1
        return 0
    finally:
        stop.set()
        for child in reversed(processes):
            child.stop(25)


if __name__ == "__main__":
    sys.exit(main())
