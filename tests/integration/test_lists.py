# SPDX-License-Identifier: Apache-2.0
"""Answers of a backend that are empty, partial or not yet true: they filter no event before they have stood for emptyGrace."""
from collections import Counter

import pytest

from lab.desk import books
from lab.process import wait_until
from test_openfaas import NS, config, delivered, gateway, ids  # noqa: F401 (gateway is a fixture)


def ready_reason(dispatcher, text):
    wait_until(lambda: text in dispatcher.get("/readyz")[1], what=lambda: f"{text} on /readyz: {dispatcher.get('/readyz')}")


def look_again(gateway, times=2):  # noqa: F811
    """Until the gateway has been asked so often once more."""
    listings = gateway.listings
    gateway.wait(lambda g: g.listings >= listings + times)


def balanced(desk, dispatcher, **want):
    """Every event of the stream has ended, as wanted."""
    desk.idle("of")
    wait_until(lambda: books(dispatcher)["pending"] == 0, what="the metrics follow")
    ends = books(dispatcher)
    assert {end: ends[end] for end in want} == want and ends["all"] == sum(want.values()), ends


def test_a_backlog_meets_a_gateway_that_lists_nothing_yet(lab, desk, gateway):  # noqa: F811
    gateway.deploy("on", "VmPoweredOnEvent")
    first = desk.publish(5)
    dispatcher = lab.dispatcher(config(desk, gateway)).wait_ready()
    desk.idle("of")
    dispatcher.stop()
    want = desk.publish(50)
    kept = dict(gateway.functions)
    gateway.functions.clear()
    dispatcher.start()
    ready_reason(dispatcher, "the gateway lists none with a topic")
    assert dispatcher.get("/readyz")[0] == 503
    assert len(dispatcher.lines("level=warn.*the gateway lists none with a topic")) == 1
    look_again(gateway)
    gateway.functions.update(kept)
    dispatcher.wait_ready()
    balanced(desk, dispatcher, delivered=50, filtered=0)
    assert delivered(gateway, "on") == Counter(ids([*first, *want]))


def test_a_gateway_without_functions_is_believed_after_the_grace(lab, desk, gateway):  # noqa: F811
    desk.publish(5)
    dispatcher = lab.dispatcher(config(desk, gateway, emptyGrace="3s")).wait_ready()
    balanced(desk, dispatcher, delivered=0, filtered=5)
    assert gateway.listings >= 2
    gateway.deploy("on", "VmPoweredOnEvent")
    look_again(gateway)
    want = desk.publish(5)
    balanced(desk, dispatcher, delivered=5, filtered=5)
    assert delivered(gateway, "on") == Counter(ids(want))


@pytest.mark.parametrize("others", [True, False], ids=["others stay", "alone"])
def test_a_function_that_vanishes_for_a_while(lab, desk, gateway, others):  # noqa: F811
    gateway.deploy("on", "VmPoweredOnEvent")
    if others:
        gateway.deploy("off", "VmPoweredOffEvent")
    dispatcher = lab.dispatcher(config(desk, gateway)).wait_ready()
    want = [*desk.publish(5)]
    desk.idle("of")
    gone = dict(gateway.functions)
    gateway.remove("on")
    ready_reason(dispatcher, f"on.{NS} is missing from the gateway's list")
    assert dispatcher.get("/readyz")[0] == 200
    want += desk.publish(20)
    gateway.wait(lambda g: any(c.status == 404 for c in g.calls))
    look_again(gateway)
    gateway.functions.update(gone)
    balanced(desk, dispatcher, delivered=25, filtered=0)
    assert delivered(gateway, "on") == Counter(ids(want))
    assert "target is gone" not in dispatcher.text()


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_a_namespace_that_cannot_be_listed_at_the_start(lab, desk, gateway, status):  # noqa: F811
    gateway.namespaces.insert(0, "bad")
    gateway.deploy("on", "VmPoweredOnEvent")
    gateway.deploy("there", "VmPoweredOffEvent", namespace="bad")
    gateway.fault = cannot_list("bad", status)
    dispatcher = lab.dispatcher(config(desk, gateway))
    want = desk.publish(5)
    gateway.wait(lambda g: len(g.ids(f"on.{NS}")) >= 5)
    ready_reason(dispatcher, f"namespace bad cannot be listed: HTTP {status}")
    assert dispatcher.get("/readyz")[0] == 200 and "credentials" not in dispatcher.text()
    assert len(dispatcher.lines(f"level=warn.*namespace bad cannot be listed: HTTP {status}")) == 1
    assert delivered(gateway, "on") == Counter(ids(want))


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_a_namespace_that_cannot_be_listed_later(lab, desk, gateway, status):  # noqa: F811
    """It keeps its functions, and the others' new ones are seen."""
    gateway.namespaces.insert(0, "bad")
    gateway.deploy("there", "VmPoweredOffEvent", namespace="bad")
    gateway.deploy("on", "VmPoweredOnEvent")
    dispatcher = lab.dispatcher(config(desk, gateway, emptyGrace="1s")).wait_ready()
    gateway.fault = cannot_list("bad", status)
    gateway.deploy("new", "VmPoweredOnEvent")
    ready_reason(dispatcher, f"namespace bad cannot be listed: HTTP {status}")
    look_again(gateway, 3)  # longer than the grace
    on, off = desk.publish(5), desk.publish(5, "VmPoweredOffEvent")
    balanced(desk, dispatcher, delivered=10, filtered=0)
    assert delivered(gateway, "on") == delivered(gateway, "new") == Counter(ids(on))
    assert delivered(gateway, "there", "bad") == Counter(ids(off))
    gateway.fault = None
    wait_until(lambda: "cannot be listed" not in dispatcher.get("/readyz")[1], what="the reason goes")


def cannot_list(namespace, status):
    def fault(handler):
        if f"namespace={namespace}" not in handler.path:
            return False
        handler.answer(status, "nope")
        return True
    return fault
