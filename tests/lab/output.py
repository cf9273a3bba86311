# SPDX-License-Identifier: Apache-2.0
"""What the programs print as JSON, from a pipeline that has an event of each kind: delivered, dead, waiting for a pause to end."""
import json
import subprocess
import sys
from pathlib import Path

from .pipeline import build
from .process import BUILD, wait_until
from .product import knative
from .receiver import Answer

sys.path.append(str(Path(__file__).resolve().parents[2] / "release"))
from interfaces import keys  # noqa: E402

COMMANDS = ("status", "tail --count 1 --since 1h", "dead ls", "events")
NOT_OURS = ("event.", "data.")  # the event: attributes have lines of their own, and its data is vSphere's


def printed(daemon, command):
    """The JSON texts that `vcourier COMMAND --json` prints."""
    done = subprocess.run([BUILD / "vcourier", *command.split(), "--json", "-c", daemon.file], capture_output=True, text=True, timeout=60)
    assert done.stdout, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line] if command != "status" else [json.loads(done.stdout)]


def output_keys(lab):
    """Lines `json COMMAND: path`."""
    build(lab, "-backlog", "20")
    receiver = lab.receiver(lambda request: Answer(400 if int(request.headers["ce-eventkey"]) % 2 else 202))
    lab.config["eventProcessor"] = {**knative(receiver.url), "retry": {"rejectGrace": "0s"}}
    dispatcher = lab.dispatcher(lab.config)
    lab.ledger.settle()
    wait_until(lambda: lab.ledger.js.count("VCDEAD") > 0, 60, "a dead letter")
    wait_until(lambda: printed(dispatcher, "status")[0]["replicas"], 60, "the dispatcher replies")
    paths = {f"json {command.partition(' --')[0]}: {path}" for command in COMMANDS for value in printed(dispatcher, command) for path in keys(value)}
    return {line for line in paths if not line.partition(": ")[2].startswith(NOT_OURS)}
