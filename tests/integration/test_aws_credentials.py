# SPDX-License-Identifier: Apache-2.0
"""The sources of credentials of the EventBridge dispatcher: each source, its failures, and keys that expire."""
import json
import os
import stat

import pytest

from lab.aws import REGION, Container, EventBridge, Issuer, Keys, Metadata, Sts
from lab.stream import PROVIDER, Stream
from lab.process import free_port, wait_until
from lab.product import Daemon, router_config

BASE = Keys("AKIDBASE", "base/secret+key")
ROLE = Keys("ASIAROLE", "role/secret+key", "role/token+==" * 100)
SECOND = Keys("ASIASECOND", "second/secret", "second-token")
SETTINGS = ("AWS_", "HOME")


@pytest.fixture
def closing():
    things = []

    def keep(thing):
        things.append(thing)
        return thing
    yield keep
    for thing in things:
        thing.close()


@pytest.fixture
def scene(lab, closing, tmp_path):
    return Scene(lab, closing, tmp_path)


class Scene:
    """A stream, an EventBridge with some keys, an empty home directory, and a dispatcher with its own environment."""

    def __init__(self, lab, closing, tmp_path):
        self.lab, self.closing, self.home = lab, closing, tmp_path / "home"
        (self.home / ".aws").mkdir(parents=True)
        self.stream = Stream(lab, lab.nats())
        self.stream.make_stream()
        self.aws = closing(EventBridge())
        self.dispatcher = None

    def files(self, credentials="", config=""):
        (self.home / ".aws/credentials").write_text(credentials)
        (self.home / ".aws/config").write_text(config)

    def start(self, *known, auth=None, **env):
        """known: the keys that EventBridge accepts."""
        self.aws.keys = list(known)
        block = {"region": REGION, "endpoint": self.aws.url, "auth": auth or {"type": "aws_iam_role"}, "rulesInterval": "1s"}
        processor = {"type": "aws_event_bridge", "name": "aws", "awsEventBridge": block,
                     "retry": {"initial": "20ms", "max": "100ms"}}
        daemon = Daemon("dispatcher", router_config(self.stream.server, providers=[PROVIDER], processors=[processor]), self.home)
        clean = {k: v for k, v in os.environ.items() if not k.startswith(SETTINGS)}
        full = {**clean, "HOME": str(self.home), "AWS_EC2_METADATA_DISABLED": "true", **env}
        daemon.argv = ["env", "-i", *(f"{k}={v}" for k, v in full.items()), *daemon.argv]
        self.closing(Closer(daemon))
        self.dispatcher = daemon.start()
        return daemon

    def delivers(self, n=10):
        """Checks that n more events reach the event bus."""
        want = self.stream.publish(n)
        self.stream.idle("aws")
        got = [int(json.loads(e["Detail"])["eventkey"]) for e in self.aws.buses["default"]]
        assert got[-n:] and sorted(got)[-n:] == list(want), self.dispatcher.text()
        for keys in (BASE, ROLE, SECOND):
            assert keys.secret_key not in self.dispatcher.text()
            assert keys.token is None or keys.token not in self.dispatcher.text()

    def says(self, text):
        wait_until(lambda: text in self.dispatcher.text(), 60, lambda: f"{text!r} in\n{self.dispatcher.text()}")


class Closer:
    def __init__(self, daemon):
        self.daemon = daemon

    def close(self):
        self.daemon.kill()


def test_keys_from_the_environment(scene):
    scene.start(ROLE, AWS_ACCESS_KEY_ID=ROLE.access_key, AWS_SECRET_ACCESS_KEY=ROLE.secret_key, AWS_SESSION_TOKEN=ROLE.token)
    scene.delivers()


def test_keys_from_a_file_with_windows_line_ends_and_comments(scene):
    scene.files(credentials=f"\ufeff# old\r\n[default]\r\naws_access_key_id = no\r\n\r\n[ work ]\r\n; new\r\naws_access_key_id={BASE.access_key}"
                            f"\r\naws_secret_access_key =  {BASE.secret_key}  # since May\r\n  nested = 1\r\nbroken line\r\n")
    scene.start(BASE, AWS_PROFILE="work")
    scene.delivers()


def test_web_identity(scene, tmp_path):
    sts = scene.closing(Sts(Issuer([ROLE]), identity="the/jwt.of+pod="))
    token = tmp_path / "token"
    token.write_text("the/jwt.of+pod=\n")
    scene.start(ROLE, AWS_WEB_IDENTITY_TOKEN_FILE=token, AWS_ROLE_ARN="arn:aws:iam::1:role/r", AWS_ENDPOINT_URL_STS=sts.url)
    scene.delivers()
    assert sts.asked[0]["RoleArn"] == "arn:aws:iam::1:role/r" and sts.asked[0]["RoleSessionName"].startswith("vcourier-")


def test_web_identity_with_an_unknown_token(scene, tmp_path):
    sts = scene.closing(Sts(Issuer([ROLE]), identity="right"))
    token = tmp_path / "token"
    token.write_text("stale")
    scene.start(ROLE, AWS_WEB_IDENTITY_TOKEN_FILE=token, AWS_ROLE_ARN="arn:aws:iam::1:role/r", AWS_ENDPOINT_URL_STS=sts.url)
    scene.says("AWS credentials: web identity: HTTP 403 InvalidIdentityToken")
    assert scene.dispatcher.get("/readyz")[0] == 503
    token.write_text("right")
    scene.delivers()


def test_a_chain_of_roles_from_profiles(scene):
    sts = scene.closing(Sts(Issuer([SECOND, ROLE]), callers=[BASE, SECOND]))
    scene.files(credentials=f"[base]\naws_access_key_id={BASE.access_key}\naws_secret_access_key={BASE.secret_key}\n",
                config="[profile middle]\nrole_arn=arn:aws:iam::1:role/middle\nsource_profile=base\nexternal_id=e &x\n"
                       "[default]\nrole_arn=arn:aws:iam::1:role/last\nsource_profile = middle\nduration_seconds=900\nrole_session_name=me\n")
    scene.start(ROLE, AWS_ENDPOINT_URL_STS=sts.url)
    scene.delivers()
    middle, last = sts.asked[:2]
    assert (middle["RoleArn"], middle["ExternalId"]) == ("arn:aws:iam::1:role/middle", "e &x")
    assert (last["RoleArn"], last["DurationSeconds"], last["RoleSessionName"]) == ("arn:aws:iam::1:role/last", "900", "me")


def test_sts_with_a_wrong_local_clock(scene):
    sts = scene.closing(Sts(Issuer([ROLE]), callers=[BASE]))
    sts.receiver.clock_offset = -7200
    scene.files(credentials=f"[default]\naws_access_key_id={BASE.access_key}\naws_secret_access_key={BASE.secret_key}\n"
                            "role_arn=arn:aws:iam::1:role/r\nsource_profile=default\n")
    scene.start(ROLE, AWS_ENDPOINT_URL_STS=sts.url)
    scene.delivers()


def helper(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_credential_process_and_keys_that_expire_while_events_flow(scene, tmp_path):
    first, then = tmp_path / "first", tmp_path / "then"
    for file, keys in ((first, ROLE), (then, SECOND)):
        file.write_text(json.dumps({"Version": 1, "AccessKeyId": keys.access_key, "SecretAccessKey": keys.secret_key,
                                    "SessionToken": keys.token, "Expiration": "2099-01-01T00:00:00Z"}))
    script = helper(tmp_path / "helper", f"echo noise >&2\ncat '{first}' && cp '{then}' '{first}'")
    scene.files(config=f"[default]\ncredential_process = {script} --for 'a b'\n")
    scene.start(ROLE, SECOND)
    scene.delivers()
    scene.aws.keys = [Keys(ROLE.access_key, ROLE.secret_key, ROLE.token, expired=True), SECOND]
    scene.delivers(50)
    assert scene.stream.dead_ids() == []


@pytest.mark.parametrize("text, why", [
    ("exit 3", "ended with status 3"), ("echo '{}'", '"Version": 1'), ("kill -9 $$", "ended with status 137"),
    ("echo '{\"Version\":1,\"AccessKeyId\":\"a\"}'", "no SecretAccessKey"), ("yes", "printed too much"),
    ("echo '{\"Version\":1,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Expiration\":\"soon\"}'", "Expiration is not a time"),
], ids=["status", "empty", "killed", "half", "flood", "time"])
def test_a_credential_process_that_fails(scene, tmp_path, text, why):
    script = helper(tmp_path / "helper", text)
    scene.files(config=f"[default]\ncredential_process={script}\n")
    scene.start()
    scene.says("AWS credentials: credential_process: ")
    scene.says(json.dumps(why)[1:-1])


def test_container_credentials_of_eks_pod_identity(scene, tmp_path):
    token = tmp_path / "token"
    token.write_text("pod token")
    container = scene.closing(Container(Issuer([ROLE]), "pod token"))
    scene.start(ROLE, AWS_CONTAINER_CREDENTIALS_FULL_URI=container.url, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=token,
                AWS_CONTAINER_AUTHORIZATION_TOKEN="not this one")
    scene.delivers()


def test_link_local_services_are_used_without_a_proxy(scene):
    """The service has a name that NO_PROXY does not cover and that is not loopback by Go's rule, so a proxy would normally be used."""
    metadata = scene.closing(Metadata(Issuer([ROLE], life=-60)))
    scene.start(ROLE, AWS_EC2_METADATA_DISABLED="false", HTTP_PROXY="http://127.0.0.1:9",
                AWS_EC2_METADATA_SERVICE_ENDPOINT=metadata.url.replace("127.0.0.1", "metadata.localhost"))
    scene.delivers()


@pytest.mark.parametrize("url", ["http://example.com/keys", "http://localhost:x@127.0.0.2.example/", "http://169.254.170.2.example/",
                                 "http://169.254.170.2@192.0.2.1/", "http://127.0.0.1\\@192.0.2.1/", "ftp://127.0.0.1/", "https://"])
def test_container_credentials_from_elsewhere_are_refused(scene, url):
    scene.start(ROLE, AWS_CONTAINER_CREDENTIALS_FULL_URI=url)
    scene.says("neither https nor a loopback, ECS or EKS address")


def test_instance_metadata(scene):
    metadata = scene.closing(Metadata(Issuer([ROLE], life=-60)))  # expired, and still the only keys
    scene.start(ROLE, AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT=metadata.url + "/")
    scene.delivers()


def test_an_instance_without_a_role(scene):
    metadata = scene.closing(Metadata(Issuer([ROLE]), role=None))
    scene.start(ROLE, AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT=metadata.url)
    scene.says("AWS credentials: instance metadata: no role is attached to this instance")


def test_missing_metadata_service_does_not_delay_the_start(scene):
    scene.start(AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT=f"http://127.0.0.1:{free_port()}")
    scene.says("AWS credentials: instance metadata: ")
    status, text = scene.dispatcher.get("/readyz")
    assert status == 503 and "credentials" in text
    assert scene.dispatcher.stop() == 0


@pytest.mark.parametrize("files, env, why", [
    ({}, {}, "no AWS credentials: not in the environment"),
    ({}, {"AWS_ACCESS_KEY_ID": "a"}, "AWS_SECRET_ACCESS_KEY is not"),
    ({}, {"AWS_PROFILE": "none"}, "AWS_PROFILE=none: no file has that profile"),
    ({}, {"AWS_WEB_IDENTITY_TOKEN_FILE": "/x"}, "AWS_ROLE_ARN is not"),
    ({"config": "[default]\nsso_session=x\n"}, {}, "SSO or login, which is not supported"),
    ({"config": "[default]\nrole_arn=a\nsource_profile=b\n[profile b]\nrole_arn=a\nsource_profile=default\n"}, {}, "refers to itself"),
    ({"config": "[default]\nrole_arn=a\n"}, {}, "role_arn without source_profile"),
    ({"config": "[default]\nrole_arn=a\ncredential_source=Moon\n"}, {}, "is not Environment"),
    ({"credentials": "[default]\naws_access_key_id=a\n"}, {}, "has no aws_secret_access_key"),
], ids=["nothing", "half", "noprofile", "norole", "sso", "circle", "nosource", "badsource", "nosecret"])
def test_settings_without_usable_credentials(scene, files, env, why):
    scene.files(**files)
    scene.start(**env)
    scene.says(why)
    assert scene.dispatcher.running()
