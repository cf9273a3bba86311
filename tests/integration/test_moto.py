# SPDX-License-Identifier: Apache-2.0
"""moto, another implementation of the AWS APIs: it checks our signatures with its IAM and counts the events in its archive."""
import json
import os
import subprocess

import pytest

from lab.aws import REGION
from lab.stream import Stream
from lab.process import ROOT, Process, free_port, wait_until

MOTO = ROOT / "build" / "interop" / "moto" / "bin"
SETUP = """
import boto3, json, sys
url, bus, pattern = sys.argv[1:]
def client(name, **keys):
    keys = keys or dict(aws_access_key_id="any", aws_secret_access_key="any")
    return boto3.client(name, region_name="%s", endpoint_url=url, **keys)
iam = client("iam")
iam.create_user(UserName="u")
key = iam.create_access_key(UserName="u")["AccessKey"]
iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "events:*", "Resource": "*"}]}))
keys = dict(aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
events = client("events", **keys)
arn = events.create_event_bus(Name=bus)["EventBusArn"]
rule = events.put_rule(Name="r", EventBusName=bus, EventPattern=pattern)["RuleArn"]
events.create_archive(ArchiveName="all", EventSourceArn=arn)
print(json.dumps({"keys": keys, "rule": rule, "bus": arn}))
""" % REGION
COUNT = """
import boto3, json, sys
keys = json.loads(sys.argv[2])
events = boto3.client("events", region_name="%s", endpoint_url=sys.argv[1], **keys)
print(events.describe_archive(ArchiveName="all")["EventCount"])
""" % REGION


def python(script, *arguments):
    run = subprocess.run([MOTO / "python", "-c", script, *arguments], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout)


@pytest.fixture
def moto(tmp_path):
    if not (MOTO / "moto_server").exists():
        pytest.skip("moto is not installed: `make interop` fetches it")
    port = free_port()
    server = Process("moto", [MOTO / "moto_server", "-H", "127.0.0.1", "-p", port], tmp_path,
                     env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "3"}).start()
    wait_until(lambda: "Running on" in server.text(), what=server.text)
    yield f"http://127.0.0.1:{port}"
    server.kill()


def test_moto_accepts_the_events_that_the_rule_matches(lab, moto, tmp_path):
    stream = Stream(lab, lab.nats())
    stream.make_stream()
    made = python(SETUP, moto, "mine", json.dumps({"detail": {"data": {"Key": [{"numeric": [">", 25]}]}}}))
    secret = tmp_path / "secret"
    secret.write_text("a wrong one")
    keys = {"accessKey": made["keys"]["aws_access_key_id"], "secretKeyFile": str(secret)}
    block = {"region": REGION, "eventBus": "mine", "endpoint": moto, "ruleARN": made["rule"],
             "auth": {"type": "aws_access_key", "awsAccessKeyAuth": keys}}
    stream.publish(60)
    dispatcher = lab.dispatcher(stream.config(
        {"type": "aws_event_bridge", "name": "aws", "awsEventBridge": block}))
    wait_until(lambda: "SignatureDoesNotMatch" in dispatcher.text(), what=dispatcher.text)
    secret.write_text(made["keys"]["aws_secret_access_key"])
    stream.idle("aws")
    assert dispatcher.metric("vcourier_dispatcher_events_total", result="delivered") == 35
    assert dispatcher.metric("vcourier_dispatcher_events_total", result="filtered") == 25
    assert python(COUNT, moto, json.dumps(made["keys"])) == 35
    assert stream.dead() == []
