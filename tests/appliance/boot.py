#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""boot.py: boots the appliance of build/appliance with a vCenter simulator and a receiver on this machine (make appliance-test).

Its first boot takes the properties from a CD. A burst of events is cut by a hard reset. Then its data disk is attached to a new image, which
starts by UEFI with Secure Boot. Every event must arrive, and the counters of the stream must add up. At last the functions of the appliance
get the events: a container of real podman, which reaches no other address than it may."""
import base64
import http.client
import json
import shutil
import ssl
import subprocess
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("appliance", "pages")]
import function  # noqa: E402
from guest import ADDRESS, GATEWAY, RECEIVER_PORT, ROOT, SERVICES, VCENTER_PORT, Guest  # noqa: E402
import page  # noqa: E402  (guest.py adds the folder of lab to the path)
from lab.lab import Lab  # noqa: E402
from lab.process import wait_until  # noqa: E402
from lab.vcenter import PASSWORD, USER, Authority  # noqa: E402

BACKLOG, BURST = 200, 500
LIMIT = 2400  # seconds for a boot on a busy machine
begun = time.monotonic()


def told(text):
    print(f"appliance-test: {time.monotonic() - begun:6.1f} s: {text}", flush=True)


class GuestAuthority(Authority):
    """Its certificate is also that of the address at which the guest finds the simulator."""

    def __init__(self, directory):
        super().__init__(directory)
        (self.directory / "san").write_text(f"subjectAltName=IP:127.0.0.1,DNS:localhost,IP:{SERVICES}\nextendedKeyUsage=serverAuth\n")
        self._openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "san",
                      "-out", "server.pem")


class Books:
    """What the vCenter has, and what arrived."""

    def __init__(self, lab):
        self.arrived = {}
        self.vcenter = lab.vcenter("-backlog", str(BACKLOG))
        self.receiver = lab.receiver(self.take, keep=False)

    def take(self, request):
        event = request.event()["id"]
        self.arrived[event] = self.arrived.get(event, 0) + 1

    def missing(self):
        return {f"{key}-{created}" for (key, created), (_, state) in self.vcenter.events().items() if state == "visible"} - set(self.arrived)

    def wait(self, guest, what, condition, limit=LIMIT):
        def state():
            guest.screenshot("failed") if guest.running() else None
            return f"{what}; QEMU runs: {guest.running()}, {len(self.arrived)} arrived, {len(self.missing())} missing; see {guest.directory}"
        wait_until(lambda: condition() or not guest.running(), limit, state)
        assert guest.running(), state()
        told(what)

    def all_there(self):
        return not self.missing()


def properties(lab):
    return {"hostname": "courier1", "domain": "lab.example", "ipaddress": ADDRESS, "netmask": "24 (255.255.255.0)", "gateway": GATEWAY, "dns": "10.0.2.3",
            "root_password": "pw-of-root", "enable_ssh": "True", "endpoint_username": "olga", "endpoint_password": "pw of olga",
            "console_password": "pw of operator", "vcenter_server": f"{SERVICES}:{VCENTER_PORT}", "vcenter_username": USER, "vcenter_password": PASSWORD,
            "vcenter_ca": base64.b64encode(lab.authority.ca.read_bytes()).decode(), "start_from": "earliest", "event_processor_type": "Knative",
            "knative_uri": f"http://{SERVICES}:{RECEIVER_PORT}/"}


def get(guest, path, login=None):
    """(status, body) of the front. Its certificate is compared with the one on the disk."""
    context = ssl.create_default_context(cadata=guest.shell("cat /etc/vcourier-appliance/tls/cert.pem"))
    context.check_hostname = False  # the port is forwarded from another address
    connection = http.client.HTTPSConnection("127.0.0.1", guest.https_port, context=context, timeout=120)
    headers = {"Host": ADDRESS} | ({"Authorization": "Basic " + base64.b64encode(login.encode()).decode()} if login else {})
    connection.request("GET", path, headers=headers)
    reply = connection.getresponse()
    return reply.status, reply.read().decode()


def check_state(guest):
    """Everything runs, with its data on the data disk; the front is open to those who may."""
    failed = guest.shell("systemctl --failed --no-legend --plain")
    assert failed == "", failed
    assert guest.shell("findmnt -no FSTYPE,SOURCE /data").startswith("ext4")
    assert "/nats" in guest.shell("findmnt -no SOURCE /var/lib/private/vcourier-nats")
    messages = guest.shell("cat /etc/vcourier-appliance/messages")
    assert messages == "", messages
    assert get(guest, "/")[0] == 200 and get(guest, "/status")[0] == 401 and get(guest, "/metrics", "olga:wrong")[0] == 401
    status, text = get(guest, "/status", "olga:pw of olga")
    assert status == 200 and "collector@vcenter" in text, (status, text)
    status, text = get(guest, "/metrics/vcenter", "olga:pw of olga")
    assert status == 200 and "vcourier_up" in text
    shown = guest.shell("journalctl -b --no-pager; cat /proc/*/environ | tr '\\0' '\\n'")
    assert not [word for word in ("pw-of-root", "pw of olga", "pw of operator", PASSWORD) if word in shown], "a secret in the journal or an environment"
    told(text_of(guest))


def text_of(guest):
    return guest.shell("systemd-analyze time | head -1; free -m | sed -n 2p; df -h / /data | tail -2; uname -r; nft list ruleset | grep -c 'policy drop'").strip()


def console(guest):
    """The console behind the front, in a real browser that finds the guest's address at the forwarded port; its picture."""
    try:
        import pytest
        from lab.browser import Browser
    except ImportError as missing:
        return told(f"the console has no picture: {missing}")
    try:
        browser = Browser(guest.directory, flags=(f"--host-resolver-rules=MAP {ADDRESS}:443 127.0.0.1:{guest.https_port}", "--ignore-certificate-errors"))
    except pytest.skip.Exception as missing:
        return told(f"the console has no picture: {missing}")
    try:
        browser.driver.set_page_load_timeout(LIMIT)
        browser.login_at(f"https://{ADDRESS}/", "operator", "pw of operator")
        browser.wait(".row", LIMIT)
        browser.driver.save_screenshot(str(guest.directory / "console.png"))
        assert not browser.errors(), browser.errors()
    finally:
        browser.close()
    return told("the console shows the events in a browser")


def stream(guest):
    """The sequence of the last event in the stream of the vCenter."""
    (found,) = [s for s in json.loads(guest.shell("vcourier status --json"))["streams"] if s["name"] == "VC_vcenter"]
    return found["last_seq"]


def build():
    """The image, unless it is there."""
    if not list((ROOT / "build/appliance").glob("*.qcow2")):
        subprocess.run(["bash", "-ec", page.block("docs/appliance.md", "Build it", 1).text], cwd=ROOT, check=True)


def main():
    build()
    run = ROOT / "build/appliance-test"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    lab = Lab(run, GuestAuthority(run / "ca"))
    try:
        books = Books(lab)
        services = ((VCENTER_PORT, int(books.vcenter.url.split(":")[2].split("/")[0])), (RECEIVER_PORT, books.receiver.port))
        guest = lab._keep(Guest(run, "first", services)).power_on(properties(lab))
        books.wait(guest, "the first event arrived", lambda: books.arrived)
        books.wait(guest, "the backlog arrived", books.all_there)
        check_state(guest)
        guest.screenshot("screen")
        console(guest)
        reset(guest, books)
        before = stream(guest)
        books.vcenter.burst(BURST)
        guest.pull_the_plug()
        told("the plug is pulled in a burst")
        guest = lab._keep(Guest(run, "second", services, firmware=True)).power_on(properties(lab))
        count = len(books.arrived)
        books.wait(guest, "a new image with the old data disk delivers", lambda: len(books.arrived) > count or books.all_there())
        books.wait(guest, "everything arrived", books.all_there)
        assert "Secure boot enabled" in guest.shell("dmesg"), "Secure Boot is off"
        check_state(guest)
        after = stream(guest)
        assert after >= before, (before, after)
        guest.screenshot("screen")
        twice = sum(n > 1 for n in books.arrived.values())
        told(f"{len(books.vcenter.events())} events in the vCenter, {len(books.arrived)} arrived, {len(books.missing())} lost, {twice} more than once")
        run_a_function(guest, lab, books, run)
    finally:
        lab.close()


def run_a_function(guest, lab, books, run):
    """The appliance takes functions instead of Knative. The function gets every event of the stream."""
    others = {k: v for k, v in properties(lab).items() if not k.startswith(("knative", "event_processor"))}
    guest.put("/root/properties", "".join(f"guestinfo.{k}={v}\n" for k, v in {**others, "event_processor_type": "Functions"}.items()).encode())
    guest.shell("vcourier-appliance configure /root/properties")
    books.wait(guest, "the dispatcher of Knative ends", lambda: guest.shell("systemctl is-active vcourier-dispatcher@knative").strip() == "inactive")
    guest.put("/root/function.tar", function.image(run))
    guest.put("/root/function.yaml", function.MANIFEST.encode())
    for egress, open_to in (("none", False), (f"{SERVICES}/32", True)):
        told(guest.shell(f"vcourier function apply -f /root/function.yaml --image-file /root/function.tar --egress {egress} 2>&1").strip())
        ask = "import json, urllib.request as u; f = json.loads(open(0).readline()); " \
              f"print(u.urlopen(f['url'].rstrip('/') + '/dial/{SERVICES}:{RECEIVER_PORT}').read().decode())"
        answer = guest.shell(f'vcourier function ls --json | python3 -c "{ask}"').strip()
        assert answer == f"user 65532 connected {str(open_to).lower()}", answer
        told(f"the function with --egress {egress}: {answer}")
    books.vcenter.burst(BURST)
    wanted = {f"{key}-{created}" for (key, created), (_, state) in books.vcenter.events().items() if state == "visible"}

    def got():
        return [line.split()[-1] for line in guest.shell(f"journalctl -o cat --no-pager -u vcourier-function-{function.NAME}").splitlines() if line.startswith("event ")]
    books.wait(guest, "the function has every event", lambda: wanted <= set(got()))
    told(f"the function got {len(got())} events, {len(set(got()))} different ones of {len(wanted)}")


def reset(guest, books):
    count = len(books.arrived)
    books.vcenter.burst(BURST)
    books.wait(guest, f"a burst of {BURST} is on its way", lambda: len(books.arrived) > count + 20)
    guest.qmp("system_reset")
    told(f"hard reset with {len(books.missing())} events that have not arrived")
    books.vcenter.burst(BURST)
    books.wait(guest, "all events arrived after the reset", books.all_there)


if __name__ == "__main__":
    main()
