# SPDX-License-Identifier: Apache-2.0
"""
AWS on loopback: an EventBridge that checks signatures with botocore and gives recorded answers of AWS,
and the sources of credentials: STS, container credentials, EC2 instance metadata.
"""
import calendar
import hmac
import json
import re
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from .receiver import Answer, Receiver

REGION, ACCOUNT = "eu-west-1", "123456789012"
ACCEPTED_SKEW = 300


class Refusal(Exception):
    def __init__(self, code, message, status=400):
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


@dataclass
class Keys:
    access_key: str = "AKIDEXAMPLE"
    secret_key: str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    token: str = None
    expired: bool = False


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def check_signature(request, keys, service, now):
    """Raises AWS's error if the Signature Version 4 of a request is not valid. keys: the existing keys."""
    given = request.headers.get("authorization", "")
    match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, "
                         r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})", given)
    if not match:
        raise Refusal("IncompleteSignatureException", "Authorization header requires a signature.", 403)
    access_key, day, region, named, signed, signature = match.groups()
    known = next((k for k in keys if k.access_key == access_key), None)
    if known is None or (known.token or "") != request.headers.get("x-amz-security-token", ""):
        raise Refusal("UnrecognizedClientException", "The security token included in the request is invalid.")
    date = request.headers["x-amz-date"]
    if abs(calendar.timegm(time.strptime(date, "%Y%m%dT%H%M%SZ")) - now) > ACCEPTED_SKEW:
        raise Refusal("InvalidSignatureException", f"Signature expired: {date} is now earlier than the accepted time.")
    for name in ("host", "x-amz-date"):
        assert name in signed.split(";"), signed
    assert (region, named, day) == (REGION, service, date[:8]), given
    auth = SigV4Auth(Credentials(known.access_key, known.secret_key, known.token), service, region)
    copy = AWSRequest(request.method, "http://" + request.headers["host"] + request.path, data=request.body,
                      headers={n: request.headers[n] for n in signed.split(";")})
    copy.context["timestamp"] = date
    right = auth.signature(auth.string_to_sign(copy, auth.canonical_request(copy)), copy)
    if not hmac.compare_digest(right, signature):
        raise Refusal("InvalidSignatureException", "The request signature we calculated does not match the signature you "
                      "provided. Check your AWS Secret Access Key and signing method.")
    if known.expired:
        raise Refusal("ExpiredTokenException", "The security token included in the request is expired")


@dataclass
class Rule:
    name: str
    pattern: object
    bus: str = "default"
    state: str = "ENABLED"

    @property
    def arn(self):
        where = "" if self.bus == "default" else self.bus + "/"
        return f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{where}{self.name}"

    def listed(self):
        pattern = {} if self.pattern is None else {"EventPattern": json.dumps(self.pattern)}
        return {"Name": self.name, "Arn": self.arn, "State": self.state, "EventBusName": self.bus, **pattern}


@dataclass
class EventBridge:
    """Injected faults: refuse(request) -> Answer or None; fail(entry) -> (code, message) or None."""
    keys: list = field(default_factory=lambda: [Keys()])
    buses: dict = field(default_factory=lambda: {"default": []})  # name: accepted entries
    rules: list = field(default_factory=list)
    denied: set = field(default_factory=set)                      # actions without permission
    size_max: int = 1_000_000
    page: int = 2
    refuse: callable = None
    fail: callable = None

    def __post_init__(self):
        self.lock = threading.Lock()
        self.batches, self.entries_seen, self.lost = [], 0, []
        self.receiver = Receiver(self.serve)

    @property
    def url(self):
        return self.receiver.url

    def close(self):
        self.receiver.close()

    def serve(self, request):
        answer = self.refuse and self.refuse(request)
        if answer:
            return answer
        try:
            check_signature(request, self.keys, "events", time.time() + self.receiver.clock_offset)
            assert request.headers["content-type"] == "application/x-amz-json-1.1"
            action = request.headers["x-amz-target"].removeprefix("AWSEvents.")
            if action in self.denied:
                raise Refusal("AccessDeniedException", f"User is not authorized to perform: events:{action}")
            with self.lock:
                reply = getattr(self, action)(request.json())
        except Refusal as e:
            return error(e.code, e.message, e.status)
        return Answer(200, {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": "loopback"},
                      json.dumps(reply).encode())

    # ---- actions

    def PutEvents(self, body):
        entries = body["Entries"]
        if not 1 <= len(entries) <= 10:
            raise Refusal("ValidationException", "1 validation error detected: Value at 'entries' failed to satisfy "
                          "constraint: Member must have length less than or equal to 10")
        size = sum((14 if "Time" in e else 0) + sum(len(e.get(n, "").encode()) for n in ("Source", "DetailType", "Detail"))
                   + sum(len(r.encode()) for r in e.get("Resources", [])) for e in entries)
        self.batches.append(len(entries))
        if size > self.size_max:
            raise Refusal("ValidationException", "Total size of the entries in the request is over the limit.")
        results = [self.take(entry) for entry in entries]
        return {"FailedEntryCount": sum("ErrorCode" in r for r in results), "Entries": results}

    def take(self, entry):
        self.entries_seen += 1
        for name in ("Source", "DetailType", "Detail"):
            if not entry.get(name):
                return {"ErrorCode": "InvalidArgument",
                        "ErrorMessage": f"Parameter {name} is not valid. Reason: {name} is a required argument."}
        try:
            whole = isinstance(json.loads(entry["Detail"]), dict)
        except (ValueError, RecursionError):
            whole = False
        if not whole:
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        fault = self.fail and self.fail(entry)
        if fault:
            return {"ErrorCode": fault[0], "ErrorMessage": fault[1]}
        name = entry.get("EventBusName", "default").rpartition("event-bus/")[2]
        self.buses.get(name, self.lost).append(entry)  # AWS does not report a missing bus either
        return {"EventId": f"00000000-0000-0000-0000-{self.entries_seen:012}"}

    def find_bus(self, body):
        name = body.get("EventBusName", "default").rpartition("event-bus/")[2]
        if name not in self.buses:
            raise Refusal("ResourceNotFoundException", f"Event bus {name} does not exist.")
        return name

    def ListRules(self, body):
        bus, start = self.find_bus(body), int(body.get("NextToken", 0))
        found = [r for r in self.rules if r.bus == bus and r.name.startswith(body.get("NamePrefix", ""))]
        assert 1 <= body.get("Limit", 100) <= 100
        more = {"NextToken": str(start + self.page)} if len(found) > start + self.page else {}
        return {"Rules": [r.listed() for r in found[start:start + self.page]], **more}

    def DescribeRule(self, body):
        bus = self.find_bus(body)
        for rule in self.rules:
            if (rule.bus, rule.name) == (bus, body["Name"]):
                return rule.listed()
        raise Refusal("ResourceNotFoundException", f"Rule {body['Name']} does not exist on EventBus {bus}.")


def error(code, message, status=400):
    return Answer(status, {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": "loopback"},
                  json.dumps({"__type": code, "message": message}).encode())


# ---- sources of credentials


@dataclass
class Issuer:
    """Returns the keys of `keys` one after the other (then the last one repeatedly), valid for `life` seconds."""
    keys: list
    life: float = 3600
    issued: int = 0

    def next(self):
        keys = self.keys[min(self.issued, len(self.keys) - 1)]
        self.issued += 1
        return keys, iso(time.time() + self.life)


class Sts:
    """AssumeRole for requests signed with a key of `callers`, AssumeRoleWithWebIdentity for requests with the token."""

    def __init__(self, issuer, callers=(), identity=None):
        self.issuer, self.callers, self.identity, self.asked = issuer, list(callers), identity, []
        self.receiver = Receiver(self.serve)
        self.url, self.close = self.receiver.url, self.receiver.close

    def serve(self, request):
        form = {k: v[0] for k, v in parse_qs(request.body.decode(), strict_parsing=True).items()}
        assert form["Version"] == "2011-06-15" and form["RoleSessionName"]
        self.asked.append(form)
        try:
            if form["Action"] == "AssumeRole":
                check_signature(request, self.callers, "sts", time.time() + self.receiver.clock_offset)
            elif form["WebIdentityToken"] != self.identity:
                raise Refusal("InvalidIdentityToken", "Couldn't retrieve verification key <&> from your identity provider")
        except Refusal as e:
            return Answer(403, {"Content-Type": "text/xml"}, f"<ErrorResponse><Error><Type>Sender</Type><Code>{e.code}</Code><Message>"
                          f"{escape(e.message)}</Message></Error></ErrorResponse>".encode())
        keys, expires = self.issuer.next()
        what = form["Action"]
        return Answer(200, {"Content-Type": "text/xml"}, f"""<{what}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <{what}Result><AssumedRoleUser><Arn>x</Arn></AssumedRoleUser><Credentials>
    <AccessKeyId>{keys.access_key}</AccessKeyId><SecretAccessKey>{keys.secret_key}</SecretAccessKey>
    <SessionToken>{keys.token}</SessionToken><Expiration>{expires}</Expiration></Credentials></{what}Result>
</{what}Response>""".encode())


def as_json(keys, expires, token_name="Token", **more):
    return json.dumps({"AccessKeyId": keys.access_key, "SecretAccessKey": keys.secret_key, token_name: keys.token,
                       "Expiration": expires, **more})


class Container:
    """The credentials endpoint of ECS and of EKS Pod Identity."""

    def __init__(self, issuer, authorization=None):
        self.issuer, self.authorization = issuer, authorization
        self.receiver = Receiver(self.serve)
        self.url, self.close = self.receiver.url + "/v1/credentials", self.receiver.close

    def serve(self, request):
        if request.path != "/v1/credentials" or request.headers.get("authorization") != self.authorization:
            return Answer(401, body=b"who are you")
        return Answer(200, {"Content-Type": "application/json"}, as_json(*self.issuer.next()).encode())


class Metadata:
    """EC2 instance metadata, version 2 only."""

    def __init__(self, issuer, role="my-role"):
        self.issuer, self.role = issuer, role
        self.receiver = Receiver(self.serve)
        self.url, self.close = self.receiver.url, self.receiver.close

    def serve(self, request):
        path = urlsplit(request.path).path
        if path == "/latest/api/token":
            ok = request.method == "PUT" and 1 <= int(request.headers["x-aws-ec2-metadata-token-ttl-seconds"]) <= 21600
            return Answer(200, body=b"the-token") if ok else Answer(400)
        if request.headers.get("x-aws-ec2-metadata-token") != "the-token":
            return Answer(401)
        roles = "/latest/meta-data/iam/security-credentials/"
        if path == roles and self.role:
            return Answer(200, body=self.role.encode())
        if path == f"{roles}{self.role}":
            return Answer(200, body=as_json(*self.issuer.next(), Code="Success", Type="AWS-HMAC").encode())
        return Answer(404)
