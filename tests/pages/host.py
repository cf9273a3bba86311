#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""host.py SCENARIO: the commands of a page, in order, as they are printed.

A network namespace with the loopback interface alone, where NATS has its own port free, and a mount namespace for an empty /var/lib.
tests/integration/test_pages.py starts it."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(Path(__file__).resolve().parent)]
import namespace  # noqa: E402
import nats_cli  # noqa: E402
from page import block  # noqa: E402
from lab.console import PASSWORDS, Console, Login  # noqa: E402
from lab.gateway import Gateway  # noqa: E402
from lab.lab import Lab  # noqa: E402
from lab.process import BUILD, wait_until  # noqa: E402
from lab.product import knative, provider, router_config  # noqa: E402
from lab.receiver import Answer  # noqa: E402
from lab.stream import event  # noqa: E402


class Shell:
    """Commands in a directory of the user's, with the built programs in PATH."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.environment = {"HOME": str(directory), "PATH": f"{BUILD}:{ROOT / 'compose/nats'}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
        self.background = []

    def run(self, script):
        """What the commands print. The first command that fails ends them."""
        done = subprocess.run(["sh", "-ec", script], cwd=self.directory, env=self.environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{script}\nexit code {done.returncode}\n{done.stdout}{done.stderr}"
        print(f"$ {script.strip()}\n{done.stdout}{done.stderr}", flush=True)
        return done.stdout

    def start(self, script):
        """Commands that end with &. They end with the scenario."""
        log = open(self.directory / "background.log", "ab")
        self.background.append(subprocess.Popen(["sh", "-ec", f"{script}\nwait"], cwd=self.directory, env=self.environment, stdout=log,
                                                stderr=log, start_new_session=True))
        print(f"$ {script.strip()}", flush=True)

    def close(self):
        for process in self.background:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Terminal:
    """A shell that stays, so that its variables and jobs do. The first command that fails ends it."""

    def __init__(self, directory, environment):
        self.bash = subprocess.Popen(["bash", "-e"], cwd=directory, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, start_new_session=True)

    def run(self, script):
        """What the commands print."""
        print(f"$ {script.strip()}", flush=True)
        self.bash.stdin.write(f"trap 'echo -- failed --' EXIT\n{script}\necho -- done --\n")
        self.bash.stdin.flush()
        lines = []
        for line in self.bash.stdout:
            if line == "-- done --\n":
                return "".join(lines)
            if line == "-- failed --\n":
                break
            lines.append(line)
            print(line, end="", flush=True)
        raise AssertionError(f"the shell ended with {self.bash.wait()}: {script}\n{''.join(lines)}")

    def close(self):
        if self.bash.poll() is None:
            os.killpg(self.bash.pid, signal.SIGKILL)
        self.bash.wait()


def old_file(shell, lab, vcenter, processor):
    """The file of the old router, with the whole history, so that there are events."""
    config = router_config("unused", lab.authority.ca, [provider(vcenter, "vc1", startFrom="earliest")], [processor])
    del config["bus"]
    (shell.directory / "your-event-router-config.yaml").write_text(json.dumps(config))


def migrate(shell):
    print(shell.run(block("docs/migration.md", "From the event router", 1).text))
    namespace.instead("/var/lib", tempfile.mkdtemp(dir=shell.directory))
    Path("/var/lib/nats").mkdir()
    shell.start(block("docs/migration.md", "From the event router", 2).text)


def all_of(vcenter):
    return {f"{key}-{created}" for key, created in vcenter.events()}


def first_day(shell, lab):
    """docs/migration.md, then docs/delivery.md: one event in five is refused and becomes a dead letter; after the repair these are sent again."""
    vcenter, broken, accepted = lab.vcenter("-backlog", "120"), [True], set()

    def answer(request):
        if broken and int(request.headers["ce-eventkey"]) % 5 == 0:
            return Answer(400, body=b"no")
        accepted.add(request.headers["ce-id"])
        return Answer()

    def dead():
        return shell.run("vcourier dead ls").splitlines()
    receiver = lab.receiver(answer)
    old_file(shell, lab, vcenter, knative(receiver.url, "kn"))
    migrate(shell)
    receiver.wait_for(lambda requests: {r.headers["ce-id"] for r in requests} == all_of(vcenter), what="every event")
    vcenter.lab("rate", r=10)  # that other events are taken shows that the refused ones are at fault
    wait_until(lambda: len(dead()) >= 20, 120, "20 dead letters")
    vcenter.lab("rate", r=0)
    broken.clear()
    wait_until(lambda: len(accepted) + len(dead()) == len(all_of(vcenter)), 120, "each event is accepted or a dead letter")
    letters, before = dead(), len(receiver.requests)
    shell.run(block("docs/delivery.md", "Dead letters").text)
    receiver.wait_count(before + len(letters) - 1)  # one was dropped
    assert dead() == []
    shell.run(block("docs/delivery.md", "Send past events again").text)


def functions(shell, lab):
    """docs/openfaas.md: dead letters of a function, and past events for one that was deployed later."""
    vcenter = lab.vcenter("-backlog", "20")
    gateway = Gateway()
    gateway.start().deploy("mail", "VmPoweredOnEvent,VmPoweredOffEvent")
    login = {"type": "basic_auth", "basicAuth": {"username": gateway.user, "password": gateway.password}}
    old_file(shell, lab, vcenter, {"type": "openfaas", "name": "faas", "openfaas": {"address": gateway.url, "auth": login}})
    migrate(shell)
    gateway.wait(lambda g: g.calls)
    shell.run(block("docs/openfaas.md", "Commands").text)


def patterns(shell, lab):
    """docs/eventbridge.md: the page's pattern, tried on events."""
    (shell.directory / "rule.json").write_text(block("docs/eventbridge.md", "The entry on the bus").text)
    (shell.directory / "events.jsonl").write_bytes(event(1) + b"\n" + event(2) + b"\n")
    shell.run(block("docs/eventbridge.md", "Which events are sent").text)


def users(shell, lab):
    """docs/nats.md: nats-server accepts the users that the page makes."""
    for heading in ("Users", "Connectors"):
        shell.run(block("docs/nats.md", heading).text)
        shell.run("nats-server -t -c users.conf")


def emit(shell, lab):
    """docs/events.md: made-up events for a function, and for a dispatcher of a running pipeline."""
    vcenter, function = lab.vcenter(), lab.receiver(port=8080)
    old_file(shell, lab, vcenter, knative(function.url, "knative"))
    migrate(shell)
    shell.run("until vcourier status | grep -w knative; do sleep 0.2; done")  # status is 0 on an empty bus, too
    shell.run(block("docs/events.md", "Try a function with a made-up event").text)

    def arrived(requests):
        tests = {r.headers["ce-subject"]: r for r in requests if r.headers.get("ce-vcouriertest") == "true"}
        return len(tests) == 2 and tests["VmPoweredOnEvent"].json()["Vm"]["Name"] == "web-1" and \
            tests["esx.problem.net.connectivity.lost"].headers["ce-severity"] == "error"
    function.wait_for(arrived, what="both events")


def console(shell, lab):
    """docs/console.md: a user that the page makes can log in."""
    (shell.directory / "password.txt").write_text(PASSWORDS["olga"] + "\n")
    shell.run(block("docs/console.md", "Users").text)
    running = lab._keep(Console(lab.directory, lab.nats(), users={}, usersFile=str(shell.directory / "users")))
    Login(running.start().wait_ready(), "olga")


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def tutorial(shell, lab):
    """docs/tutorial.md, beside a demo in this repository. The files are saved, and the commands run, in a directory of the user's."""
    page = "docs/tutorial.md"
    home = shell.directory
    shell.start(f"cd {ROOT} && {block(page, '1. Start the demo', 1).text}")
    output = home / "background.log"
    address = wait_until(lambda: re.search(r"--server (nats://\S+)", output.read_text()), 120, "the demo prints its address")[1]
    terminal = Terminal(home, shell.environment)
    log = home / "function.log"
    try:
        terminal.run(block(page, "1. Start the demo", 2).text.replace("nats://127.0.0.1:4222", address))
        wait_until(lambda: subprocess.run([BUILD / "vcourier", "status", "--server", address], capture_output=True).returncode == 0, 60,
                   "the demo is complete")
        terminal.run(block(page, "2. Look at the events").text)
        (home / "function.py").write_text(block(page, "3. Write a function", 1).text)
        terminal.run(block(page, "3. Write a function", 2).text)
        wait_until(lambda: listens(8080), 30, "the function listens")
        assert "web-1 was powered off" in terminal.run(block(page, "3. Write a function", 3).text)
        (home / "tutorial.yaml").write_text(block(page, "4. Connect it", 1).text)
        terminal.run(block(page, "4. Connect it", 2).text)
        assert block(page, "4. Connect it", 3).text == "tail -f function.log\n"
        wait_until(lambda: len(log.read_text().splitlines()) >= 3, 120, "events of the demo arrive")
        terminal.run(block(page, "5. A dead letter", 1).text)
        terminal.run("until vcourier dead ls | grep -q 'HTTP 422'; do sleep 0.2; done")
        terminal.run(block(page, "5. A dead letter", 2).text)
        terminal.run(block(page, "5. A dead letter", 3).text)
        wait_until(lambda: "bad-1 was powered off" in log.read_text(), 60, "the function takes it")
        assert terminal.run("vcourier dead ls") == ""
    finally:
        terminal.close()


SCENARIOS = {f.__name__: f for f in (first_day, functions, patterns, users, emit, console, tutorial, nats_cli.consumers, nats_cli.leaf, nats_cli.operator_mode)}


def main():
    namespace.loopback_up()
    with tempfile.TemporaryDirectory(prefix="vcourier-page-") as directory:
        home, logs = Path(directory) / "home", Path(directory) / "logs"
        for new in (home, logs):
            new.mkdir()
        lab, shell = Lab(logs), Shell(home)
        try:
            SCENARIOS[sys.argv[1]](shell, lab)
        except AssertionError:
            if (home / "background.log").exists():
                print((home / "background.log").read_text(errors="replace")[-6000:])
            lab.show_logs()
            raise
        finally:
            shell.close()
            lab.close()


if __name__ == "__main__":
    main()
