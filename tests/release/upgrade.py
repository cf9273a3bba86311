#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""upgrade.py FOLDER: under load, collector and dispatcher of an older version are replaced by those of this tree and back, in each order, and
both versions run beside each other. FOLDER has the older programs. No event is lost, and none is stored or delivered twice.

What the older version has stored is read: the stream, the position of the consumer, dead letters."""
import itertools
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lab.lab import Lab  # noqa: E402
from lab.pipeline import build  # noqa: E402
from lab.process import BUILD, wait_until  # noqa: E402
from lab.product import knative  # noqa: E402
from lab.receiver import Answer  # noqa: E402

EVENTS = 200  # in each stage, while the programs are replaced
REFUSED = 25  # each event whose key is a multiple of this becomes a dead letter


class Fleet:
    """The two programs, each of one of the versions."""

    def __init__(self, lab, older):
        self.lab, self.folders, self.numbers = lab, {"older": Path(older), "newer": BUILD}, itertools.count()

    def start(self, program, version):
        daemon = self.lab.daemon(program, self.lab.config, name=f"{program}-{version}-{next(self.numbers)}")
        daemon.argv[0] = str(self.folders[version] / f"vcourier-{program}")
        daemon.start()
        wait_until(lambda: not daemon.running() or daemon.get("/metrics")[0] == 200, 60, f"{daemon.name} runs")
        assert daemon.running(), daemon.text()
        return daemon


def keys(receiver):
    return Counter(int(r.headers["ce-eventkey"]) for r in receiver.requests)


def books(lab, receiver, stage):
    """Each event of the vCenter is stored once, and delivered or refused once."""
    lab.ledger.settle()
    want = {int(key) for key, _ in lab.vc.events()}
    wait_until(lambda: set(keys(receiver)) == want, 90, lambda: f"{stage}: not delivered: {sorted(want - set(keys(receiver)))[:10]}")
    assert not [key for key, n in keys(receiver).items() if n > 1], f"{stage}: delivered twice: {keys(receiver).most_common(3)}"
    dead = {key for key in want if key % REFUSED == 0}
    wait_until(lambda: lab.ledger.js.count("VCDEAD") == len(dead), 60,
               lambda: f"{stage}: {lab.ledger.js.count('VCDEAD')} dead letters, {len(dead)} events were refused")
    print(f"upgrade: {stage}: {len(want)} events stored and delivered, {len(dead)} of them dead letters; lost 0, twice 0", flush=True)


def replace(fleet, running, program, version):
    """SIGTERM, as a unit or a pod is stopped; events arrive meanwhile."""
    fleet.lab.vc.burst(EVENTS // 2)
    running[program].stop()
    fleet.lab.vc.burst(EVENTS // 2)
    running[program] = fleet.start(program, version)


def walk(lab, older):
    build(lab, "-backlog", "100")
    receiver = lab.receiver(lambda request: Answer(400 if int(request.headers["ce-eventkey"]) % REFUSED == 0 else 202))
    lab.config["eventProcessor"] = {**knative(receiver.url), "retry": {"rejectGrace": "0s"}}
    lab.col.stop()
    fleet = Fleet(lab, older)
    running = {program: fleet.start(program, "older") for program in ("collector", "dispatcher")}
    lab.col = running["collector"]
    books(lab, receiver, "older")
    for order in (("collector", "dispatcher"), ("dispatcher", "collector")):
        for version in ("newer", "older"):
            for program in order:
                replace(fleet, running, program, version)
                books(lab, receiver, f"{program} {version}, {order[0]} first")
    beside = {program: fleet.start(program, "newer") for program in running}
    lab.vc.burst(EVENTS)
    books(lab, receiver, "both versions beside each other")
    running["collector"].stop()
    running["dispatcher"].stop()
    lab.vc.burst(EVENTS)
    books(lab, receiver, "the older ones stopped")
    listed = subprocess.run([BUILD / "vcourier", "dead", "ls", "--json", "-c", beside["dispatcher"].file], capture_output=True, text=True, check=True)
    letters = [json.loads(line) for line in listed.stdout.splitlines()]
    assert len(letters) == lab.ledger.js.count("VCDEAD") and all(letter["status"] for letter in letters), "dead letters of both versions"


def main(older):
    with tempfile.TemporaryDirectory() as scratch:
        lab = Lab(Path(scratch))
        try:
            walk(lab, older)
        except AssertionError:
            lab.show_logs()
            raise
        finally:
            lab.close()
    print("upgrade: passed")


if __name__ == "__main__":
    main(sys.argv[1])
