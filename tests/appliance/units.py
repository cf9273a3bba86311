#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""units.py: the root of the appliance's image with its own systemd, in namespaces of this machine (make appliance-units).

This needs no emulator: it shows that the units, the front, the firewall and the screen work as
`vcourier-appliance configure` sets them up. The loopback interface is its only network."""
import base64
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/pages")]
import machine  # noqa: E402
import namespace  # noqa: E402
from lab.lab import Lab  # noqa: E402
from lab.process import wait_until  # noqa: E402
from lab.vcenter import PASSWORD, USER  # noqa: E402

BACKLOG, BURST = 100, 200
RUN = ROOT / "build/appliance-units"
WORDS = ("pw-of-root", "pw of olga", "pw of operator", PASSWORD)


def told(text):
    print(f"appliance-units: {text}", flush=True)


class Appliance(machine.Machine):
    """The root as the image has it, with the Python of the working tree."""

    def __init__(self, path, log):
        self.path, self.log, self.process = Path(path), Path(log), None
        subprocess.run(["tar", "-C", self.path, "--exclude=./dev/*", "-xf", ROOT / "build/appliance/root.tar"], check=True)
        self.path.chmod(0o755)
        for unit in machine.MASKED:
            link = self.path / "etc/systemd/system" / unit
            link.unlink(missing_ok=True)
            link.symlink_to("/dev/null")
        shutil.copytree(ROOT / "appliance/overlay", self.path, dirs_exist_ok=True)
        shutil.copytree(ROOT / "appliance/vcourier_appliance", self.path / "usr/lib/vcourier-appliance/vcourier_appliance", dirs_exist_ok=True)
        self.group = machine.cgroup2() / f"vcourier-machine-{os.getpid()}"


def properties(lab, vcenter, receiver):
    return {"hostname": "courier1.lab.example", "root_password": WORDS[0], "enable_ssh": "True", "endpoint_username": "olga", "endpoint_password": WORDS[1],
            "console_password": WORDS[2], "vcenter_server": vcenter.url, "vcenter_username": USER, "vcenter_password": PASSWORD,
            "vcenter_ca": base64.b64encode(lab.authority.ca.read_bytes()).decode(), "start_from": "earliest", "event_processor_type": "Knative",
            "knative_uri": receiver.url, "webhook": "True", "webhook_username": "hook", "webhook_password": "pw of hook"}


def arrived(vcenter, receiver):
    def missing():
        return {f"{key}-{created}" for key, created in vcenter.events()} - {r.event()["id"] for r in receiver.requests}
    wait_until(lambda: not missing(), 180, lambda: f"{len(missing())} events are missing")
    return len(vcenter.events())


def front(appliance, path, login=None, method="GET", body=None, headers=None):
    context = ssl.create_default_context(cadata=(appliance.path / "etc/vcourier-appliance/tls/cert.pem").read_text())
    context.check_hostname = False  # the name is not that of the loopback interface
    connection = http.client.HTTPSConnection("127.0.0.1", 443, context=context, timeout=30)
    basic = {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()} if login else {}
    connection.request(method, path, body, {"Host": "courier1.lab.example", **basic, **(headers or {})})
    reply = connection.getresponse()
    return reply.status, reply.read().decode()


def check_front(appliance):
    for path in ("/status", "/stats", "/metrics", "/metrics/webhook", "/metrics/knative"):
        assert front(appliance, path)[0] == front(appliance, path, "olga:no")[0] == 401, path
    for path, word in (("/stats", "vcenter"), ("/metrics", "vcourier_up"), ("/metrics/webhook", "vcourier_webhook"), ("/metrics/knative", "vcourier_dispatcher")):
        status, body = front(appliance, path, f"olga:{WORDS[1]}")
        assert status == 200 and word in body, (path, status, body[:300])
    status, page = front(appliance, "/")
    assert status == 200 and "<html" in page.lower()
    event = json.dumps({"specversion": "1.0", "id": "hook-1", "source": "/test", "type": "com.example.test", "data": {}})
    headers = {"Content-Type": "application/cloudevents+json"}
    assert front(appliance, "/webhook", None, "POST", event, headers)[0] == 401
    assert front(appliance, "/webhook", "hook:pw of hook", "POST", event, headers)[0] == 202
    told("the front: console, /stats, /metrics, /webhook, each for those who may")


def check_state(appliance):
    failed = appliance.run("systemctl --failed --no-legend --plain | grep vcourier || :")
    assert failed == "", failed
    messages = appliance.run("cat /etc/vcourier-appliance/messages")
    assert messages == "", messages
    rules = appliance.run("nft list table inet appliance")
    assert rules.count("policy drop") == 2 and "dport 443" in rules
    assert "olga:viewer:" in (users := appliance.run("cat /etc/vcourier/console.users")) and "operator:operator:" in users
    shown = appliance.run("journalctl -b --no-pager; cat /proc/[0-9]*/environ | tr '\\0' '\\n'")
    assert not [word for word in WORDS if word in shown], "a secret is in the journal or an environment"
    assert "vc_vcenter" in appliance.run("vcourier status").lower()
    name = appliance.run("vcourier-appliance support").strip()
    bundle = appliance.run(f"tar -xzOf {name}")
    assert not [word for word in WORDS if word in bundle] and "vcourier-collector@vcenter" in bundle


def screen(appliance):
    """The text of the status screen, drawn by its user as the unit draws it."""
    appliance.run("install -d -o vcourier-screen -m 755 /run/vcourier-appliance")
    code = "import sys; sys.path.insert(0, '/usr/lib/vcourier-appliance'); from vcourier_appliance import screen; print('\\n'.join(screen.page(False)))"
    shown = appliance.run(f'setpriv --reuid vcourier-screen --regid vcourier-screen --clear-groups python3 -c "{code}"')
    assert "active     collector@vcenter" in shown and "active     nats" in shown, shown
    return shown


def inside():
    namespace.loopback_up()
    shutil.rmtree(RUN, ignore_errors=True)
    (RUN / "root").mkdir(parents=True)
    lab = Lab(RUN)
    appliance = Appliance(RUN / "root", RUN / "systemd.log")
    try:
        vcenter, receiver = lab.vcenter("-backlog", str(BACKLOG)), lab.receiver()
        appliance.boot()
        told("without properties it starts: " + appliance.run("cat /etc/vcourier-appliance/messages").splitlines()[0][:100])
        (RUN / "root/root/properties").write_text("".join(f"guestinfo.{key}={value}\n" for key, value in properties(lab, vcenter, receiver).items()))
        changed = appliance.run("vcourier-appliance configure properties 2>&1")
        appliance.run("systemctl reset-failed")
        told(f"configured: {len(changed.splitlines())} files")
        told(f"{arrived(vcenter, receiver)} events arrived")
        check_front(appliance)
        check_state(appliance)
        told("the screen:\n" + screen(appliance))
        assert appliance.run("vcourier-appliance configure properties 2>&1") == "", "a second run changes nothing"
        vcenter.burst(BURST)
        appliance.close()
        appliance.boot()
        vcenter.burst(BURST)
        told(f"{arrived(vcenter, receiver)} events arrived, after all processes were killed in a burst and the machine was started again")
        check_state(appliance)
    except BaseException:
        print("\n".join(appliance.log.read_text().splitlines()[-20:]))
        if appliance.process and appliance.process.poll() is None:
            print(appliance.run("journalctl -b --no-pager -p notice -o short-monotonic | tail -60; systemctl --no-pager --failed; cat /etc/vcourier-appliance/messages"))
        raise
    finally:
        appliance.close()
        lab.close()
    shutil.rmtree(RUN / "root")


def main():
    reason = machine.missing() or namespace.missing()
    if not (ROOT / "build/appliance/root.tar").exists():
        reason = "there is no image: make appliance"
    if reason:
        told(f"SKIPPED: {reason}")
        return 77
    if "--inside" in sys.argv:
        inside()
        return 0
    return subprocess.run(["unshare", "--net", sys.executable, __file__, "--inside"]).returncode


if __name__ == "__main__":
    sys.exit(main())
