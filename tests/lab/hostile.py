# SPDX-License-Identifier: Apache-2.0
"""Random messages, from a seed, that a publisher may publish and a collector never would."""
import json
from dataclasses import dataclass

HEADERS_MAX = 64 << 10  # nats-server: limit of what JetStream stores
PAYLOAD_MAX = 1 << 20   # its default max_payload
LINE_MAX = 4096         # its max_control_line: subject, reply subject and two lengths
TOPIC = "VmPoweredOnEvent"


@dataclass
class Message:
    subject: object  # text or bytes
    block: bytes     # of the headers
    body: bytes
    kind: str


def block(*lines, size=0):
    """A header block of these lines, padded to `size` bytes if given."""
    text = b"NATS/1.0\r\n" + b"".join(line + b"\r\n" for line in lines)
    if size:
        text += b"X-Fill: " + b"f" * max(1, size - len(text) - len("X-Fill: \r\n\r\n")) + b"\r\n"
    return text + b"\r\n"


def lines_of(headers):
    return [name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()) for name, value in headers.items()]


def near(rng, *limits):
    return max(0, rng.choice(limits) + rng.choice((-300, -17, -2, -1, 0, 1, 2, 17, 300)))


class Hostile:
    """hostile(n) makes the n-th message. If it is an event or resembles one, its id begins with n and a hyphen."""

    def __init__(self, rng, large=0.01):
        self.rng, self.large = rng, large
        self.kinds = [name for name in dir(self) if name.startswith("make_")]

    def __call__(self, n):
        kind = self.rng.choice(self.kinds)
        if kind == "make_payload" and self.rng.random() > self.large * len(self.kinds):
            kind = "make_headers"
        subject, headers, body = getattr(self, kind)(n)
        headers = headers[:HEADERS_MAX] if len(headers) <= HEADERS_MAX else block(size=HEADERS_MAX - 2)
        return Message(subject, headers, body[:PAYLOAD_MAX - len(headers)], kind[5:])

    def subject(self):
        return f"vc.lab.dc.cluster.info.event.{self.rng.choice((TOPIC, 'VmRemovedEvent', 'a.b.c'))}"

    def attributes(self, n, **more):
        return {"specversion": "1.0", "id": f"{n}-hostile", "source": "s", "type": "t", "subject": self.rng.choice((TOPIC, "other")),
                **more}

    def structured(self, n, data=None, **more):
        return json.dumps({**self.attributes(n), **more, "data": {"n": n} if data is None else data}).encode()

    def binary(self, n, **more):
        return lines_of({**{f"ce-{k}": v for k, v in self.attributes(n).items()}, "Content-Type": "application/json", **more})

    def body(self, n):
        return self.rng.choice((b"", b"no event", self.structured(n), b"{}", b"\x00" * 100))

    # ---- kinds

    def make_headers(self, n):
        size = near(self.rng, 100, 4096, 8192, 16384, 32768, 49152, 60000, HEADERS_MAX - 300)
        return self.subject(), block(*self.rng.choice(([], self.binary(n))), size=size), self.body(n)

    def make_many_headers(self, n):
        count = near(self.rng, 30, 48, 96, 1000)
        return self.subject(), block(*self.rng.choice(([], self.binary(n))), *(b"X-%d: v" % i for i in range(count))), self.body(n)

    def make_lines(self, n):
        lines = [b"X:", b": y", b"no colon", b" folded: x", b"\tfolded", b"a b: c", b"x\nVcourier-Target: z", b"A: a\rb", b"\xff\xfe: \xc3",
                 b"Content-Type:", b"ce-id:", b"ce-:", b"X: \x1b[2J\x00", b"Content-Type: application/cloudevents+json",
                 b"ce-specversion: 1.0", b"Nats-Msg-Id:", b"NATS/1.0", b"X" * 5000 + b": y", *self.binary(n)]
        chosen = self.rng.choices(lines, k=self.rng.randrange(1, 12))
        return self.subject(), block(*self.rng.choice(([], self.binary(n))), *chosen), self.body(n)

    def make_broken_block(self, n):
        whole = block(*self.binary(n))
        return self.subject(), self.rng.choice((
            whole.replace(b"\r\n", b"\n"), whole[:-2], whole[:-4], whole[10:], b"NATS/1.0\r\n", b"NATS/2.0\r\n\r\n", b"\x00" * 50,
            whole.replace(b"\r\n", b"\r\r\n"), whole[:-2] + b" \r\n\r\n", bytes(self.rng.randrange(256) for _ in range(100)))), self.body(n)

    def make_status(self, n):
        status = self.rng.choice(("100", "404", "408", "409", "503", "200", "x", "99999999999999999999"))
        text = self.rng.choice(("Consumer Deleted", "Idle Heartbeat", "FlowControl Request", "No Messages", ""))
        if self.rng.random() < 0.3:
            return self.subject(), f"NATS/1.0 {status} {text}\r\n\r\n".encode(), b""
        headers = {"Status": status, "Description": text or "none", "Nats-Pending-Messages": "-1", "Nats-Pending-Bytes": "9" * 30}
        return self.subject(), block(*lines_of(headers), *self.rng.choice(([], self.binary(n)))), b""

    def make_payload(self, n):
        """Headers and body together close to the largest size that the server accepts."""
        headers = block(*self.rng.choice(([], self.binary(n))), size=self.rng.choice((0, 0, 5000, 60000)))
        room = PAYLOAD_MAX - len(headers) - self.rng.choice((0, 0, 1, 100, 1500, 8192, 20000))
        return self.subject(), headers, self.rng.choice((self.structured(n, "x" * (room - 150)), b"x" * room))

    def make_subject(self, n):
        tokens = self.rng.choice((
            ["a"] * near(self.rng, 20, 490, 505, 1500), ["b" * near(self.rng, 64, 990, 1010, 3500)], ["*", "a"], ["a", ">"],
            ["c" * 15] * near(self.rng, 62), [f"=FF~{i}" for i in range(50)], ["\u20ac" * 300]))
        subject = ("vc.lab." + ".".join(tokens)).encode()[:LINE_MAX - 150].rstrip(b".")
        if self.rng.random() < 0.2:
            subject += b"\xff\xfe\x01\x1b[2J"
        return subject, self.rng.choice((block(), block(*self.binary(n)))), self.body(n)

    def make_binary(self, n):
        value = self.rng.choice(("%0d%0aX: y", "%00", "%", "%zz", '"quoted"', "\x7f", "e\u0301", b"\xff", "%C3%28", "x" * 17000, "%20" * 5400,
                                 "v" * 3000, "a" * near(self.rng, 16200)))
        name = self.rng.choice(("ce-note", "ce-UPPER", "ce-under_score", "ce-" + "n" * 130, "ce-time", "ce-dataschema", "ce-subject",
                                "ce-type", "ce-source", "ce-specversion", "ce-datacontenttype", "ce-data", "Content-Type"))
        extensions = {f"ce-x{i}": "y" for i in range(self.rng.choice((0, 0, 23, 24, 25, 40)))}
        return self.subject(), block(*self.binary(n, **{**extensions, name: value})), self.body(n)

    def make_structured(self, n):
        whole = self.structured(n)
        deep = near(self.rng, 1000, 100000)
        bodies = [
            whole[:-1], whole + b"x", b"[" + whole + b"]", whole.replace(b"hostile", b"\xff\xfe"), whole.replace(b"hostile", b"\\ud800"),
            whole.replace(b"hostile", b"\\u0000"), whole.replace(b'"t"', b"7"), whole.replace(b'"1.0"', b'"0.3"'),
            whole.replace(b'{"n"', b'{"' + b"[" * deep + b'"'), whole[:-1] + b',"a":' + b"[" * deep + b"]" * deep + b"}",
            whole[:-1] + b',"a":' + b"9" * 400 + b"}", whole[:-1] + b',"a":1e999,"a":2,"id":"again"}', whole.decode().encode("utf-16"),
            whole[:-1] + b',"' + b"n" * 70000 + b'":1}', self.structured(n, type="x" * near(self.rng, 16000)),
            self.structured(n, datacontenttype=self.rng.choice(("application/json\r\nX: y", "text/plain", "\u0000", "application/xml"))),
            self.structured(n, note="a\r\nb\x1b[2J\u202e"), self.structured(n, **{f"x{i}": "y" for i in range(near(self.rng, 24))}),
            self.structured(n, data_base64="!!!"), self.structured(n, subject="E" * near(self.rng, 1024, 12000)), b'{"data":' + whole + b"}"]
        return self.subject(), block(), self.rng.choice(bodies)

    def make_content_type(self, n):
        kind = self.rng.choice(("application/cloudevents+json", "application/cloudevents-batch+json", "application/cloudevents+avro",
                                "text/plain", "application/json; charset=utf-16", "x" * 2000, "a/b\x0bc", "application/cloudevents"))
        return self.subject(), block(b"Content-Type: " + kind.encode(), *self.rng.choice(([], self.binary(n)))), self.body(n)

    def make_forged(self, n):
        """Headers that only a server, a dispatcher or an operator writes."""
        names = ("Vcourier-Target", "Vcourier-Body", "Vcourier-Reason", "Vcourier-Stream", "Vcourier-Sequence", "Vcourier-Headers-Left-Out",
                 "Nats-Subject", "Nats-Sequence", "Nats-Time-Stamp", "Nats-Stream", "X-Nats-Msg-Id", "Nats-Last-Sequence", "nats-rollup",
                 "Nats-Msg-Size", "Nats-Pending-Messages", "Status")
        values = ("", "x", "vc.lab.a", "2020-01-01T00:00:00Z", "-1", "9" * 40, "kn", "VC_lab", "\x01")
        headers = {name: self.rng.choice(values) for name in self.rng.sample(names, self.rng.randrange(1, 8))}
        return self.subject(), block(*self.rng.choice(([], self.binary(n))), *lines_of(headers)), self.body(n)
