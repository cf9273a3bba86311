#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the NATS users of a vcourier deployment with their exact permissions.

    users.py --vcenter lab --dispatcher knative --reader grafana --guest team-a > users.conf
    users.py --vcenter lab --dispatcher knative --connector siem --subject 'vc.lab.*.*.error.>' > users.conf
    users.py --vcenter lab --dispatcher knative ... --passwords DIR
    users.py --vcenter lab --dispatcher knative ... --format nsc > accounts.sh

The names are eventProvider.name and eventProcessor.name of the configuration file; --config FILE takes all of them from it. A
provider that is not a vCenter, such as a webhook or a Horizon, is a --source. --subject belongs to the --connector before it and may be
repeated; without it, the connector reads every event. --passwords creates one random password file for each user in DIR
(existing files stay) and DIR/passwords.conf, which users.conf includes. --format nsc writes commands of nsc for a NATS in
operator mode, which has no passwords.
docs/nats.md describes the users and the limits of their permissions.
"""
import argparse
import base64
import os
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # of the modules beside this file, which may be in /usr

from accounts import ASKING, accounts  # noqa: E402
from nsc import nsc_commands  # noqa: E402
from permissions import Discovering, discovering, source, token  # noqa: E402
from users_conf import users_conf, variable  # noqa: E402

VCENTERS = ("vcenter", "vcsim")  # types of eventProvider whose stream is VC_<name>
KINDS = {"vcenter": "its collector", "source": "the collector of a provider that is not a vCenter", "dispatcher": "a dispatcher",
         "discover": "a dispatcher with `discover: true`, which may read every stream",
         "reader": "a program of your own, which creates its own durable", "connector": "a ready-made tool, which works with its default settings",
         "guest": "a program that uses a durable which an administrator creates"}  # argument: who logs in with the user of this name


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
            if kind == "dispatcher" and isinstance(name, Discovering):
                continue
            yield from (f"--{kind}", name)
            if kind == "connector":
                yield from (word for subject in args.connector[name] for word in ("--subject", subject))


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


def entries(config, one, several):
    """The eventProviders or eventProcessors of a file."""
    return ([config[one]] if config.get(one) else []) + (config.get(several) or [])


def other_providers(path, config, load):
    """Those in the files and directories of eventProvidersFrom, which are relative to the configuration file."""
    names = config.get("eventProvidersFrom") or []
    for place in [path.parent / name for name in ([names] if isinstance(names, str) else names)]:
        files = sorted(f for f in place.iterdir() if f.suffix in (".yaml", ".yml") and f.name[0] != ".") if place.is_dir() else [place]
        for file in files:
            content = load(file)
            content = content.get("eventProviders", content) if isinstance(content, dict) else content
            yield from content if isinstance(content, list) else [content]


def of_configuration(path):
    """The names of vCenters, of other sources, of dispatchers, and of dispatchers with `discover`, in a configuration file."""
    try:
        import yaml
    except ImportError:
        sys.exit("users.py: --config needs the package python3-yaml; without it, give the names with --vcenter and --dispatcher")

    def load(file):
        with open(file, encoding="utf-8") as opened:
            return yaml.safe_load(opened) or {}
    try:
        config = load(path)
        providers = entries(config, "eventProvider", "eventProviders") + list(other_providers(path, config, load))
        processors = entries(config, "eventProcessor", "eventProcessors")
        return ([token(entry["name"]) for entry in providers if entry["type"] in VCENTERS],
                [source(entry["name"]) for entry in providers if entry["type"] not in VCENTERS],
                [token(entry["name"]) for entry in processors if not entry.get("discover")],
                [discovering(entry["name"]) for entry in processors if entry.get("discover")])
    except OSError as error:
        sys.exit(f"users.py: {error.filename}: {error.strerror}")
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
            parser.add_argument(f"--{kind}", action="append", default=[], type={"source": source, "discover": discovering}.get(kind, token),
                                metavar="NAME", help=KINDS[kind])
    parser.add_argument("--config", type=Path, metavar="FILE",
                        help="the configuration file, for the names in it and in the files of its eventProvidersFrom")
    parser.add_argument("--format", choices=("conf", "nsc"), default="conf",
                        help="conf: users.conf of nats-server (default); nsc: a script of nsc commands, for the operator mode")
    parser.add_argument("--passwords", type=Path, metavar="DIR", help="write the passwords to this directory, and no users")
    args = parser.parse_args()
    if args.config:
        for names_given, found in zip((args.vcenter, args.source, args.dispatcher, args.discover), of_configuration(args.config)):
            names_given += [name for name in found if name not in names_given]
    if not sources(args) and not args.discover:
        parser.error("at least one --vcenter or --source, or a dispatcher that discovers them")
    args.dispatcher = args.dispatcher + args.discover
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
    written_by = f"users.py {' '.join(quoted(a) for a in words(args))}"
    if args.passwords and args.format == "nsc":
        parser.error("--format nsc has no passwords: the commands write credentials files")
    elif args.passwords:
        try:
            passwords(args.passwords, args)
        except OSError as error:
            sys.exit(f"users.py: {error.filename or args.passwords}: {error.strerror}")
    elif args.format == "nsc":
        sys.stdout.write(nsc_commands(accounts(args), f"{written_by} --format nsc", quoted))
    else:
        sys.stdout.write(users_conf(accounts(args), written_by))


if __name__ == "__main__":
    main()
