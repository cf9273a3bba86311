# SPDX-License-Identifier: Apache-2.0
"""Values that a RouterConfig of the event router has: they mean the same here, or `vcourier check` says what to change."""
import json
import subprocess

import pytest

from lab.process import BUILD

FILE = """apiVersion: event-router.vmware.com/v1alpha1
kind: RouterConfig
metadata: {{name: x}}
eventProvider:
  type: vcenter
  name: vc1
  vcenter:
    address: {address}
    insecureSSL: {insecure}
    auth: {{type: basic_auth, basicAuth: {{username: {user}, password: {password}}}}}
eventProcessor:
  type: {type}
  name: kn
  knative: {{encoding: binary, destination: {{uri: {uri}}}}}
"""
PLAIN = {"address": "https://vc1.example/sdk", "insecure": "false", "user": "u", "password": "p", "type": "knative", "uri": "http://broker.example/"}


def check(tmp_path, command="check", **values):
    file = tmp_path / "router.yaml"
    file.write_text(FILE.format(**{**PLAIN, **values}))
    run = subprocess.run([BUILD / "vcourier", command, file], capture_output=True, text=True, timeout=60, env={"PATH": "/usr/bin:/bin", "HOME": "/root"})
    return run.returncode, run.stdout, run.stderr


@pytest.mark.parametrize("user", ["CORP\\tony", "CORP\\Nina", "CORP\\_svc", "CORP\\eve"])
def test_an_escape_that_changes_a_user_name_is_told(tmp_path, user):
    code, _, err = check(tmp_path, user=f'"{user}"')
    assert code == 0 and "username: has a control character, because in double quotes a backslash begins an escape" in err
    code, _, err = check(tmp_path, user=f"'{user}'")
    assert code == 0 and "control character" not in err


def test_an_unknown_escape_says_single_quotes(tmp_path):
    code, _, err = check(tmp_path, user='"VSPHERE.LOCAL\\Administrator"')
    assert code == 78 and "write the text in single quotes" in err and "router.yaml:10:" in err


def test_a_nul_character_does_not_cut_a_text(tmp_path):
    code, _, err = check(tmp_path, password='"a\\0b"')
    assert code == 78 and "a NUL character" in err


def test_pem_text_in_double_quotes_is_no_mistake(tmp_path):
    code, _, err = check(tmp_path, uri='http://b/, CACerts: "-----BEGIN CERTIFICATE-----\\nAA==\\n-----END CERTIFICATE-----\\n"')
    assert code == 0 and "control character" not in err


@pytest.mark.parametrize("value, insecure", [("True", True), ("TRUE", True), ("False", False), ("FALSE", False)])
def test_booleans_of_yaml(tmp_path, value, insecure):
    code, out, err = check(tmp_path, insecure=value)
    assert code == 0 and ("is insecure" in err) == insecure
    assert f"insecureSSL: {str(insecure).lower()}" in check(tmp_path, "config", insecure=value)[1]


@pytest.mark.parametrize("value", ["yes", "on", "tRUE", '"True"'])
def test_other_words_are_no_booleans(tmp_path, value):
    code, _, err = check(tmp_path, insecure=value)
    assert code == 78 and "must be true or false" in err


def test_a_blank_in_an_address_is_named(tmp_path):
    for values in ({"address": "'https://vc1.example/s dk'"}, {"uri": "'http://h/a b'"}, {"uri": "{scheme: http, host: h, path: 'a b'}"}):
        code, _, err = check(tmp_path, **values)
        assert code == 78 and "has a blank in it" in err, err


def test_a_misspelt_type_is_the_only_fault(tmp_path):
    code, _, err = check(tmp_path, type="knatve")
    assert code == 78 and 'did you mean "knative"?' in err and "is ignored" not in err


@pytest.mark.parametrize("flag, code", [("-log-json=true", 0), ("-log-json=false", 0), ("--log-json=1", 0), ("-log-json=maybe", 64)])
def test_flags_of_go_with_a_value(tmp_path, flag, code):
    file = tmp_path / "router.yaml"
    file.write_text(FILE.format(**PLAIN))
    run = subprocess.run([BUILD / "vcourier-collector", "-config", file, "--check", flag], capture_output=True, text=True, timeout=60)
    assert run.returncode == code, run.stderr
    assert code == 0 or 'neither true nor false' in run.stderr


def test_shellstyle_names_wildcard(tmp_path):
    pattern = tmp_path / "pattern.json"
    pattern.write_text(json.dumps({"detail": {"subject": [{"shellstyle": "Vm*"}]}}))
    run = subprocess.run([BUILD / "vcourier", "match", "--pattern", pattern], input="{}\n", capture_output=True, text=True, timeout=60)
    assert run.returncode != 0 and "use wildcard" in run.stderr, run.stderr
