# SPDX-License-Identifier: Apache-2.0
"""compose/nats/users.py: each NATS user can do its work and nothing else."""
import json
import re
import shlex
import subprocess
import sys
from collections import namedtuple

import pytest

from lab.bususers import GENERATOR, SecuredNats
from lab.jetstream import gone
from lab.nats_wire import Wire
from lab.operatornats import KINDS, kind_of_bus
from lab.process import ROOT, wait_until

Stored = namedtuple("Stored", "subject")
NAMES = ["--vcenter", "lab", "--vcenter", "other", "--dispatcher", "knative", "--dispatcher", "openfaas",
         "--reader", "reports", "--guest", "team-a", "--connector", "siem", "--subject", "vc.lab.*.*.error.>", "--connector", "tool", "--source", "hooks", "--discover", "finder"]
API = "$JS.API"
ID = "CONSUMER.DURABLE.CREATE"


def durable(stream, name, subject):
    return {"stream_name": stream, "config": {"durable_name": name, "ack_policy": "explicit", "filter_subject": subject}}


@pytest.fixture(scope="module", params=KINDS)
def bus(request, tmp_path_factory):
    """A server with users.conf, and one in operator mode with the accounts that nsc makes."""
    bus = kind_of_bus(request.param)(tmp_path_factory.mktemp("nats"), *NAMES).start()
    yield bus
    bus.stop()


@pytest.fixture(scope="module")
def streams(bus):
    """The streams that the programs create with their own users. This also tests that they have the permission."""
    for vcenter in ("lab", "other"):
        collector = bus.login(f"collector-{vcenter}")
        made = collector.request(f"{API}.STREAM.CREATE.VC_{vcenter}",
                                 {"name": f"VC_{vcenter}", "subjects": [f"vc.{vcenter}.>"]}).json()
        assert "error" not in made
        for i in range(4):
            stored = collector.request(f"vc.{vcenter}._._.info.event.VmPoweredOnEvent", b"{}", {"Nats-Msg-Id": f"u/{i}/0"})
            assert stored.json()["seq"] == i + 1
        assert collector.request(f"{API}.STREAM.MSG.GET.VC_{vcenter}",
                                 {"last_by_subj": f"vc.{vcenter}.>"}).json()["message"]["seq"] == 4
    made = bus.login("collector-hooks").request(f"{API}.STREAM.CREATE.CE_hooks", {"name": "CE_hooks", "subjects": ["ce.hooks.>"]}).json()
    assert "error" not in made
    for name in ("knative", "openfaas", "finder"):
        dispatcher = bus.login(f"dispatcher-{name}")
        dead = dispatcher.request(f"{API}.STREAM.CREATE.VCDEAD", {"name": "VCDEAD", "subjects": ["vcdead.>"]}).json()
        assert "error" not in dead
        made = dispatcher.request(f"{API}.{ID}.VC_lab.{name}", durable("VC_lab", name, "vc.lab.>")).json()
        assert "error" not in made
    return bus


@pytest.mark.parametrize("name", ["knative", "openfaas", "finder"])
def test_a_dispatcher_pulls_settles_and_stores_dead_letters(streams, name):
    me = streams.login(f"dispatcher-{name}")
    event = me.request(f"{API}.CONSUMER.MSG.NEXT.VC_lab.{name}", b"1")
    assert event.subject.startswith("vc.lab.")
    assert me.request(f"vcdead.{name}._._.info.event.VmPoweredOnEvent", event.data).json()["stream"] == "VCDEAD"
    assert me.request(event.reply, b"+ACK").data == b""  # an acknowledged ack has a reply
    assert me.request(f"{API}.CONSUMER.INFO.VC_lab.{name}").json()["ack_floor"]["stream_seq"] == 1
    assert me.take_errors() == []


@pytest.mark.parametrize("user", ["cli", "console-operator"])
def test_an_operator_reads_everything_and_handles_dead_letters(streams, user):
    me = streams.login(user)
    assert set(me.request(f"{API}.STREAM.NAMES").json()["streams"]) >= {"VC_lab", "VC_other", "VCDEAD"}
    assert me.request(f"{API}.STREAM.INFO.VC_lab").json()["state"]["messages"] == 4
    assert me.request(f"{API}.CONSUMER.INFO.VC_lab.knative").json()["name"] == "knative"
    dead = streams.login("dispatcher-knative").request(f"vcdead.knative.{user}", b"{}").json()
    assert me.request(f"{API}.STREAM.MSG.DELETE.VCDEAD", {"seq": dead["seq"]}).json()["success"]
    made = me.request(f"{API}.STREAM.CREATE.VCREPLAY", {"name": "VCREPLAY", "subjects": ["vcreplay.>"]}).json()
    assert "error" not in made and me.request("vcreplay.knative.x", b"{}").json()["stream"] == "VCREPLAY"
    assert me.take_errors() == []


def test_a_reader_makes_and_removes_its_own_durable(streams):
    me = streams.login("reader-reports")
    subject = "vc.lab.*.*.*.event.VmPoweredOnEvent"
    made = me.request(f"{API}.CONSUMER.CREATE.VC_lab.reports.{subject}",
                      {**durable("VC_lab", "reports", subject),
                       "config": {**durable("VC_lab", "reports", subject)["config"], "name": "reports"}}).json()
    assert "error" not in made
    event = me.request(f"{API}.CONSUMER.MSG.NEXT.VC_lab.reports", b"1")
    assert me.request(event.reply, b"+ACK").data == b""
    assert gone(me.request(f"{API}.CONSUMER.DELETE.VC_lab.reports").json())
    assert me.take_errors() == []


def test_a_guest_works_in_its_own_account_and_its_replies_stay_there(streams):
    admin = streams.login("admin")
    assert "error" not in admin.request(f"{API}.{ID}.VC_lab.team-a", durable("VC_lab", "team-a", "vc.lab.>")).json()
    guest = streams.login("guest-team-a")
    pull = f"{API}.CONSUMER.MSG.NEXT.VC_lab.team-a"
    event = guest.request(pull, b"1")
    assert event.subject.startswith("vc.lab.") and event.data == b"{}"
    assert guest.request(event.reply, b"+ACK").data == b""
    before = [admin.request(f"{API}.STREAM.INFO.{stream}").json()["state"]["last_seq"] for stream in ("VCDEAD", "VC_lab")]
    hijacked = guest.subscribe("vcdead.knative.hijack")
    guest.publish(pull, b"1", reply="vcdead.knative.hijack")  # the server does not check a reply subject ...
    assert guest.next(hijacked).data == b"{}"  # ... but here it is a subject of the guest's account, not of the account with the streams
    guest.publish("vc.lab._._.info.event.Forged", b"{}")
    guest.publish(f"{API}.STREAM.PURGE.VC_lab", b"")
    guest.publish("$JS.ACK.VC_lab.knative.1.2.2.0.0", b"+ACK")
    guest.flush()
    assert [admin.request(f"{API}.STREAM.INFO.{stream}").json()["state"]["last_seq"] for stream in ("VCDEAD", "VC_lab")] == before
    assert gone(admin.request(f"{API}.CONSUMER.DELETE.VC_lab.team-a").json())


TOOLS = ["cli", "console", "console-operator"]
DISPATCHERS = ["dispatcher-knative", "dispatcher-finder"]  # finder has `discover: true`
COLLECTORS = ["collector-lab", "collector-hooks"]  # hooks is a webhook
# Requests and the users who may make them. All others must be refused. Written by hand, not derived from users.py.
FORBIDDEN = {
    "vc.lab._._.info.event.Forged": [],  # the collector's own permission is tested by its work
    "vc.other._._.info.event.Forged": [],
    "vc.hooks._._.info.event.Forged": [],  # the name of a source is no name of a vCenter
    "ce.hooks.forged": [],
    "ce.lab.forged": [],
    "vcdead.openfaas.forged": [],
    "vcreplay.openfaas.forged": ["cli", "console-operator"],
    "$JS.API.CONSUMER.MSG.NEXT.VCREPLAY.openfaas": [],
    "$JS.API.STREAM.PURGE.VC_lab": [],
    "$JS.API.STREAM.DELETE.VC_lab": [],
    "$JS.API.STREAM.UPDATE.VC_lab": [],
    "$JS.API.STREAM.MSG.DELETE.VC_lab": [],
    "$JS.API.STREAM.PURGE.VCDEAD": [],
    "$JS.API.STREAM.MSG.DELETE.VCDEAD": ["cli", "console-operator"],
    "$JS.API.STREAM.CREATE.VCREPLAY": ["cli", "console-operator", *DISPATCHERS],
    "$JS.API.STREAM.CREATE.CE_hooks": DISPATCHERS,
    "$JS.API.STREAM.CREATE.OWN": [],
    "$JS.API.STREAM.CREATE.KV_vcourier-checkpoints": COLLECTORS,  # who creates a stream decides its subjects
    "$JS.API.STREAM.CREATE.KV_vcourier": COLLECTORS,
    "$JS.API.STREAM.UPDATE.KV_vcourier-checkpoints": [],
    "$JS.API.STREAM.PURGE.KV_vcourier-checkpoints": [],
    "$JS.API.STREAM.DELETE.KV_vcourier": [],
    "$JS.API.STREAM.SNAPSHOT.VC_lab": [],
    "$JS.API.STREAM.MSG.GET.VC_other": [*TOOLS, *DISPATCHERS],
    "$JS.API.STREAM.MSG.GET.SOMETHING": ["dispatcher-finder"],
    "$JS.API.STREAM.LIST": [*TOOLS, "dispatcher-finder"],
    "$JS.API.STREAM.UPDATE.CE_hooks": [],
    "$JS.API.STREAM.DELETE.CE_hooks": [],
    "$JS.API.CONSUMER.DURABLE.CREATE.VC_lab.openfaas": [],
    "$JS.API.CONSUMER.DELETE.VC_lab.openfaas": [],
    "$JS.API.CONSUMER.DELETE.SOMETHING.openfaas": [],
    "$JS.API.CONSUMER.DURABLE.CREATE.SOMETHING.finder": ["dispatcher-finder"],
    "$JS.API.CONSUMER.DURABLE.CREATE.SOMETHING.openfaas": [],
    "$JS.ACK.VC_lab.finder.1.1.1.0.0": ["dispatcher-finder"],
    "$JS.ACK.a.b.VC_lab.finder.1.1.1.0.0": ["dispatcher-finder"],
    "$JS.API.CONSUMER.MSG.NEXT.VC_lab.openfaas": [],
    "$JS.API.CONSUMER.MSG.NEXT.VCDEAD.openfaas": TOOLS,
    "$JS.ACK.VC_lab.openfaas.1.1.1.0.0": [],
    "$JS.ACK.a.b.VC_lab.openfaas.1.1.1.0.0": [],
    "$JS.API.ACCOUNT.PURGE.VCOURIER": [],
    "$SYS.REQ.SERVER.PING": [],
    "$KV.vcourier.lease.other": [],
    "$KV.vcourier.lease.hooks": [],
    "$KV.vcourier-checkpoints.openfaas.VC_lab": [],
    "vcourier.status.knative": TOOLS,
    "vcourier.status.collector.lab": TOOLS,
    "vcourier.catalogue.lab": TOOLS,
    "vcourier.status.collector.other": TOOLS,
    "_INBOX_collector-lab.forged": [],
    "anything": [],
}
NOT_OVERHEARD = ["vc.>", "ce.>", "vcdead.>", ">", "vcreplay.>", "$JS.ACK.>", "$JS.API.>", "_INBOX_dispatcher-openfaas.>", "vcourier.status.openfaas", "vcourier.status.collector.other",
                 "vcourier.catalogue.other", "$KV.>", "$SYS.>"]
OWN = {"collector-lab": ["vc.lab._._.info.event.Forged"],
       "collector-hooks": ["ce.hooks.forged", "$JS.API.STREAM.CREATE.CE_hooks", "$KV.vcourier.lease.hooks"]}


USERS = [*COLLECTORS, *DISPATCHERS, *TOOLS, "reader-reports", "connector-siem", "connector-tool"]


@pytest.mark.parametrize("user", USERS)
def test_nothing_else_is_allowed(streams, user):
    me = streams.login(user)
    for subject, allowed in FORBIDDEN.items():
        if user in allowed or subject in OWN.get(user, []):
            continue
        me.publish(subject, b"{}")
        refused = me.take_errors()
        assert len(refused) == 1 and "Permissions Violation for Publish" in refused[0], subject
    for subject in NOT_OVERHEARD if not user.startswith("connector-") else ():  # see test_nats_connectors.py
        me.subscribe(subject)
        refused = me.take_errors()
        assert len(refused) == 1 and "Permissions Violation for Subscription" in refused[0], subject


# The server does not check the reply subject of a request and replies with its own rights: an empty reply to STREAM.DELETE would delete the stream.
HIJACKED = [f"{API}.STREAM.DELETE.VC_lab", f"{API}.STREAM.PURGE.VCDEAD", f"{API}.STREAM.CREATE.VC_lab",
            f"{API}.CONSUMER.DELETE.VC_lab.openfaas", f"{API}.CONSUMER.MSG.NEXT.VC_lab.openfaas", "vcdead.openfaas.forged",
            "vcdead.knative.own", "vc.lab._._.info.event.own", "vc.other._._.info.event.Forged", "vcreplay.openfaas.forged", "$KV.vcourier.lease.lab", "$JS.ACK.VC_lab.openfaas.1.1.1.0.0"]


def requests(user):
    """Permitted requests of the user to which the server replies with a status, with JSON, or with a message."""
    durable = dict.fromkeys([*COLLECTORS, *TOOLS], "eph").get(user) or user.split("-", 1)[1]
    stream = "CE_hooks" if user == "collector-hooks" else "VC_lab"
    yield f"{API}.CONSUMER.MSG.NEXT.{stream}.{durable}", b'{"batch":1,"no_wait":true}'  # 404 No Messages
    yield f"{API}.CONSUMER.MSG.NEXT.{stream}.{durable}", b'{"batch":1,"expires":1000000}'  # 408 Request Timeout
    yield f"{API}.CONSUMER.MSG.NEXT.{stream}.{durable}", b"{"  # 400 Bad Request
    yield f"{API}.CONSUMER.INFO.{stream}.{durable}", b""
    yield f"{API}.STREAM.INFO.{stream}", b""
    yield f"{API}.STREAM.MSG.GET.{stream}", b'{"seq":1}'
    yield f"{API}.DIRECT.GET.{stream}", b'{"seq":1}'
    if user == "collector-lab":
        yield "vc.lab._._.info.event.VmPoweredOnEvent", b"{}"  # the publish ack
    if user == "collector-hooks":
        yield "ce.hooks.com=2Eexample", b"{}"
    if user in DISPATCHERS:
        yield f"vcdead.{durable}._._.info.event.VmPoweredOnEvent", b"{}"


@pytest.fixture(scope="module")
def drained(streams):
    """Creates every durable without pending messages, so that the server replies to a pull with a status."""
    admin = streams.login("admin")
    for name in ("knative", "openfaas", "finder", "reports", "team-a", "siem", "tool"):
        assert "error" not in admin.request(f"{API}.{ID}.VC_lab.{name}", durable("VC_lab", name, "vc.lab.nothing")).json() or name in (
            "knative", "openfaas", "finder")
    for stream, subject in (("VC_lab", "vc.lab.nothing"), ("CE_hooks", "ce.hooks.nothing")):
        made = admin.request(f"{API}.CONSUMER.CREATE.{stream}.eph", {"stream_name": stream, "config": {
            "name": "eph", "ack_policy": "none", "filter_subject": subject, "inactive_threshold": 600 * 10**9}}).json()
        assert "error" not in made
    while True:
        event = admin.request(f"{API}.CONSUMER.MSG.NEXT.VC_lab.knative", b'{"batch":1,"no_wait":true}')
        if not event.reply:
            return streams
        admin.request(event.reply, b"+ACK")


def state(admin):
    """The state that an attack would change: all messages and consumers. The first sequence of a stream may be 0 or 1."""
    streams = sorted(admin.request(f"{API}.STREAM.NAMES").json()["streams"])
    info = {s: admin.request(f"{API}.STREAM.INFO.{s}").json()["state"] for s in streams}
    own = {"VC_lab", "CE_hooks", "VCDEAD"}  # a user under test may store its own messages there
    return {s: (max(i["first_seq"], 1), i["consumer_count"], None if s in own else i["last_seq"]) for s, i in info.items()}, [
        m.subject for s in streams for m in Reader(admin, s) if "forged" in m.subject.lower() or ".lease." in m.subject]


def Reader(admin, stream):
    """Reads every message of a stream by its sequence."""
    info = admin.request(f"{API}.STREAM.INFO.{stream}").json()["state"]
    for seq in range(info["first_seq"], info["last_seq"] + 1):
        reply = admin.request(f"{API}.STREAM.MSG.GET.{stream}", {"seq": seq}).json()
        if "message" in reply:
            yield Stored(reply["message"]["subject"])


@pytest.mark.parametrize("user", [*USERS, "guest-team-a"])
def test_no_reply_reaches_the_api_or_a_stream(drained, user):
    """nats-io/nats-server issue 8274: the permissions of the requester do not apply to the server's replies."""
    admin, me = drained.login("admin"), drained.login(user)
    before = state(admin)
    for request, body in requests(user):
        for reply in HIJACKED:
            me.publish(request, body, reply=reply)
    me.take_errors()  # an immediate refusal is fine too
    wait_until(lambda: admin.request(f"{API}.CONSUMER.INFO.VC_lab.openfaas").json().get("num_waiting") == 0, 10, "pulls end")
    assert state(admin) == before


def pushes(user):
    """Streams, and the subjects with which a user may create consumers on them. The server publishes to a push consumer's subject with
    its own rights."""
    name = {"reader-reports": "reports", "connector-tool": "tool", **{d: d.split("-")[1] for d in DISPATCHERS}}.get(user)
    if user == "connector-siem":
        subject = "vc.lab.*.*.error.>"
        yield "VC_lab", f"siem.{subject}", {"durable_name": "siem", "name": "siem", "filter_subject": subject}
    elif name:
        for stream in ("VC_lab", "VCDEAD") if user == "dispatcher-finder" else ("VC_lab",):
            filtered = "vcdead.>" if stream == "VCDEAD" else "vc.lab.>"
            yield stream, name, {"durable_name": name, "name": name}
            yield stream, f"{name}.{filtered}", {"durable_name": name, "name": name, "filter_subject": filtered}
    else:
        yield "CE_hooks" if user == "collector-hooks" else "VC_lab", "", {}


@pytest.mark.parametrize("user", USERS)
def test_no_push_consumer_reaches_the_api_or_a_stream(drained, user):
    admin, me = drained.login("admin"), drained.login(user)
    for name in ("knative", "finder", "reports", "siem", "tool"):
        admin.request(f"{API}.CONSUMER.DELETE.VC_lab.{name}")
    before = state(admin)
    for stream, tokens, config in pushes(user):
        for how in ("CREATE", "DURABLE.CREATE") if tokens == config.get("name", 0) else ("CREATE",):
            for target in HIJACKED:
                reply = me.request(f"{API}.CONSUMER.{how}.{stream}{'.' if tokens else ''}{tokens}", {"stream_name": stream, "config": {
                    "deliver_policy": "all", "ack_policy": "none", "max_deliver": -1, "deliver_subject": target, **config}}).json()
                if "error" not in reply:
                    admin.request(f"{API}.CONSUMER.DELETE.{stream}.{reply['name']}")
    assert state(admin) == before


# An existing stream cannot be created again so that it copies other streams or publishes elsewhere.
RECREATED = [{"subjects": ["vc.lab.>", "vc.other.>"]}, {"subjects": [">"]}, {"mirror": {"name": "VCDEAD"}}, {"sources": [{"name": "VC_other"}]},
             {"subjects": ["vc.lab.>"], "republish": {"src": ">", "dest": "vcdead.openfaas.>"}}]


@pytest.mark.parametrize("user", ["collector-lab", "dispatcher-knative"])
def test_an_existing_stream_cannot_be_created_again(drained, user):
    admin, me = drained.login("admin"), drained.login(user)
    before = admin.request(f"{API}.STREAM.INFO.VC_lab").json()["config"]
    for config in RECREATED:
        assert "error" in me.request(f"{API}.STREAM.CREATE.VC_lab", {"name": "VC_lab", **config}).json()
    assert admin.request(f"{API}.STREAM.INFO.VC_lab").json()["config"] == before


def test_no_user_receives_the_replies_of_another(drained):
    """Each account has its own inboxes: replies to one user's default inbox reach no other user."""
    users = [drained.login(user) for user in (*USERS, "guest-team-a", "collector-other")]
    sids = [me.subscribe("_INBOX.>") for me in users]
    for me in users:
        me.flush()
    for me in users:
        me.publish(f"{API}.INFO", b"", reply="_INBOX.mine")
    for me, sid in zip(users, sids):
        assert me.next(sid).subject == "_INBOX.mine"
        me.flush()
        assert [m for m in me.messages if m.sid == sid] == []


def test_a_name_is_added(tmp_path):
    """With a restart, as docs/nats.md says: a reload does not always create the imports of a new account."""
    bus = SecuredNats(tmp_path, "--vcenter", "lab").start()
    try:
        assert "error" not in bus.login("collector-lab").request(
            f"{API}.STREAM.CREATE.VC_lab", {"name": "VC_lab", "subjects": ["vc.lab.>"]}).json()
        bus.names("--vcenter", "lab", "--vcenter", "two", "--dispatcher", "knative")
        bus.stop()
        bus.start()
        assert bus.login("collector-lab").request(f"{API}.STREAM.INFO.VC_lab").json()["config"]["name"] == "VC_lab"
        new = bus.login("dispatcher-knative")
        assert "error" not in new.request(f"{API}.{ID}.VC_lab.knative", durable("VC_lab", "knative", "vc.lab.>")).json()
        two = bus.login("collector-two")
        assert "error" not in two.request(f"{API}.STREAM.CREATE.VC_two", {"name": "VC_two", "subjects": ["vc.two.>"]}).json()
        assert two.request("vc.two.x", b"{}").json()["seq"] == 1
    finally:
        bus.stop()


def test_connections_without_a_user_are_refused(bus):
    for user, password in ((None, None), ("admin", "wrong"), ("nobody", "x")):
        with pytest.raises(ConnectionError, match="Authorization Violation"):
            Wire(bus.port, user, password)


def test_users_conf_is_up_to_date():
    written = (ROOT / "compose" / "nats" / "users.conf").read_text()
    arguments = shlex.split(written.splitlines()[0].split("users.py")[1].removesuffix("; do not edit."))
    assert written == subprocess.check_output([sys.executable, GENERATOR, *arguments], text=True)


def test_passwords_stay_when_users_are_added(tmp_path):
    make = [sys.executable, GENERATOR, "--vcenter", "lab", "--passwords", tmp_path / "s"]
    subprocess.run(make, check=True)
    first = (tmp_path / "s" / "collector-lab").read_text()
    subprocess.run([*make, "--dispatcher", "knative"], check=True)
    assert (tmp_path / "s" / "collector-lab").read_text() == first
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o700
    assert f'dispatcher_knative: "{(tmp_path / "s" / "dispatcher-knative").read_text().strip()}"' in (
        tmp_path / "s" / "passwords.conf").read_text()


def test_an_empty_password_is_replaced(tmp_path):
    """A full disk left it: a user with it could be anybody."""
    make = [sys.executable, GENERATOR, "--vcenter", "lab", "--passwords", tmp_path / "s"]
    subprocess.run(make, check=True)
    (tmp_path / "s/admin").unlink()
    (tmp_path / "s/admin").write_text("")
    subprocess.run(make, check=True)
    assert len((tmp_path / "s/admin").read_text()) == 33 and ': ""' not in (tmp_path / "s/passwords.conf").read_text()
    assert not list((tmp_path / "s").glob(".*"))


@pytest.mark.parametrize("names, message", [
    (["--vcenter", "a-b", "--vcenter", "a_b"], r"collector-a-b and collector-a_b: both passwords would be \$collector_a_b"),
    (["--vcenter", "a-b", "--source", "a_c", "--reader", "a_b"], None),
    (["--vcenter", "a", "--dispatcher", "x_y", "--dispatcher", "x-y"], "dispatcher-x_y and dispatcher-x-y: both"),
    (["--vcenter", "a", "--reader", "x y", "--reader", "x_20y"], "reader-x=20y and reader-x_20y: both"),
    (["--vcenter", "a", "--vcenter", "a"], "collector-a: this user is there twice")])
def test_names_that_would_share_a_password_are_refused(tmp_path, names, message):
    """passwords.conf has one variable for each user, in which only letters, digits and _ remain of a name."""
    for more in ([], ["--passwords", tmp_path / "s"]):
        run = subprocess.run([sys.executable, GENERATOR, *names, *more], capture_output=True, text=True)
        if message:
            assert run.returncode == 2 and re.search(message, run.stderr), run.stderr
        else:
            assert run.returncode == 0, run.stderr
    assert (tmp_path / "s").exists() == (message is None)
