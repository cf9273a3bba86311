# SPDX-License-Identifier: Apache-2.0
"""The account lacks permissions: the missing privilege is named, and hidden events are read once it is granted."""
import pytest

from lab.process import wait_until
from lab.product import provider, router_config
from lab.pipeline import build, stored_at_least

# Nothing but the visible position brings hidden events back.
STRICT = {"overlap": "0s", "auditWindow": "0s", "auditInterval": "1s", "emptyGrace": "2s"}
MISSING = {"below": "System.Read", "none": "System.View"}


def told(lab, privilege):
    wait_until(lambda: privilege in str(lab.col.reasons()), 90, lambda: f"/readyz names {privilege}: {lab.col.get('/readyz')}")
    assert lab.col.lines(f"level=error .*Read-only on the root folder.*{privilege}")
    assert lab.col.metric("vcourier_collector_permission_missing") == 1


def asked(lab, times):
    """The collector has asked for the account's privileges so many times from now on."""
    def calls():
        return lab.vc.stats()["calls"].get("HasPrivilegeOnEntities", 0)

    until = calls() + times
    wait_until(lambda: calls() >= until, 60, lambda: f"{calls()} of {until} questions for privileges")


def allowed_again(lab):
    lab.vc.lab("access", root="full")
    lab.ledger.settle()
    lab.col.wait_ready()
    assert lab.col.metric("vcourier_collector_permission_missing") == 0 and lab.col.running()


@pytest.mark.parametrize("root", MISSING)
def test_missing_permission_at_start(lab, root):
    lab.bus, lab.vc = lab.nats(), lab.vcenter("-backlog", "500")
    lab.vc.lab("access", root=root)
    lab.col = lab.collector(router_config(lab.bus, lab.authority.ca, [provider(lab.vc, startFrom="earliest", emptyGrace="1s")]))
    lab.ledger = lab.open_ledger(lab.bus, lab.vc)
    told(lab, MISSING[root])
    lab.vc.burst(100)
    allowed_again(lab)


@pytest.mark.parametrize("root", MISSING)
def test_permission_revoked_while_running(lab, root):
    build(lab, "-backlog", "500", **STRICT)
    lab.ledger.settle()
    lab.vc.lab("access", root=root)
    for _ in range(5):
        lab.vc.burst(40)
    lab.vc.lab("expire", what="collectors")  # a new collector has to be asked for
    told(lab, MISSING[root])
    lab.vc.burst(40)
    allowed_again(lab)


def hidden_then_visible(lab):
    """So many visible events that neither the date nor the newest keys lead back to the hidden ones."""
    lab.vc.burst(100, tmpl="VmPoweredOnEvent")
    seen = lab.ledger.js.count("VC_lab")
    lab.vc.burst(1500, tmpl="UserLoginSessionEvent")
    stored_at_least(lab, seen + 1500)


def test_one_answer_that_all_is_granted_proves_nothing(lab):
    """The vCenter grants everything in one answer, while events are hidden. Those before the answer come in the end, too."""
    build(lab, "-backlog", "500", **STRICT)
    lab.ledger.settle()
    asked(lab, 4)
    lab.vc.lab("access", root="below")
    told(lab, "System.Read")
    hidden_then_visible(lab)
    lab.vc.fault("granted", method="HasPrivilegeOnEntities")
    asked(lab, 2)
    assert lab.col.metric("vcourier_collector_permission_missing") == 1
    allowed_again(lab)


def test_the_first_answers_after_the_loss_are_still_the_old_ones(lab):
    """Events are hidden already when the vCenter still answers that all is granted: reading restarts before that answer."""
    build(lab, "-backlog", "500", **{**STRICT, "emptyGrace": "10s"})
    lab.ledger.settle()
    asked(lab, 2)
    lab.vc.fault("granted", n=-1, method="HasPrivilegeOnEntities")
    lab.vc.lab("access", root="below")
    hidden_then_visible(lab)
    asked(lab, 2)
    lab.vc.lab("clear")
    told(lab, "System.Read")
    allowed_again(lab)


def test_one_answer_that_denies_is_not_reported(lab):
    """What was read meanwhile is read again all the same, and nothing is stored twice."""
    build(lab, "-backlog", "500", **STRICT)
    lab.ledger.settle()
    lab.vc.fault("denied", method="HasPrivilegeOnEntities")
    asked(lab, 2)
    lab.vc.burst(100)
    lab.ledger.settle()
    lab.col.wait_ready()
    wait_until(lambda: lab.col.lines("reading what was hidden"), 60, lambda: lab.col.log())
    lab.ledger.settle()
    assert not lab.col.lines("level=error") and lab.col.metric("vcourier_collector_permission_missing") == 0
