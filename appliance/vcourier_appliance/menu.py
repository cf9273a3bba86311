# SPDX-License-Identifier: Apache-2.0
"""The menu of tty1, after a login of root."""
import subprocess

from . import front, machine, support
from .properties import Values
from .target import Target


def ask(text):
    return input(f"{text}: ").strip()


def network():
    target = Target()
    given = {"ipaddress": ask("IP address (empty: DHCP)")}
    if given["ipaddress"]:
        given |= {key: ask(label) for key, label in (("netmask", "Prefix, such as 24"), ("gateway", "Gateway"))}
    given |= {"dns": ask("DNS servers"), "domain": ask("DNS domain")}
    values = Values(given, target.tell)
    if given["ipaddress"] and machine.interface(values) is None:
        return print("".join(f"{key}: {text}\n" for key, text in target.messages) + "Nothing was changed.")
    machine.network(target, values)
    for key, text in target.messages:
        print(f"{key}: {text}")
    subprocess.run(["networkctl", "reload"], check=False)
    return subprocess.run(["networkctl", "--no-pager", "status"], check=False)


def certificate():
    target = Target()
    print("SHA-256 " + front.fingerprint(target.at(front.CERTIFICATE).read_text()))
    if ask("Make a new self-signed one? Type yes") == "yes":
        names = target.at("/etc/hostname").read_text().strip()
        front.self_signed(target, names, "", replace=True)
        subprocess.run(["systemctl", "reload", "nginx"], check=False)
        print("SHA-256 " + front.fingerprint(target.at(front.CERTIFICATE).read_text()))


def run(*argv):
    return lambda: subprocess.run(argv, check=False)


CHOICES = (("Network", network), ("Password of root", run("passwd", "root")), ("Certificate", certificate),
           ("Support bundle", lambda: print(support.write())), ("Configure again from guestinfo or CD", run("vcourier-appliance", "configure")),
           ("Messages of the configuration", run("cat", f"{front.HOME}/messages")), ("Shell", run("bash")),
           ("Reboot", run("systemctl", "reboot")), ("Power off", run("systemctl", "poweroff")))


def main(_options):
    while True:
        print("\n" + "\n".join(f"  {number}  {name}" for number, (name, _) in enumerate(CHOICES, 1)) + "\n  0  Log out\n")
        try:
            choice = ask("Number")
            if choice == "0":
                return 0
            if choice.isascii() and choice.isdigit() and int(choice) <= len(CHOICES):
                CHOICES[int(choice) - 1][1]()
        except EOFError:
            return 0
        except KeyboardInterrupt:
            print()
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            print(error)
