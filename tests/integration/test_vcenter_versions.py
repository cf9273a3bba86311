# SPDX-License-Identifier: Apache-2.0
"""The API version that the collector uses: the newest one that the vCenter accepts."""
import pytest

from lab.process import wait_until

NEW = "8.0.3.0,8.0.2.0,8.0.0.0,7.0.0.0,6.7,6.5"


@pytest.mark.parametrize("listed,file,spoken", [
    (NEW, 1, {"8.0.3.0"}),
    ("6.0,5.5", 1, {"6.0"}),                                           # older than the version that earlier releases used
    ("11.0.0.0,10.0.0.0", 1, {"11.0.0.0"}),                            # a release that no longer supports it
    ("8.0.0.0,7.0.0.0,6.7,6.5", 0, {"9.0.0.0", "8.0.0.0"}),            # without the list: the next older version
    ("6.0,5.5", 0, {"9.0.0.0", "8.0.0.0", "7.0.0.0", "6.7", "6.5", "6.0"}),
], ids=["listed", "old", "dropped", "unlisted", "unlisted-old"])
def test_the_newest_accepted_version_is_used(pipeline, listed, file, spoken):
    """The vCenter is upgraded while the collector has a session: the next call is refused, or the session has expired."""
    lab = pipeline("-backlog", "20")
    lab.ledger.settle()
    lab.vc.lab("versions", list=listed, file=file)
    if "6.5" in listed.split(","):
        lab.vc.lab("expire")
    lab.vc.burst(5)
    lab.ledger.settle()
    newest = listed.split(",")[0]
    asked = set(lab.vc.stats()["versions"])
    assert asked - {"6.5"} == spoken - {"6.5"} | {newest}, "6.5 is what the simulator had before"
    assert list(lab.ledger.js.read("VC_lab"))[-1].json()["vsphereapiversion"] == newest
    assert lab.vc.stats()["sessions"] >= 1 and lab.col.metric("vcourier_collector_sessions_total", reason="login") == 2


def test_a_vcenter_that_accepts_no_version_is_logged(pipeline):
    lab = pipeline("-backlog", "20")
    lab.ledger.settle()
    lab.vc.lab("versions", list="3.0", file=0)
    lab.vc.burst(5)
    wait_until(lambda: "takes none of the versions" in lab.col.get("/readyz")[1], 30, lambda: lab.col.get("/readyz")[1])
    assert lab.col.get("/readyz")[0] == 503
    lab.vc.lab("versions")
    lab.ledger.settle()


@pytest.mark.parametrize("kind", ["html", "garbage", "503"])
def test_an_invalid_list_of_versions(pipeline, kind):
    """A proxy returns its own page instead of the list: the collector tries versions."""
    lab = pipeline("-backlog", "20")
    lab.ledger.settle()
    lab.vc.fault(kind, n=1, method="vimServiceVersions.xml")
    lab.vc.lab("expire")
    lab.vc.burst(5)
    lab.ledger.settle()
    assert lab.vc.stats()["faults"] == 0
