# SPDX-License-Identifier: Apache-2.0
"""`discover`: a dispatcher finds the streams of events on the bus, with the NATS user that users.py makes for it."""
import json
import subprocess
import sys

import pytest

from lab.bususers import GENERATOR, SecuredNats
from lab.jetstream import ApiError
from lab.process import BUILD, wait_until
from lab.product import knative
from lab.stream import PROVIDER, Stream, ends, keys

NAMES = ["--vcenter", "berlin", "--vcenter", "paris 1", "--source", "hooks"]


@pytest.fixture
def found(lab):
    """The bus with its streams; all but one are created before the dispatcher starts."""
    def make(*dispatcher):
        bus = lab._keep(SecuredNats(lab.directory, *NAMES, *dispatcher)).start()
        bus.account = ("admin", bus.password("admin"))
        stream = Stream(lab, bus)
        stream.make_stream("VC_berlin", "berlin")
        return stream
    return make


def config(stream, receiver, providers=(), **more):
    bus = {"user": "dispatcher-kn", "passwordFile": str(stream.server.directory / "secrets" / "dispatcher-kn")}
    return stream.config(knative(receiver.url), providers, discover=True, bus=bus, **more)


def consumers(stream, name):
    return stream.js.api(f"CONSUMER.NAMES.{name}")["consumers"] or []


def test_streams_are_found(lab, found):
    """Without an eventProvider in the file. Streams of other tools are left alone, whatever their names are."""
    stream, receiver = found("--discover", "kn"), lab.receiver()
    for name, subjects in (("VC_audit", ["audit.>"]), ("VC_two", ["vc.two.>", "two.>"]), ("EVENTS", ["vc.events.>"]), ("VC_", ["x"])):
        stream.js.create(name, {"name": name, "subjects": subjects, "storage": "memory"})
    sent = [*stream.publish(5, vcenter="berlin")]
    dispatcher = lab.dispatcher(config(stream, receiver)).wait_ready()
    receiver.wait_for(lambda requests: len(requests) >= 5, what="the events of the stream that was there")
    for name, reason in (("VC_audit", "audit.>"), ("VC_two", "vc.two.>, two.>")):
        assert any(name in line and reason in line.replace("\\u003e", ">") for line in dispatcher.lines("has other subjects: not read"))
        assert consumers(stream, name) == []
    assert consumers(stream, "EVENTS") == consumers(stream, "VC_") == []

    stream.make_stream("VC_paris=201", "paris=201")
    sent += stream.publish(5, vcenter="paris=201")
    stream.make_stream("CE_hooks", "hooks", subjects=["ce.hooks.>"])
    receiver.wait_for(lambda requests: len(requests) >= 10, what="the events of the stream that came later")
    for name in ("VC_berlin", "VC_paris=201"):
        stream.idle(stream=name)
    wait_until(lambda: consumers(stream, "CE_hooks") == ["kn"], 30, "the stream of a webhook")
    assert sorted(keys(receiver.requests)) == sent
    assert ends(dispatcher) == {"delivered": 10, "filtered": 0, "dead": 0, "expired": 0} and "restarting" not in dispatcher.text() and dispatcher.reasons() == {}

    # the operator's tool shows them as sources, also beside one that the file names
    user = {"user": "cli", "passwordFile": str(stream.server.directory / "secrets" / "cli")}
    shown = config(stream, receiver, [PROVIDER | {"name": "berlin"}])
    shown["bus"].update(user)
    (lab.directory / "status.yaml").write_text(json.dumps(shown))
    run = subprocess.run([BUILD / "vcourier", "status", "--json", "-c", lab.directory / "status.yaml"], capture_output=True, text=True, timeout=60)
    model = json.loads(run.stdout)
    assert {e["source"] for e in model["collectors"]} == {"berlin", "hooks", "paris 1"}
    assert "orphaned" not in {e["state"] for e in model["collectors"]}
    assert {e["stream"]: e["state"] for e in model["dispatchers"]} == dict.fromkeys(("VC_berlin", "VC_paris=201", "CE_hooks"), "up to date")


def test_a_stream_that_the_file_names_is_read_once(lab, found):
    """`vcenters` selects among those that are found, too, and perVcenter has settings for them."""
    stream, receiver = found("--discover", "kn"), lab.receiver()
    for name in ("paris=201", "rome"):
        stream.make_stream(f"VC_{name}", name)
    sent = {vcenter: [*stream.publish(4, vcenter=vcenter)] for vcenter in ("berlin", "paris=201", "rome")}
    more = [{"vcenters": ["paris 1"], "filter": {"pattern": {"eventkey": [str(sent["paris=201"][0])]}}}]
    dispatcher = lab.dispatcher(config(stream, receiver, [PROVIDER | {"name": "berlin"}], vcenters=["berlin", "paris ?"], perVcenter=more)).wait_ready()
    wanted = [*sent["berlin"], sent["paris=201"][0]]
    receiver.wait_for(lambda requests: len(requests) >= len(wanted), what="the events of two vCenters")
    for name in ("VC_berlin", "VC_paris=201"):
        stream.idle(stream=name)
    assert sorted(keys(receiver.requests)) == wanted and consumers(stream, "VC_rome") == []
    assert ends(dispatcher) == {"delivered": 5, "filtered": 3, "dead": 0, "expired": 0}


def test_a_user_that_may_not_list_streams(lab, found):
    """The user of a dispatcher without `discover`: /readyz says what is missing."""
    stream, receiver = found("--dispatcher", "kn"), lab.receiver()
    dispatcher = lab.dispatcher(config(stream, receiver))
    wait_until(lambda: "streams cannot be listed" in dispatcher.reasons().get("consumer", ""), 60, lambda: f"{dispatcher.reasons()}")
    with pytest.raises(ApiError):
        stream.consumer(stream="VC_berlin")


@pytest.mark.parametrize("more, message", [
    ({}, "reads no stream: the file has no eventProvider, and discover is not set"),
    ({"discover": True, "vcenters": []}, "vcenters: must be a list of at least one"),
    ({"discover": "perhaps"}, "discover: must be true or false"),
    ({"discover": True, "vcenters": ["anyone", "x*"], "perVcenter": [{"vcenters": ["z"], "startFrom": "now"}]}, "")])
def test_files_without_an_event_provider(lab, more, message):
    first = {**knative("http://b"), "discover": True}
    file = lab.directory / "config.yaml"
    file.write_text(json.dumps({"bus": {"urls": ["nats://127.0.0.1:1"]}, "eventProcessors": [first, {**knative("http://b", name="other"), **more}]}))
    run = subprocess.run([BUILD / "vcourier", "check", file], capture_output=True, text=True, timeout=60)
    assert run.returncode == (78 if message else 0) and message in run.stderr, run.stderr


# ---- users.py


def users(*arguments):
    return subprocess.run([sys.executable, GENERATOR, *map(str, arguments)], capture_output=True, text=True, timeout=60)


def test_users_of_all_files(lab):
    """--config reads the files of eventProvidersFrom, and knows a dispatcher that discovers."""
    folder = lab.directory / "vcenters.d"
    folder.mkdir()
    (folder / "a.yaml").write_text("{type: vcenter, name: a}")
    (folder / "b.yml").write_text("[{type: vcsim, name: b}, {type: webhook, name: hooks}]")
    (folder / "c.yaml").write_text("eventProviders: [{type: vcenter, name: c 1}]")
    (folder / ".d.yaml").write_text("{type: vcenter, name: hidden}")
    (folder / "e.txt").write_text("{type: vcenter, name: text}")
    (lab.directory / "one.yaml").write_text("{type: vcenter, name: one}")
    file = lab.directory / "config.yaml"
    file.write_text(json.dumps({"eventProvider": {"type": "vcenter", "name": "own"}, "eventProvidersFrom": ["vcenters.d", "one.yaml"],
                                "eventProcessors": [{"type": "knative", "name": "kn"}, {"type": "knative", "name": "all", "discover": True}]}))
    want = [f"--vcenter {n}" for n in ("own", "a", "b", "c=201", "one")] + ["--source hooks", "--dispatcher kn", "--discover all"]
    made = users("--config", file)
    assert made.stdout.startswith(f"# Written by users.py {' '.join(want)}; do not edit.\n"), made
    (folder / "a.yaml").unlink()
    (lab.directory / "one.yaml").unlink()
    assert f"users.py: {lab.directory / 'one.yaml'}: No such file" in users("--config", file).stderr
    for wrong in ("[x]", "{type: vcenter}", "text", "eventProviders: 1"):
        (lab.directory / "one.yaml").write_text(wrong)
        assert "has no name or type" in users("--config", file).stderr, wrong
    assert "another name than a number" in users("--vcenter", "a", "--discover", "7").stderr
