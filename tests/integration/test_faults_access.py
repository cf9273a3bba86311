# SPDX-License-Identifier: Apache-2.0
"""The account may not see all events: told with the privilege's name, and what was hidden comes when it may."""
import pytest

from lab.process import wait_until
from lab.product import provider, router_config
from lab.world import build

MISSING = {"below": "System.Read", "none": "System.View"}


def told(lab, privilege):
    wait_until(lambda: privilege in str(lab.col.reasons()), 90, lambda: f"/readyz names {privilege}: {lab.col.get('/readyz')}")
    assert lab.col.lines(f"level=error .*Read-only on the root folder.*{privilege}")
    assert lab.col.metric("vcourier_collector_permission_missing") == 1


def allowed_again(lab):
    lab.vc.lab("access", root="full")
    lab.book.settle()
    lab.col.wait_ready()
    assert lab.col.metric("vcourier_collector_permission_missing") == 0 and lab.col.running()


@pytest.mark.parametrize("root", MISSING)
def test_not_allowed_at_start(lab, root):
    lab.bus, lab.vc = lab.nats(), lab.vcenter("-backlog", "500")
    lab.vc.lab("access", root=root)
    lab.col = lab.collector(router_config(lab.bus, lab.authority.ca, [provider(lab.vc, startFrom="earliest")]))
    lab.book = lab.books(lab.bus, lab.vc)
    told(lab, MISSING[root])
    lab.vc.burst(100)
    allowed_again(lab)


@pytest.mark.parametrize("root", MISSING)
def test_revoked_while_running(lab, root):
    build(lab, "-backlog", "500", overlap="0s", auditWindow="0s", auditInterval="2s")
    lab.book.settle()
    lab.vc.lab("access", root=root)
    for _ in range(5):
        lab.vc.burst(40)
    lab.vc.lab("expire", what="collectors")  # a new collector has to be asked for
    told(lab, MISSING[root])
    lab.vc.burst(40)
    allowed_again(lab)
