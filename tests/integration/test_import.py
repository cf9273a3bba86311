# SPDX-License-Identifier: Apache-2.0
"""vcourier import: the files that users of VEBA and of older event routers have."""
import base64
import json
import os
import shlex
import subprocess
import sys

import pytest
import yaml

from lab.process import BUILD, ROOT

sys.path.insert(0, str(ROOT / "tests/pages"))
from page import block  # noqa: E402

PASSWORD = 'p"a$s\'s: ${HOME} #é'


def manifest(source="VSphereSource", sink=None, **spec):
    return {"apiVersion": "sources.tanzu.vmware.com/v1alpha1", "kind": source, "metadata": {"name": "vc-source", "namespace": "vmware-functions"},
            "spec": {"sink": sink or {"ref": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default"}},
                     "address": "https://vc.example", "skipTLSVerify": False, "secretRef": {"name": "vsphere-creds"}, **spec}}


def secret(name="vsphere-creds", encoded=True, **values):
    values = {"username": "ro@vsphere.local", "password": PASSWORD, **values}
    data = {k: base64.b64encode(v.encode()).decode() for k, v in values.items()} if encoded else values
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "kubernetes.io/basic-auth",
            "data" if encoded else "stringData": data}


def trigger(name, kind):
    return {"apiVersion": "eventing.knative.dev/v1", "kind": "Trigger", "metadata": {"name": name}, "spec": {
        "broker": "default", "filter": {"attributes": {"type": kind}},
        "subscriber": {"ref": {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "f"}}}}


ROUTER_JSON = [
    {"type": "stream", "provider": "vmware_vcenter", "address": "https://vc.example/sdk", "auth": {
        "method": "user_password", "secret": {"username": "CORP\\tony", "password": PASSWORD}}, "options": {"insecure": "true"}},
    {"type": "processor", "provider": "openfaas", "address": "http://gateway.openfaas:8080", "auth": {
        "method": "basic_auth", "secret": {"username": "admin", "password": "of-secret"}}, "options": {"async": "false"}},
    {"type": "metrics", "provider": "internal", "address": "0.0.0.0:8080", "auth": {"method": "none"}}]
EVENTBRIDGE_JSON = [ROUTER_JSON[0], {"type": "processor", "provider": "aws_event_bridge", "auth": {
    "method": "access_key", "secret": {"aws_access_key_id": "AKIAEXAMPLEEXAMPLE12", "aws_secret_access_key": "aws-secret"}}, "options": {
        "aws_region": "eu-central-1", "aws_eventbridge_event_bus": "veba", "aws_eventbridge_rule_arn": "arn:aws:events:eu-central-1:123456789012:rule/veba/r"}}]
VALUES = {"replicaCount": 1, "eventrouter": {
    "config": {"logLevel": "info"}, "eventProvider": "vcenter", "eventProcessor": "openfaas",
    "vcenter": {"address": "https://vc.example/sdk", "username": "ro@vsphere.local", "password": PASSWORD, "insecure": False},
    "openfaas": {"address": "http://gateway.openfaas:8080", "async": True, "basicAuth": True, "username": "admin", "password": "of-secret"},
    "knative": {"encoding": "binary", "insecureSSL": False, "destination": {
        "ref": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default", "namespace": "default"}}},
    "metrics": {"type": "ClusterIP", "port": 8082}}}
PROPERTIES = ["hostname=veba.example", "vcenter_server=vc.example", "vcenter_username=ro@vsphere.local", f"vcenter_password={PASSWORD}",
              "vcenter_disable_tls_verification=True", "vcenter_checkpointing_age=300", "root_password=never-shown"]


def run(tmp_path, *texts, options=()):
    """texts: the contents of files. -> (exit status, configuration, report)"""
    files = []
    for i, text in enumerate(texts):
        files.append(tmp_path / f"file{i}")
        files[-1].write_text(text)
    done = subprocess.run([BUILD / "vcourier", "import", *options, *files], capture_output=True, text=True, timeout=60)
    for shown in ("of-secret", "aws-secret", "never-shown", PASSWORD, base64.b64encode(PASSWORD.encode()).decode()):
        assert shown not in done.stderr and shown not in done.stdout
    return done.returncode, done.stdout, done.stderr.replace(str(tmp_path) + "/", "")


def imported(tmp_path, *texts, secrets=True, options=()):
    """The configuration, which `vcourier check` accepts, with the secrets in the place of their files."""
    directory = tmp_path / "secrets"
    code, text, report = run(tmp_path, *texts, options=(*(["--secrets", directory] if secrets else []), *options))
    assert code == 0, report
    file = tmp_path / "imported.yaml"
    file.write_text(text)
    check = subprocess.run([BUILD / "vcourier", "check", file], capture_output=True, text=True, timeout=60)
    assert check.returncode == 0, check.stderr
    for path in directory.iterdir() if secrets else ():
        assert path.stat().st_mode & 0o777 == 0o600

    def read(node):
        if isinstance(node, dict):
            return {k.removesuffix("File"): open(v, encoding="utf-8").read() if k.endswith("File") and secrets else read(v) for k, v in node.items()}
        return [read(v) for v in node] if isinstance(node, list) else node
    return read(yaml.safe_load(text)), report


def documents(*objects):
    return "\n---\n".join(yaml.safe_dump(o, allow_unicode=True) for o in objects)


BASIC = {"type": "basic_auth", "basicAuth": {"username": "ro@vsphere.local", "password": PASSWORD}}
VCENTER = {"address": "https://vc.example", "auth": BASIC}
BROKER = {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default", "namespace": "vmware-functions"}


@pytest.mark.parametrize("encoded", [True, False])
@pytest.mark.parametrize("form", ["documents", "files", "list"])
def test_a_vsphere_source_with_its_secret(tmp_path, form, encoded):
    objects = [manifest(payloadEncoding="application/json", checkpointConfig={"maxAgeSeconds": 300, "periodSeconds": 10},
                        serviceAccountName="vsphere-source-sa"), secret(encoded=encoded)]
    texts = {"documents": [documents(*objects)], "files": [documents(o) for o in objects],
             "list": [json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})]}[form]
    config, report = imported(tmp_path, *texts)
    assert config["eventProviders"] == [{"type": "vcenter", "name": "vc-source", "vcenter": VCENTER}]
    assert config["eventProcessors"] == [{"type": "knative", "name": "knative", "knative": {
        "encoding": "binary", "typeStyle": "vsphere", "destination": {"ref": BROKER}}}]
    for line in ("spec.checkpointConfig: has no counterpart", "spec.serviceAccountName: has no counterpart", "spec.address: becomes vcenter.address",
                 "payloadEncoding: stays", "id was the event's key", "spec.sink: becomes eventProcessor.knative.destination"):
        assert line in report, line


def test_a_horizon_source_and_an_appliance(tmp_path):
    """Both become the block `horizon`, which `vcourier check` accepts."""
    objects = [manifest("HorizonSource", address="https://horizon.example", skipTLSVerify=True),
               secret(username="events", domain="corp"), trigger("t", "com.vmware.horizon.vlsi_userloggedin.v0")]
    auth = {"type": "active_directory", "activeDirectoryAuth": {"domain": "corp", "username": "events", "password": PASSWORD}}
    config, report = imported(tmp_path, documents(*objects))
    assert config["eventProviders"] == [{"type": "horizon", "name": "vc-source", "horizon": {
        "address": "https://horizon.example", "insecureSSL": True, "auth": auth}}]
    assert config["eventProcessors"][0]["knative"]["typeStyle"] == "vsphere"
    assert "spec.address: becomes horizon.address" in report and "event's key" not in report and "subject was not set" in report
    (tmp_path / "appliance").mkdir()
    config, _ = imported(tmp_path / "appliance", properties("lines", [
        *PROPERTIES, "horizon=True", "horizon_server=horizon.example", "horizon_domain=corp", "horizon_username=events",
        f"horizon_password={PASSWORD}", "horizon_disable_tls_verification=False"]))
    assert config["eventProviders"][1] == {"type": "horizon", "name": "horizon", "horizon": {"address": "https://horizon.example", "auth": auth}}


def in_namespace(manifest, namespace):
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}


def test_secrets_of_one_name(tmp_path):
    """The one in the namespace of the source counts; of two there, the last one, as with kubectl apply."""
    secrets = [in_namespace(secret(password=p), n) for p, n in (
        ("first", "vmware-functions"), ("last", "vmware-functions"), ("other", "vmware-system"))]
    config, _ = imported(tmp_path, documents(manifest(), *secrets))
    assert config["eventProviders"][0]["vcenter"]["auth"]["basicAuth"]["password"] == "last"


def test_xml_payload_is_told(tmp_path):
    for encoding in ({}, {"payloadEncoding": "application/xml"}):
        directory = tmp_path / str(len(encoding))
        directory.mkdir()
        _, report = imported(directory, documents(manifest(**encoding), secret()))
        assert "payloadEncoding application/xml" in report and "functions that read XML must change" in report


@pytest.mark.parametrize("kinds, style", [
    (["com.vmware.vsphere.VmPoweredOnEvent.v0"], "vsphere"), (["com.vmware.vsphere.VmPoweredOnEvent"], "vsphereUnversioned"),
    (["com.vmware.vsphere.VmPoweredOnEvent", "com.vmware.vsphere.VmPoweredOffEvent.v0"], "vsphere")])
def test_triggers_choose_the_type(tmp_path, kinds, style):
    config, report = imported(tmp_path, documents(manifest(), secret(), *[trigger(f"t{i}", kind) for i, kind in enumerate(kinds)]))
    assert config["eventProcessors"][0]["knative"]["typeStyle"] == style
    assert report.count("stays as it is") == len(kinds)
    assert ("need two dispatchers" in report) == (len(kinds) > 1)


def test_the_sink_is_a_url(tmp_path):
    config, _ = imported(tmp_path, documents(manifest(sink={"uri": "http://broker.example/fn/default"}, skipTLSVerify=True), secret()))
    assert config["eventProcessors"][0]["knative"]["destination"] == {"uri": "http://broker.example/fn/default"}
    assert config["eventProviders"][0]["vcenter"]["insecureSSL"] is True


def test_the_sink_is_a_path_of_a_service(tmp_path):
    """As Knative resolves it: relative to the address of the ref; a whole address counts alone."""
    ref = {**BROKER, "namespace": "n"}
    config, _ = imported(tmp_path, documents(manifest(sink={"ref": ref, "uri": "/hook", "CACerts": "-----BEGIN CERTIFICATE-----\nAA==\n"}), secret()),
                         secrets=False)
    assert config["eventProcessors"][0]["knative"]["destination"] == {
        "ref": ref, "uri": "/hook", "CACerts": "-----BEGIN CERTIFICATE-----\nAA==\n"}
    config, report = imported(tmp_path, documents(manifest(sink={"ref": ref, "uri": "http://h.example/x"}), secret()))
    assert config["eventProcessors"][0]["knative"]["destination"] == {"uri": "http://h.example/x"} and "sink.ref: is not used" in report


def test_each_object_and_each_key_has_a_line(tmp_path):
    """Whatever the first document is."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "vsphere-source-sa"}}
    router = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "vmware-event-router-config-webhook"}, "data": {
        "c.yaml": base64.b64encode(b"kind: RouterConfig\n").decode()}}
    broker = {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "metadata": {"name": "default"}}
    sink = {"ref": {**BROKER, "group": "x"}, "uris": "x"}
    _, report = imported(tmp_path, documents(account, manifest(colour="red", sink=sink), secret(), secret("slack"), router, broker))
    for line in ('ServiceAccount "vsphere-source-sa": nothing is done with it', 'the Broker "default" stays', 'Secret "slack": nothing is done with it',
                 'the Secret "vmware-event-router-config-webhook" has a file of the event router', "spec.colour: unknown key",
                 'sink.uris: unknown key (did you mean "uri"?)', "sink.ref.group: unknown key"):
        assert line in report, line
    assert "vsphere-creds" not in report


def test_several_sources_share_a_broker(tmp_path):
    second = manifest() | {"metadata": {"name": "vc-source", "namespace": "vmware-functions"}}
    config, _ = imported(tmp_path, documents(manifest(), second, secret()))
    assert [p["name"] for p in config["eventProviders"]] == ["vc-source", "vc-source-2"]
    assert len(config["eventProcessors"]) == 1


def test_each_sink_gets_the_events_of_its_own_sources(tmp_path):
    """As in VEBA: a source has one sink. Without `vcenters` each dispatcher would deliver the events of all."""
    def source(name, broker):
        return manifest(sink={"ref": {**BROKER, "name": broker}}) | {"metadata": {"name": name, "namespace": "vmware-functions"}}
    config, _ = imported(tmp_path, documents(source("vc-a", "one"), source("vc-b", "two"), source("it's", "one"), secret()))
    assert [(p["name"], p["vcenters"], p["knative"]["destination"]["ref"]["name"]) for p in config["eventProcessors"]] == [
        ("knative", ["vc-a", "it's"], "one"), ("knative-2", ["vc-b"], "two")]


def test_overrides_of_a_source(tmp_path):
    """Knative: ceOverrides "defines overrides to control the output format and modifications of the event sent to the sink"."""
    extensions = {"stage": "it's a: test", "number": "1"}
    config, report = imported(tmp_path, documents(manifest(ceOverrides={"extensions": extensions}), secret()))
    assert config["eventProcessors"][0]["knative"]["ceOverrides"] == {"extensions": extensions}
    assert "spec.ceOverrides: becomes eventProcessor.knative.ceOverrides" in report


def test_functions_instead_of_a_broker(tmp_path):
    (tmp_path / "functions").mkdir()
    config, report = imported(tmp_path, documents(manifest(), secret()), options=["--functions", tmp_path / "functions"])
    assert config["eventProcessors"] == [{"type": "functions", "name": "functions", "functions": {"directory": str(tmp_path / "functions")}}]
    assert "copy the manifests of the functions" in report


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_the_json_of_the_event_router(tmp_path, indent):
    config, report = imported(tmp_path, json.dumps(ROUTER_JSON, indent=indent))
    assert config["eventProviders"] == [{"type": "vcenter", "name": "vcenter", "vcenter": {
        "address": "https://vc.example/sdk", "insecureSSL": True, "auth": {
            "type": "basic_auth", "basicAuth": {"username": "CORP\\tony", "password": PASSWORD}}}}]
    assert config["eventProcessors"] == [{"type": "openfaas", "name": "openfaas", "openfaas": {
        "address": "http://gateway.openfaas:8080", "auth": {"type": "basic_auth", "basicAuth": {"username": "admin", "password": "of-secret"}}}}]
    assert config["metricsProvider"] == {"type": "default", "default": {"bindAddress": "0.0.0.0:8080"}}
    assert "id was random" in report


def test_unknown_keys_of_the_json_are_told(tmp_path):
    _, report = imported(tmp_path, json.dumps([{**ROUTER_JSON[0], "adress": "x", "options": {"insecure": "true", "x": "y"}}]))
    assert '[0].adress: unknown key (did you mean "address"?)' in report and "[0].options.x: unknown key" in report


def test_the_json_of_the_event_router_for_eventbridge(tmp_path):
    config, _ = imported(tmp_path, json.dumps(EVENTBRIDGE_JSON))
    assert config["eventProcessors"] == [{"type": "aws_event_bridge", "name": "eventbridge", "awsEventBridge": {
        "region": "eu-central-1", "eventBus": "veba", "ruleARN": "arn:aws:events:eu-central-1:123456789012:rule/veba/r", "auth": {
            "type": "aws_access_key", "awsAccessKeyAuth": {"accessKey": "AKIAEXAMPLEEXAMPLE12", "secretKey": "aws-secret"}}}}]


@pytest.mark.parametrize("backend", ["openfaas", "knative"])
def test_values_of_the_chart(tmp_path, backend):
    values = json.loads(json.dumps(VALUES))
    values["eventrouter"]["eventProcessor"] = backend
    config, report = imported(tmp_path, yaml.safe_dump(values, allow_unicode=True))
    assert config["eventProviders"][0]["vcenter"] == {"address": "https://vc.example/sdk", "auth": BASIC}
    assert config["metricsProvider"]["default"]["bindAddress"] == "0.0.0.0:8082"
    block = config["eventProcessors"][0][backend]
    if backend == "openfaas":
        assert block == {"address": "http://gateway.openfaas:8080", "async": True, "auth": {
            "type": "basic_auth", "basicAuth": {"username": "admin", "password": "of-secret"}}}
    else:
        assert block == {"encoding": "binary", "typeStyle": "router", "destination": {"ref": {**BROKER, "namespace": "default"}}}
    assert "replicaCount: has no counterpart" in report


@pytest.mark.parametrize("values, provider, processor, told", [
    # as the page of the chart shows: what differs from the chart's own values, and no more
    ({"config": {"logLevel": "debug"}, "vcenter": VALUES["eventrouter"]["vcenter"], "openfaas": {"password": "of-secret"}},
     {"vcenter": {"address": "https://vc.example/sdk", "auth": BASIC}},
     {"openfaas": {"address": "http://gateway.openfaas:8080", "auth": {"type": "basic_auth", "basicAuth": {"username": "admin", "password": "of-secret"}}}},
     ["eventProvider is not in the file: vcenter", "openfaas.username is not in the file: admin", "openfaas.address is not in the file"]),
    ({"eventProcessor": "knative", "vcenter": {"address": "https://vc.example/sdk", "password": PASSWORD}},
     {"vcenter": {"address": "https://vc.example/sdk", "auth": {
         "type": "basic_auth", "basicAuth": {"username": "administrator@vsphere.local", "password": PASSWORD}}}},
     {"knative": {"encoding": "binary", "typeStyle": "router", "destination": {"ref": {**BROKER, "namespace": "default"}}}},
     ["the destination is the Broker default/default", "vcenter.username is not in the file"]),
    ({"eventProvider": "webhook", "eventProcessor": "knative", "webhook": {"username": "u", "password": "of-secret"}, "knative": {"destination": {"ref": {"name": "b", "namespace": "n"}}}},
     {"webhook": {"bindAddress": "0.0.0.0:8080", "path": "/webhook", "auth": {
         "type": "basic_auth", "basicAuth": {"username": "u", "password": "of-secret"}}}},
     {"knative": {"encoding": "binary", "typeStyle": "router", "destination": {"ref": {**BROKER, "name": "b", "namespace": "n"}}}},
     ["webhook.port is not in the file: 8080"]),
])
def test_values_that_differ_from_the_chart(tmp_path, values, provider, processor, told):
    config, report = imported(tmp_path, yaml.safe_dump({"eventrouter": {**values, "typo": 1}}, allow_unicode=True))
    assert provider.items() <= config["eventProviders"][0].items() and processor.items() <= config["eventProcessors"][0].items()
    for text in (*told, "eventrouter.typo: unknown key"):
        assert text in report, text


def properties(form, values):
    if form == "lines":
        return "".join(f"guestinfo.{v}\n" for v in values)
    if form == "ovftool":
        return "ovftool --acceptAllEulas \\\n" + "".join(
            f"  --prop:guestinfo.{k}={shlex.quote(v)} \\\n" for k, v in (v.split("=", 1) for v in values)) + " veba.ova vi://vc.example/\n"
    if form == "ovftool in quotes":
        return "ovftool " + " ".join(shlex.quote(f"--prop:guestinfo.{v}") for v in values) + "\n"
    if form == "ovfEnv in one line":
        return properties("ovfEnv", values).replace("\n", "")
    if form == "ovfEnv with a line for each attribute":
        return properties("ovfEnv", values).replace(" oe:", "\n    oe:")
    if form == "ovfEnv in single quotes":
        return "<!-- <Property oe:key='guestinfo.vcenter_server' oe:value='old.example'/> -->" + properties("ovfEnv", values).replace('"', "'")
    if form == "ovfEnv with references":
        return properties("ovfEnv", values).replace("é", "&#233;").replace("#", "&#x23;").replace("&&#x23;233;", "&#xE9;")
    escape = str.maketrans({"&": "&amp;", '"': "&quot;", "<": "&lt;", "'": "&apos;"})
    return '<?xml version="1.0"?>\n<Environment xmlns:oe="http://schemas.dmtf.org/ovf/environment/1"><PropertySection>\n' + "".join(
        '<Property oe:key="guestinfo.{}" oe:value="{}"/>\n'.format(*v.translate(escape).split("=", 1)) for v in values) + "</PropertySection></Environment>\n"


@pytest.mark.parametrize("form", [
    "lines", "ovftool", "ovftool in quotes", "ovfEnv", "ovfEnv in one line", "ovfEnv with a line for each attribute",
    "ovfEnv in single quotes", "ovfEnv with references"])
def test_properties_of_the_appliance(tmp_path, form):
    config, report = imported(tmp_path, properties(form, PROPERTIES))
    assert config["eventProviders"] == [{"type": "vcenter", "name": "vcenter", "vcenter": {
        "address": "https://vc.example/sdk", "insecureSSL": True, "auth": BASIC}}]
    assert config["eventProcessors"][0]["knative"] == {"encoding": "binary", "typeStyle": "vsphere", "destination": {"ref": BROKER}}
    assert "guestinfo.hostname: is about the machine" in report and "guestinfo.vcenter_checkpointing_age: has no counterpart" in report


def test_the_webhook_of_an_appliance_has_its_certificate(tmp_path):
    pem = {"custom_tls_ca_cert": "-----BEGIN CERTIFICATE-----\nx\n", "custom_tls_private_key": "-----BEGIN PRIVATE KEY-----\ny\n"}
    lines = [*PROPERTIES, "webhook=True", "webhook_username=u", "webhook_password=of-secret",
             *[f"{k}={base64.b64encode(v.encode()).decode()}" for k, v in pem.items()]]
    config, report = imported(tmp_path, properties("ovfEnv", lines))
    assert config["eventProviders"][1]["webhook"] == {
        "bindAddress": "0.0.0.0:8080", "cert": pem["custom_tls_ca_cert"], "key": pem["custom_tls_private_key"],
        "auth": {"type": "basic_auth", "basicAuth": {"username": "u", "password": "of-secret"}}}
    assert "used https://veba.example/webhook: now https://HOST:8080/webhook" in report and "PRIVATE" not in report


@pytest.mark.parametrize("lines, says", [
    (["horizon=False", "horizon_domain=corp"], "guestinfo.horizon_domain: is not used"),
    (["proxy_password=of-secret"], "guestinfo.proxy_password: belongs in the URL of the proxy"),
    (["webhook=True", "custom_tls_ca_cert=%"], "guestinfo.custom_tls_ca_cert is not base64"),
    (["vcenter_server=https://vc.example/sdk"], "guestinfo.vcenter_server: becomes eventProvider.vcenter")])
def test_what_is_said_of_properties(tmp_path, lines, says):
    config, report = imported(tmp_path, properties("lines", lines + PROPERTIES))
    assert says in report and config["eventProviders"][0]["vcenter"]["address"] == "https://vc.example/sdk"


def test_a_variable_of_a_script_is_told(tmp_path):
    _, _, report = run(tmp_path, 'ovftool --prop:guestinfo.vcenter_server=vc.example "--prop:guestinfo.vcenter_password=${PASSWORD}" x.ova\n')
    assert "guestinfo.vcenter_password: a variable of the shell is in it" in report and "vcenter_server: a variable" not in report


def test_properties_of_the_appliance_0_7_with_eventbridge(tmp_path):
    config, _ = imported(tmp_path, properties("lines", [*PROPERTIES, "event_processor_type=AWS EventBridge", "aws_eb_region=eu-central-1",
                         "aws_eb_event_bus=veba", "aws_eb_arn=arn:aws:events:eu-central-1:123456789012:rule/veba/r",
                         "aws_eb_access_key=AKIAEXAMPLEEXAMPLE12", "aws_eb_access_secret=aws-secret"]))
    assert config["eventProcessors"][0]["awsEventBridge"]["auth"]["awsAccessKeyAuth"]["secretKey"] == "aws-secret"


def test_without_secrets_the_files_are_named(tmp_path):
    code, text, report = run(tmp_path, json.dumps(ROUTER_JSON))
    assert code == 0 and "passwordFile: '/etc/vcourier/secrets/vcenter'" in text
    assert "write a secret to /etc/vcourier/secrets/vcenter" in report


def test_a_secret_that_exists_is_not_overwritten(tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "vcenter").write_text("other")
    code, text, report = run(tmp_path, json.dumps(ROUTER_JSON), options=["--secrets", tmp_path / "secrets"])
    assert code == 78 and text == "" and "File exists" in report
    assert (tmp_path / "secrets" / "vcenter").read_text() == "other"


def test_a_missing_secret_is_told(tmp_path):
    code, text, report = run(tmp_path, documents(manifest()))
    assert code == 0 and "username: ${VCENTER_USERNAME}" in text
    assert 'spec.secretRef: the Secret "vsphere-creds" with username and password is in no file' in report


@pytest.mark.parametrize("text, reason", [
    ("apiVersion: sources.tanzu.vmware.com/v1alpha1\nkind: VSphereSource\nmetadata: {{ .Release.Name }}\n", "file0:3:"),
    (documents(manifest(address=None)), "spec.address is missing"),
    (documents(manifest(sink={"ref": {"name": "x"}}), secret()), "apiVersion or kind is missing"),
    (documents(secret()), "none of the files names a source"),
    (documents(manifest(), secret(), trigger("t", "x") | {"spec": {"filters": [{"cesql": "true"}]}}), "cesql is not supported"),
    ("apiVersion: event-router.vmware.com/v1alpha1\nkind: RouterConfig\n", "is read as it is"),
    ("just: a file\n", "neither a manifest of VEBA"), ("a: [", "file0:2:1"), ("", "has no content"),
    (json.dumps([{"type": "stream", "provider": "vmware_horizon"}]), "is unknown"),
    (yaml.safe_dump({"eventrouter": {"eventProvider": "vcenter"}}), "vcenter.address is missing"),
    (yaml.safe_dump({"eventrouter": {"eventProvider": "vcsim"}}), "vcenter, webhook or horizon is expected"),
    (yaml.safe_dump({"eventrouter": {**VALUES["eventrouter"], "eventProcessor": "aws"}}), "openfaas or knative is expected"),
    (documents(manifest(sink={"ref": BROKER, "uri": "hook"}), secret()), "a path that begins with /"),
    (json.dumps([{**ROUTER_JSON[0], "address": ""}]), "address is missing"),
    (json.dumps([ROUTER_JSON[0], {**ROUTER_JSON[1], "address": None}]), "address is missing"),
    (json.dumps([ROUTER_JSON[0], {**EVENTBRIDGE_JSON[1], "options": {}}]), "aws_region is missing"),
    (properties("lines", ["vcenter_server=vc.example", "horizon=True"]), "guestinfo.horizon_server is missing"),
    ("guestinfo.hostname=x\n", "none of the files names a source"),
])
def test_bad_files(tmp_path, text, reason):
    code, out, report = run(tmp_path, text)
    assert code == 78 and out == "" and reason in report, report


def test_the_commands_of_the_migration_page(tmp_path):
    """As a reader of the page runs them, with the List that kubectl prints."""
    (tmp_path / "veba.yaml").write_text(documents({"apiVersion": "v1", "kind": "List", "items": [
        manifest(), secret(), trigger("t", "com.vmware.vsphere.VmPoweredOnEvent.v0")]}))
    done = subprocess.run(["sh", "-ec", block("docs/migration.md", "From VEBA 0.8").text], cwd=tmp_path, capture_output=True, text=True, timeout=60,
                          env={**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}"})
    assert done.returncode == 0 and "vcourier.yaml: ok" in done.stdout, done.stderr
    assert (tmp_path / "secrets" / "vc-source").read_text() == PASSWORD


def test_the_webhook_of_veba_0_8_is_read_as_it_is(tmp_path):
    """The file that VEBA's appliance makes for its webhook; kubectl prints the Secret's only value."""
    router = {"apiVersion": "event-router.vmware.com/v1alpha1", "kind": "RouterConfig", "metadata": {"name": "vmware-event-router-config-knative-webhook"},
              "eventProvider": {"name": "veba-webhook-01", "type": "webhook", "webhook": {"bindAddress": "0.0.0.0:8080", "path": "/webhook", "auth": {
                  "type": "basic_auth", "basicAuth": {"username": "u", "password": PASSWORD}}}},
              "eventProcessor": {"name": "veba-knative", "type": "knative", "knative": {
                  "insecureSSL": False, "encoding": "binary", "destination": {"ref": BROKER}}},
              "metricsProvider": {"name": "veba-metrics", "type": "default", "default": {"bindAddress": "0.0.0.0:8082"}}}
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f"#!/bin/sh\necho {base64.b64encode(yaml.safe_dump(router).encode()).decode()}\n")
    kubectl.chmod(0o755)
    done = subprocess.run(["sh", "-ec", block("docs/migration.md", "The webhook of VEBA 0.8").text], cwd=tmp_path, capture_output=True, text=True,
                          timeout=60, env={**os.environ, "PATH": f"{BUILD}:{tmp_path}:{os.environ['PATH']}"})
    assert done.returncode == 0 and "webhook.yaml: ok" in done.stdout and "veba-webhook-01: 0.0.0.0:8080" in done.stdout, done


def test_the_example_for_the_openfaas_connector_is_valid(tmp_path):
    (tmp_path / "c.yaml").write_text(block("docs/migration.md", "From the OpenFaaS connector").text)
    check = subprocess.run([BUILD / "vcourier", "check", tmp_path / "c.yaml"], capture_output=True, text=True, timeout=60)
    assert check.returncode == 0, check.stderr


@pytest.mark.parametrize("text, what", [
    (documents(manifest()), "a manifest for Kubernetes"), (json.dumps(ROUTER_JSON), "a configuration of the event router 0.3 or 0.4"),
    (yaml.safe_dump(VALUES), "a values file"), (properties("lines", PROPERTIES), "the OVF properties")])
def test_check_names_the_command(tmp_path, text, what):
    file = tmp_path / "old"
    file.write_text(text)
    check = subprocess.run([BUILD / "vcourier", "check", file], capture_output=True, text=True, timeout=60)
    assert check.returncode == 78 and check.stderr.count("\n") == 1
    assert what in check.stderr and f"`vcourier import {file}`" in check.stderr


@pytest.mark.parametrize("program", ["vcourier-collector", "vcourier-dispatcher"])
@pytest.mark.parametrize("text", [json.dumps(ROUTER_JSON), yaml.safe_dump(VALUES)], ids=["json", "values"])
def test_the_daemons_name_the_command(tmp_path, program, text):
    """After a change of the binary alone, under the flags that the event router had."""
    file = tmp_path / "old"
    file.write_text(text)
    done = subprocess.run([BUILD / program, "-config", file, "-log-level", "info"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 78 and "`vcourier import FILE` writes one" in done.stderr and PASSWORD not in done.stderr, done.stderr
