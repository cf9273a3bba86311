# SPDX-License-Identifier: Apache-2.0
"""The menu of tty1, after a login of root."""
import subprocess

from . import front, machine, support
from .properties import Values
from .target import Target


def ask(text):
    return input(f"{text}: ").strip()


def ask_again(text, now):
    """The value so far for an empty line, "" for a hyphen."""
    answer = ask(f"{text} [{now or '-'}]") or now
    return "" if answer == "-" else answer


def network():
    target = Target()
    place = target.at(machine.LINK)
    now = machine.link_values(place.read_text() if place.is_file() else "")
    print("An empty line keeps the value in brackets, a hyphen removes it.")
    given = {"ipaddress": ask_again("IP address and prefix, such as 10.0.0.5/24; - for DHCP", now["ipaddress"])}
    if given["ipaddress"]:
        given["gateway"] = ask_again("Gateway", now["gateway"])
    given |= {"dns": ask_again("DNS servers", now["dns"]), "domain": ask_again("DNS domain", now["domain"])}
    text = machine.link(Values(given, target.tell))
    print("\n" + text.partition("[Network]\n")[2] + "".join(f"{key}: {message}\n" for key, message in target.messages))
    if ask("Use these settings? Type yes") != "yes":
        return print("Nothing was changed.")
    target.write(machine.LINK, text)
    subprocess.run(["networkctl", "reload"], check=False)
    return subprocess.run(["networkctl", "--no-pager", "--lines=0", "status"], check=False)


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
