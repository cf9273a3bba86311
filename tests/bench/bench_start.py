# SPDX-License-Identifier: Apache-2.0
"""From the start of a process to its first /readyz with status 200, on a bus that is there and has the streams."""
import statistics
import time

from lab.process import wait_until
from lab.product import knative, provider, router_config

ROUNDS = 7
LIMITS = {"collector": 300, "dispatcher": 100}
POLL_S = 0.002


def ready_ms(daemon):
    start = time.monotonic()
    daemon.start()
    while daemon.get("/readyz")[0] != 200:
        assert daemon.running() and time.monotonic() - start < 60, daemon.text()[-2000:]
        time.sleep(POLL_S)
    return (time.monotonic() - start) * 1000


def run(lab):
    bus, vc = lab.nats(), lab.vcenter("-backlog", "1000")
    js = lab.jetstream(bus)
    config = router_config(bus, lab.authority.ca, [provider(vc, startFrom="earliest")], [knative(lab.receiver().url)])
    daemons = [lab.daemon(program, config) for program in LIMITS]
    for daemon in daemons:  # the first start creates the streams
        daemon.start().wait_ready()
    wait_until(lambda: js.count("VC_lab") >= 1000, 60)
    for program, daemon in zip(LIMITS, daemons):
        times = []
        for _ in range(ROUNDS):
            assert daemon.stop() == 0
            times.append(ready_ms(daemon))
        yield f"{program}: start to ready, median of {ROUNDS}", statistics.median(times), f"ms (at most {LIMITS[program]})"
        yield f"{program}: the slowest", max(times), "ms"
