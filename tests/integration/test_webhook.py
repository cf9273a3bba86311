# SPDX-License-Identifier: Apache-2.0
"""The webhook source: what it accepts, refuses and stores. Expected forms are those of the CloudEvents specification 1.0.2."""
import base64
import http.client
import json
import re
import resource
import socket
import subprocess
import textwrap
import time

import pytest

from lab.process import BUILD, ROOT, wait_until
from lab.product import knative, router_config
from lab.webhook import BATCH, JSON, STREAM, STRUCTURED, Sender, Webhook, event, webhook


@pytest.fixture
def hook(lab):
    return Webhook(lab)


def test_structured(hook):
    sent = event(1, subject="vm-1", time="2026-01-31T10:11:12.5Z", count=7, flag=True, text="ä \"q\"")
    status, headers, text = hook.sender().send(sent)
    assert (status, json.loads(text)) == (202, {"accepted": 1})
    message, = hook.stored()
    assert message.subject == "ce.hooks.com.example.alarm.raised"
    assert message.headers["Content-Type"] == STRUCTURED
    assert message.headers["Nats-Msg-Id"] == "https://sender.example/a e1"
    assert message.json() == sent
    assert message.data.startswith(b'{"specversion":"1.0","id":"e1","source":"https://sender.example/a"')
    assert list(message.json())[-1] == "data"


def test_data_that_looks_like_the_end(hook):
    """Each member is scanned: the one after the data is no part of it, although both together end like an object."""
    sent = '{"specversion":"1.0","id":"x","data":{"a":1},"source":"/s","type":"t","subject":"}}"}'
    assert hook.sender().send(sent)[0] == 202
    assert hook.stored()[0].json() == json.loads(sent)
    status, _, text = hook.sender().send('{"specversion":"1.0","id":"y","source":"/s","type":"t","data":{"a":1},"evil":{"b":2}}')
    assert status == 400 and "evil" in text


def test_binary(hook):
    sender = hook.sender()
    attributes = {"ce-specversion": "1.0", "ce-id": "b1", "ce-source": "/s", "ce-type": "t.u", "ce-subject": "Euro%20%E2%82%AC"}
    assert sender.send('{"a": [1, 2]}', JSON, **attributes)[0] == 202
    assert sender.send(b"plain text", "text/plain", **attributes | {"ce-id": "b2"})[0] == 202
    assert sender.send(b"\xff\x00\x01", "application/octet-stream", **attributes | {"ce-id": "b3"})[0] == 202
    assert sender.request("POST", "/webhook", b"", attributes | {"ce-id": "b4"})[0] == 202
    first, text, raw, nothing = [message.json() for message in hook.stored()]
    assert first == {"specversion": "1.0", "id": "b1", "source": "/s", "type": "t.u", "subject": "Euro €", "datacontenttype": JSON,
                     "data": {"a": [1, 2]}}
    assert text["data"] == "plain text" and text["datacontenttype"] == "text/plain"
    assert base64.b64decode(raw["data_base64"]) == b"\xff\x00\x01"
    assert "data" not in nothing


def test_batch(hook):
    sender = hook.sender()
    assert sender.send([event(n) for n in range(5)], BATCH)[::2] == (202, '{"accepted":5}\n')
    bad = event(7)
    del bad["id"]
    status, _, text = sender.send([event(6), bad, event(8), {"a": 1}], BATCH)
    answer = json.loads(text)
    assert status == 400 and answer["accepted"] == 2
    assert [r["index"] for r in answer["refused"]] == [1, 3] and "id is missing" in answer["refused"][0]["reason"]
    assert hook.ids() == ["e0", "e1", "e2", "e3", "e4", "e6", "e8"]
    assert sender.send([], BATCH)[0] == 202


def test_handshake(hook):
    """https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md, section 4"""
    status, headers, _ = hook.sender().request("OPTIONS", headers={"WebHook-Request-Origin": "eventemitter.example.com",
                                                                   "WebHook-Request-Rate": "120"})
    assert status == 200
    assert headers["webhook-allowed-origin"] == "*" and headers["webhook-allowed-rate"] == "*" and "POST" in headers["allow"]


def test_wrap(lab):
    hook = Webhook(lab, wrap={"source": "https://nsx.example", "type": "header:X-Event", "subject": "$.alert.name",
                              "id": "$/alert/id~1", "time": "$.at"})
    sender = hook.sender()
    body = {"alert": {"name": "CPU \"high\" ü", "id/": 4711}, "at": "2026-05-01T00:00:00Z", "list": [1, {"x": None}]}
    assert sender.send(body, JSON, **{"X-Event": "nsx.alarm"})[0] == 202
    stored = hook.stored()[0]
    assert stored.subject == "ce.hooks.nsx.alarm"
    assert stored.json() == {"specversion": "1.0", "id": "4711", "source": "https://nsx.example", "type": "nsx.alarm",
                             "subject": "CPU \"high\" ü", "time": "2026-05-01T00:00:00Z", "datacontenttype": JSON, "data": body}
    status, _, text = sender.send({"alert": {}}, JSON, **{"X-Event": "x"})
    assert status == 400 and "wrap.id" in text
    status, _, text = sender.send('{"alert": ', JSON, **{"X-Event": "x"})
    assert status == 400 and "not JSON" in text


def test_wrap_without_id(lab):
    """Two equal requests are two events: nothing says that the second one is a repetition."""
    hook = Webhook(lab, wrap={"source": "/s", "type": "t"})
    sender = hook.sender()
    assert [sender.send({"a": 1}, JSON)[0] for _ in range(2)] == [202, 202]
    assert len(set(hook.ids())) == 2
    status, _, text = sender.send({"specversion": "1.0", "type": "t"}, STRUCTURED)
    assert status == 400 and "missing" in text


BAD = [
    ("no JSON", b"{", STRUCTURED, {}, 400, "not JSON"),
    ("not UTF-8", b'{"a":"\xff"}', STRUCTURED, {}, 400, "not JSON"),
    ("too deep", b"[" * 5000 + b"]" * 5000, STRUCTURED, {}, 400, "not JSON"),
    ("empty", b"", STRUCTURED, {}, 400, "not JSON"),
    ("no id", json.dumps({k: v for k, v in event(1).items() if k != "id"}), STRUCTURED, {}, 400, "id is missing"),
    ("another version", json.dumps(event(1, specversion="0.3")), STRUCTURED, {}, 400, "specversion"),
    ("a bad time", json.dumps(event(1, time="yesterday")), STRUCTURED, {}, 400, "RFC 3339"),
    ("a bad name", json.dumps(event(1, Bad_Name="x")), STRUCTURED, {}, 400, "Bad_Name"),
    ("an attribute that is an object", json.dumps(event(1, extra={})), STRUCTURED, {}, 400, "scalar"),
    ("bad base64", json.dumps({k: v for k, v in event(1).items() if k != "data"} | {"data_base64": "?"}), STRUCTURED, {}, 400, "base64"),
    ("XML", b"<a/>", "application/cloudevents+xml", {}, 415, "JSON"),
    ("text", b"hello", "text/plain", {}, 415, "CloudEvent"),
    ("plain JSON", b"{}", JSON, {}, 415, "wrap"),
    ("a form", b"a=b", "application/x-www-form-urlencoded", {}, 415, "CloudEvent"),
    ("a batch that is none", b"{}", BATCH, {}, 400, "array"),
    ("a batch of too many", json.dumps([1] * 1001), BATCH, {}, 413, "1000"),
    ("binary, bad JSON", b"{", JSON, {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/", "ce-type": "t"}, 400, "not JSON"),
    ("binary, no type", b"{}", JSON, {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/"}, 400, "type is missing"),
    ("binary, not UTF-8", b"{}", JSON, {"ce-specversion": "1.0", "ce-id": "%ff", "ce-source": "/", "ce-type": "t"}, 400, "UTF-8"),
    ("too large", b" " * 20000, STRUCTURED, {}, 413, "10240"),
]


def test_bad_requests(lab):
    hook = Webhook(lab, maxBytes="10KiB")
    sender = hook.sender()
    wrong = []
    for name, body, kind, headers, status, reason in BAD:
        got = sender.send(body, kind, **headers)
        if got[0] != status or reason not in got[2]:
            wrong.append((name, got[0], got[2]))
    assert not wrong
    assert hook.js.count(STREAM) == 0
    assert sender.request("GET")[0] == 405 and sender.request("PUT")[0] == 405
    assert sender.request("POST", "/elsewhere")[0] == 404 and sender.request("POST", "/")[0] == 404
    assert sender.send(event(1), path="/webhook?x=1")[0] == 202 and sender.send(event(2), path="/webhook/")[0] == 202
    assert hook.requests(path="webhook", code="413") == 2 and hook.requests(path="webhook", code="202") == 2
    assert hook.requests(path="", code="404") == 2


def test_event_that_nats_does_not_take(lab):
    """max_payload is 1 MiB; the path takes more."""
    hook = Webhook(lab, maxBytes="4MiB")
    sender = hook.sender()
    status, _, text = sender.send(event(1, data="x" * (2 << 20)))
    assert status == 413 and "NATS" in text
    assert sender.send([event(2), event(3, data="x" * (2 << 20)), event(4)], BATCH)[0] == 400
    assert hook.ids() == ["e2", "e4"]


def test_types_that_are_allowed(lab):
    hook = Webhook(lab, allowedTypes=["com.example.alarm.*", "t"])
    sender = hook.sender()
    assert sender.send(event(1))[0] == 202 and sender.send(event(2, type="t"))[0] == 202
    for kind in ("com.example.alarms", "t2", "com.example"):
        status, _, text = sender.send(event(3, type=kind))
        assert status == 400 and "not accepted" in text
    assert hook.ids() == ["e1", "e2"]


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_authentication(lab, tmp_path):
    """The old block and ours: each path has its own, and a secret file that is replaced counts at once."""
    secret = tmp_path / "token"
    secret.write_text("s3cret\n")
    hook = Webhook(lab, path="/Events/", auth={"type": "basic_auth", "basicAuth": {"username": "veba", "password": "p:ä"}}, paths=[
        {"path": "nsx", "name": "NSX", "auth": {"type": "bearer", "bearer": {"tokenFile": str(secret)}}}])
    sender = hook.sender()
    for headers, status in (({}, 401), (basic("veba", "p:"), 401), (basic("veb", "p:ä"), 401), ({"Authorization": "Basic ?"}, 401),
                            ({"Authorization": "Bearer s3cret"}, 401), (basic("veba", "p:ä"), 202)):
        answer = sender.send(event(1), path="/events", **headers)
        assert answer[0] == status, (headers, answer)
        if status == 401:
            assert answer[1]["www-authenticate"] == 'Basic realm="restricted", charset="UTF-8"'
    for path, headers, status in (("/nsx", {}, 401), ("/nsx?access_token=s3cret", {}, 401),
                                  ("/nsx", {"Authorization": "Bearer s3cre"}, 401), ("/nsx", basic("veba", "p:ä"), 401),
                                  ("/nsx", {"Authorization": "bearer s3cret"}, 202)):
        assert sender.send(event(2), path=path, **headers)[0] == status, (path, headers)
    secret.write_text("other")
    assert sender.send(event(3), path="/nsx", Authorization="Bearer s3cret")[0] == 401
    assert sender.send(event(3), path="/nsx", Authorization="Bearer other")[0] == 202
    secret.unlink()
    assert sender.send(event(4), path="/nsx", Authorization="Bearer other")[0] == 503
    assert hook.requests(path="NSX", code="401") == 5
    log = hook.collector.text()
    assert "s3cret" not in log and "other" not in log and "access_token" not in log


def test_tls_with_a_certificate_that_rotates(lab, tmp_path, authority):
    def certificate(name):
        key, request, cert = (tmp_path / f"{name}.{end}" for end in ("key", "csr", "pem"))
        for command in (f"req -newkey rsa:2048 -nodes -keyout {key} -out {request} -subj /CN={name}",
                        f"x509 -req -in {request} -CA {authority.ca} -CAkey {authority.directory}/ca.key -CAcreateserial "
                        f"-days 2 -out {cert} -extfile {tmp_path}/san"):
            subprocess.run(["openssl", *command.split()], check=True, capture_output=True)
        return cert.read_bytes(), key.read_bytes()

    (tmp_path / "san").write_text("subjectAltName=IP:127.0.0.1\n")
    cert, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    first, second = certificate("first"), certificate("second")
    cert.write_bytes(first[0]), key.write_bytes(first[1])
    hook = Webhook(lab, certFile=str(cert), keyFile=str(key))
    old = hook.sender(authority)

    def name():
        sender = hook.sender(authority)
        sender.send(event(1))
        return sender.connection.sock.getpeercert()["subject"][0][0][1] if sender.connection.sock else None

    assert old.send(event(1))[0] == 202
    assert name() == "first"
    key.write_bytes(second[1])  # for a moment key and certificate do not belong together
    wait_until(lambda: hook.collector.lines("the changed certificate cannot be used"), 60)
    assert name() == "first"
    cert.write_bytes(second[0])
    wait_until(lambda: name() == "second", 60, "the new certificate")
    assert old.send(event(2))[0] == 202  # what was open goes on
    with pytest.raises((OSError, http.client.HTTPException)):
        Sender(hook.address).send(event(3))  # no TLS
    assert hook.sender(authority).send(event(4))[0] == 202
    assert hook.ids() == ["e1", "e2", "e4"]


def test_duplicates_are_stored_once(hook):
    sender = hook.sender()
    assert [sender.send(event(n % 3))[0] for n in range(9)] == [202] * 9
    assert hook.ids() == ["e0", "e1", "e2"]
    assert sender.send(event(0, source="/another"))[0] == 202
    long = event(9, source="/" + "s" * 600)
    assert [sender.send(long)[0] for _ in range(2)] == [202, 202]
    assert len(hook.stored()) == 5 and hook.stored()[4].headers["Nats-Msg-Id"].startswith("sha256:")


def test_nats_is_away(lab):
    """503 with Retry-After from the start on, and 202 again when it is back."""
    nats = lab.nats()
    nats.stop()
    hook = Webhook(lab, nats=nats, start=False)
    hook.listening()
    sender = hook.sender()
    for _ in range(2):
        status, headers, text = sender.send(event(1))
        assert status == 503 and int(headers["retry-after"]) > 0 and "cannot be stored" in text
        nats.start()
        wait_until(lambda: sender.send(event(1))[0] == 202, 60, "an event is accepted")
        nats.stop()
        wait_until(lambda: sender.send(event(2))[0] == 503, 60, "events are refused")
    nats.start()
    wait_until(lambda: sender.send(event(2))[0] == 202, 60, "an event is accepted")
    assert hook.ids() == ["e1", "e2"]


def test_examples_of_the_page_are_valid(tmp_path):
    blocks = re.findall(r"(?:^    .*\n)+", (ROOT / "docs" / "webhook.md").read_text(), re.M)
    examples = [textwrap.dedent(block) for block in blocks if "eventProvider:" in block]
    assert len(examples) == 2
    for example in examples:
        for path in re.findall(r"/etc/vcourier/[\w.-]+", example):
            (tmp_path / path.rsplit("/", 1)[1]).write_text("x")
        file = tmp_path / "vcourier.yaml"
        file.write_text(example.replace("/etc/vcourier", str(tmp_path)))
        check = subprocess.run([BUILD / "vcourier", "check", file], capture_output=True, text=True)
        assert check.returncode == 0, check


def test_check_connect(lab, tmp_path, authority):
    """What can be known of a webhook before a sender comes: its files, its secrets and its address."""
    token, cert = tmp_path / "token", tmp_path / "cert.pem"
    token.write_text("t")
    cert.write_bytes(authority.cert.read_bytes())
    nats, options = lab.nats(), {"certFile": str(cert), "keyFile": str(authority.key),
                                 "auth": {"type": "bearer", "bearer": {"tokenFile": str(token)}}}
    config = router_config(nats, providers=[webhook(**options)], processors=[knative(lab.receiver().url)])
    file = tmp_path / "check.yaml"

    def check():
        file.write_text(json.dumps(config))
        run = subprocess.run([BUILD / "vcourier", "check", "--connect", file], capture_output=True, text=True, timeout=60)
        return run.returncode, run.stdout + run.stderr
    address = config["eventProvider"]["webhook"]["bindAddress"]
    code, text = check()
    assert code == 0 and f"1 path over TLS, {address} is free" in text, text
    assert "stream CE_hooks" in text and "does not exist yet" in text, text
    with socket.socket() as s:
        s.bind((address.split(":")[0], int(address.split(":")[1])))
        s.listen()
        code, text = check()
        assert code == 0 and "is in use" in text, text
    token.write_text("")
    code, text = check()
    assert code != 0 and "/webhook" in text and "is empty" in text, text
    token.write_text("t")
    cert.write_bytes(authority.ca.read_bytes())
    code, text = check()
    assert code != 0 and "not the key of the certificate" in text, text


def slow(address, head, n):
    """n connections that never finish their request."""
    sockets = []
    for _ in range(n):
        try:
            s = socket.create_connection(tuple(address.rsplit(":", 1)), timeout=10)
            s.sendall(head)
            sockets.append(s)
        except OSError:
            pass
    return sockets


def test_slow_senders_hold_nobody_up(lab):
    hook = Webhook(lab, timeout="2s", maxConnections=32)
    head = b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/cloudevents+json\r\nContent-Length: 1000\r\n\r\n{"
    sockets = slow(hook.address, head, 200) + slow(hook.address, b"POST /web", 200)

    def accepted():
        try:
            return hook.sender().send(event(1))[0] == 202
        except (OSError, http.client.HTTPException):
            return False
    wait_until(accepted, 60, "an event beside 400 slow senders")
    drip = slow(hook.address, head, 1)[0]
    with pytest.raises(OSError):
        for _ in range(600):  # a byte now and then: its time is over all the same
            drip.sendall(b" ")
            time.sleep(0.1)
    assert hook.collector.metric("vcourier_webhook_connections") <= 32
    for s in sockets:
        s.close()
    assert hook.collector.running()


def test_ten_thousand_connections(lab):
    """Each sends half a request. No more than maxConnections are open, memory does not grow with them, and an event is accepted beside them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    n = min(10_000, hard - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, n + 500), hard))
    hook, sockets = Webhook(lab), []
    sender = hook.sender()
    assert sender.send(event(1))[0] == 202
    before = hook.collector.peak()
    try:
        for _ in range(n // 500):
            sockets += slow(hook.address, b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{", 500)
            assert hook.collector.metric("vcourier_webhook_connections") <= 256
        assert len(sockets) > n * 0.9

        def accepted():
            try:
                return hook.sender().send(event(2))[0] == 202
            except (OSError, http.client.HTTPException):
                return False
        wait_until(accepted, 60, "an event beside 10,000 connections")
    finally:
        for s in sockets:
            s.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert hook.collector.peak() < before + (32 << 20)
    assert hook.ids() == ["e1", "e2"]


def test_large_bodies(lab):
    """A body of 1 GB is refused at its headers; chunks without an end are read up to a bound. Memory does not grow."""
    hook = Webhook(lab)
    sender = hook.sender()
    assert sender.send(event(1))[0] == 202
    before = hook.collector.peak()
    host, port = hook.address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as s:
        s.sendall(b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n")
        assert b" 413 " in s.recv(4096)
    with socket.create_connection((host, int(port)), timeout=10) as s:
        s.sendall(b"POST /webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        with pytest.raises(OSError):
            for _ in range(2000):
                s.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
    assert sender.send(event(2))[0] == 202
    assert hook.collector.peak() < before + (24 << 20)
