# SPDX-License-Identifier: Apache-2.0
"""The operator's commands that use NATS: tail, dead, replay. test_status.py has status."""

from collections import Counter
from datetime import datetime, timezone
import fcntl
import json
import os
import pty
import pytest
import re
import signal
import struct
import subprocess
import termios
import threading
import time
import unicodedata

from lab.stream import event, keys, subject
from lab.gateway import Gateway
from lab.process import BUILD, Process, wait_until
from lab.receiver import Answer
from lab.stand_in import StandIn, not_found

FAST = {"retry": {"initial": "50ms", "max": "200ms", "rejectGrace": "0s"}, "ackWait": "2s"}  # a refused event becomes a dead letter at once


def vcourier(daemon, *arguments, code=0):
    command, *rest = arguments
    at = [command, rest.pop(0)] if command == "dead" else [command]
    run = subprocess.run([BUILD / "vcourier", *at, "-c", daemon.file, *map(str, rest)], capture_output=True, text=True, timeout=60)
    assert run.returncode == code, run.stdout + run.stderr
    return run.stdout


def picky(bad):
    """A reply function that rejects the events whose keys are in the set `bad`, which may change."""
    return lambda request: Answer(400, body=b"no") if int(request.headers["ce-eventkey"]) in bad else Answer()


def test_dead_letters_are_listed_shown_and_sent_again(lab, stream):
    bad = {3, 5, 8}
    receiver = lab.receiver(picky(bad))
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    want = stream.publish(10)
    stream.idle()
    lines = vcourier(dispatcher, "dead", "ls").splitlines()
    assert len(lines) == 3 and all("kn VmPoweredOnEvent 1x rejected: HTTP 400: no" in line for line in lines)
    listed = [json.loads(line) for line in vcourier(dispatcher, "dead", "ls", "--json").splitlines()]
    listed.sort(key=lambda m: m["event"]["eventkey"])  # requests run in parallel, so any of them may fail first
    assert [m["event"]["eventkey"] for m in listed] == ["3", "5", "8"]
    assert [m["sequence"] for m in listed] == ["3", "5", "8"] and {m["dispatcher"] for m in listed} == {"kn"}
    shown = vcourier(dispatcher, "dead", "show", listed[0]["seq"])
    assert "Vcourier-Reason: rejected" in shown and event(3).decode() in shown
    bad.clear()
    assert vcourier(dispatcher, "dead", "redrive", listed[0]["seq"]) == "1 sent again\n"
    receiver.wait_for(lambda requests: keys(requests).count(3) == 2)
    assert vcourier(dispatcher, "dead", "redrive", "--all") == "2 sent again\n"
    receiver.wait_count(13)
    assert vcourier(dispatcher, "dead", "ls") == ""
    assert set(keys(receiver.requests)) == set(want) and Counter(keys(receiver.requests))[5] == 2
    assert stream.js.info("VC_lab")["state"]["last_seq"] == 10, "the log of the vCenter is not touched"


def letter(wire, **headers):
    """Publishes a hand-written dead letter."""
    wire.publish("vcdead.kn.lab.dc.cluster.info.event.VmPoweredOnEvent", event(1), headers={
        f"Vcourier-{name.replace('_', '-')}": value for name, value in headers.items()})


def test_a_listed_dead_letter_has_only_its_own_values(lab, stream):
    """A member is "" if this dead letter does not have it, not the value of the previous one. A header without a value hides no other."""
    dispatcher = lab.dispatcher(stream.config(lab.receiver().url, **FAST)).wait_ready()
    wire = stream.server.connect()
    letter(wire, Reason="rejected", Dispatcher="kn", Attempts="3", Stream="VC_lab")
    letter(wire, Target="", Error="why", Status="", Sequence="7")
    wait_until(lambda: len(stream.dead()) == 2, 30, "both stored")
    empty = dict.fromkeys(["dispatcher", "target", "reason", "status", "error", "attempts", "firstAttempt", "lastAttempt", "stream", "sequence",
                           "subject"], "")
    listed = [json.loads(line) for line in vcourier(dispatcher, "dead", "ls", "--json").splitlines()]
    assert [{k: v for k, v in m.items() if k in empty} for m in listed] == [
        empty | {"dispatcher": "kn", "reason": "rejected", "attempts": "3", "stream": "VC_lab"},
        empty | {"error": "why", "sequence": "7"}]


@pytest.mark.parametrize("named", ["SECRET", "VCDEAD", "KV_vcourier-lease", "VC_lab.x", "VC_*", "VC_", "", "OTHER VC_lab"])
def test_a_redrive_reads_only_streams_of_events(lab, stream, named):
    """A user who may publish dead letters can forge one. The stream that it names is read with the operator's permissions."""
    stream.make_stream("SECRET", "secret")
    stream.js.wire.publish(subject(vcenter="secret"), b"the plan")
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    wire = stream.server.connect()
    letter(wire, Body="omitted", Stream=named, Sequence="1")
    wait_until(lambda: len(stream.dead()) == 1, 30, "it is stored")
    run = subprocess.run([BUILD / "vcourier", "dead", "redrive", "-c", dispatcher.file, "--all"], capture_output=True, text=True,
                         timeout=60)
    assert run.returncode == 1 and f'it names "{named}", which is not a stream of events' in run.stderr
    assert run.stdout == "0 sent again\n" and len(stream.dead()) == 1
    letter(wire, Body="omitted", Stream="VC_lab", Sequence="0x1")
    wait_until(lambda: len(stream.dead()) == 2, 30, "it is stored")
    assert vcourier(dispatcher, "dead", "redrive", "2", code=1) == "0 sent again\n"
    assert receiver.requests == []


def test_a_large_body_is_fetched_from_its_stream(lab, stream):
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    stream.publish(1)
    receiver.wait_count(1)
    letter(stream.server.connect(), Body="omitted", Stream="VC_lab", Sequence="1", Target="")
    wait_until(lambda: len(stream.dead()) == 1, 30, "it is stored")
    assert vcourier(dispatcher, "dead", "redrive", "--all") == "1 sent again\n"
    assert keys(receiver.wait_count(2)) == [1, 1]


def test_dead_letters_by_filter(lab, stream):
    receiver = lab.receiver(lambda request: Answer(400 if int(request.headers["ce-eventkey"]) % 10 == 0 else 202))
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    stream.publish(20, "VmPoweredOnEvent")
    stream.publish(20, "com.vmware.vc.HA.X")
    stream.js.wire.publish(subject(), b"junk")
    stream.idle()
    wait_until(lambda: len(stream.dead()) == 5)
    ls = lambda *filters: len(vcourier(dispatcher, "dead", "ls", *filters).splitlines())
    assert ls("--event", "com.vmware.vc.HA.X") == 2 and ls("--reason", "invalid_event") == 1 and ls("--since", "1h") == 5
    assert ls("--since", "2100-01-01T00:00:00Z") == 0 and ls("--dispatcher", "kn") == 5
    assert vcourier(dispatcher, "dead", "drop", "--reason", "invalid_event") == "1 dropped\n"
    assert ls() == 4
    vcourier(dispatcher, "dead", "drop", code=64)
    vcourier(dispatcher, "dead", "drop", "1", "--all", code=64)
    vcourier(dispatcher, "dead", "ls", "--dispatcher", "nobody", code=64)
    vcourier(dispatcher, "dead", "redrive", "99999", code=1)
    vcourier(dispatcher, "dead", "redrive", "x", code=64)


def test_a_redriven_event_goes_only_where_it_failed(lab, stream):
    gateway = Gateway().start()
    lab.closers.append(gateway.close)
    bad = {"7-1700000000000"}
    gateway.deploy("good", "VmPoweredOnEvent")
    gateway.deploy("picky", "VmPoweredOnEvent", lambda call: 400 if call.id in bad else 200)
    auth = {"type": "basic_auth", "basicAuth": {"username": "admin", "password": "secret"}}
    config = stream.config(
        {"type": "openfaas", "name": "kn", "openfaas": {"address": gateway.url, "auth": auth}} | FAST)
    dispatcher = lab.dispatcher(config)
    stream.publish(10)
    stream.idle()
    bad.clear()
    assert vcourier(dispatcher, "dead", "redrive", "--all") == "1 sent again\n"
    gateway.wait(lambda g: len(g.ids("picky.openfaas-fn")) == 10)
    stream.idle(stream="VCREPLAY")
    assert len(gateway.ids("good.openfaas-fn")) == 10


def test_replay_reaches_one_dispatcher_and_changes_no_position(lab, stream):
    one, other = lab.receiver(), lab.receiver()
    first = lab.dispatcher(stream.config(one.url, **FAST), name="one")
    second = lab.dispatcher(stream.config(other.url, name="other", **FAST), name="other")
    stream.publish(10, "VmPoweredOnEvent")
    time.sleep(0.01)
    middle = time.time()
    stream.publish(10, "VmPoweredOffEvent")
    one.wait_count(20)
    other.wait_count(20)
    stream.idle()
    before = stream.consumer()["delivered"]
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(middle)) + f".{int(middle % 1 * 1000000):06}Z"
    replay = lambda *options: vcourier(first, "replay", "--dispatcher", "kn", *options)
    assert replay("--dry-run") == "20 of 20 events would be sent again\n"
    assert replay("--since", stamp) == "10 of 10 events sent again\n"
    one.wait_count(30)
    assert sorted(keys(one.requests)[20:]) == [*range(11, 21)]
    assert replay("--all", "--until", stamp, "--pattern", '{"data": {"Key": [1, 2]}}') == "2 of 10 events sent again\n"
    one.wait_count(32)
    assert replay("--from-seq", "20") == "1 of 1 events sent again\n"
    assert replay("--filter", "vc.*.*.*.*.*.VmPoweredOffEvent", "--since", "1h") == "10 of 10 events sent again\n"
    one.wait_count(43)
    assert other.count == 20 and second.running()
    assert stream.consumer()["delivered"] == before
    vcourier(first, "replay", "--dispatcher", "nobody", code=64)
    vcourier(first, "replay", code=64)
    for nothing_that_says_where_to_begin in ([], ["--until", stamp], ["--filter", "vc.>"], ["--pattern", '{"subject": ["VmPoweredOnEvent"]}']):
        vcourier(first, "replay", "--dispatcher", "kn", *nothing_that_says_where_to_begin, code=64)
    assert one.count == 43
    vcourier(first, "replay", "--dispatcher", "kn", "--since", "yesterday", code=64)


ROW = re.compile(r"(\S+ \S+) (\S+) +(\S+) +(\S+) +(\S+) +(\S+) +(.*)")


def test_tail(lab, stream):
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    data = {"FullFormattedMessage": "on\x1b[31m \u009bred\nx", "UserName": "LAB\\jane", "Vm": {"Name": "web-1"}, "Host": {"Name": "esx-1"}}
    stream.publish(5, data=data)
    lines = vcourier(dispatcher, "tail", "--since", "1h", "-n", "5").splitlines()
    assert len(lines) == 5 and ROW.fullmatch(lines[0]).groups() == (
        "2026-11-22 10:11:12", "lab", "info", "VmPoweredOnEvent", "web-1", "LAB\\jane", "on\ufffd[31m \ufffdred x")
    stream.publish(5, "com.vmware.vc.HA.X")
    texts = vcourier(dispatcher, "tail", "--json", "--since", "1h", "-n", "2", "vc.*.*.*.*.eventex.>").splitlines()
    assert [json.loads(t)["eventkey"] for t in texts] == ["6", "7"]
    live = subprocess.Popen([BUILD / "vcourier", "tail", "-c", dispatcher.file, "-n", "3"], stdout=subprocess.PIPE, text=True)
    wait_until(lambda: stream.js.info("VC_lab")["state"]["consumer_count"] == 2, 30, "it listens")
    for name in ("web-2", "web-3", "web-4"):
        stream.publish(1, data={"Vm": {"Name": name}})
    assert [ROW.fullmatch(line)[5] for line in live.communicate(timeout=30)[0].splitlines()] == ["web-2", "web-3", "web-4"]


def test_tail_goes_on_when_its_consumer_is_gone(lab, stream):
    """NATS removes it when the tool was away for a minute."""
    config = lab.daemon("dispatcher", stream.config(lab.receiver().url)).file
    stream.publish(2)
    tail = lab._keep(Process("tail", [BUILD / "vcourier", "tail", "-c", config, "--json", "--since", "1h"], lab.directory)).start()

    def seen():
        return [json.loads(line)["eventkey"] for line in tail.text().splitlines()]
    for n in (2, 3, 4):
        wait_until(lambda: len(seen()) == n, 30, tail.text)
        gone, = stream.js.consumers("VC_lab")
        stream.js.delete_consumer("VC_lab", gone)
        stream.publish(1)
    wait_until(lambda: len(seen()) == 5, 30, tail.text)
    assert seen() == ["1", "2", "3", "4", "5"]


def test_tail_goes_on_when_its_stream_was_created_again(lab, stream):
    """The new stream is shorter, so its sequences are those of events that were shown."""
    config = lab.daemon("dispatcher", stream.config(lab.receiver().url)).file
    stream.publish(5)
    tail = lab._keep(Process("tail", [BUILD / "vcourier", "tail", "-c", config, "--json", "--since", "1h"], lab.directory)).start()

    def seen():
        return [json.loads(line)["eventkey"] for line in tail.text().splitlines() if line.startswith("{")]
    wait_until(lambda: len(seen()) == 5, 30, tail.text)
    tail.signal(signal.SIGSTOP)  # so that it does not see the time without a stream
    stream.js.api("STREAM.DELETE.VC_lab")
    stream.make_stream()
    stream.publish(2)
    tail.signal(signal.SIGCONT)
    wait_until(lambda: len(seen()) == 7, 30, tail.text)
    assert seen() == ["1", "2", "3", "4", "5", "6", "7"]


@pytest.mark.parametrize("name", ["\u00e4" * 150, "a" + "\u00e4" * 150, "\u4e2d" * 100, "a" + "\U0001f600" * 80], ids=["even", "odd", "three", "four"])
def test_a_long_name_is_cut_between_two_characters(lab, stream, name):
    """Bytes 200 and more are left out. U+FFFD would say that vCenter sent text that is not UTF-8."""
    dispatcher = lab.dispatcher(stream.config(lab.receiver().url, **FAST)).wait_ready()
    stream.publish(1, data={"Vm": {"Name": name}})
    row = ROW.fullmatch(vcourier(dispatcher, "tail", "--since", "1h", "-n", "1").rstrip("\n"))
    assert len(row[5]) > 40 and name.startswith(row[5])


@pytest.mark.parametrize("subject, why", [
    ("vc.*.*.*.*.*.VmPowered*", "in NATS a wildcard is a whole token"), ("vc.*.*.*.*.VmPoweredOnEvent", "the class, is"),
    ("vc.*.*.*.warn.>", "the severity, is"), ("vc.*.*.*.*.*", "6 tokens"), ("other.>", "begin with vc"),
    ("vc.elsewhere.>", "no stream has events of")])
@pytest.mark.parametrize("command", [["tail"], ["replay", "--dispatcher", "kn", "--dry-run", "--filter"]])
def test_a_subject_that_matches_nothing_is_told_at_once(lab, stream, command, subject, why):
    dispatcher = lab.dispatcher(stream.config(lab.receiver().url, **FAST)).wait_ready()
    run = subprocess.run([BUILD / "vcourier", command[0], "-c", dispatcher.file, *command[1:], subject], capture_output=True, text=True, timeout=60)
    if command == ["tail"] or "no stream" not in why:
        assert run.returncode == 64 and why in run.stderr and run.stderr.count("\n") == 1, run


HA_FAILED = "com.vmware.vc.HA.DasHostFailedEvent"


def on_terminal(columns, arguments, env=None):
    """What a command writes to a terminal of this width."""
    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"} | (env or {})
    process = subprocess.Popen([BUILD / "vcourier", *arguments], stdout=other, stderr=other, env=env)
    os.close(other)
    text = b""
    try:
        while chunk := os.read(main, 65536):
            text += chunk
    except OSError:
        pass
    assert process.wait(30) == 0, text
    os.close(main)
    return text.decode().replace("\r", "")


@pytest.mark.parametrize("columns", [30, 40, 80, 100, 160])
def test_tail_fits_the_terminal(lab, stream, columns):
    """On a terminal no line is longer than it is wide, in characters, and without NO_COLOR the severity has a colour."""
    dispatcher = lab.dispatcher(stream.config(lab.receiver().url, **FAST)).wait_ready()
    long = {"FullFormattedMessage": "m" * 300, "UserName": "VSPHERE.LOCAL\\" + "\u00e4" * 80, "Vm": {"Name": "\u4e2d" * 3 + "v" * 100}}
    stream.publish(3, "com.vmware.vc.HA." + "X" * 90, data=long)
    stream.publish(1, HA_FAILED, data=long)
    for colour in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"}):
        text = on_terminal(columns, ["tail", "-c", dispatcher.file, "--since", "1h", "-n", "4"], colour)
        lines = text.splitlines()
        assert len(lines) == (8 if columns < 60 else 5) and ("\x1b[" in text) != bool(colour)
        plain = [re.sub(r"\x1b\[\d*m", "", line) for line in lines]
        assert max(sum(1 + (unicodedata.east_asian_width(c) == "W") for c in line) for line in plain) <= columns, lines
        assert columns < len(HA_FAILED) or any(HA_FAILED in line for line in plain), "the name of an event is not cut"


@pytest.mark.parametrize("columns", [40, 80, 100])
def test_the_catalogue_keeps_the_names(lab, stream, columns):
    """On a terminal each name is whole; without one nothing is cut."""
    dispatcher = lab.dispatcher(stream.config(lab.receiver().url, **FAST)).wait_ready()
    stream.publish(1, HA_FAILED)
    stream.publish(1, "X" * 90)
    text = on_terminal(columns, ["events", "-c", dispatcher.file, "--seen"])
    assert HA_FAILED in text and "X" * 90 in text
    assert max(len(line) for line in text.splitlines() if "X" * 90 not in line and not line.startswith("vcourier: ")) <= columns, text
    lines = vcourier(dispatcher, "events", "--seen").splitlines()
    assert [line.split()[0] for line in lines] == ["EVENT", "X" * 90, HA_FAILED]


def test_mistakes_are_named(lab, stream):
    """A name that no event has, a dead letter that is not there, a password file with several lines."""
    dispatcher = lab.dispatcher(stream.config(lab.receiver().url, **FAST)).wait_ready()
    stream.publish(1)

    def said(code, *arguments):
        run = subprocess.run([BUILD / "vcourier", *map(str, arguments)], capture_output=True, text=True, timeout=60)
        assert run.returncode == code, run
        return run.stderr
    tail = ["tail", "-c", dispatcher.file, "--since", "1h", "-n", "1"]
    assert said(0, *tail, "vc.lab.*.*.*.event.VmPoweredOnEvent") == said(0, *tail, "vc.>") == ""
    process = subprocess.Popen([BUILD / "vcourier", *map(str, tail[:-2]), "vc.lab.*.*.*.event.VmPoweredOn"], stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline() == "vcourier: warning: VmPoweredOn: no such event, did you mean VmPoweredOnEvent?\n"
    process.kill()
    process.wait()
    assert said(1, "dead", "show", "-c", dispatcher.file, "5") == "vcourier: there is no dead letter 5\n"
    several = lab.directory / "several"
    several.write_text("one\ntwo\n")
    refused = said(78, "status", "--server", stream.server.url, "--user", "x", "--password-file", several)
    assert refused.startswith(f"vcourier: {several}: the password of NATS has more than one line"), refused


def test_no_dead_letters(lab, stream):
    """A terminal says so; a program that reads the output gets nothing."""
    dispatcher = lab.dispatcher(stream.config(lab.receiver().url, **FAST)).wait_ready()
    assert on_terminal(80, ["dead", "ls", "-c", dispatcher.file]) == "no dead letters\n"
    assert vcourier(dispatcher, "dead", "ls") == ""


@pytest.mark.parametrize("columns", [40, 80, 160])
def test_dead_letters_on_a_terminal(lab, stream, columns):
    """Titles, if there is room; the name of the event is whole, and what is too long is cut. A program that reads the output gets no titles."""
    receiver = lab.receiver(lambda request: Answer(400, body="n\u00f6 ".encode() * 300))
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    stream.publish(1, HA_FAILED)
    stream.publish(1)
    stream.idle()
    lines = on_terminal(columns, ["dead", "ls", "-c", dispatcher.file]).splitlines()
    titles = [line.split() for line in lines if "SEQ" in line or "REASON" in line]
    assert sum(titles, []) == ([] if columns == 40 else ["SEQ", "TIME", "(UTC)", "DISPATCHER", "EVENT", "TRIES", "REASON:", "ERROR"])
    assert len(lines) == {40: 6, 80: 6, 160: 4}[columns] and max(map(len, lines)) <= columns, lines
    assert any(HA_FAILED in line for line in lines) and sum("rejected: HTTP 400: n\u00f6" in line and line.endswith("~") for line in lines) == 2
    assert not [line for line in vcourier(dispatcher, "dead", "ls").splitlines() if "SEQ" in line]


HOSTILE = "\x1b]0;title\x07\x1b[2J\u009b31m\u202ecod.exe\x7f"


def bad_characters(text):
    """The characters that control a terminal, except the line ends of our own output."""
    return [c for c in text if (c < " " and c != "\n") or "\x7f" <= c <= "\x9f" or c in "\u202a\u202b\u202c\u202d\u202e"]


def test_no_event_controls_the_terminal(lab, stream):
    """Messages that are not CloudEvents, forged events and forged dead letters, in every command that prints them."""
    receiver = lab.receiver(lambda request: Answer(400, body=HOSTILE.encode()))
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    wire = stream.js.wire or stream.server.connect()
    head = b'{"specversion":"1.0","id":"forged","source":"s","type":"t","subject":"VmPoweredOnEvent","data":'
    wire.publish(subject(), HOSTILE.encode())
    wire.publish(subject(), head + b'{}\n{"forged":"line"}}')
    wire.publish(subject(), head + json.dumps(HOSTILE, ensure_ascii=False).replace("\x1b", "").replace("\x07", "").encode() + b"}")
    wire.publish("vcdead.kn.x.\x1b[2J", b"\x1b[2J", headers={
        "Vcourier-Dispatcher": "kn", "Vcourier-Attempts": HOSTILE, "Vcourier-Reason": HOSTILE, "Vcourier-Error": HOSTILE})
    wait_until(lambda: stream.js.last_seq("VCDEAD") >= 4, 30, "dead letters")
    said = []
    for command in (["tail", "--since", "1h", "-n", "3"], ["tail", "--json", "--since", "1h", "-n", "3"], ["dead", "ls"],
                    ["dead", "ls", "--json"], *(["dead", "show", n] for n in range(1, 5))):
        run = subprocess.run([BUILD / "vcourier", *map(str, command), "-c", dispatcher.file], capture_output=True, timeout=60)
        said.append((command, run.stdout.decode(), run.stderr.decode()))
    assert [(command, bad_characters(out + err)) for command, out, err in said if bad_characters(out + err)] == []
    for command, out, _ in said:
        if "--json" in command:
            assert [json.loads(line) for line in out.splitlines()], "one JSON text a line"
    assert not [out for command, out, _ in said if command[:2] != ["dead", "show"] and '\n{"forged"' in out]


def test_a_forged_status_reply(lab, stream):
    """A forged reply may contain any number, also for the dispatcher's position."""
    dispatcher = lab.dispatcher(stream.config(lab.receiver().url, **FAST)).wait_ready()
    wire = stream.server.connect()
    sid = wire.subscribe("vcourier.status.*")
    wire.flush()
    run = subprocess.Popen([BUILD / "vcourier", "status", "-c", dispatcher.file], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    inbox = wire.next(sid).reply.rsplit(".", 1)[0]
    answer = json.dumps({"paused": 1e300, "targets": -1e300, "paused_ms": 1e300, "pid": 1e300, "status": 1e300, "target": HOSTILE,
                         "host": HOSTILE, "error": HOSTILE}).encode()
    for number in ("99999999", "1", "18446744073709551615", "-1", "x", "", "0"):
        wire.publish(f"{inbox}.{number}" if number else inbox, answer)
    wire.flush()
    out, err = run.communicate(timeout=30)
    assert run.returncode in (0, 1) and b"kn" in out, (run.returncode, out, err)
    assert not bad_characters(out.decode())


def meanwhile(stand_in, subject, run):
    """Runs the command while the stand-in answers the first request. The server answers from the second request on."""
    results = []
    thread = threading.Thread(target=lambda: results.append(run()))
    thread.start()
    stand_in.wait_asked(subject, 1)
    stand_in.end()
    thread.join(60)
    return results[0]


EMPTY = {"name": "reader", "num_pending": 0, "config": {}, "created": "2026-11-22T10:00:00Z"}


def test_a_lagging_replica_hides_no_events(lab, stream):
    """The command may read from a replica that lags, whose end is before the end of the stream."""
    bad = {2, 4}
    receiver = lab.receiver(picky(bad))
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    stream.publish(10)
    stream.idle()
    for name, command, result in (
            ("VC_lab", ["replay", "-d", "kn", "--dry-run"], "10 of 10 events would be sent again\n"),
            ("VC_lab", ["replay", "-d", "kn", "--dry-run", "--since", "1h"], "10 of 10 events would be sent again\n"),
            ("VC_lab", ["replay", "-d", "kn", "--dry-run", "--from-seq", "8"], "3 of 3 events would be sent again\n"),
            ("VCDEAD", ["dead", "drop", "--all"], "2 dropped\n")):
        create = f"$JS.API.CONSUMER.CREATE.{name}"
        replica = StandIn([stream.server], {create: lambda request: EMPTY})
        assert meanwhile(replica, create, lambda: vcourier(dispatcher, *command)) == result
    assert vcourier(dispatcher, "replay", "-d", "kn", "--dry-run", "--from-seq", "11") == "0 of 0 events would be sent again\n"


def test_a_dead_letter_without_its_body(lab, stream):
    """The event was too large to be copied, so it is read from its stream. There it may exist, be removed, or be another event."""
    dispatcher = lab.dispatcher(stream.config(lab.receiver().url, **FAST)).wait_ready()
    stream.publish(3)
    stored = {m.seq: m.stored_ms for m in stream.js.read("VC_lab")}
    wire = stream.js.wire
    for seq, off_ms in ((1, 0), (2, 0), (3, 60_000)):
        at = datetime.fromtimestamp((stored[seq] + off_ms) / 1000, timezone.utc)
        wire.publish("vcdead.kn.lab.dc.cluster.info.event.VmPoweredOnEvent", b"", headers={
            "Vcourier-Stream": "VC_lab", "Vcourier-Sequence": seq, "Vcourier-Body": "omitted",
            "Vcourier-Stored": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"})
    wait_until(lambda: stream.js.count("VCDEAD") == 3, what="the dead letters")

    def refused(*arguments):
        run = subprocess.run([BUILD / "vcourier", "dead", "redrive", "-c", dispatcher.file, *arguments], capture_output=True, text=True)
        assert run.returncode != 0
        return run.stderr
    leader = StandIn([stream.server], {"$JS.API.STREAM.MSG.GET.VC_lab": lambda request: not_found()})
    assert "is not found at the moment: try again" in refused("1")
    leader.end()
    stream.js.api("STREAM.MSG.DELETE.VC_lab", {"seq": 2})
    assert "was removed from the stream" in refused("2")
    assert "its sequence has another event" in refused("3")
    assert vcourier(dispatcher, "dead", "redrive", "1") == "1 sent again\n"
    assert stream.js.count("VCDEAD") == 2
