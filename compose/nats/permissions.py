# SPDX-License-Identifier: Apache-2.0
"""What each NATS user of a vcourier deployment may publish. docs/nats.md has the reasons."""
import re
import sys

API = "$JS.API"
LEASES = "KV_vcourier"  # bucket of the leases by which standby collectors choose the active one
STATUS = "vcourier.status."  # dispatchers and collectors answer status requests here
STATUS_OF = {"dispatcher": f"{STATUS}*", "collector": f"{STATUS}collector.*"}
ASKING = ("cli", "console", "console-operator")  # users that send these requests
CATALOGUE = "vcourier.catalogue."  # collectors answer requests for the descriptions of events here
CHECKPOINTS = "KV_vcourier-checkpoints"  # bucket of the checkpoints of dispatchers


def token(name):
    """The NATS token of a name, with the encoding of lib/event/subject.c."""
    if name in ("", "_"):
        return {"": "_", "_": "=5F"}[name]
    out = re.sub(rb"[^A-Za-z0-9_-]", lambda m: b"=%02X" % m[0][0], name.encode()).decode()
    if len(out) > 64:
        sys.exit(f"users.py: {name}: longer than 64 bytes as a NATS token")
    return out


class Discovering(str):
    """The token of a dispatcher with `discover: true`."""


def discovering(name):
    found = token(name)
    if found.isdigit():
        sys.exit(f"users.py: {name}: a dispatcher with discover must have another name than a number")  # see discovering_dispatcher
    return Discovering(found)


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
    streams = [stream_of(v) for v in vcenters] + ["VCREPLAY"]
    if isinstance(name, Discovering):
        return discovering_dispatcher(name, streams), []
    allow = [f"vcdead.{name}.>", f"{API}.STREAM.CREATE.VCDEAD", f"{API}.STREAM.INFO.VCDEAD",
             f"$KV.vcourier-checkpoints.{name}.*", f"{API}.STREAM.INFO.{CHECKPOINTS}",
             f"{API}.STREAM.MSG.GET.{CHECKPOINTS}"]
    for stream in streams:
        allow += [f"{API}.STREAM.CREATE.{stream}", f"{API}.STREAM.INFO.{stream}", f"{API}.STREAM.MSG.GET.{stream}",
                  f"{API}.DIRECT.GET.{stream}", *own(stream, name), *count(stream, f"{name}~count")]
    return allow, []


def discovering_dispatcher(name, streams):
    """The same on every stream of the account, which it may list and read. Its name must not be a number: the subject of an ack has numbers
    behind the durable's name, and one could be taken for the name. No two subjects overlap, because each of them would send the request."""
    return [f"vcdead.{name}.>", f"$KV.vcourier-checkpoints.{name}.*", f"{API}.STREAM.LIST",
            *(f"{API}.STREAM.CREATE.{stream}" for stream in ["VCDEAD", *streams]), f"{API}.STREAM.INFO.*", f"{API}.STREAM.MSG.GET.*",
            f"{API}.DIRECT.GET.*", *own("*", name), *count("*", f"{name}~count")]


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
