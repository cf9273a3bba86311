# SPDX-License-Identifier: Apache-2.0
"""
Each place of the configuration that can contain a secret, URLs included, gets a different secret. Then all outputs of all
programs are searched for these secrets, in normal operation and while each peer fails.
"""
import base64
import json
import re
import subprocess
import urllib.request
from pathlib import Path

import pytest

from lab.aws import REGION, EventBridge, Keys
from lab.stream import PROVIDER, Stream
from lab.forward_proxy import ForwardProxy
from lab.gateway import Gateway
from lab.process import BUILD, wait_until
from lab.product import provider, router_config
from lab.receiver import Answer

FAST = {"retry": {"initial": "20ms", "max": "100ms", "rejectGrace": "0s"}, "ackWait": "2s"}
PLACES = ["bus", "metrics", "vcenter", "uri-password", "uri-query", "sink-password", "sink-query", "proxy", "gateway", "access-key",
          "secret-key", "session-token"]
CANARY = {place: f"canaryof{place.replace('-', '')}x7" for place in PLACES}


def forms(secret):
    """A secret in plain text and in base64, at each of the three offsets."""
    yield secret.encode()
    for lead in range(3):
        yield base64.b64encode(b"x" * lead + secret.encode())[4 if lead else 0:-4]


def check(where, output, *but):
    """but: places whose secrets may be in this output."""
    output = output if isinstance(output, bytes) else output.encode()
    found = [place for place in PLACES if place not in but for form in forms(CANARY[place]) if form in output]
    assert not found, f"{where} shows {found}: {output.decode(errors='replace')[-3000:]}"


def port(daemon, path):
    """The reply of the metrics port to a request with the password."""
    request = urllib.request.Request(f"http://127.0.0.1:{daemon.port}{path}", headers={
        "Authorization": "Basic " + base64.b64encode(f"m:{CANARY['metrics']}".encode()).decode()})
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.read()
    except urllib.error.HTTPError as e:
        return e.read()
    except OSError:  # it does not listen yet
        return b""


def cli(daemon, *arguments):
    at = 2 if arguments[0] == "dead" else 1
    run = subprocess.run([BUILD / "vcourier", *arguments[:at], "-c", daemon.file, *arguments[at:]], capture_output=True, timeout=60)
    check(f"vcourier {' '.join(arguments)}", run.stdout + run.stderr)
    return run.stdout.decode()


def search(daemon, stream):
    for path in ("/stats", "/metrics", "/readyz", "/livez", "/nothing"):
        check(path, port(daemon, path))
    for file in ("cmdline", "environ"):
        check(file, Path(f"/proc/{daemon.pid}/{file}").read_bytes())
    wire = stream.js.wire or stream.server.connect()
    if "dispatcher" in daemon.argv[6]:
        check("the status on the bus", wire.request("vcourier.status.kn").data)
    for command in (["config"], ["check"], ["check", "--connect"], ["status"], ["dead", "ls"], ["dead", "ls", "--json"],
                    ["match", "--name", "kn"]):
        cli(daemon, *command)
    for letter in stream.dead():
        check("a dead letter", json.dumps(dict(letter.headers)).encode() + letter.data)
        assert letter.headers["Vcourier-Error"]
    check("the log", daemon.text())
    check("the log of nats-server", stream.server.text())


@pytest.fixture
def stream(lab):
    server = lab.nats(extra=f'authorization {{ user: "u", password: "{CANARY["bus"]}" }}')
    server.account = ("u", CANARY["bus"])
    stream = Stream(lab, server)
    stream.make_stream()
    return stream


def configured(stream, entry, vcenter=None):
    bus = {"urls": [stream.server.url], "user": "u", "password": CANARY["bus"]}
    metrics = {"type": "default", "default": {"bindAddress": "127.0.0.1:0", "auth": {
        "type": "basic_auth", "basicAuth": {"username": "m", "password": CANARY["metrics"]}}}}
    source = vcenter or {**PROVIDER, "vcenter": {**PROVIDER["vcenter"], "auth": {
        "type": "basic_auth", "basicAuth": {"username": "v", "password": CANARY["vcenter"]}}}}
    return router_config(stream.server, stream.lab.authority.ca, [source], [entry], metricsProvider=metrics, bus=bus)


def with_secrets(url, name):
    return url.replace("://", f"://user:{CANARY[f'{name}-password']}@") + f"/path?token={CANARY[f'{name}-query']}"


def proxied(lab):
    proxy = ForwardProxy(user=f"p:{CANARY['proxy']}")
    lab.closers.append(proxy.close)
    return proxy, {"proxy": proxy.url.replace("://", f"://p:{CANARY['proxy']}@")}


def run(lab, stream, config):
    return lab.dispatcher(config, "--log-level", "debug")


def test_knative(lab, stream):
    """User info and query of the destination, of the dead letter sink and of the proxy are sent to that peer only."""
    backend, sink = lab.receiver(lambda r: Answer(400, body=b"no")), lab.receiver()
    proxy, options = proxied(lab)
    block = {"encoding": "binary", "destination": {"uri": with_secrets(backend.url, "uri")}, **options}
    entry = {"type": "knative", "name": "kn", "knative": block, "deadLetterSink": {"uri": with_secrets(sink.url, "sink")}, **FAST}
    dispatcher = run(lab, stream, configured(stream, entry))
    stream.publish(3)
    requests = sink.wait_count(3)
    assert CANARY["uri-query"] in backend.requests[0].path and "authorization" in backend.requests[0].headers and proxy.asked
    stream.idle()
    for request in requests:
        check("a request to the sink", request.body + json.dumps(request.headers).encode(), "sink-password")
        event = request.json()
        assert event["knativeerrordest"] == f"http://***@127.0.0.1:{backend.port}/path?***"
        check("knativeerrordata", base64.b64decode(event["knativeerrordata"]))
    for request in backend.requests:
        check("a request to the backend", request.body + json.dumps(request.headers).encode(), "uri-password")
    assert f"http://***@127.0.0.1:{backend.port}/path?***" in port(dispatcher, "/stats").decode()
    search(dispatcher, stream)
    dispatcher.stop()
    proxy.close()
    dispatcher.start()
    stream.publish(50)
    wait_until(lambda: "cannot reach proxy" in dispatcher.text(), 60, lambda: port(dispatcher, "/readyz"))
    search(dispatcher, stream)
    dispatcher.stop()
    check("the log", dispatcher.text())


def test_openfaas(lab, stream):
    gateway = Gateway(user="g", password=CANARY["gateway"]).start()
    lab.closers.append(gateway.close)
    gateway.deploy("f", "VmPoweredOnEvent", lambda call: 400)
    auth = {"type": "basic_auth", "basicAuth": {"username": "g", "password": CANARY["gateway"]}}
    entry = {"type": "openfaas", "name": "kn", "openfaas": {"address": gateway.url, "auth": auth, "refreshInterval": "1s",
                                                            **proxied(lab)[1]}, **FAST}
    dispatcher = run(lab, stream, configured(stream, entry))
    stream.publish(2)
    wait_until(lambda: len(stream.dead()) == 2, what="the dead letters")
    search(dispatcher, stream)
    gateway.password = "another one now"
    wait_until(lambda: "refresh failed" in dispatcher.text(), what="a refusal of the gateway")
    search(dispatcher, stream)


def test_eventbridge(lab, stream):
    aws = EventBridge()
    aws.keys = [Keys(CANARY["access-key"], CANARY["secret-key"], CANARY["session-token"])]
    lab.closers.append(aws.close)
    auth = {"type": "aws_access_key", "awsAccessKeyAuth": {
        "accessKey": CANARY["access-key"], "secretKey": CANARY["secret-key"], "sessionToken": CANARY["session-token"]}}
    entry = {"type": "aws_event_bridge", "name": "kn", "awsEventBridge": {
        "region": REGION, "eventBus": "default", "endpoint": aws.url, "auth": auth, **proxied(lab)[1]}, **FAST}
    dispatcher = run(lab, stream, configured(stream, entry))
    stream.publish(2)
    stream.idle()
    assert len(aws.buses["default"]) == 2
    search(dispatcher, stream)
    aws.keys = [Keys("another", "key")]
    stream.publish(1)
    wait_until(lambda: "UnrecognizedClient" in dispatcher.text(), what="a refusal of AWS")
    search(dispatcher, stream)


def test_collector(lab, stream):
    vcenter = lab.vcenter("-backlog", "5")
    entry = {"type": "knative", "name": "kn", "knative": {"destination": {"uri": with_secrets("http://127.0.0.1:9", "uri")}}}
    source = provider(vcenter, startFrom="earliest", **proxied(lab)[1])
    source["vcenter"]["auth"]["basicAuth"]["password"] = CANARY["vcenter"]
    config = configured(stream, entry, source)
    vcenter.stop()
    vcenter.env["VCENTER_SIM_PASSWORD"] = CANARY["vcenter"]
    vcenter.start()
    stream.js.api("STREAM.DELETE.VC_lab")
    collector = lab.collector(config, "--log-level", "debug")
    wait_until(lambda: "VC_lab" in stream.js.streams() and stream.js.last_seq("VC_lab") >= 5, what="the events")
    search(collector, stream)
    vcenter.stop()
    wait_until(lambda: b'"ok":false' in port(collector, "/readyz").replace(b" ", b""), 60, lambda: port(collector, "/readyz"))
    search(collector, stream)
    collector.stop()
    check("the log", collector.text())


@pytest.mark.parametrize("url", ["http://user:{}@host/\"x", "http://host/<{}>", "ftp://user:{}@host", "http://user:12/{}@:x"])
def test_a_bad_url_is_not_repeated_in_the_error(lab, stream, url):
    entry = {"type": "knative", "name": "kn", "knative": {"destination": {"uri": url.format(CANARY["uri-query"])}}}
    daemon = lab.daemon("dispatcher", configured(stream, entry))
    assert not re.search("ok$", cli(daemon, "check").strip())
    cli(daemon, "config")


CLEAR = "nats:// sends the password and the events in the clear"


@pytest.mark.parametrize("bus, warned", [
    ({"urls": ["nats://127.0.0.1:4222"]}, False), ({"urls": ["nats://localhost"]}, False), ({"urls": ["nats://[::1]:4222"]}, False),
    ({"urls": ["tls://nats.example:4222"]}, False), ({"urls": ["nats://nats:4222"]}, True), ({"urls": ["nats://10.0.0.1"]}, True),
    ({"urls": ["nats://127.0.0.1", "nats://nats"]}, True), ({"urls": ["nats://[2001:db8::1]:4222"]}, True),
    ({"urls": ["nats://localhost.example"]}, True), ({"urls": ["nats://nats", "tls://nats2"]}, False),
    ({"urls": ["nats://nats"], "caFile": "/etc/ssl/certs/ca-certificates.crt"}, False)])
def test_a_connection_without_tls_is_reported(tmp_path, bus, warned):
    """Loopback addresses are exempt. With one tls:// URL or a CA file, cnats uses TLS for all servers."""
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps(router_config("nats://x", providers=[PROVIDER], bus=bus)))
    run = subprocess.run([BUILD / "vcourier", "check", file], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0 and (CLEAR in run.stderr) == warned, run.stderr


def test_a_connection_without_tls_has_a_metric_and_is_ready(lab):
    stream = Stream(lab, lab.nats())
    stream.make_stream()
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url)).wait_ready()
    assert dispatcher.metric("vcourier_nats_cleartext") == 0 and not dispatcher.lines(CLEAR)
    dispatcher.configure(stream.config(receiver.url, bus={"urls": [stream.server.url, "nats://192.0.2.99:4222"]}))
    wait_until(lambda: dispatcher.metric("vcourier_nats_cleartext") == 1, what="the metric")
    dispatcher.wait_ready()
    assert len(dispatcher.lines(f"level=warn .*{CLEAR}")) == 1
