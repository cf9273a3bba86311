# SPDX-License-Identifier: Apache-2.0
"""The vCenter returns no event descriptions, or not all: no event gets a wrong severity in its subject."""
import pytest

from lab.process import wait_until
from lab.product import provider, router_config
from lab.pipeline import build, stored_at_least

FAILS = "HostConnectionLostEvent"  # category error


def severities(lab):
    """The severities in the subjects of the events of a class."""
    return [m.subject.split(".")[4] for m in lab.ledger.js.read("VC_lab") if m.subject.endswith(FAILS)]


def wait_reported(lab, text, ready):
    def state():
        code, body = lab.col.get("/readyz")[:2]
        return text in body, code == 200

    wait_until(lambda: state() == (True, ready), 60, lambda: f"{text} on /readyz, ready {ready}: {lab.col.get('/readyz')}")


@pytest.mark.parametrize("how, reason", [("empty", "the vCenter describes no events"), ("503", "HTTP status 503")])
def test_no_descriptions_at_the_start(lab, how, reason):
    """Events are not read until the descriptions have been read."""
    lab.bus, lab.vc = lab.nats(), lab.vcenter("-backlog", "50", "-mix", FAILS)
    if how == "empty":
        lab.vc.lab("describe", n=0)
    else:
        lab.vc.fault("503", n=-1, method="RetrievePropertiesEx")
    lab.col = lab.collector(router_config(lab.bus, lab.authority.ca, [provider(lab.vc, startFrom="earliest")]))
    lab.ledger = lab.open_ledger(lab.bus, lab.vc)
    wait_reported(lab, reason, ready=False)
    assert len(lab.col.lines("level=warn.*no event descriptions")) == 1
    lab.vc.lab("describe")
    lab.vc.lab("clear")
    lab.ledger.settle()
    lab.col.wait_ready()
    assert severities(lab) == ["error"] * 50


def test_a_vcenter_without_event_descriptions(lab):
    """Reading starts after the grace time, and the descriptions are used once vCenter returns them."""
    lab.bus, lab.vc = lab.nats(), lab.vcenter("-backlog", "50", "-mix", FAILS)
    lab.vc.lab("describe", n=0)
    lab.col = lab.collector(router_config(lab.bus, lab.authority.ca, [provider(lab.vc, startFrom="earliest", emptyGrace="1s")]))
    lab.ledger = lab.open_ledger(lab.bus, lab.vc)
    lab.ledger.settle()
    lab.col.wait_ready()
    wait_reported(lab, "the vCenter describes no events", ready=True)
    assert severities(lab) == ["info"] * 50
    lab.vc.lab("describe")
    wait_until(lambda: lab.col.lines("event descriptions are read again"), what="the descriptions")
    lab.vc.burst(10, tmpl=FAILS)
    lab.ledger.settle()
    assert severities(lab) == ["info"] * 50 + ["error"] * 10


def test_only_some_descriptions_at_first(lab):
    """As from a vCenter that is still starting: the others are read at the next login."""
    lab.bus, lab.vc = lab.nats(), lab.vcenter("-backlog", "5")
    lab.vc.lab("describe", n=1)
    lab.col = lab.collector(router_config(lab.bus, lab.authority.ca, [provider(lab.vc, startFrom="earliest")]))
    lab.ledger = lab.open_ledger(lab.bus, lab.vc)
    stored_at_least(lab, 5)
    lab.vc.lab("describe")
    again(lab)
    lab.vc.burst(10, tmpl=FAILS)
    lab.ledger.settle()
    assert severities(lab)[-10:] == ["error"] * 10


@pytest.mark.parametrize("described", [0, 1])
def test_descriptions_that_are_missing_later(lab, described):
    build(lab, "-backlog", "5")
    lab.ledger.settle()
    lab.vc.lab("describe", n=described)
    again(lab)
    if described == 0:
        wait_reported(lab, "the vCenter describes no events", ready=True)
    lab.vc.burst(10, tmpl=FAILS)
    lab.ledger.settle()
    assert severities(lab)[-10:] == ["error"] * 10


def again(lab):
    """Forces a new session."""
    logins = len(lab.col.lines("logged in"))
    lab.vc.lab("expire", what="sessions")
    wait_until(lambda: len(lab.col.lines("logged in")) > logins, what="a login")
