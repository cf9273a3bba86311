# SPDX-License-Identifier: Apache-2.0
"""The project's nats.conf files."""
import os
import re

import pytest
import yaml

from lab.disk import small_disk
from lab.process import ROOT, wait_until
from lab.product import knative, provider, router_config

FILES = [f for f in ROOT.glob("**/nats*.conf") if not {"build", ".git"} & set(f.relative_to(ROOT).parts)]
# the configuration of vcourier that is used with it; None: the default sizes of streams
CONFIGS = {"systemd/nats.conf": None, "compose/nats/nats.conf": "compose/local/config.yaml", "k8s/base/nats.conf": "k8s/base/config.yaml"}


def max_file_store(file):
    found = re.search(r"^jetstream \{\n(?:  .*\n)*?  max_file_store: (\S+)\n", file.read_text(), re.M)
    return found and found[1]


def test_every_file_limits_the_store():
    """nats-server's own limit is 75 % of the space that is free when it starts."""
    assert len(FILES) >= 7 and [str(f) for f in FILES if not max_file_store(f)] == []


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", "64m") as directory:
        yield directory


@pytest.mark.parametrize("conf", CONFIGS)
def test_streams_are_created_and_opened_again_whatever_space_is_free(lab, disk, conf):
    """The streams with the sizes of the configuration fit; after a restart on a disk that has filled they are there."""
    server = lab.nats(store=disk / "js", max_store=max_file_store(ROOT / conf))
    vcenter, receiver = lab.vcenter("-backlog", "100"), lab.receiver()
    config = router_config(server, lab.authority.ca, [provider(vcenter, startFrom="earliest")], [knative(receiver.url)])
    if CONFIGS[conf]:
        sizes = yaml.safe_load((ROOT / CONFIGS[conf]).read_text())["bus"]
        config["bus"] |= {name: {"maxBytes": sizes[name]["maxBytes"]} for name in ("stream", "deadLetters")}
    lab.collector(config).wait_ready()
    lab.dispatcher(config).wait_ready()

    def arrived():
        return set(receiver.ids()) == {f"{key}-{created}" for key, created in vcenter.events()}
    wait_until(arrived, 60, "all events arrive")
    before = lab.jetstream(server).info("VC_lab")["state"]["messages"]
    server.stop()
    free = os.statvfs(disk)
    with open(disk / "ballast", "wb") as ballast:
        os.posix_fallocate(ballast.fileno(), 0, free.f_bavail * free.f_frsize * 3 // 4)
    server.start()
    assert server.lines("Error recreating stream") == [] and lab.jetstream(server).info("VC_lab")["state"]["messages"] == before
    vcenter.burst(100)
    wait_until(arrived, 60, "all events arrive after the restart")
