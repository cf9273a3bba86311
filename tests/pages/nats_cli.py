# SPDX-License-Identifier: Apache-2.0
"""Commands of pages that need the NATS CLI or nsc, which `make interop` builds. host.py runs them."""
from page import block

import namespace
from lab.nats_wire import Wire
from lab.process import ROOT, wait_until
from lab.stream import event, subject

PROGRAM = ROOT / "build/interop/bin/nats"
NSC = PROGRAM.with_name("nsc")
HA = "com.vmware.vc.HA.DasHostFailedEvent"
USERS = "users.py --vcenter vc1 --reader reports --connector siem"
SITE, CENTRE = 4223, 4222


def hosts(shell, *names):
    """These names are this machine."""
    file = shell.directory / "hosts"
    file.write_text(f"127.0.0.1 localhost {' '.join(names)}\n")
    namespace.instead("/etc/hosts", file)
    shell.environment["PATH"] = f"{PROGRAM.parent}:{shell.environment['PATH']}"
    shell.environment["XDG_CONFIG_HOME"] = str(shell.directory)


def consumers(shell, lab):
    """docs/consumers.md: a reader with a durable, and a connector without JetStream."""
    hosts(shell, "host")
    shell.run(f"{USERS} > users.conf && {USERS} --passwords secrets/")
    (shell.directory / "nats.conf").write_text('jetstream { store_dir: "js", max_file_store: 100GB }\ninclude "users.conf"\n')
    shell.start("nats-server -c nats.conf")
    password = (shell.directory / "secrets/collector-vc1").read_text().strip()
    collector = wait_until(lambda: login("collector-vc1", password), 30, "NATS answers")
    collector.request("$JS.API.STREAM.CREATE.VC_vc1", {"name": "VC_vc1", "subjects": ["vc.vc1.>"]})
    published = []

    def store():
        published.append(f"{len(published) + 1}-1700000000000")
        body = event(len(published), HA, severity="error")
        assert "seq" in collector.request(subject(HA, "error", "vc1"), body, {"Content-Type": "application/cloudevents+json"}).json()
        return True
    for _ in range(10):
        store()
    read = shell.run(block("docs/consumers.md", "Examples").text)
    assert [i for i in published if f'"{i}"' not in read] == []
    shell.start(block("docs/consumers.md", "Without JetStream").text)
    wait_until(lambda: store() and HA in (shell.directory / "background.log").read_text(), 60, "a live event")


def login(user, password):
    try:
        return Wire(CENTRE, user, password)
    except OSError:
        return None


def leaf(shell, lab):
    """docs/scale.md: the server of a site, the one of the centre, and a mirror."""
    hosts(shell, "centre.example.com")
    site, centre = block("docs/scale.md", "More than one NATS server", 1).text.split("# the centre's server\n")
    (shell.directory / "site.conf").write_text(site)
    (shell.directory / "centre.conf").write_text(centre)
    shell.run("mkdir site centre")
    for name, port in (("centre", CENTRE), ("site", SITE)):  # each has its own /var/lib/nats, as on a machine of its own
        shell.start(f"exec unshare --mount sh -ec 'mount --bind {name} /var/lib && mkdir /var/lib/nats && exec nats-server -c {name}.conf -p {port}'")
    shell.run(f"""until nats -s :{SITE} stream add VC_lab --subjects 'vc.lab.>' --defaults >add.log 2>&1; do sleep 0.2; done
nats -s :{SITE} request vc.lab.x stored
until nats --js-domain site stream info VC_lab >info.log 2>&1; do sleep 0.2; done # the centre sees the site""")
    shell.run(f"cd {ROOT} && {block('docs/scale.md', 'More than one NATS server', 2).text}")
    shell.run("until nats --js-domain hub stream get VC_lab 1 >got.log 2>&1; do sleep 0.2; done; grep stored got.log")


def operator_mode(shell, lab):
    """docs/nats.md: the accounts as nsc commands, pushed to a running server; then one more vCenter."""
    hosts(shell, "host")
    shell.run("""nsc add operator --name corp --sys && nsc edit operator --account-jwt-server-url nats://127.0.0.1:4222
nsc generate config --nats-resolver --config-file resolver.conf""")
    (shell.directory / "nats.conf").write_text('jetstream { store_dir: "js", max_file_store: 100GB }\ninclude "resolver.conf"\n')
    shell.start("nats-server -c nats.conf")
    commands = block("docs/nats.md", "Operator mode").text
    shell.run(commands)
    first = stored(shell, "vc1")
    shell.run(commands.replace("--vcenter vc1", "--vcenter vc1 --vcenter vc2"))  # without a restart; the first credentials stay valid
    assert (stored(shell, "vc1"), stored(shell, "vc2")) == (first + 1, 1)
    dispatcher = Wire(CENTRE, "dispatcher-knative", creds=shell.directory / "creds/dispatcher-knative.creds")
    assert dispatcher.request("$JS.API.STREAM.INFO.VC_vc2").json()["state"]["messages"] == 1


def stored(shell, vcenter):
    """The sequence of an event that the collector of this vCenter stores with its credentials."""
    def connected():
        try:
            return Wire(CENTRE, f"collector-{vcenter}", creds=shell.directory / f"creds/collector-{vcenter}.creds")
        except OSError:
            return None
    collector = wait_until(connected, 30, "NATS answers")
    collector.request(f"$JS.API.STREAM.CREATE.VC_{vcenter}", {"name": f"VC_{vcenter}", "subjects": [f"vc.{vcenter}.>"]})
    return collector.request(subject(HA, "error", vcenter), event(1, HA, severity="error"), {"Content-Type": "application/cloudevents+json"}).json()["seq"]
