# SPDX-License-Identifier: Apache-2.0
"""The account lacks permissions: the missing privilege is named, and hidden events are read once it is granted."""
import pytest

from lab.process import wait_until
from lab.product import provider, router_config
from lab.pipeline import build, stored_at_least

# Hidden events are read again only because of the visible position.
STRICT = {"overlap": "0s", "auditWindow": "0s", "auditInterval": "1s", "emptyGrace": "2s"}
MISSING = {"below": "System.Read", "none": "System.View"}


def wait_reported(lab, privilege):
    wait_until(lambda: privilege in str(lab.col.reasons()), 90, lambda: f"/readyz names {privilege}: {lab.col.get('/readyz')}")
    assert lab.col.lines(f"level=error .*Read-only on the root folder.*{privilege}")
    assert lab.col.metric("vcourier_collector_permission_missing") == 1


def wait_for_checks(lab, times):
    """Waits until the collector has asked for the account's privileges so many more times."""
    def calls():
        return lab.vc.stats()["calls"].get("HasPrivilegeOnEntities", 0)

    until = calls() + times
    wait_until(lambda: calls() >= until, 60, lambda: f"{calls()} of {until} questions for privileges")


def grant_access(lab):
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
    wait_reported(lab, MISSING[root])
    lab.vc.burst(100)
    grant_access(lab)


@pytest.mark.parametrize("root", MISSING)
def test_permission_revoked_while_running(lab, root):
    build(lab, "-backlog", "500", **STRICT)
    lab.ledger.settle()
    lab.vc.lab("access", root=root)
    for _ in range(5):
        lab.vc.burst(40)
    lab.vc.lab("expire", what="collectors")  # a new event history collector is necessary
    wait_reported(lab, MISSING[root])
    lab.vc.burst(40)
    grant_access(lab)


def hidden_then_visible(lab):
    """Creates so many visible events that neither the date nor the newest keys lead back to the hidden ones."""
    lab.vc.burst(100, tmpl="VmPoweredOnEvent")
    seen = lab.ledger.js.count("VC_lab")
    lab.vc.burst(1500, tmpl="UserLoginSessionEvent")
    stored_at_least(lab, seen + 1500)


def test_one_reply_that_all_is_granted_is_not_sufficient(lab):
    """The vCenter reports once that everything is granted, while events are hidden. Events before this reply are also read in the end."""
    build(lab, "-backlog", "500", **STRICT)
    lab.ledger.settle()
    wait_for_checks(lab, 4)
    lab.vc.lab("access", root="below")
    wait_reported(lab, "System.Read")
    hidden_then_visible(lab)
    lab.vc.fault("granted", method="HasPrivilegeOnEntities")
    wait_for_checks(lab, 2)
    assert lab.col.metric("vcourier_collector_permission_missing") == 1
    grant_access(lab)


def test_the_first_replies_after_the_loss_are_outdated(lab):
    """Events are already hidden while the vCenter still reports that everything is granted: reading restarts before that reply."""
    build(lab, "-backlog", "500", **{**STRICT, "emptyGrace": "10s"})
    lab.ledger.settle()
    wait_for_checks(lab, 2)
    lab.vc.fault("granted", n=-1, method="HasPrivilegeOnEntities")
    lab.vc.lab("access", root="below")
    hidden_then_visible(lab)
    wait_for_checks(lab, 2)
    lab.vc.lab("clear")
    wait_reported(lab, "System.Read")
    grant_access(lab)


def test_one_reply_that_denies_is_not_reported(lab):
    """Events that were read meanwhile are read again, and none is stored twice."""
    build(lab, "-backlog", "500", **STRICT)
    lab.ledger.settle()
    lab.vc.fault("denied", method="HasPrivilegeOnEntities")
    wait_for_checks(lab, 2)
    lab.vc.burst(100)
    lab.ledger.settle()
    lab.col.wait_ready()
    wait_until(lambda: lab.col.lines("reading what was hidden"), 60, lambda: lab.col.log())
    lab.ledger.settle()
    assert not lab.col.lines("level=error") and lab.col.metric("vcourier_collector_permission_missing") == 0
