# SPDX-License-Identifier: Apache-2.0
"""Files of strangers and replies of other servers do not control the terminal of whoever looks at them, in any command that prints them.
test_operator.py tests the same with what is on the bus."""
import json
import os
import subprocess

import pytest
import yaml
from test_import import ROUTER_JSON, manifest, run as imported
from test_operator import bad_characters, on_terminal

from lab.process import BUILD
from lab.receiver import Answer

# C1 controls, DEL, bidirectional controls: legal in XML, JSON and YAML. CSI 2J clears the screen, OSC 0 sets its title.
EVIL = "\x9b2J\x9d0;x\u202eabc\u2066\x7f"
FAULT = ('<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>ServerFaultCode</faultcode>'
         f"<faultstring>{EVIL}</faultstring></e:Fault></e:Body></e:Envelope>")
PAGE = ('<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><e:Body>'
        '<ReadNextEventsResponse xmlns="urn:vim25"><returnval xsi:type="VmPoweredOnEvent"><key>1</key><chainId>1</chainId>'
        f"<createdTime>2026-01-01T00:00:00Z</createdTime><userName>{EVIL}</userName><fullFormattedMessage>{EVIL}</fullFormattedMessage>"
        "</returnval></ReadNextEventsResponse></e:Body></e:Envelope>")


def shown(*arguments, code, **env):
    """What a command prints; it has no character that controls a terminal."""
    done = subprocess.run([BUILD / "vcourier", *map(str, arguments)], capture_output=True, timeout=60, env={**os.environ, **env})
    out, err = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == code, (out, err)
    assert not bad_characters(out + err), ascii(out + err)
    return out, err


def test_replies_of_a_stranger_are_converted(tmp_path):
    (tmp_path / "page.xml").write_text(PAGE)
    (tmp_path / "fault.xml").write_text(FAULT)
    for options in ([], ["--data"]):
        command = ["convert", *options, str(tmp_path / "page.xml")]
        out = on_terminal(80, command)
        assert not bad_characters(out.replace("\r\n", "\n")), ascii(out)
        piped = subprocess.run([BUILD / "vcourier", *command], capture_output=True, text=True, check=True).stdout
        for text in (out, piped):
            event = json.loads(text)
            assert event.get("data", event)["FullFormattedMessage"] == EVIL, "the value is the same"
        assert EVIL in piped, "a program gets the bytes that the collector sends"
    assert "SOAP fault" in shown("convert", tmp_path / "fault.xml", code=1)[1]


def test_a_pattern_of_a_stranger(tmp_path):
    (tmp_path / "pattern.json").write_text(json.dumps({"source": [{f"ex{EVIL}ists": True}]}, ensure_ascii=False))
    assert "Unrecognized match type" in shown("match", "--pattern", tmp_path / "pattern.json", os.devnull, code=78)[1]


def config_of_a_stranger(**vcenter):
    return {"apiVersion": "event-router.vmware.com/v1alpha1", "kind": "RouterConfig", "metadata": {"name": "c"},
            "eventProvider": {"name": "vc01", "type": "vcenter", "vcenter": {
                "address": "https://vc.example/sdk", "auth": {"type": "basic_auth", "basicAuth": {"username": f"u{EVIL}", "password": "p"}}, **vcenter}},
            "eventProcessor": {"name": "kn", "type": "knative", "knative": {"destination": {"uri": "http://a.example/"}}}}


def test_a_configuration_of_a_stranger(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text(yaml.safe_dump(config_of_a_stranger()))
    out, _ = shown("config", file, code=0)
    assert yaml.safe_load(out)["eventProviders"][0]["vcenter"]["auth"]["basicAuth"]["username"] == f"u{EVIL}", "the value is the same"
    shown("check", file, code=0)
    file.write_text(yaml.safe_dump(config_of_a_stranger(auth={"type": f"basic{EVIL}"}, **{f"key{EVIL}": 1})))
    _, err = shown("check", file, code=78)
    assert "must be one of basic_auth" in err and "unknown key" in err


@pytest.mark.parametrize("text", [
    yaml.safe_dump(manifest(address=f"https://{EVIL}", secretRef={"name": f"s{EVIL}"})),
    yaml.safe_dump(manifest(**{f"key{EVIL}": 1})),
    json.dumps([{**ROUTER_JSON[0], f"key{EVIL}": 1}, {**ROUTER_JSON[1], "provider": EVIL}]),
    f"guestinfo.vcenter_server=vc{EVIL}\nguestinfo.vcenter_username=u{EVIL}\nguestinfo.vcenter_password=p\nguestinfo.x{EVIL}=y\n"])
def test_a_file_of_a_stranger_is_imported(tmp_path, text):
    _, out, report = imported(tmp_path, text)
    assert report and not bad_characters(out + report), ascii(out + report)


def test_the_body_of_a_health_check(lab):
    receiver = lab.receiver(lambda request: Answer(200, body=f"ready\x1b[2J{EVIL}\nreally".encode()))
    out, _ = shown("health", receiver.url, code=0)
    assert out.startswith("200 ready") and out.endswith("\nreally\n")


def test_a_context_of_a_stranger(tmp_path):
    folder = tmp_path / "nats/context"
    folder.mkdir(parents=True)
    for name, settings in {"unknown": {"url": "nats://127.0.0.1:1", f"key{EVIL}": "x"}, "user": {"url": "nats://127.0.0.1:1", "user": EVIL, "password": "x"},
                           "file": {"url": "nats://127.0.0.1:1", "ca": f"/none{EVIL}"}}.items():
        (folder / f"{name}.json").write_text(json.dumps(settings))
        shown("status", "--context", name, code=78 if name == "file" else 69, XDG_CONFIG_HOME=str(tmp_path))


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_function_of_a_stranger(tmp_path, options):
    """Its filter may have any text, its URL a password."""
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions/f.yaml").write_text(yaml.safe_dump_all([
        {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "f"},
         "spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}},
        {"apiVersion": "eventing.knative.dev/v1", "kind": "Trigger", "metadata": {"name": "t"}, "spec": {
            "broker": "default", "filter": {"attributes": {"subject": EVIL}},
            "subscriber": {"uri": "http://u:p4ssw0rd@f.example/?token=t0ken",
                           "ref": {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "f"}}}}]))
    config = config_of_a_stranger(auth={"type": "basic_auth", "basicAuth": {"username": "u", "password": "p"}})
    config["eventProcessor"] = {"name": "fn", "type": "functions", "functions": {"directory": str(tmp_path / "functions")}}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config))
    out, _ = shown("function", "ls", *options, "-c", tmp_path / "c.yaml", code=0)
    assert "f.example" in out and "p4ssw0rd" not in out and "t0ken" not in out
    if options:
        assert EVIL in json.loads(out)["filter"], "the value is the same"
