# SPDX-License-Identifier: Apache-2.0
"""vcourier backup and restore: into an empty NATS, where collectors and dispatchers continue; and what is refused."""
import json
import os
import subprocess
import sys

import pytest
from test_operator import bad_characters

from lab.bususers import SecuredNats
from lab.process import BUILD, ROOT, wait_until
from lab.product import knative
from lab.receiver import Answer
from lab.stand_in import StandIn

sys.path.insert(0, str(ROOT / "tests/pages"))
import page  # noqa: E402

FAILED, WRONG_USAGE, FORBIDDEN, DAMAGED = 1, 64, 77, 78
MORE_THAN_A_DOUBLE = 3 * 365 * 86400 * 10**9 + 1


def vcourier(command, nats, *arguments, code=0):
    done = subprocess.run([BUILD / "vcourier", command, "--server", nats.url, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def settled(dispatcher):
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_lag") == 0 and dispatcher.metric("vcourier_dispatcher_in_memory") == 0, 60,
               "all events are settled")


def test_collectors_and_dispatchers_continue_in_an_empty_nats(pipeline, tmp_path):
    """The backup is made while events arrive and some are refused. Then NATS is lost, with the events that came later."""
    lab = pipeline("-backlog", "300")
    receiver = lab.receiver(lambda request: Answer(400 if int(request.headers["ce-eventkey"]) % 10 == 0 else 202))
    # events that were under way at the backup come again after ackWait
    lab.config["eventProcessor"] = {**knative(receiver.url), "retry": {"rejectGrace": "0s"}, "ackWait": "5s"}
    dispatcher = lab.dispatcher(lab.config)
    receiver.wait_for(lambda requests: len(requests) >= 100)
    shown = vcourier("backup", lab.bus, tmp_path / "copy")
    kept = {s["stream"]: s for s in json.loads((tmp_path / "copy/vcourier-backup.json").read_text())["streams"]}
    assert list(kept)[-1] == "VCDEAD" and {"VC_lab", "VCREPLAY", "KV_vcourier-checkpoints"} <= set(kept) and "VC_lab: " in shown
    assert kept["VC_lab"]["consumers"] == 1
    lab.vc.burst(100)
    lab.ledger.settle()
    settled(dispatcher)
    for process in (dispatcher, lab.col, lab.bus):
        process.stop()
    empty = lab.nats(name="empty")
    vcourier("restore", empty, tmp_path / "copy")
    js = lab.jetstream(empty)
    assert {name: js.count(name) for name in kept} == {name: s["messages"] for name, s in kept.items()}
    position = js.consumer("VC_lab", "kn")["ack_floor"]["stream_seq"]
    assert position > 0
    before = len(receiver.requests)
    lab.config["bus"]["urls"] = [empty.url]
    lab.col, again = lab.collector(lab.config, name="collector2"), lab.dispatcher(lab.config, name="dispatcher2")
    lab.open_ledger(empty, lab.vc).settle()
    keys = {int(key) for key, _ in lab.vc.events()}
    receiver.wait_for(lambda requests: {int(r.headers["ce-eventkey"]) for r in requests} == keys, what="lost 0")
    bad = {key for key in keys if key % 10 == 0}
    wait_until(lambda: {int(json.loads(m.data)["eventkey"]) for m in js.read("VCDEAD")} == bad, 60, "the dead letters")
    settled(again)
    assert len(receiver.requests) - before <= len(keys) - position, "none again that was settled before the backup"


@pytest.fixture
def copy(lab, stream, tmp_path):
    """A backup of a stream with 100 messages, and its server."""
    stream.publish(100)
    vcourier("backup", stream.server, tmp_path / "copy")
    return tmp_path / "copy"


def test_a_stream_that_exists_is_not_touched(lab, stream, copy):
    assert "VC_lab exists" in vcourier("restore", stream.server, copy, "VC_lab", code=FAILED)
    assert stream.js.count("VC_lab") == 100


def test_a_damaged_backup_changes_nothing(lab, copy):
    empty = lab.nats(name="empty")
    data = copy / "VC_lab/stream.tar.s2"
    whole = data.read_bytes()
    for change in (whole[:-1], whole + b"x", bytes([whole[0] ^ 1]) + whole[1:]):
        data.write_bytes(change)
        assert "is damaged" in vcourier("restore", empty, copy, code=DAMAGED)
    data.unlink()
    assert "stream.tar.s2: No such file" in vcourier("restore", empty, copy, code=DAMAGED)
    os.mkfifo(data)
    assert "is not a regular file" in vcourier("restore", empty, copy, code=DAMAGED)
    data.unlink()
    data.write_bytes(whole)
    listed = (copy / "vcourier-backup.json").read_text()
    for text, why in (("{", "format"), (listed.replace("VC_lab", "../x"), "no name of a stream"), (listed.replace('"sha256":"', '"sha256":"x'), "SHA-256")):
        (copy / "vcourier-backup.json").write_text(text)
        assert why in vcourier("restore", empty, copy, code=DAMAGED)
    (copy / "vcourier-backup.json").unlink()
    assert "no complete backup" in vcourier("restore", empty, copy, code=DAMAGED)
    assert lab.jetstream(empty).streams() == []


def test_a_directory_that_has_files_is_refused(lab, stream, copy):
    before = {p: p.stat().st_mtime_ns for p in copy.rglob("*")}
    assert "is not empty" in vcourier("backup", stream.server, copy, code=WRONG_USAGE)
    assert {p: p.stat().st_mtime_ns for p in copy.rglob("*")} == before


@pytest.mark.parametrize("name", ["VC_\x9b2J", "VC_a/../../b", "CE_ü", "VC_" + "x" * 260])
def test_a_stream_whose_name_restore_refuses_is_left_out(lab, stream, tmp_path, name):
    """Such a name is somebody else's, or of a hostile server. It is no path, and does not spoil the backup of the others."""
    stream.publish(3)
    listed = stream.js.api("STREAM.LIST")
    odd = {**listed["streams"][0], "config": {**listed["streams"][0]["config"], "name": name}}
    StandIn([stream.server], {"$JS.API.STREAM.LIST": lambda request: {**listed, "total": len(listed["streams"]) + 1, "streams": [odd, *listed["streams"]]}})
    said = vcourier("backup", stream.server, tmp_path / "copy", code=FAILED)
    assert "is not copied" in said and not bad_characters(said)
    ours = {s["config"]["name"] for s in listed["streams"]}
    assert {e["stream"] for e in json.loads((tmp_path / "copy/vcourier-backup.json").read_text())["streams"]} == ours
    assert {p.name for p in (tmp_path / "copy").iterdir()} == {*ours, "vcourier-backup.json"}
    assert "VC_lab: 3 messages" in vcourier("restore", lab.nats(name="empty"), tmp_path / "copy")


def test_replicas_of_a_cluster_are_reduced(lab, stream, copy):
    """A backup of a cluster with three replicas goes to a single server."""
    description = copy / "VC_lab/backup.json"
    description.write_text(description.read_text().replace('"num_replicas":1', '"num_replicas":3'))
    empty = lab.nats(name="empty")
    assert "replicas" in vcourier("restore", empty, copy, code=FAILED)
    assert "VC_lab: 100 messages" in vcourier("restore", empty, copy, "VC_lab", "--replicas", "1")


def test_messages_sequences_and_settings_are_the_same(lab, stream, tmp_path):
    """A limit with more digits than a double keeps, messages that were removed, headers."""
    stream.make_stream("VC_b", "b", max_age=MORE_THAN_A_DOUBLE)
    stream.publish(20, vcenter="b")
    for seq in (1, 2, 9):
        stream.js.api("STREAM.MSG.DELETE.VC_b", {"seq": seq})
    vcourier("backup", stream.server, tmp_path / "copy")
    empty = lab.nats(name="empty")
    vcourier("restore", empty, tmp_path / "copy", "VC_b")
    js = lab.jetstream(empty)
    assert js.streams() == ["VC_b"], "only what was named"
    assert [(m.seq, m.subject, m.headers, m.data) for m in js.read("VC_b")] == [(m.seq, m.subject, m.headers, m.data) for m in stream.js.read("VC_b")]
    assert js.info("VC_b")["config"] == stream.js.info("VC_b")["config"] and js.info("VC_b")["config"]["max_age"] == MORE_THAN_A_DOUBLE
    assert js.last_seq("VC_b") == 20
    assert "does not have all streams" in vcourier("restore", empty, tmp_path / "copy", "VC_c", code=WRONG_USAGE)


def as_printed(number, nats, tmp_path):
    """Runs a block of docs/operations.md, with the folders of this test in place of those of a machine."""
    text = page.block("docs/operations.md", "Backup and upgrade", number).text
    assert "/etc/vcourier/nats/secrets" in text and "/var/backups/vcourier" in text
    text = text.replace("/etc/vcourier/nats/secrets", str(nats.directory / "secrets")).replace("/var/backups/vcourier", str(tmp_path / "copy"))
    return subprocess.run(["sh", "-ec", text], capture_output=True, text=True, check=True, timeout=120,
                          env={**os.environ, "VCOURIER_SERVER": nats.url, "PATH": f"{BUILD}:{os.environ['PATH']}"}).stdout


def test_only_the_administrator_may(lab, tmp_path):
    """The users of users.py: admin may; cli, which has an account of its own, is told so."""
    bus = lab._keep(SecuredNats(tmp_path, "--vcenter", "lab", "--dispatcher", "kn")).start()
    empty = lab.nats(name="empty")
    wire = bus.login("admin")
    wire.request("$JS.API.STREAM.CREATE.VC_lab", json.dumps({"name": "VC_lab", "subjects": ["vc.lab.>"]}).encode())
    wire.request("vc.lab.x", b"1")
    wire.close()

    def login(user):
        return "--user", user, "--password-file", bus.directory / "secrets" / user
    assert "not permitted" in vcourier("backup", bus, tmp_path / "cli", *login("cli"), code=FORBIDDEN)
    assert "VC_lab: 1 messages" in as_printed(1, bus, tmp_path)
    assert "VC_lab: 1 messages" in vcourier("restore", empty, tmp_path / "copy")
    wire = bus.login("admin")
    wire.request("$JS.API.STREAM.DELETE.VC_lab")
    wire.close()
    assert "not permitted" in vcourier("restore", bus, tmp_path / "copy", *login("cli"), code=FORBIDDEN)
    assert "VC_lab: 1 messages" in as_printed(2, bus, tmp_path)
