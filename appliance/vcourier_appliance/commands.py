# SPDX-License-Identifier: Apache-2.0
"""The commands of `vcourier-appliance`."""
import argparse
import subprocess
import sys

from . import disk, environment, front, machine, menu, screen, support
from .courier import console, console_names, courier, units
from .properties import Values
from .target import STATE, UNITS, Target

MESSAGES = f"{front.HOME}/messages"
NO_DISK_MESSAGES = f"{front.STATUS}/messages"  # in memory: the messages when the disk is full or read-only
DONE = f"{STATE}/configured"  # the first boot is complete
# a change below a path: the units that read it at their start
READERS = (("/etc/vcourier/nats", "vcourier-nats.service"), ("/etc/vcourier/config.yaml", "vcourier-*@*.service"),
           ("/etc/vcourier/secrets", "vcourier-*@*.service"), ("/etc/default/vcourier", "vcourier-*@*.service"),
           ("/etc/vcourier/secrets/console", "vcourier-console.service"), ("/etc/nginx", "nginx.service"), (f"{front.HOME}/tls", "nginx.service"),
           ("/etc/nftables.conf", "nftables.service"), ("/etc/rsyslog.conf", "rsyslog.service"), ("/etc/ssh", "ssh.service"),
           ("/etc/systemd/journald", "systemd-journald.service"), ("/etc/systemd/timesyncd", "systemd-timesyncd.service"),
           ("/etc/systemd/network", "systemd-networkd.service"))


def apply(target, given):
    """All files of the appliance from its properties."""
    values = Values(given, target.tell)
    attempt = machine.attempt
    host = attempt(target, machine.name, values) or "vcourier"
    for section in machine.SECTIONS:
        attempt(target, section, values)
    proxies = attempt(target, machine.proxy, values) or {}
    fixed = machine.interface(values)
    address = str(fixed.ip) if fixed else ""
    attempt(target, front.certificate, values, host, address)
    running = attempt(target, courier, values, proxies) or []
    if running:
        attempt(target, console, values, list(dict.fromkeys([host, host.split(".")[0], *([address] if address else []), *addresses(target)])))
    attempt(target, units, running)
    attempt(target, front.front, values, running)


def addresses(target):
    """Those that the machine has now: DHCP's. At the first boot there are none yet; `vcourier-appliance addresses` adds them."""
    if not target.live:
        return []
    shown = subprocess.run(["ip", "-o", "addr", "show", "scope", "global"], capture_output=True, text=True, check=False).stdout
    return [line.split()[3].split("/")[0] for line in shown.splitlines()]


def report(target):
    """The messages for the screen. They name properties, never their values' secrets."""
    lines = [f"{key}: {text}" if key else text for key, text in target.messages]
    text = "".join(line.replace("\n", " ")[:300] + "\n" for line in lines)
    target.at(NO_DISK_MESSAGES).unlink(missing_ok=True)
    for path in (MESSAGES, NO_DISK_MESSAGES):
        try:
            target.write(path, text)
            break
        except OSError as error:
            print(f"{path}: {error.strerror}", file=sys.stderr)
    print(text, end="", file=sys.stderr)


def restart(target):
    """What reads a changed file. Units that do not run are not started by this; those that are not enabled any more end."""
    changed = sorted({unit for path in target.changed for prefix, unit in READERS if path.startswith(prefix)})
    run = lambda *argv: subprocess.run(argv, check=False)  # noqa: E731
    run("hostname", "-F", "/etc/hostname")
    run("systemctl", "daemon-reload")
    for path in target.changed:
        if path.startswith(f"{UNITS}/") and not target.at(path).is_symlink():
            run("systemctl", "--no-block", "stop", path.rpartition("/")[2])
    for unit in changed:
        run("systemctl", "--no-block", "try-restart", unit)
    enabled = sorted(p.name for p in target.at(UNITS).iterdir())
    run("systemctl", "--no-block", "start", *(u for u in enabled if u.endswith(".service") and u != "vcourier-appliance.service"))


def new_addresses(_options):
    """DHCP gave an address: browsers may use it. The console reads its changed file by itself."""
    target = Target()
    console_names(target, addresses(target))
    return 0


def configure(options):
    target = Target(options.root)
    if options.first_boot and target.at(DONE).exists():
        return 0
    found, where = None, None
    try:
        found, where = (environment.from_file(options.file), options.file) if options.file else environment.find()
    except environment.Unreadable as error:
        target.tell("", f"the properties cannot be read: {error}")
    if found is None and not target.messages:
        target.tell("", "no properties: neither guestinfo.ovfEnv nor a CD with ovf-env.xml. Run vcourier-appliance configure FILE")
    if found is None and target.at(DONE).exists():  # what is configured stays
        report(target)
        return 1
    apply(target, found or {})
    if found is not None and target.complete:
        machine.attempt(target, Target.write, DONE, f"{where}\n")
    if not target.complete:
        target.tell("", "the configuration is not complete. It is repeated at the next boot, or by vcourier-appliance configure")
    elif found is not None:
        if target.live and where == "guestinfo" and not environment.remove_secrets(found):
            target.tell("", "the passwords stay readable in guestinfo.ovfEnv: clear them in the vApp options")
    report(target)
    if target.live:
        restart(target)
    for path in target.changed:
        print(path)
    return 0 if found is not None and target.complete else 1


def main():
    parser = argparse.ArgumentParser(prog="vcourier-appliance", description="Sets the appliance up, and shows its state.")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("configure", help="write the configuration from the OVF properties, or from FILE")
    one.add_argument("file", nargs="?", metavar="FILE", help="an ovf-env.xml, or lines guestinfo.KEY=VALUE")
    one.add_argument("--root", default="/", metavar="DIR", help="write below another root directory, and start nothing")
    one.add_argument("--first-boot", action="store_true", help="do nothing when it has been done")
    one.set_defaults(run=configure)
    for name, run, text in (("disk", disk.main, "find the data disk, and mount it"), ("screen", screen.main, "the status screen of tty1"),
                            ("menu", menu.main, "the menu of tty1"), ("addresses", new_addresses, "the console takes the addresses of DHCP"),
                            ("support", lambda _: print(support.write()), "write an archive for support, without secrets")):
        commands.add_parser(name, help=text, description=text).set_defaults(run=run)
    options = parser.parse_args()
    return options.run(options)
