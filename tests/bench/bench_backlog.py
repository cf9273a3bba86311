# SPDX-License-Identifier: Apache-2.0
"""The dispatcher's memory with a backlog of a million events, while the backend is down and then fast: no more than with few events.

Measures peaks of resident memory (VmHWM), so short peaks are included.
"""
import os
import re
from pathlib import Path

from lab.nginx import Nginx
from lab.process import free_port, wait_until
from lab.stream import Stream

FEW, MANY = 10_000, int(os.environ.get("BENCH_BACKLOG", "1000000"))
LOOKS = 3  # checks of the watch thread, every 5 s, so that a leak in a check or a probe is visible


def peak(dispatcher):
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{dispatcher.pid}/status").read_text()).group(1)) / 1024


def drained(lab, stream, url, name):
    """Peak MiB while all events of the stream are delivered to a fast backend."""
    dispatcher = lab.dispatcher(stream.config(url, name=name, concurrency=64), name=name)
    stream.wait_consumer(name)
    stream.idle(name, timeout=600)
    mib = peak(dispatcher)
    dispatcher.stop()
    return mib


def held_up(lab, stream, name):
    """Peak MiB while no event can be delivered."""
    url = f"http://127.0.0.1:{free_port()}/"
    dispatcher = lab.dispatcher(stream.config(url, name=name, concurrency=64, retry={"initial": "50ms", "max": "500ms"}), name=name)
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_circuit_state") == 2, 60)
    tried = dispatcher.metric("vcourier_dispatcher_errors_total")
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_errors_total") >= tried + 10 * LOOKS, 120)
    mib = peak(dispatcher)
    dispatcher.stop()
    return mib


def run(lab):
    stream = Stream(lab, lab.nats())
    stream.make_stream()
    url = lab._keep(Nginx(lab.directory)).start().url
    stream.publish(FEW)
    few_down, few_fast = held_up(lab, stream, "few-down"), drained(lab, stream, url, "few-fast")
    while stream.published < MANY:
        stream.publish(min(50_000, MANY - stream.published))
    many_down, many_fast = held_up(lab, stream, "many-down"), drained(lab, stream, url, "many-fast")
    yield f"peak memory, backend down, {FEW:,} events", few_down, "MiB"
    yield f"peak memory, backend down, {MANY:,} events", many_down, "MiB"
    yield "few to many, backend down", few_down / many_down, "flat is 1", 0.8
    yield f"peak memory, delivering {FEW:,} events", few_fast, "MiB"
    yield f"peak memory, delivering {MANY:,} events", many_fast, "MiB"
    yield "few to many, delivering", few_fast / many_fast, "flat is 1", 0.8
