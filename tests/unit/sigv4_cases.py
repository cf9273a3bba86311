#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints generated requests with botocore's signatures, one JSON object in each line, for sigv4_test."""
import base64
import datetime
import json
import random
import string
import sys
from unittest import mock

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

draw = random.Random(20261122)
PATH = string.ascii_letters + string.digits + "-_.~!$'()*+,;=:@%"
VALUE = "".join(chr(c) for c in range(0x20, 0x7f)) + "\t"


def text(alphabet, longest):
    return "".join(draw.choices(alphabet, k=draw.randint(0, longest)))


def path():
    parts = draw.choices(["", ".", "..", "a", "b%20c", "%2F", "caf%C3%A9", text(PATH, 12).replace("%", "")],
                         k=draw.randint(0, 6))
    return "/" + "/".join(parts)


def query():
    names = ["a", "A", "b", "a-b", "a%20b", "Action", ""]
    return "&".join(draw.choice(names) + draw.choice(["", "=", "=1", "=%7E", "=a=b", "=" + text(string.ascii_letters, 5)])
                    for _ in range(draw.choice([0, 0, 1, 3, 9])))


def event_bridge():
    """The only form that the processor sends."""
    body = json.dumps({"Entries": [{"Detail": text(VALUE + "äé€", 200)} for _ in range(draw.randint(1, 10))]})
    return "POST", "/", "", [("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "AWSEvents.PutEvents")], body.encode()


def hostile():
    names = ["Content-Type", "X-Amz", "X-Amz-Target", "X-Amz-Target2", "x-custom", "X-CUSTOM", "Accept", "X-Empty"]
    headers = [(draw.choice(names), draw.choice(["", " ", "a  b", "  a\tb ", text(VALUE, 40)])) for _ in range(draw.randint(0, 6))]
    return draw.choice(["GET", "PUT", "POST", "DELETE"]), path(), query(), headers, draw.randbytes(draw.choice([0, 1, 100, 5000]))


def case(number):
    method, where, what, headers, body = event_bridge() if number % 3 == 0 else hostile()
    host = draw.choice(["events.eu-west-1.amazonaws.com", "127.0.0.1:4566", "vpce-1.events.us-east-1.vpce.amazonaws.com"])
    token = draw.choice([None, None, "token", text(VALUE, 60).strip(), "T" * 9000]) or None
    keys = Credentials("AKID" + text(string.ascii_uppercase, 16), "s:/+ " + text(VALUE, 40), token)
    region, service = draw.choice(["us-east-1", "cn-north-1"]), draw.choice(["events", "sts"])
    now = datetime.datetime(2026, 1, 1) + datetime.timedelta(seconds=draw.randrange(10 ** 8))
    request = AWSRequest(method, f"http://{host}{where}" + (f"?{what}" if what else ""), data=body)
    request.headers.add_header("Host", host)
    for name, value in headers:
        request.headers.add_header(name, value)
    with mock.patch("botocore.auth.datetime") as clock:
        clock.datetime.utcnow.return_value = now
        SigV4Auth(keys, service, region).add_auth(request)
    return {
        "method": method, "path": where, "query": what, "headers": [["Host", host], *map(list, headers)],
        "body": base64.b64encode(body).decode(), "access_key": keys.access_key, "secret_key": keys.secret_key,
        "token": token or "", "region": region, "service": service,
        "now": int(now.replace(tzinfo=datetime.timezone.utc).timestamp()),
        "authorization": request.headers["Authorization"], "date": request.headers["X-Amz-Date"],
    }


for number in range(int(sys.argv[1])):
    print(json.dumps(case(number)))
