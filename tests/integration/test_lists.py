# SPDX-License-Identifier: Apache-2.0
"""Empty, partial or premature lists of a backend: they filter no event before they have been confirmed for emptyGrace."""
import json
import subprocess
import threading
from collections import Counter

import pytest

from lab.aws import Rule, error
from lab.stream import CHECKPOINTS, counters, event, keys, subject
from lab.process import BUILD, wait_until
from test_eventbridge import aws, got  # noqa: F401 (aws is a fixture)
from test_eventbridge import config as aws_config
from test_knative import BROKER, cluster, in_cluster  # noqa: F401 (cluster is a fixture)
from test_openfaas import NS, delivered, gateway, ids  # noqa: F401 (gateway is a fixture)
from test_openfaas import config as openfaas_config

DEFAULT = {"emptyGrace": "30s"}


def config(stream, gateway, **options):  # noqa: F811
    return openfaas_config(stream, gateway, **{**DEFAULT, **options})


def to_aws(stream, aws, **options):  # noqa: F811
    return aws_config(stream, aws, **{**DEFAULT, **options})


def ready_reason(dispatcher, text):
    wait_until(lambda: text in dispatcher.get("/readyz")[1], what=lambda: f"{text} on /readyz: {dispatcher.get('/readyz')}")


def look_again(gateway, times=2):  # noqa: F811
    """Waits until the gateway has been asked so many more times."""
    listings = gateway.listings
    gateway.wait(lambda g: g.listings >= listings + times)


def balanced(stream, dispatcher, name="of", **want):
    """Waits until every event of the stream is counted as expected."""
    stream.idle(name)
    wait_until(lambda: counters(dispatcher)["pending"] == 0, what="the metrics are up to date")
    ends = counters(dispatcher)
    assert {end: ends[end] for end in want} == want and ends["all"] == sum(want.values()), ends


def test_a_backlog_waits_for_a_gateway_that_lists_nothing_yet(lab, stream, gateway):  # noqa: F811
    gateway.deploy("on", "VmPoweredOnEvent")
    want = stream.publish(50)
    kept = dict(gateway.functions)
    gateway.functions.clear()
    dispatcher = lab.dispatcher(config(stream, gateway))
    ready_reason(dispatcher, "the gateway lists no function with a topic")
    assert dispatcher.get("/readyz")[0] == 503
    assert len(dispatcher.lines("level=warn.*the gateway lists no function with a topic")) == 1
    look_again(gateway)
    gateway.functions.update(kept)
    dispatcher.wait_ready()
    balanced(stream, dispatcher, delivered=50, filtered=0)
    assert delivered(gateway, "on") == Counter(ids(want))


def test_a_gateway_without_functions_is_accepted_after_the_grace(lab, stream, gateway):  # noqa: F811
    stream.publish(5)
    dispatcher = lab.dispatcher(config(stream, gateway, emptyGrace="3s")).wait_ready()
    balanced(stream, dispatcher, delivered=0, filtered=5)
    assert gateway.listings >= 2
    gateway.deploy("on", "VmPoweredOnEvent")
    look_again(gateway)
    want = stream.publish(5)
    balanced(stream, dispatcher, delivered=5, filtered=5)
    assert delivered(gateway, "on") == Counter(ids(want))


@pytest.mark.parametrize("others", [True, False], ids=["others stay", "alone"])
def test_a_function_that_disappears_temporarily(lab, stream, gateway, others):  # noqa: F811
    gateway.deploy("on", "VmPoweredOnEvent")
    if others:
        gateway.deploy("off", "VmPoweredOffEvent")
    dispatcher = lab.dispatcher(config(stream, gateway)).wait_ready()
    want = [*stream.publish(5)]
    stream.idle("of")
    gone = dict(gateway.functions)
    gateway.remove("on")
    ready_reason(dispatcher, f"on.{NS} is missing from the gateway's list")
    assert dispatcher.get("/readyz")[0] == 200
    want += stream.publish(20)
    gateway.wait(lambda g: any(c.status == 404 for c in g.calls))
    look_again(gateway)
    gateway.functions.update(gone)
    balanced(stream, dispatcher, delivered=25, filtered=0)
    assert delivered(gateway, "on") == Counter(ids(want))
    assert "target is gone" not in dispatcher.text()


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_a_namespace_that_cannot_be_listed_at_the_start(lab, stream, gateway, status):  # noqa: F811
    gateway.namespaces.insert(0, "bad")
    gateway.deploy("on", "VmPoweredOnEvent")
    gateway.deploy("there", "VmPoweredOffEvent", namespace="bad")
    gateway.fault = cannot_list("bad", status)
    dispatcher = lab.dispatcher(config(stream, gateway))
    want = stream.publish(5)
    gateway.wait(lambda g: len(g.ids(f"on.{NS}")) >= 5)
    ready_reason(dispatcher, f"namespace bad cannot be listed: HTTP {status}")
    assert dispatcher.get("/readyz")[0] == 200 and "credentials" not in dispatcher.text()
    assert len(dispatcher.lines(f"level=warn.*namespace bad cannot be listed: HTTP {status}")) == 1
    run = subprocess.run([BUILD / "vcourier", "status", "-c", dispatcher.file], capture_output=True, text=True, timeout=60)
    assert f"pid {dispatcher.pid}) functions: namespace bad cannot be listed: HTTP {status}\n" in run.stdout, run.stdout + run.stderr
    assert delivered(gateway, "on") == Counter(ids(want))


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_a_namespace_that_cannot_be_listed_later(lab, stream, gateway, status):  # noqa: F811
    """Its functions stay in use, and new functions of other namespaces are found."""
    gateway.namespaces.insert(0, "bad")
    gateway.deploy("there", "VmPoweredOffEvent", namespace="bad")
    gateway.deploy("on", "VmPoweredOnEvent")
    dispatcher = lab.dispatcher(config(stream, gateway, emptyGrace="1s")).wait_ready()
    gateway.fault = cannot_list("bad", status)
    gateway.deploy("new", "VmPoweredOnEvent")
    ready_reason(dispatcher, f"namespace bad cannot be listed: HTTP {status}")
    look_again(gateway, 3)  # longer than the grace time
    on, off = stream.publish(5), stream.publish(5, "VmPoweredOffEvent")
    balanced(stream, dispatcher, delivered=10, filtered=0)
    assert delivered(gateway, "on") == delivered(gateway, "new") == Counter(ids(on))
    assert delivered(gateway, "there", "bad") == Counter(ids(off))
    gateway.fault = None
    wait_until(lambda: "cannot be listed" not in dispatcher.get("/readyz")[1], what="the reason disappears")


def cannot_list(namespace, status):
    def fault(handler):
        if f"namespace={namespace}" not in handler.path:
            return False
        handler.answer(status, "nope")
        return True
    return fault


# ---- the first list after a restart


def saved(stream):
    return [function["name"] for message in stream.js.read(CHECKPOINTS) if message.subject.endswith(".of.targets")
            for function in json.loads(message.data)["functions"]]


def restarted(stream, dispatcher, change, kill=False):
    """Stops the dispatcher when its list of functions has been saved, publishes 20 events, and starts it again after the change."""
    wait_until(lambda: saved(stream) == ["off", "on"], what=lambda: f"saved: {saved(stream)}")
    stream.idle("of")
    if kill:
        dispatcher.kill()
    else:
        dispatcher.stop()
    want = stream.publish(20)
    change()
    dispatcher.start()
    return want


@pytest.mark.parametrize("kill", [False, True], ids=["stop", "kill"])
def test_a_function_that_the_first_list_after_a_restart_leaves_out(lab, stream, gateway, kill):  # noqa: F811
    """Another function wants the same events, so that nothing shows that one is missing."""
    gateway.deploy("off", "VmPoweredOnEvent")
    gateway.deploy("on", "VmPoweredOnEvent")
    dispatcher = lab.dispatcher(config(stream, gateway)).wait_ready()
    gone = dict(gateway.functions)
    want = restarted(stream, dispatcher, lambda: gateway.remove("on"), kill)
    gateway.wait(lambda g: len(g.ids(f"off.{NS}")) == 20)
    ready_reason(dispatcher, f"on.{NS} is missing from the gateway's list")
    assert stream.consumer("of")["num_ack_pending"] == 20
    gateway.functions.update(gone)
    balanced(stream, dispatcher, delivered=20, filtered=0)
    assert delivered(gateway, "on") == delivered(gateway, "off") == Counter(ids(want))


def test_a_function_that_was_removed_while_the_dispatcher_was_away(lab, stream, gateway):  # noqa: F811
    gateway.deploy("off", "VmPoweredOnEvent")
    gateway.deploy("on", "VmPoweredOnEvent")
    dispatcher = lab.dispatcher(config(stream, gateway, emptyGrace="3s")).wait_ready()
    want = restarted(stream, dispatcher, lambda: gateway.remove("on"))
    balanced(stream, dispatcher, delivered=20, filtered=0)
    assert delivered(gateway, "off") == Counter(ids(want)) and not delivered(gateway, "on")
    wait_until(lambda: saved(stream) == ["off"], what=lambda: f"saved: {saved(stream)}")


def test_a_namespace_that_cannot_be_listed_after_a_restart(lab, stream, gateway):  # noqa: F811
    gateway.namespaces.insert(0, "bad")
    gateway.deploy("off", "VmPoweredOnEvent", namespace="bad")
    gateway.deploy("on", "VmPoweredOnEvent")
    dispatcher = lab.dispatcher(config(stream, gateway, emptyGrace="1s")).wait_ready()
    want = restarted(stream, dispatcher, lambda: setattr(gateway, "fault", cannot_list("bad", 403)))
    balanced(stream, dispatcher, delivered=20, filtered=0)
    assert delivered(gateway, "off", "bad") == delivered(gateway, "on") == Counter(ids(want))


def test_a_saved_list_that_nobody_can_read(lab, stream, gateway):  # noqa: F811
    stream.js.wire.publish("$KV.vcourier-checkpoints.of.targets", b"\x00{")
    gateway.deploy("on", "VmPoweredOnEvent")
    want = stream.publish(5)
    dispatcher = lab.dispatcher(config(stream, gateway)).wait_ready()
    balanced(stream, dispatcher, delivered=5)
    assert delivered(gateway, "on") == Counter(ids(want))
    assert len(dispatcher.lines("level=warn.*the saved list of targets cannot be used")) == 1
    wait_until(lambda: saved(stream) == ["on"], what=lambda: f"saved: {saved(stream)}")


def test_a_list_that_is_too_large_to_be_saved(lab, stream, gateway):  # noqa: F811
    """More than the 1 MiB that a message of NATS has by default."""
    gateway.deploy("on", ",".join(["VmPoweredOnEvent", *(f"{i:01000}" for i in range(1200))]))
    dispatcher = lab.dispatcher(config(stream, gateway)).wait_ready()
    wait_until(lambda: dispatcher.lines("the list of targets cannot be saved.*more than 1048576 bytes"), what="the error is logged")
    gateway.deploy("other", "VmPoweredOnEvent")
    look_again(gateway)
    want = stream.publish(5)
    balanced(stream, dispatcher, delivered=5)
    assert delivered(gateway, "on") == delivered(gateway, "other") == Counter(ids(want))
    assert len(dispatcher.lines("the list of targets cannot be saved")) == 1 and not saved(stream)


def test_permissions_without_the_bucket(lab, stream, gateway):  # noqa: F811
    """Deliveries begin without a saved list, and the log says that none can be saved."""
    stream.server.extra = ('authorization { users: [ { user: admin, password: a },\n'
                           '  { user: d, password: d, permissions: { publish: { deny: ["$KV.>", "$JS.API.STREAM.*.KV_*", "$JS.API.STREAM.MSG.GET.KV_*"] } } } ] }')
    stream.server.account = ("admin", "a")
    stream.server.stop()
    stream.js.close()
    stream.server.start()
    gateway.deploy("on", "VmPoweredOnEvent")
    want = stream.publish(5)
    cannot = config(stream, gateway)
    cannot["bus"].update(user="d", password="d")
    dispatcher = lab.dispatcher(cannot).wait_ready()
    balanced(stream, dispatcher, delivered=5)
    assert delivered(gateway, "on") == Counter(ids(want))
    wait_until(lambda: dispatcher.lines("the list of targets cannot be saved"), what="the error is logged")


# ---- an event that no function of the first list wants


def held(stream, dispatcher, n, name="of"):
    """Waits until the dispatcher holds n events. None of them is settled."""
    wait_until(lambda: stream.consumer(name)["num_pending"] == 0 and stream.consumer(name)["num_ack_pending"] == n,
               what=lambda: f"{n} wait: {stream.consumer(name)}")
    assert counters(dispatcher)["filtered"] == 0


def test_events_for_a_function_that_the_first_list_leaves_out(lab, stream, gateway):  # noqa: F811
    """They wait without delaying the events of other functions, even if they exceed the window and the buffer by far."""
    gateway.deploy("off", "VmPoweredOffEvent")
    on = stream.publish(1500, data=lambda i: {"Key": i, "Padding": "x" * 2000})
    off = stream.publish(20, "VmPoweredOffEvent")
    dispatcher = lab.dispatcher(config(stream, gateway, concurrency=16, concurrencyPerTarget=16, bufferSize="1MiB")).wait_ready()
    gateway.wait(lambda g: len(g.ids(f"off.{NS}")) == 20)
    held(stream, dispatcher, 1500)
    gateway.deploy("on", "VmPoweredOnEvent")
    balanced(stream, dispatcher, delivered=1520, filtered=0)
    assert delivered(gateway, "on") == Counter(ids(on)) and delivered(gateway, "off") == Counter(ids(off))


def test_events_that_no_function_wants_are_filtered_after_the_grace(lab, stream, gateway):  # noqa: F811
    gateway.deploy("off", "VmPoweredOffEvent")
    stream.publish(500)
    dispatcher = lab.dispatcher(config(stream, gateway, emptyGrace="4s")).wait_ready()
    held(stream, dispatcher, 500)
    balanced(stream, dispatcher, delivered=0, filtered=500)
    assert not gateway.calls


def test_events_for_a_namespace_that_can_be_listed_late(lab, stream, gateway):  # noqa: F811
    gateway.namespaces.insert(0, "bad")
    gateway.deploy("on", "VmPoweredOnEvent")
    gateway.deploy("there", "VmPoweredOffEvent", namespace="bad")
    gateway.fault = cannot_list("bad", 500)
    dispatcher = lab.dispatcher(config(stream, gateway)).wait_ready()
    want = stream.publish(10, "VmPoweredOffEvent")
    held(stream, dispatcher, 10)
    gateway.fault = None
    balanced(stream, dispatcher, delivered=10, filtered=0)
    assert delivered(gateway, "there", "bad") == Counter(ids(want))


@pytest.mark.parametrize("ordering", ["key", "strict"])
def test_held_events_keep_their_order(lab, stream, gateway, ordering):  # noqa: F811
    """Events of one entity: the second must wait until it is known whether the first has a target."""
    gateway.deploy("off", "VmPoweredOffEvent")
    machine = {"Vm": {"Name": "web", "Vm": {"Type": "VirtualMachine", "Value": "vm-1"}}}
    want = []
    for _ in range(5):
        want += [*stream.publish(1, data=machine), *stream.publish(1, "VmPoweredOffEvent", data=machine)]
    dispatcher = lab.dispatcher(config(stream, gateway, ordering=ordering)).wait_ready()
    look_again(gateway)
    gateway.deploy("on", "VmPoweredOnEvent")
    balanced(stream, dispatcher, delivered=10, filtered=0)
    assert [c.id for c in gateway.calls] == ids(want)


def test_a_dead_letter_for_a_function_that_is_not_listed_yet(lab, stream, gateway):  # noqa: F811
    """An event that is sent again for one function waits for this function, although others want such events."""
    gateway.deploy("off", "VmPoweredOnEvent")
    stream.js.wire.publish(subject(), event(7), headers={
        "Content-Type": "application/cloudevents+json", "Nats-Msg-Id": "again/7", "Vcourier-Target": f"on.{NS}"})
    dispatcher = lab.dispatcher(config(stream, gateway)).wait_ready()
    held(stream, dispatcher, 1)
    gateway.deploy("on", "VmPoweredOnEvent")
    balanced(stream, dispatcher, delivered=1, filtered=0)
    assert [c.function for c in gateway.calls] == [f"on.{NS}"]


# ---- EventBridge


def test_events_for_a_rule_that_the_first_list_leaves_out(lab, stream, aws):  # noqa: F811
    rules = [Rule("low", {"detail": {"data": {"Key": [{"numeric": ["<=", 5]}]}}}), Rule("rest", {"source": [{"exists": True}]})]
    aws.rules = rules[:1]
    want = stream.publish(50)
    dispatcher = lab.dispatcher(to_aws(stream, aws, eb={"ruleARN": "all", "rulesInterval": "1s"})).wait_ready()
    held(stream, dispatcher, 45, "aws")
    assert sorted(got(aws)) == list(range(1, 6))
    aws.rules = rules
    balanced(stream, dispatcher, "aws", delivered=50, filtered=0)
    assert sorted(got(aws)) == list(want)


def watched(aws):  # noqa: F811
    """Counts the requested lists of rules. Returns a function that waits for two more."""
    asked = []
    refuse = aws.refuse

    def count(request):
        if "ListRules" in request.headers["x-amz-target"]:
            asked.append(request)
        return refuse and refuse(request)
    aws.refuse = count

    def more():
        before = len(asked)
        wait_until(lambda: len(asked) >= before + 2, what="rules are read again")
    return more


def test_a_bus_that_lists_no_rules_yet(lab, stream, aws):  # noqa: F811
    want = stream.publish(30)
    dispatcher = lab.dispatcher(to_aws(stream, aws, eb={"ruleARN": "all", "rulesInterval": "1s"}))
    ready_reason(dispatcher, "the bus has no enabled rule with an event pattern")
    stream.wait_consumer("aws")
    watched(aws)()
    assert dispatcher.get("/readyz")[0] == 503 and not aws.buses["default"]
    aws.rules = [Rule("every", {"source": [{"exists": True}]})]
    dispatcher.wait_ready()
    balanced(stream, dispatcher, "aws", delivered=30, filtered=0)
    assert sorted(got(aws)) == list(want)


def test_a_bus_without_rules_is_accepted_after_the_grace(lab, stream, aws):  # noqa: F811
    stream.publish(5)
    dispatcher = lab.dispatcher(to_aws(stream, aws, eb={"ruleARN": "all", "rulesInterval": "1s"}, emptyGrace="2s")).wait_ready()
    balanced(stream, dispatcher, "aws", delivered=0, filtered=5)


@pytest.mark.parametrize("fault", ["empty", "shrunken", "a failing page", "no permission"])
def test_rules_that_disappear_temporarily(lab, stream, aws, fault):  # noqa: F811
    rules = [Rule("one", {"detail": {"data": {"Key": [{"numeric": ["<=", 5]}]}}}), Rule("two", {"source": ["other"]}),
             Rule("three", {"detail": {"data": {"Key": [{"numeric": [">", 5]}]}}})]  # on the second page
    aws.rules = rules
    dispatcher = lab.dispatcher(to_aws(stream, aws, eb={"ruleARN": "all", "rulesInterval": "1s"})).wait_ready()
    more = watched(aws)
    want = [*stream.publish(5)]
    stream.idle("aws")
    if fault == "empty":
        aws.rules = []
    elif fault == "shrunken":
        aws.rules = rules[1:2]
    elif fault == "no permission":
        aws.denied = {"ListRules"}
    else:
        aws.refuse = lambda r: error("InternalException", "", 500) if b"NextToken" in r.body else None
        more = watched(aws)
    more()
    reason = {"empty": "and 2 more are missing from the list", "shrunken": "and 1 more are missing from the list",
              "a failing page": "InternalException", "no permission": "needs events:ListRules"}[fault]
    ready_reason(dispatcher, reason)
    want += stream.publish(10)
    balanced(stream, dispatcher, "aws", delivered=15, filtered=0)
    assert sorted(got(aws)) == want
    aws.rules, aws.denied, aws.refuse = rules, set(), None
    dispatcher.wait_ready()
    wait_until(lambda: reason not in dispatcher.get("/readyz")[1], what="the reason disappears")


# ---- Knative


def test_not_ready_before_the_address_is_known(lab, stream, cluster):  # noqa: F811
    """The bus is connected, the Kubernetes API has not replied yet."""
    receiver, replies = lab.receiver(), threading.Event()
    cluster.broker(receiver.url + "/fn/default")
    cluster.refuse = lambda request: replies.wait(60) and None
    dispatcher = in_cluster(lab, stream, cluster, {"ref": BROKER})
    wait_until(lambda: dispatcher.reasons().keys() == {"destination"}, what="the address alone is missing")
    assert dispatcher.reasons() == {"destination": "not read yet"}
    want = stream.publish(10)
    replies.set()
    dispatcher.wait_ready()
    balanced(stream, dispatcher, "kn", delivered=10, filtered=0)
    assert sorted(keys(receiver.requests)) == list(want)


def forget(cluster):
    cluster.objects.clear()


@pytest.mark.parametrize("fault, reason", [
    (lambda cluster: cluster.broker(None), "Broker default has no address yet: Channel is not ready"),
    (forget, "default in namespace fn does not exist"),
    (lambda cluster: cluster.forbidden.add("brokers"), "not allowed to get brokers.eventing.knative.dev"),
    (lambda cluster: setattr(cluster, "down", True), "Kubernetes API")], ids=["no address", "gone", "no permission", "no API"])
def test_an_address_that_is_temporarily_missing(lab, stream, cluster, fault, reason):  # noqa: F811
    """The last address stays in use without a time limit. The destination itself accepts or refuses the events."""
    receiver = lab.receiver()
    cluster.broker(receiver.url + "/fn/default")
    dispatcher = in_cluster(lab, stream, cluster, {"ref": BROKER}, emptyGrace="1s").wait_ready()
    fault(cluster)
    ready_reason(dispatcher, reason)
    asked = len(cluster.receiver.requests)
    wait_until(lambda: len(cluster.receiver.requests) >= asked + 2, what="two more refreshes, longer than the grace time apart")
    want = stream.publish(10)
    balanced(stream, dispatcher, "kn", delivered=10, filtered=0)
    assert sorted(keys(receiver.requests)) == list(want)
    cluster.down = False
    cluster.forbidden.clear()
    cluster.broker(receiver.url + "/fn/default")
    dispatcher.wait_ready()
