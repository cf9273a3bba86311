# SPDX-License-Identifier: Apache-2.0
"""The dispatcher and EventBridge: batches, failures of entries and requests, rules, the event bus. Each test checks all events."""
import itertools
import json
import subprocess
import threading
from collections import Counter

import pytest

from lab.aws import ACCOUNT, REGION, EventBridge, Keys, Rule, error
from lab.stream import counters
from lab.process import BUILD, wait_until
from lab.receiver import Answer

FAST = {"retry": {"initial": "20ms", "max": "100ms"}, "emptyGrace": "2s"}


@pytest.fixture
def aws():
    double = EventBridge()
    yield double
    double.close()


def config(stream, aws, **more):
    """more: options of the eventProcessor; `eb`: options of its awsEventBridge block."""
    keys = aws.keys[0]
    block = {"region": REGION, "eventBus": "default", "endpoint": aws.url, "auth": {"type": "aws_access_key", "awsAccessKeyAuth": {
        "accessKey": keys.access_key, "secretKey": keys.secret_key}}, **more.pop("eb", {})}
    processor = {"type": "aws_event_bridge", "name": "aws", "awsEventBridge": block, **FAST, **more}
    return stream.config(processor)


def got(aws, bus="default"):
    return [int(json.loads(e["Detail"])["eventkey"]) for e in aws.buses[bus]]


def settled(stream, aws, want, twice=0, bus="default"):
    """Checks that each event of want is on the bus, with at most `twice` duplicates, or is a dead letter. Returns the dead letters."""
    stream.idle("aws")
    counts, dead = Counter(got(aws, bus)), stream.dead_ids()
    lost = [k for k in want if k not in counts and k not in dead]
    assert not lost, f"lost {len(lost)}: {lost[:10]}"
    assert not set(counts) & set(dead), "on the bus and dead"
    assert sum(counts.values()) - len(counts) <= twice, counts.most_common(5)
    return dead


def test_batches_reach_the_bus_byte_for_byte(lab, stream, aws):
    want = stream.publish(1000, data=lambda i: {"Key": i, "Name": "a\"b\u00e9\U0001f680<&>", "Number": 1.50})
    stored = {m.data.decode() for m in stream.js.read("VC_lab")}
    dispatcher = lab.dispatcher(config(stream, aws)).wait_ready()
    assert settled(stream, aws, want) == []
    assert {e["Detail"] for e in aws.buses["default"]} == stored
    assert len(aws.batches) <= 110, aws.batches
    entry = aws.buses["default"][0]
    assert (entry["Source"], entry["DetailType"], entry["EventBusName"]) == ("https://vc.invalid/sdk", "VmPoweredOnEvent", "default")
    assert entry["Time"] == 1795342272 and "Resources" not in entry and "TraceHeader" not in entry
    assert dispatcher.metric("vcourier_dispatcher_events_total", result="delivered") == 1000
    lone = stream.publish(1)
    assert settled(stream, aws, lone) == []


def test_d12_only_failed_entries_are_sent_again(lab, stream, aws):
    first, codes = set(), itertools.cycle(["ThrottlingException", "InternalFailure", "SomethingNew"])

    def fail(entry):
        key = json.loads(entry["Detail"])["data"]["Key"]
        if key % 7 == 0 and key not in first:
            first.add(key)
            return next(codes), "not now"
        return None
    aws.fail = fail
    want = stream.publish(200)
    lab.dispatcher(config(stream, aws))
    assert settled(stream, aws, want) == []
    assert aws.entries_seen == 200 + len(first) and len(first) == 28


def test_d12_malformed_entries_are_dead_letters(lab, stream, aws):
    aws.fail = lambda e: ("MalformedDetail", "Detail is malformed.") if json.loads(e["Detail"])["data"]["Key"] == 13 else None
    want = stream.publish(40)
    lab.dispatcher(config(stream, aws))
    assert settled(stream, aws, want) == [13]
    letter = stream.dead()[0]
    assert any("MalformedDetail: Detail is malformed." in v for v in letter.headers.values()), letter.headers


@pytest.mark.parametrize("code", ["AccessDeniedException", "NotAuthorizedForSourceException", "InvalidAccountIdException",
                                  "RedactionFailure"])
def test_d12_entries_refused_while_permissions_propagate(lab, stream, aws, code):
    """IAM changes take effect slowly: every entry of every request is refused at first. The events are not at fault."""
    spreading = threading.Event()
    spreading.set()
    aws.fail = lambda e: (code, "not authorized to perform: events:PutEvents") if spreading.is_set() else None
    want = stream.publish(60)
    dispatcher = lab.dispatcher(config(stream, aws))
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_circuit_state") == 2, what="deliveries pause")
    requests = len(aws.batches)
    wait_until(lambda: len(aws.batches) > requests + 3, what="probes")
    spreading.clear()
    assert settled(stream, aws, want) == []
    wait_until(lambda: counters(dispatcher)["delivered"] == 60 and counters(dispatcher)["all"] == 60, what=lambda: str(counters(dispatcher)))


def test_d12_one_entry_without_permission_is_a_dead_letter_at_once(lab, stream, aws):
    """A policy for some detail types: other entries are accepted, so this refusal is final."""
    aws.fail = lambda e: ("NotAuthorizedForDetailTypeException", "no") if json.loads(e["Detail"])["data"]["Key"] == 13 else None
    want = stream.publish(40)
    dispatcher = lab.dispatcher(config(stream, aws))
    assert settled(stream, aws, want) == [13]
    assert stream.dead()[0].headers["Vcourier-Attempts"] == "1"
    assert dispatcher.metric("vcourier_dispatcher_circuit_opens_total") == 0


@pytest.mark.parametrize("answer", [
    error("ThrottlingException", "Rate exceeded"), error("InternalException", "", 500), Answer(503, body=b"<html>busy</html>"),
    Answer(200, body=b""), Answer(200, body=b"<html>a captive portal</html>"), Answer(200, body=b'{"FailedEntryCount":0,"Ent'),
    Answer(200, body=b'{"FailedEntryCount":0,"Entries":[]}'), Answer(400, body=b"<html>a proxy</html>"), Answer(0),
    Answer(302, {"Location": "http://127.0.0.1:1/"}), Answer(429, {"Retry-After": "0"}),
], ids=["throttled", "internal", "html503", "empty", "html200", "cut", "none", "html400", "hangup", "redirect", "429"])
def test_requests_that_fail_lose_nothing(lab, stream, aws, answer):
    turn = itertools.count()
    aws.refuse = lambda r: answer if "PutEvents" in r.headers["x-amz-target"] and next(turn) in (0, 1, 3) else None
    want = stream.publish(60)
    lab.dispatcher(config(stream, aws, concurrency=2))
    assert settled(stream, aws, want) == []


def test_d14_a_clock_that_is_wrong_by_an_hour(lab, stream, aws):
    aws.receiver.clock_offset = 3600
    want = stream.publish(30)
    lab.dispatcher(config(stream, aws))
    assert settled(stream, aws, want) == []


def test_d15_a_wrong_secret_delays_all_events_until_it_is_corrected(lab, stream, aws, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("notthatone\n")
    want = stream.publish(30)
    auth = {"type": "aws_access_key", "awsAccessKeyAuth": {"accessKey": aws.keys[0].access_key, "secretKeyFile": str(secret)}}
    dispatcher = lab.dispatcher(config(stream, aws, eb={"auth": auth}))
    wait_until(lambda: "InvalidSignatureException" in dispatcher.text(), what=dispatcher.text)
    assert "notthatone" not in dispatcher.text()
    secret.write_text(aws.keys[0].secret_key + "\n")
    assert settled(stream, aws, want) == []
    assert aws.keys[0].secret_key not in dispatcher.text()


def test_d13_requests_keep_to_the_size_limit_and_a_lower_limit_is_learned(lab, stream, aws):
    aws.size_max = 262144
    want = [*stream.publish(50, data=lambda i: {"Key": i, "Text": "x" * 60_000})]
    lab.dispatcher(config(stream, aws))
    assert settled(stream, aws, want) == []
    aws.batches.clear()
    want += stream.publish(50, data=lambda i: {"Key": i, "Text": "x" * 60_000})
    assert settled(stream, aws, want) == []
    assert sum(aws.batches) == 50 and max(aws.batches) <= 4, aws.batches  # no entry is refused any more


def test_d13_an_event_larger_than_the_limit(lab, stream, aws):
    want = [*stream.publish(1, data={"Text": "x" * 5000}), *stream.publish(5)]
    lab.dispatcher(config(stream, aws, eb={"maxRequestBytes": "4KiB"}))
    assert settled(stream, aws, want) == [1]


def test_d13_an_event_larger_than_the_limit_trimmed(lab, stream, aws):
    want = [*stream.publish(1, data={"Text": "x" * 5000}), *stream.publish(5)]
    lab.dispatcher(config(stream, aws, eb={"maxRequestBytes": "4KiB", "oversize": "trim"}))
    assert settled(stream, aws, want) == []
    trimmed = next(json.loads(e["Detail"]) for e in aws.buses["default"] if "datatrimmed" in e["Detail"])
    assert trimmed["eventkey"] == "1" and "data" not in trimmed and trimmed["datatrimmed"] == "5011"


def test_rules_select_the_events_and_changes_take_effect(lab, stream, aws):
    rule = Rule("pets", {"detail": {"data": {"Key": [{"numeric": ["<=", 10]}]}}, "account": [ACCOUNT]})
    aws.rules = [Rule("petshop", {"source": ["other"]}), Rule("pets2", {"source": ["other"]}), rule]
    stream.publish(20)
    dispatcher = lab.dispatcher(config(stream, aws, eb={"ruleARN": rule.arn, "rulesInterval": "1s"}))
    stream.idle("aws")
    assert sorted(got(aws)) == list(range(1, 11))
    rule.pattern = {"detail": {"data": {"Key": [{"numeric": [">", 30]}]}}}
    rule.state = "DISABLED"
    wait_until(lambda: "rule pets is disabled" in dispatcher.text(), what=dispatcher.text)
    stream.publish(20)
    stream.idle("aws")
    assert sorted(got(aws)) == [*range(1, 11), *range(31, 41)]
    assert dispatcher.metric("vcourier_dispatcher_events_total", result="filtered") == 20


def test_all_rules_of_the_bus(lab, stream, aws):
    aws.rules = [Rule("a", {"detail": {"data": {"Key": [1]}}}), Rule("off", {"detail": {"data": {"Key": [2]}}}, state="DISABLED"),
                 Rule("b", {"detail": {"data": {"Key": [3]}}}), Rule("clock", None), Rule("c", {"detail-type": ["Other"]})]
    stream.publish(5)
    lab.dispatcher(config(stream, aws, eb={"ruleARN": "all"}))
    stream.idle("aws")
    assert sorted(got(aws)) == [1, 3]


def test_a_pattern_in_the_configuration(lab, stream, aws):
    stream.publish(5)
    lab.dispatcher(config(stream, aws, eb={"pattern": {"detail": {"data": {"Key": [{"anything-but": [2, 3]}]}}}}))
    stream.idle("aws")
    assert sorted(got(aws)) == [1, 4, 5]


def test_rules_where_only_describe_rule_is_allowed(lab, stream, aws):
    aws.denied = {"ListRules"}
    aws.rules = [Rule("r", {"detail": {"data": {"Key": [4]}}})]
    stream.publish(5)
    lab.dispatcher(config(stream, aws, eb={"ruleARN": aws.rules[0].arn}))
    stream.idle("aws")
    assert got(aws) == [4]


def test_a_bus_that_does_not_exist_loses_nothing(lab, stream, aws):
    want = stream.publish(10)
    dispatcher = lab.dispatcher(config(stream, aws, eb={"eventBus": "mine", "rulesInterval": "1s"}))
    wait_until(lambda: "event bus mine does not exist" in dispatcher.text(), what=dispatcher.text)
    stream.wait_consumer("aws")
    assert dispatcher.get("/readyz")[0] == 503 and aws.lost == []
    aws.buses["mine"] = []
    assert settled(stream, aws, want, bus="mine") == []


def test_a_rule_that_does_not_exist(lab, stream, aws):
    want = stream.publish(3)
    rule = Rule("late", {"source": [{"exists": True}]})
    dispatcher = lab.dispatcher(config(stream, aws, eb={"ruleARN": rule.arn}))
    wait_until(lambda: "rule late does not exist on event bus default" in dispatcher.text(), what=dispatcher.text)
    aws.rules.append(rule)
    assert settled(stream, aws, want) == []


def test_d1_kill_during_a_delivery(lab, stream, aws):
    want = stream.publish(600)
    aws.refuse = lambda r: Answer(0) if len(aws.batches) % 9 == 8 and aws.batches.append(0) is None else None
    dispatcher = lab.dispatcher(config(stream, aws, concurrency=4, ackWait="2s"))
    wait_until(lambda: len(aws.buses["default"]) > 200)
    dispatcher.kill()
    dispatcher.start()
    assert settled(stream, aws, want, twice=4 * 10) == []  # batches of ten


def test_events_are_kept_while_the_keys_are_unknown(lab, stream, aws):
    keys, aws.keys = aws.keys, [Keys("AKIDOTHER")]
    want = stream.publish(10)
    settings = config(stream, EventBridgeLike(aws.url, keys))
    dispatcher = lab.dispatcher(settings)
    wait_until(lambda: "UnrecognizedClientException" in dispatcher.text(), what=dispatcher.text)
    aws.keys = keys
    assert settled(stream, aws, want) == []


class EventBridgeLike:
    def __init__(self, url, keys):
        self.url, self.keys = url, keys


def test_the_checklist_names_keys_and_rules(stream, aws, tmp_path):
    rule = Rule("pets", {"source": ["x"]}, state="DISABLED")
    aws.rules = [rule]
    file = tmp_path / "router.yaml"

    def check(secret):
        settings = config(stream, aws, eb={"ruleARN": rule.arn, "auth": {"type": "aws_access_key", "awsAccessKeyAuth": {
            "accessKey": aws.keys[0].access_key, "secretKey": secret}}})
        file.write_text(json.dumps(settings))
        return subprocess.run([BUILD / "vcourier", "check", "--connect", file], capture_output=True, text=True, timeout=120).stdout
    assert "ok     aws_event_bridge aws, rules: read, but rule pets is disabled" in check(aws.keys[0].secret_key)
    assert "FAILED aws_event_bridge aws, rules: ListRules: HTTP 400 InvalidSignatureException" in check("another")
