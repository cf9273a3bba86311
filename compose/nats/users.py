#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the NATS users of a vcourier deployment: who may say what on the bus, exactly.

    users.py --vcenter lab --dispatcher knative --reader grafana --guest team-a > users.conf
    users.py --vcenter lab --dispatcher knative ... --passwords DIR

The names are eventProvider.name and eventProcessor.name of the configuration file. The second form makes one
random password file per user in DIR (existing ones stay) and DIR/passwords.conf, which users.conf includes.
What each list means, and what it cannot stop: docs/nats.md.
"""
import argparse
import base64
import os
import re
import sys
from pathlib import Path

API = "$JS.API"
LEASES = "KV_vcourier"  # the bucket in which standby collectors agree who reads
STATUS = "vcourier.status."  # a dispatcher answers here how it is
PLACES = "KV_vcourier-places"  # the bucket in which dispatchers keep how far they are


def token(name):
    """One NATS token from a name, as lib/event/subject.c makes it."""
    if name in ("", "_"):
        return {"": "_", "_": "=5F"}[name]
    out = re.sub(rb"[^A-Za-z0-9_-]", lambda m: b"=%02X" % m[0][0], name.encode()).decode()
    if len(out) > 64:
        sys.exit(f"users.py: {name}: longer than 64 bytes as a NATS token")
    return out


def acks(stream, durable):
    """The ack subject, and the longer form that newer servers may use (a domain and an account hash before it)."""
    return [f"$JS.ACK.{stream}.{durable}.>", f"$JS.ACK.*.*.{stream}.{durable}.>"]


def pull(stream, durable):
    return [f"{API}.CONSUMER.INFO.{stream}.{durable}", f"{API}.CONSUMER.MSG.NEXT.{stream}.{durable}", *acks(stream, durable)]


def own(stream, durable):
    """Makes, looks at, pulls, settles and removes one durable."""
    return [f"{API}.CONSUMER.DURABLE.CREATE.{stream}.{durable}", f"{API}.CONSUMER.CREATE.{stream}.{durable}",
            f"{API}.CONSUMER.CREATE.{stream}.{durable}.>", f"{API}.CONSUMER.DELETE.{stream}.{durable}", *pull(stream, durable)]


def count(stream, durable):
    """A durable that is made to see how many events wait for it, and removed; '~' is in no name of a dispatcher."""
    return [f"{API}.CONSUMER.{call}.{stream}.{durable}" for call in ("INFO", "DURABLE.CREATE", "DELETE")]


def read(stream):
    """Reads the stream through consumers without a name of their own, which the server calls as it likes."""
    return [f"{API}.STREAM.INFO.{stream}", f"{API}.STREAM.MSG.GET.{stream}", f"{API}.CONSUMER.CREATE.{stream}",
            f"{API}.CONSUMER.MSG.NEXT.{stream}.*", f"{API}.CONSUMER.DELETE.{stream}.*"]


def not_of(stream, durables):
    """What read() must not reach: the durables of others."""
    return [f"{API}.CONSUMER.{call}.{stream}.{durable}" for durable in durables for call in ("MSG.NEXT", "DELETE")]


def collector(vcenter, durables):
    """Writes one vCenter's subjects, reads its tail, keeps the lease; may make its stream, never alter one."""
    stream = f"VC_{vcenter}"
    return ([f"vc.{vcenter}.>", f"{API}.STREAM.CREATE.{stream}", *read(stream),
             f"{API}.STREAM.CREATE.{LEASES}", f"{API}.STREAM.INFO.{LEASES}", f"{API}.STREAM.MSG.GET.{LEASES}",
             f"$KV.vcourier.lease.{vcenter}"], not_of(stream, durables))


def dispatcher(name, vcenters):
    """Pulls and settles its own durable on each stream and of what is sent again, writes its own dead letters and places,
    answers who asks how it is."""
    allow = [f"vcdead.{name}.>", f"{API}.STREAM.CREATE.VCDEAD", f"{API}.STREAM.INFO.VCDEAD",
             f"$KV.vcourier-places.{name}.*", f"{API}.STREAM.CREATE.{PLACES}", f"{API}.STREAM.INFO.{PLACES}",
             f"{API}.STREAM.MSG.GET.{PLACES}"]
    for stream in [f"VC_{v}" for v in vcenters] + ["VCREPLAY"]:
        allow += [f"{API}.STREAM.CREATE.{stream}", f"{API}.STREAM.INFO.{stream}", f"{API}.STREAM.MSG.GET.{stream}",
                  f"{API}.DIRECT.GET.{stream}", *own(stream, name), *count(stream, f"{name}~count")]
    return allow, []


def cli(vcenters, durables):
    """The operator's tool: looks at everything, reads any stream, sends events again, drops dead letters."""
    allow = [f"{API}.INFO", f"{API}.STREAM.NAMES", f"{API}.STREAM.LIST", f"{API}.STREAM.CREATE.VCREPLAY", "vcreplay.>",
             "vcourier.status.*", f"{API}.STREAM.MSG.DELETE.VCDEAD"]
    streams = [f"VC_{v}" for v in vcenters] + ["VCREPLAY"]
    for stream in streams + ["VCDEAD"]:
        allow += [*read(stream), f"{API}.CONSUMER.NAMES.{stream}", f"{API}.CONSUMER.LIST.{stream}",
                  f"{API}.CONSUMER.INFO.{stream}.*"]
    return allow, [subject for stream in streams for subject in not_of(stream, durables)]


def reader(name, vcenters):
    """A consumer you trust: makes, pulls, settles and removes durables whose name is its own; publishes no event."""
    allow = []
    for stream in [f"VC_{v}" for v in vcenters]:
        allow += [f"{API}.STREAM.INFO.{stream}", *own(stream, name)]
    return allow, []


def variable(name):
    """The name under which passwords.conf holds a user's password."""
    return re.sub("[^A-Za-z0-9]", "_", name)


def user(name, rights=None, asked=None):
    """A line of the users list; rights are (allow, deny) of publish; without them, the account's administrator.
    asked: a subject of questions, each of which may be answered once. The default inbox is the account's own, too."""
    password = "$" + variable(name)
    if rights is None:
        return f'      {{ user: "{name}", password: {password} }}'
    inboxes = f'"_INBOX.>", "_INBOX_{name}.>"' + (f', "{asked}"' if asked else "")
    answers = ", allow_responses: true" if asked else ""
    lists = [f"{kind}: [\n" + ",\n".join(f'          "{s}"' for s in subjects) + "\n        ]"
             for kind, subjects in zip(("allow", "deny"), rights) if subjects]
    return (f'      {{ user: "{name}", password: {password}, permissions: {{\n'
            f'        subscribe: {{ allow: [{inboxes}] }}{answers}\n'
            f'        publish: {{ {", ".join(lists)} }}\n      }} }}')


def import_line(subject, account="VCOURIER", to=None):
    local = f', to: "{to}"' if to else ""
    return f'      {{ service: {{ account: {account}, subject: "{subject}" }}{local} }}'


def exports(grants):
    """What each account may ask of this one. grants: (account, subject) pairs; several replies come to a pull and to a question."""
    accounts = {}
    for account, subject in grants:
        accounts.setdefault(subject, []).append(account)
    return ["    exports: ["] + [
        f'      {{ service: "{subject}"{", response_type: stream" if "MSG.NEXT" in subject or subject.startswith(STATUS) else ""}, '
        f'accounts: [{", ".join(chr(34) + a + chr(34) for a in names)}] }}' for subject, names in accounts.items()] + ["    ]"]


def program_account(name, rights, dispatchers, asked=None):
    """
    One user in an account of its own, which imports exactly what the user may publish. A reply subject is a subject of that
    account, so nobody can have the server's replies sent to the API or to a stream (docs/nats.md). Two details:
    importing $JS.API.INFO keeps the server from importing the API of this account's own JetStream, which has none; and no subject
    with a wildcard is imported under another name, since a reply to such a name ends nats-server 2.9 and 2.10 (seen with 2.9.10, 2.10.27).
    """
    allow, deny = list(dict.fromkeys([f"{API}.INFO", *rights[0]])), rights[1]
    lines = [f'  "{name}" {{', "    users: [", user(name, (allow, deny), asked), "    ]", "    imports: ["]
    for subject in allow:
        if subject == f"{STATUS}*":
            lines += [import_line(f"{STATUS}{d}", f'"dispatcher-{d}"') for d in dispatchers]
        else:
            lines.append(import_line(subject))
    lines.append("    ]")
    if asked:
        lines += exports([("cli", asked)])
    return lines + ["  }"]


def guest_account(name, vcenters):
    """
    An account that may use one durable that an administrator made. Guests of earlier releases call the API by the prefix
    vcourier.API, so the requests have that name, too.
    """
    lines = [f'  "guest-{name}" {{', f'    users: [ {{ user: "guest-{name}", password: ${variable("guest-" + name)} }} ]',
             "    imports: ["]
    for subject in [f"{API}.INFO", *guest_rights(name, vcenters)]:
        lines.append(import_line(subject))
        if subject.startswith(API):
            lines.append(import_line(subject, to=subject.replace(API, "vcourier.API")))
    return lines + ["    ]", "  }"]


def guest_rights(name, vcenters):
    return [subject for v in vcenters for subject in pull(f"VC_{v}", name)]


def names(args):
    """Every user, in the order of the file."""
    return (["admin"] + [f"collector-{v}" for v in args.vcenter] + [f"dispatcher-{d}" for d in args.dispatcher] + ["cli"] +
            [f"reader-{r}" for r in args.reader] + [f"guest-{g}" for g in args.guest])


def config(args):
    durables = args.dispatcher + args.reader + args.guest
    rights = {f"collector-{v}": collector(v, durables) for v in args.vcenter}
    rights |= {f"dispatcher-{d}": dispatcher(d, args.vcenter) for d in args.dispatcher}
    rights["cli"] = cli(args.vcenter, durables)
    rights |= {f"reader-{r}": reader(r, args.vcenter) for r in args.reader}
    asked = {f"dispatcher-{d}": f"{STATUS}{d}" for d in args.dispatcher}
    grants = [(name, f"{API}.INFO") for name in [*rights, *(f"guest-{g}" for g in args.guest)]]
    grants += [(name, subject) for name, (allow, _) in rights.items() for subject in allow
               if not subject.startswith(STATUS) and subject != f"{API}.INFO"]
    grants += [(f"guest-{g}", subject) for g in args.guest for subject in guest_rights(g, args.vcenter)]
    lines = ["# Written by users.py" + "".join(f" --{k} {v}" for k in ("vcenter", "dispatcher", "reader", "guest")
                                               for v in getattr(args, k)) + "; do not edit.",
             'include "secrets/passwords.conf"', "accounts {", "  VCOURIER {", "    jetstream: enabled",
             "    users: [", user("admin"), "    ]", *exports(grants), "  }"]
    for name, allowed in rights.items():
        lines += program_account(name, allowed, args.dispatcher, asked.get(name))
    for g in args.guest:
        lines += guest_account(g, args.vcenter)
    return "\n".join(lines + ["}"]) + "\n"


def secret_file(path, text):
    """0444 in a directory of 0700: containers read it under another uid."""
    path.unlink(missing_ok=True)
    path.write_text(text)
    os.chmod(path, 0o444)


def passwords(directory, args):
    """One file a user, and for the server passwords.conf, and what the servers of a cluster share."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = {}
    for name in names(args) + ["route"]:
        path = directory / name
        if not path.exists():
            secret_file(path, base64.urlsafe_b64encode(os.urandom(24)).decode() + "\n")
        password[name] = path.read_text().strip()
    route = password.pop("route")
    secret_file(directory / "passwords.conf", "".join(f'{variable(n)}: "{p}"\n' for n, p in password.items()))
    secret_file(directory / "route.conf", f'route: "{route}"\n')
    routes = "".join(f'  "nats://route:{route}@nats-{i}.nats:6222"\n' for i in range(3))
    secret_file(directory / "routes.conf", f"routes: [\n{routes}]\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind in ("vcenter", "dispatcher", "reader", "guest"):
        parser.add_argument(f"--{kind}", action="append", default=[], type=token, metavar="NAME")
    parser.add_argument("--passwords", type=Path, metavar="DIR")
    args = parser.parse_args()
    if not args.vcenter:
        parser.error("at least one --vcenter")
    if args.passwords:
        passwords(args.passwords, args)
    else:
        sys.stdout.write(config(args))


if __name__ == "__main__":
    main()
