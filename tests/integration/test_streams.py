# SPDX-License-Identifier: Apache-2.0
"""A stream or bucket has the same settings, whichever program was the first that needed it."""
import subprocess

import pytest

from lab.jetstream import ApiError
from lab.process import BUILD, wait_until
from lab.product import knative, provider, router_config

DAY, MINUTE = 86400 * 10**9, 60 * 10**9
BUS = {"stream": {"maxAge": "3d", "maxBytes": "64MiB", "whenFull": "pause"}, "deadLetters": {"maxAge": "5d", "maxBytes": "16MiB"}}
KEPT = {"storage": "file", "retention": "limits", "num_replicas": 1, "deny_purge": True}
BUCKET = KEPT | {"deny_delete": True, "discard": "new", "max_msgs_per_subject": 1}
WANTED = {
    "VC_lab": KEPT | {"subjects": ["vc.lab.>"], "deny_delete": True, "discard": "new", "max_age": 3 * DAY, "max_bytes": 64 << 20},
    # `vcourier dead drop` deletes single messages
    "VCDEAD": KEPT | {"subjects": ["vcdead.>"], "deny_delete": False, "discard": "new", "max_age": 5 * DAY, "max_bytes": 16 << 20},
    "VCREPLAY": KEPT | {"subjects": ["vcreplay.>"], "deny_delete": True, "discard": "new", "max_age": 5 * DAY, "max_bytes": 16 << 20},
    "KV_vcourier": BUCKET | {"subjects": ["$KV.vcourier.>"], "max_age": 10 * 10**9, "duplicate_window": 10 * 10**9},
    "KV_vcourier-checkpoints": BUCKET | {"subjects": ["$KV.vcourier-checkpoints.>"], "max_age": 0, "duplicate_window": 2 * MINUTE},
}
CREATES = {"collector": {"VC_lab", "KV_vcourier", "KV_vcourier-checkpoints"}, "dispatcher": {"VC_lab", "VCDEAD", "VCREPLAY"},
           "vcourier": {"VCREPLAY"}}


@pytest.mark.parametrize("program", CREATES)
def test_the_settings_of_streams(lab, program):
    bus = lab.nats()
    js = lab.jetstream(bus)
    vcenter = lab.vcenter("-backlog", "1")
    config = router_config(bus, lab.authority.ca, [provider(vcenter, startFrom="earliest", standby=True)],
                           [knative(lab.receiver().url)])
    config["bus"] |= BUS
    if program == "vcourier":
        lab.collector(config).wait_ready()
        wait_until(lambda: js.count("VC_lab") > 0, what="an event")
        file = lab.directory / "vcourier.yaml"
        lab.daemon("dispatcher", config, name="vcourier")  # writes the file
        subprocess.run([BUILD / "vcourier", "replay", "-c", file, "-d", "kn", "--all"], check=True)
    else:
        lab.daemon(program, config).start()

    def settings():
        try:
            return {name: js.info(name)["config"] for name in CREATES[program]}
        except (ApiError, OSError):
            return None
    for name, has in wait_until(settings, 60, lambda: f"{CREATES[program]}; there are {js.streams()}").items():
        assert {key: has.get(key) for key in WANTED[name]} == WANTED[name], name
    others = set(js.streams()) - CREATES[program]
    assert others <= (CREATES["collector"] if program == "vcourier" else set())
