# SPDX-License-Identifier: Apache-2.0
"""The status screen of tty1, and /status of the front. Each refresh takes one call of systemctl, the metrics of what runs and two small files."""
import json
import os
import pwd
import select
import socket
import subprocess
import sys
import termios
import time
import urllib.request
from pathlib import Path

from .courier import INSTANCES
from .front import CERTIFICATE, HOME, STATUS, fingerprint
from .target import printable

SECONDS, WIDTH, HEIGHT = 10, 80, 25
MENU = 10  # exit status: somebody pressed Enter
USER = "vcourier-screen"
COMMON = ("vcourier-appliance-disk.service", "vcourier-appliance.service", "vcourier-nats.service", "vcourier-console.service", "nginx.service", "ssh.service")
# metrics of a kind of program: the events that are behind, and for how long the oldest one is
BEHIND = {"collector": (("vcourier_collector_backlog_events",), "vcourier_collector_lag_seconds"),
          "dispatcher": (("vcourier_dispatcher_consumer_pending", "vcourier_dispatcher_consumer_ack_pending"), "vcourier_dispatcher_oldest_pending_age_seconds")}
COLOURS = {"active": 32, "activating": 33, "failed": 31, "inactive": 37}


def read(path, default=""):
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError):
        return default


def plain(text, width=WIDTH):
    """A text of another program: nothing that controls a terminal, and not longer than its place."""
    return printable(text)[:width]


def instances():
    try:
        return json.loads(read(INSTANCES, "[]"))
    except ValueError:
        return []


def states(units):
    """{unit: {property: value}}"""
    shown = subprocess.run(["systemctl", "show", "--property=Id,ActiveState,SubState,StatusText", *units], capture_output=True, text=True, check=False)
    blocks = [dict(line.partition("=")[::2] for line in block.splitlines()) for block in shown.stdout.split("\n\n")]
    return {block["Id"]: block for block in blocks if "Id" in block}


def addresses():
    shown = subprocess.run(["ip", "-o", "addr", "show", "scope", "global"], capture_output=True, text=True, check=False)
    return [line.split()[3].split("/")[0] for line in shown.stdout.splitlines() if " podman" not in line]


def store():
    try:
        with urllib.request.urlopen("http://127.0.0.1:8222/jsz", timeout=2) as reply:
            found = json.loads(reply.read(1 << 20))
        return f"{found['messages']} messages, {found['bytes'] / 1e6:.1f} MB of {found['config']['max_storage'] / 1e9:.1f} GB"
    except (OSError, ValueError, KeyError, TypeError):
        return "no answer"


def metrics(port):
    """A list of (name, value). It is empty when there is no answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=1) as reply:
            lines = reply.read(1 << 20).decode().splitlines()
        return [(line.partition("{")[0].split()[0], float(line.split()[-1])) for line in lines if line and line[0] != "#"]
    except (OSError, ValueError, IndexError):
        return []


def behind(instance):
    """How far a collector is behind its source, or a dispatcher behind the stream: "" where that is not known, as of a webhook."""
    counts, age = BEHIND[instance["kind"]]
    found = metrics(instance["port"])
    if not any(name == age for name, _ in found):
        return ""
    events = sum(value for name, value in found if name in counts)
    return f"{events:.0f} events, {max(value for name, value in found if name == age):.0f} s behind"


def unit_line(unit, state, coloured, lag=""):
    active = state.get("ActiveState", "?")
    if unit == "ssh.service" and active == "inactive":
        active = "off"
    name = unit.removesuffix(".service").removeprefix("vcourier-")
    text = plain(state.get("StatusText", ""), 40 - len(lag) if lag else 42)
    line = f"{active:<11}{name:<24}{', '.join(filter(None, (text, lag)))}"
    return f"  \033[{COLOURS.get(active, 37)}m{line}\033[0m" if coloured else f"  {line.rstrip()}"


def page(coloured):
    """At most HEIGHT lines."""
    mine, host = addresses(), socket.gethostname()
    title = f" vcourier appliance {read('/usr/share/vcourier-appliance/version').strip()}"
    yield f"\033[1;37;44m{title:<{WIDTH - 1}}\033[0m" if coloured else title.strip()
    yield f"  {plain(host, 40)}  {' '.join(mine)[:36] or 'no address'}"
    yield f"  {time.strftime('%F %T %Z')}, up {int(float(read('/proc/uptime', '0').split()[0]) // 60)} min"
    yield f"  Console: https://{plain(mine[0] if mine else host, 50)}/   certificate SHA-256:"
    try:
        print_of = fingerprint(read(CERTIFICATE)).replace(":", "")
        yield f"  {print_of}"
    except ValueError:
        yield "  there is none"
    yield ""
    running = {i["unit"]: i for i in instances()}
    units = [*COMMON[:3], *running, *COMMON[3:]]
    found = states(units)
    for unit in units[:11]:
        active = unit in running and found.get(unit, {}).get("ActiveState") == "active"
        yield unit_line(unit, found.get(unit, {}), coloured, behind(running[unit]) if active else "")
    yield f"  {'store':<11}{store()}"
    messages = (read(f"{STATUS}/messages") or read(f"{HOME}/messages")).splitlines()
    disk = found.get(COMMON[0], {}).get("ActiveState")
    messages = (["the data disk cannot be used: journalctl -u vcourier-appliance-disk"] if disk == "failed" else []) + messages
    for line in messages[:4 if len(messages) < 6 else 3]:
        yield f"  \033[33m! {plain(line, WIDTH - 6)}\033[0m" if coloured else f"  ! {plain(line, 300)}"
    if len(messages) > 5:
        yield f"  ! and {len(messages) - 3} more in {HOME}/messages"
    if coloured:
        yield "  Enter: menu.  Alt-F2: log in."


def wait_for_enter(seconds):
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    return bool(ready) and os.read(sys.stdin.fileno(), 100) in (b"\n", b"\r")


def show():
    """Until somebody presses Enter. status.txt is replaced as a whole."""
    settings = termios.tcgetattr(sys.stdin)
    quiet = [*settings]
    quiet[3] &= ~termios.ECHO
    termios.tcsetattr(sys.stdin, termios.TCSADRAIN, quiet)
    while True:
        new = Path(STATUS) / ".status.new"
        new.write_text("\n".join(page(False)) + "\n")
        new.rename(Path(STATUS) / "status.txt")
        sys.stdout.write("\033[H\033[2J" + "\n".join(list(page(True))[:HEIGHT - 1]))
        sys.stdout.flush()
        if wait_for_enter(SECONDS):
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, settings)  # the menu shows what is typed
            return MENU


def main(_options):
    """Draws as a user without rights. A login of root on this terminal gets the menu."""
    user = pwd.getpwnam(USER)
    Path(STATUS).mkdir(exist_ok=True)
    os.chown(STATUS, user.pw_uid, user.pw_gid)
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        os._exit(show())
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != MENU:
        return 1
    sys.stdout.write("\033[H\033[2JMenu of the appliance: the password of root, please.\n")
    sys.stdout.flush()
    os.execv("/bin/login", ["login", "root"])
