# SPDX-License-Identifier: Apache-2.0
"""Where and how NATS stores a stream: `placement` and `compression` of bus.stream."""
import re
import subprocess

import pytest

from lab.process import wait_until
from lab.product import provider, router_config


def config(lab, nats, vcenter, **settings):
    document = router_config(nats, lab.authority.ca, [provider(vcenter)])
    document["bus"]["stream"] = settings
    return document


@pytest.fixture
def vcenter(lab):
    return lab.vcenter("-vm", "1")


def test_a_stream_is_placed_by_the_tags_of_servers(lab, vcenter):
    servers = lab.cluster(3)  # each has a tag with its name
    js = lab.jetstream(servers[0])
    placed = config(lab, servers[0], vcenter, placement={"cluster": "lab", "tags": ["host:n2"]})
    collector = lab.collector(placed).wait_ready()
    info = js.info("VC_lab")
    assert info["config"]["placement"] == {"cluster": "lab", "tags": ["host:n2"]} and info["cluster"]["leader"] == "n2"
    assert not collector.lines("differs|configured")
    collector.stop()
    collector = lab.collector(config(lab, servers[0], vcenter, placement={"cluster": "berlin"}), name="other").wait_ready()
    assert collector.lines("placement.cluster is lab, configured berlin.*number of placement.tags is 1, configured 0")
    collector.stop()
    assert not lab.collector(config(lab, servers[0], vcenter), name="none").wait_ready().lines("placement")


def test_no_server_has_the_tags(lab, vcenter):
    servers = lab.cluster(3)
    collector = lab.collector(config(lab, servers[0], vcenter, placement={"tags": ["host:none"]}))
    wait_until(lambda: collector.lines("stream VC_lab.*(no suitable peers|tags not matched)"), 60)
    assert collector.running()


def test_compression(lab, vcenter):
    """nats-server compresses since 2.10."""
    nats = lab.nats()
    version = re.search(r"v(\d+)\.(\d+)", subprocess.run(["nats-server", "--version"], capture_output=True, text=True, check=True).stdout)
    collector = lab.collector(config(lab, nats, vcenter, compression="s2")).wait_ready()
    if (int(version[1]), int(version[2])) >= (2, 10):
        assert lab.jetstream(nats).info("VC_lab")["config"]["compression"] == "s2"
    else:
        assert collector.lines("compression is none, configured s2")
