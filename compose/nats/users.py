#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the NATS users of a vcourier deployment with their exact permissions.

    users.py --vcenter lab --dispatcher knative --reader grafana --guest team-a > users.conf
    users.py --vcenter lab --dispatcher knative --connector siem --subject 'vc.lab.*.*.error.>' > users.conf
    users.py --vcenter lab --dispatcher knative ... --passwords DIR

The names are eventProvider.name and eventProcessor.name of the configuration file; --config FILE takes all of them from it. A
provider that is not a vCenter, such as a webhook or a Horizon, is a --source. --subject belongs to the --connector before it and may be
repeated; without it, the connector reads every event. The last form creates one random password file for each user in DIR
(existing files stay) and DIR/passwords.conf, which users.conf includes.
docs/nats.md describes the users and the limits of their permissions.
"""
import argparse
import base64
import os
import re
import sys
from pathlib import Path

API = "$JS.API"
LEASES = "KV_vcourier"  # bucket of the leases by which standby collectors choose the active one
STATUS = "vcourier.status."  # dispatchers and collectors answer status requests here
STATUS_OF = {"dispatcher": f"{STATUS}*", "collector": f"{STATUS}collector.*"}
ASKING = ("cli", "console", "console-operator")  # users that send these requests
CATALOGUE = "vcourier.catalogue."  # collectors answer requests for the descriptions of events here
VCENTERS = ("vcenter", "vcsim")  # types of eventProvider whose stream is VC_<name>
KINDS = {"vcenter": "its collector", "source": "the collector of a provider that is not a vCenter", "dispatcher": "a dispatcher",
         "reader": "a program of your own, which creates its own durable", "connector": "a ready-made tool, which works with its default settings",
         "guest": "a program that uses a durable which an administrator creates"}  # argument: who logs in with the user of this name
CHECKPOINTS = "KV_vcourier-checkpoints"  # bucket of the checkpoints of dispatchers


def token(name):
    """The NATS token of a name, with the encoding of lib/event/subject.c."""
    if name in ("", "_"):
        return {"": "_", "_": "=5F"}[name]
    out = re.sub(rb"[^A-Za-z0-9_-]", lambda m: b"=%02X" % m[0][0], name.encode()).decode()
    if len(out) > 64:
        sys.exit(f"users.py: {name}: longer than 64 bytes as a NATS token")
    return out


class Source(str):
    """The token of a source of events other than a vCenter."""


def source(name):
    return Source(token(name))


def stream_of(name):
    """The stream of a source of events."""
    return f"CE_{name}" if isinstance(name, Source) else f"VC_{name}"


def subjects_of(name):
    """The first two tokens of the subjects of its events."""
    return f"ce.{name}" if isinstance(name, Source) else f"vc.{name}"


def acks(stream, durable):
    """The ack subject, and the longer form that newer servers may use (a domain and an account hash before it)."""
    return [f"$JS.ACK.{stream}.{durable}.>", f"$JS.ACK.*.*.{stream}.{durable}.>"]


def pull(stream, durable):
    return [f"{API}.CONSUMER.INFO.{stream}.{durable}", f"{API}.CONSUMER.MSG.NEXT.{stream}.{durable}", *acks(stream, durable)]


def own(stream, durable):
    """Create, inspect, pull, acknowledge and delete one durable."""
    return [f"{API}.CONSUMER.DURABLE.CREATE.{stream}.{durable}", f"{API}.CONSUMER.CREATE.{stream}.{durable}",
            f"{API}.CONSUMER.CREATE.{stream}.{durable}.>", f"{API}.CONSUMER.DELETE.{stream}.{durable}", *pull(stream, durable)]


def count(stream, durable):
    """A temporary durable that counts the pending events. No dispatcher's name contains '~'."""
    return [f"{API}.CONSUMER.{call}.{stream}.{durable}" for call in ("INFO", "DURABLE.CREATE", "DELETE")]


def read(stream):
    """Read the stream through ephemeral consumers, whose names the server chooses."""
    return [f"{API}.STREAM.INFO.{stream}", f"{API}.STREAM.MSG.GET.{stream}", f"{API}.CONSUMER.CREATE.{stream}",
            f"{API}.CONSUMER.MSG.NEXT.{stream}.*", f"{API}.CONSUMER.DELETE.{stream}.*"]


def not_of(stream, durables):
    """The requests that read() would allow but must not: those to the durables of others."""
    return [f"{API}.CONSUMER.{call}.{stream}.{durable}" for durable in durables for call in ("MSG.NEXT", "DELETE")]


def collector(vcenter, durables):
    """Publish the subjects of one vCenter or other source, read the end of its stream, hold the lease, create the stream, answer status requests.
    It cannot change a stream."""
    stream = stream_of(vcenter)
    return ([f"{subjects_of(vcenter)}.>", f"{API}.STREAM.CREATE.{stream}", *read(stream),
             f"{API}.STREAM.CREATE.{LEASES}", f"{API}.STREAM.INFO.{LEASES}", f"{API}.STREAM.MSG.GET.{LEASES}",
             f"{API}.STREAM.CREATE.{CHECKPOINTS}", f"{API}.STREAM.INFO.{CHECKPOINTS}",
             f"$KV.vcourier.lease.{vcenter}"], not_of(stream, durables))


def dispatcher(name, vcenters):
    """Pull and acknowledge its own durable on each stream and on VCREPLAY, publish its own dead letters and checkpoints,
    answer status requests."""
    allow = [f"vcdead.{name}.>", f"{API}.STREAM.CREATE.VCDEAD", f"{API}.STREAM.INFO.VCDEAD",
             f"$KV.vcourier-checkpoints.{name}.*", f"{API}.STREAM.INFO.{CHECKPOINTS}",
             f"{API}.STREAM.MSG.GET.{CHECKPOINTS}"]
    for stream in [stream_of(v) for v in vcenters] + ["VCREPLAY"]:
        allow += [f"{API}.STREAM.CREATE.{stream}", f"{API}.STREAM.INFO.{stream}", f"{API}.STREAM.MSG.GET.{stream}",
                  f"{API}.DIRECT.GET.{stream}", *own(stream, name), *count(stream, f"{name}~count")]
    return allow, []


def console(vcenters, durables):
    """The console: inspect and read all streams, ask all processes for their state. It cannot change anything."""
    allow = [f"{API}.INFO", f"{API}.STREAM.NAMES", f"{API}.STREAM.LIST", *STATUS_OF.values(), f"{CATALOGUE}*"]
    streams = [stream_of(v) for v in vcenters] + ["VCREPLAY"]
    for stream in streams + ["VCDEAD"]:
        allow += [*read(stream), f"{API}.CONSUMER.NAMES.{stream}", f"{API}.CONSUMER.LIST.{stream}",
                  f"{API}.CONSUMER.INFO.{stream}.*"]
    return allow, [subject for stream in streams for subject in not_of(stream, durables)]


def cli(vcenters, durables):
    """The operator's tool, and the console when an operator changes something: send events again, delete dead letters."""
    allow, deny = console(vcenters, durables)
    return [*allow, f"{API}.STREAM.CREATE.VCREPLAY", "vcreplay.>", f"{API}.STREAM.MSG.DELETE.VCDEAD"], deny


def reader(name, vcenters):
    """A trusted consumer: create, pull, acknowledge and delete the durable with its own name. It cannot publish."""
    allow = []
    for stream in [stream_of(v) for v in vcenters]:
        allow += [f"{API}.STREAM.INFO.{stream}", *own(stream, name)]
    return allow, []


def feed(subject, vcenters):
    """The subjects of single vCenters that a connector's subject selects: pairs of vCenter and subject. Exits if it selects none."""
    tokens = subject.split(".")
    wrong = [t for t in tokens if not re.fullmatch(r"\*|[A-Za-z0-9_=~-]+", t)]
    if tokens[0] not in ("vc", "ce") or len(tokens) < 2 or wrong not in ([], [">"]) or ">" in tokens[:-1]:
        sys.exit(f"users.py: {subject}: not a subject of events, such as vc.lab.>; `vcourier subject` prints subjects")
    if tokens[-1] != ">" and (len(tokens) < (7 if tokens[0] == "vc" else 3) or tokens[-1] == "*"):
        sys.exit(f"users.py: {subject}: end it with > or the name of an event")  # in a request, > would pass as the token of *
    found = [(v, ".".join([subjects_of(v), *tokens[2:]]) if tokens[1] != ">" else f"{subjects_of(v)}.>")
             for v in vcenters if tokens[1] in ("*", ">", v) and subjects_of(v).startswith(tokens[0])]
    return found or sys.exit(f"users.py: {subject}: no {'--vcenter' if tokens[0] == 'vc' else '--source'} {tokens[1]}")


def connector(name, feeds, vcenters):
    """A ready-made tool: creates, pulls, acknowledges and deletes the durable with its own name, which selects no more than
    the feeds, and looks up streams, as many tools do. The filter is part of the request's subject, and the server checks that
    the durable has this filter. It cannot publish."""
    allow = [f"{API}.STREAM.NAMES"]
    for v in vcenters:
        stream, subjects = stream_of(v), [subject for vcenter, subject in feeds if vcenter == v]
        if f"{subjects_of(v)}.>" in subjects:
            allow += [f"{API}.STREAM.INFO.{stream}", *own(stream, name)]
        elif subjects:
            allow += [f"{API}.STREAM.INFO.{stream}", f"{API}.CONSUMER.DELETE.{stream}.{name}", *pull(stream, name),
                      *(f"{API}.CONSUMER.CREATE.{stream}.{name}.{subject}" for subject in subjects)]
    return allow, []


def variable(name):
    """The variable in passwords.conf that holds a user's password."""
    return re.sub("[^A-Za-z0-9]", "_", name)


def user(name, rights=None, asked=(), feeds=()):
    """A line of the users list. rights: (allow, deny) for publish; None: the administrator of the account.
    asked: subjects of requests that the user may answer. A user with feeds may subscribe to everything: its account has nothing
    else. The default inbox is allowed, because the account is the user's own."""
    password = "$" + variable(name)
    if rights is None:
        return f'      {{ user: "{name}", password: {password} }}'
    inboxes = '">"' if feeds else f'"_INBOX.>", "_INBOX_{name}.>"' + "".join(f', "{subject}"' for subject in asked)
    answers = ', allow_responses: { max: 100, expires: "1m" }' if asked else ""
    lists = [f"{kind}: [\n" + ",\n".join(f'          "{s}"' for s in subjects) + "\n        ]"
             for kind, subjects in zip(("allow", "deny"), rights) if subjects]
    return (f'      {{ user: "{name}", password: {password}, permissions: {{\n'
            f'        subscribe: {{ allow: [{inboxes}] }}{answers}\n'
            f'        publish: {{ {", ".join(lists)} }}\n      }} }}')


def import_line(subject, account="VCOURIER", to=None, kind="service"):
    local = f', to: "{to}"' if to else ""
    return f'      {{ {kind}: {{ account: {account}, subject: "{subject}" }}{local} }}'


def exports(grants, feeds=()):
    """The requests that other accounts may import. grants: (account, subject) pairs. Pulls and status requests get several replies.
    feeds: (account, subject) pairs of the messages that other accounts may subscribe to."""
    accounts, listeners = {}, {}
    for account, subject in grants:
        accounts.setdefault(subject, []).append(account)
    for account, subject in feeds:
        listeners.setdefault(subject, []).append(account)
    return ["    exports: ["] + [f'      {{ stream: "{subject}", accounts: [{", ".join(chr(34) + a + chr(34) for a in names)}] }}'
                                 for subject, names in listeners.items()] + [
        f'      {{ service: "{subject}"{", response_type: stream" if "MSG.NEXT" in subject or subject.startswith((STATUS, CATALOGUE)) else ""}, '
        f'accounts: [{", ".join(chr(34) + a + chr(34) for a in names)}] }}' for subject, names in accounts.items()] + ["    ]"]


def program_account(name, rights, asked=(), answers=(), feeds=()):
    """
    One user in its own account, which imports exactly the subjects that the user may publish. A reply subject belongs to that
    account, so a user cannot direct the server's replies to the API or to a stream (docs/nats.md). Two details:
    - $JS.API.INFO is imported so that the server does not import the API of this account's own JetStream, which is disabled.
    - No subject with a wildcard is imported under another name, because a reply to such a name crashes nats-server (seen with 2.9.10, 2.10.27).
    asked: subjects of requests that this account answers. answers: (account, subject) of those that it may send.
    feeds: of a collector, (account, subject) of the messages that it shares; of a connector, (vCenter, subject) of those that it
    receives. They come from the collector's account: a subscription without a wildcard in the account with the streams would be a
    place to which others could direct their push consumers.
    """
    received = feeds if name.startswith("connector-") else ()
    allow, deny = list(dict.fromkeys([f"{API}.INFO", *rights[0]])), rights[1]
    lines = [f'  "{name}" {{', "    users: [", user(name, (allow, deny), asked, received), "    ]", "    imports: ["]
    for subject in allow:
        if not subject.startswith((STATUS, CATALOGUE)):
            lines.append(import_line(subject))
    lines += [import_line(subject, f'"{account}"') for account, subject in answers]
    lines += [import_line(subject, f'"collector-{vcenter}"', kind="stream") for vcenter, subject in received]
    lines.append("    ]")
    if asked:
        lines += exports([(name, subject) for subject in asked for name in ASKING], () if received else feeds)
    return lines + ["  }"]


def guest_account(name, vcenters):
    """
    An account that may use one durable that an administrator created. Guests of earlier releases use the API prefix
    vcourier.API, so the requests are also imported under that name.
    """
    lines = [f'  "guest-{name}" {{', f'    users: [ {{ user: "guest-{name}", password: ${variable("guest-" + name)} }} ]',
             "    imports: ["]
    for subject in [f"{API}.INFO", *guest_rights(name, vcenters)]:
        lines.append(import_line(subject))
        if subject.startswith(API):
            lines.append(import_line(subject, to=subject.replace(API, "vcourier.API")))
    return lines + ["    ]", "  }"]


def guest_rights(name, vcenters):
    return [subject for v in vcenters for subject in pull(stream_of(v), name)]


def sources(args):
    """All sources of events."""
    return args.vcenter + args.source


def names(args):
    """All users, in the order of the file."""
    return (["admin"] + [f"collector-{v}" for v in sources(args)] + [f"dispatcher-{d}" for d in args.dispatcher] + list(ASKING) +
            [f"reader-{r}" for r in args.reader] + [f"connector-{c}" for c in args.connector] + [f"guest-{g}" for g in args.guest])


def quoted(word):
    """A word for a shell. Python's shlex is not in Debian's python3-minimal, with which this program has to run."""
    return word if re.fullmatch(r"[\w@%+=:,./-]+", word, re.ASCII) else "'" + word.replace("'", "'\"'\"'") + "'"


def words(args):
    """The arguments that make this configuration again."""
    for kind in KINDS:
        for name in getattr(args, kind):
            yield from (f"--{kind}", name)
            if kind == "connector":
                yield from (word for subject in args.connector[name] for word in ("--subject", subject))


def config(args):
    durables = [*args.dispatcher, *args.reader, *args.connector, *args.guest]
    default = ["vc.>"] * bool(args.vcenter) + ["ce.>"] * bool(args.source)
    feeds = {f"connector-{c}": list(dict.fromkeys(f for s in subjects or default for f in feed(s, sources(args))))
             for c, subjects in args.connector.items()}
    rights = {f"collector-{v}": collector(v, durables) for v in sources(args)}
    rights |= {f"dispatcher-{d}": dispatcher(d, sources(args)) for d in args.dispatcher}
    rights |= {"cli": cli(sources(args), durables), "console": console(sources(args), durables),
               "console-operator": cli(sources(args), durables)}
    rights |= {f"reader-{r}": reader(r, sources(args)) for r in args.reader}
    rights |= {c: connector(c.removeprefix("connector-"), received, sources(args)) for c, received in feeds.items()}
    feeds |= {f"collector-{vcenter}": [(c, s) for c, received in feeds.items() for v, s in received if v == vcenter]
              for vcenter in sources(args)}
    asked = {f"dispatcher-{d}": [STATUS_OF["dispatcher"].replace("*", d)] for d in args.dispatcher}
    asked |= {f"collector-{v}": [STATUS_OF["collector"].replace("*", v), CATALOGUE + v] for v in sources(args)}
    answers = [(account, subject) for account, subjects in asked.items() for subject in subjects]
    grants = [(name, f"{API}.INFO") for name in [*rights, *(f"guest-{g}" for g in args.guest)]]
    grants += [(name, subject) for name, (allow, _) in rights.items() for subject in allow
               if not subject.startswith((STATUS, CATALOGUE)) and subject != f"{API}.INFO"]
    grants += [(f"guest-{g}", subject) for g in args.guest for subject in guest_rights(g, sources(args))]
    lines = [f"# Written by users.py {' '.join(quoted(a) for a in words(args))}; do not edit.",
             'include "secrets/passwords.conf"', "accounts {", "  VCOURIER {", "    jetstream: enabled",
             "    users: [", user("admin"), "    ]", *exports(grants), "  }"]
    for name, allowed in rights.items():
        lines += program_account(name, allowed, asked.get(name, ()), answers if name in ASKING else (), feeds.get(name, ()))
    for g in args.guest:
        lines += guest_account(g, sources(args))
    return "\n".join(lines + ["}"]) + "\n"


def secret_file(path, text):
    """Mode 0444 in a directory of mode 0700: containers read the file under another uid. It is replaced as a whole: a full disk
    must not leave an empty password."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with open(new, "x", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(new, 0o444)
    new.rename(path)


def passwords(directory, args):
    """One file for each user; for the server passwords.conf and the route password of a cluster."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = {}
    for name in names(args) + ["route"]:
        path = directory / name
        if not path.is_file() or path.stat().st_size == 0:
            secret_file(path, base64.urlsafe_b64encode(os.urandom(24)).decode() + "\n")
        password[name] = path.read_text().strip()
    route = password.pop("route")
    secret_file(directory / "passwords.conf", "".join(f'{variable(n)}: "{p}"\n' for n, p in password.items()))
    secret_file(directory / "route.conf", f'route: "{route}"\n')
    routes = "".join(f'  "nats://route:{route}@nats-{i}.nats:6222"\n' for i in range(3))
    secret_file(directory / "routes.conf", f"routes: [\n{routes}]\n")


class Connector(argparse.Action):
    """--connector NAME begins a connector, --subject SUBJECT belongs to the last one. The value is a dict of names and subjects."""

    def __call__(self, parser, args, value, option=None):
        if option == "--connector":
            args.connector = {**args.connector, token(value): []}
        elif not args.connector:
            parser.error("--subject belongs to the --connector before it")
        else:
            args.connector[list(args.connector)[-1]].append(value)


def of_configuration(path):
    """The names of vCenters, of other sources and of dispatchers in a configuration file."""
    try:
        import yaml
    except ImportError:
        sys.exit("users.py: --config needs the package python3-yaml; without it, give the names with --vcenter and --dispatcher")
    try:
        with open(path, encoding="utf-8") as file:
            config = yaml.safe_load(file) or {}
        providers, processors = [(config[one] and [config[one]] if one in config else []) + (config.get(several) or [])
                                 for one, several in (("eventProvider", "eventProviders"), ("eventProcessor", "eventProcessors"))]
        return ([token(entry["name"]) for entry in providers if entry["type"] in VCENTERS],
                [source(entry["name"]) for entry in providers if entry["type"] not in VCENTERS],
                [token(entry["name"]) for entry in processors])
    except OSError as error:
        sys.exit(f"users.py: {path}: {error.strerror}")
    except yaml.YAMLError as error:
        sys.exit(f"users.py: {path}: {error}")
    except (AttributeError, KeyError, TypeError):
        sys.exit(f"users.py: {path}: an eventProvider or eventProcessor has no name or type; `vcourier check {path}` says which")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind in KINDS:
        if kind == "connector":
            parser.add_argument("--connector", action=Connector, default={}, metavar="NAME", help=KINDS[kind])
            parser.add_argument("--subject", action=Connector, metavar="SUBJECT", help="what the connector before it may read")
        else:
            parser.add_argument(f"--{kind}", action="append", default=[], type=source if kind == "source" else token,
                                metavar="NAME", help=KINDS[kind])
    parser.add_argument("--config", metavar="FILE", help="the configuration file, for the names in it")
    parser.add_argument("--passwords", type=Path, metavar="DIR", help="write the passwords to this directory, and no users")
    args = parser.parse_args()
    if args.config:
        for names_given, found in zip((args.vcenter, args.source, args.dispatcher), of_configuration(args.config)):
            names_given += [name for name in found if name not in names_given]
    if not sources(args):
        parser.error("at least one --vcenter or --source")
    both = set(args.vcenter) & set(args.source)
    if both:
        parser.error(f"{both.pop()}: a vCenter and another source have the same name")
    durables = [*args.dispatcher, *args.reader, *args.connector, *args.guest]
    twice = [name for name in durables if durables.count(name) > 1]
    if twice:
        parser.error(f"{twice[0]}: two users would share the durable of this name")
    users = names(args)
    for i, name in enumerate(users):
        same = next((other for other in users[:i] if variable(other) == variable(name)), None)
        if same:
            parser.error(f"{same} and {name}: both passwords would be ${variable(name)} in passwords.conf" if same != name
                         else f"{name}: this user is there twice")
    if args.passwords:
        try:
            passwords(args.passwords, args)
        except OSError as error:
            sys.exit(f"users.py: {error.filename or args.passwords}: {error.strerror}")
    else:
        sys.stdout.write(config(args))


if __name__ == "__main__":
    main()
