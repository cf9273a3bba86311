# SPDX-License-Identifier: Apache-2.0
"""A webhook collector and its senders."""
import http.client
import json
import ssl

from .process import free_port, wait_until
from .product import router_config

STREAM = "CE_hooks"
JSON = "application/json"
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


def webhook(**more):
    """An eventProvider entry; more: options of its block."""
    return {"type": "webhook", "name": "hooks", "webhook": {"bindAddress": f"127.0.0.1:{free_port()}", **more}}


def event(n, **more):
    return {"specversion": "1.0", "id": f"e{n}", "source": "https://sender.example/a", "type": "com.example.alarm.raised",
            "datacontenttype": JSON, "data": {"n": n}, **more}


class Sender:
    """One connection that is kept open, and opened again when it broke."""

    def __init__(self, address, context=None, timeout=20):
        self.address, self.context, self.timeout = address, context, timeout
        self.connection = None

    def request(self, method="POST", path="/webhook", body=b"", headers=None):
        """(status, headers, text) of the answer. Raises OSError or HTTPException."""
        if self.connection is None:
            self.connection = (http.client.HTTPSConnection(self.address, timeout=self.timeout, context=self.context) if self.context
                               else http.client.HTTPConnection(self.address, timeout=self.timeout))
        try:
            self.connection.request(method, path, body, headers or {})
            reply = self.connection.getresponse()
            return reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read().decode()
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def send(self, document, kind=STRUCTURED, path="/webhook", **headers):
        body = document if isinstance(document, (bytes, str)) else json.dumps(document)
        return self.request("POST", path, body if isinstance(body, bytes) else body.encode(),
                            {"Content-Type": kind, **headers})

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


class Webhook:
    """NATS and a webhook collector."""

    def __init__(self, lab, nats=None, start=True, user=None, **options):
        self.lab, self.nats = lab, nats or lab.nats()
        self.js = lab.jetstream(self.nats)
        self.provider = webhook(**options)
        self.config = router_config(self.nats, providers=[self.provider])
        if user:
            self.config["bus"] = self.bus(user)
        self.address = self.provider["webhook"]["bindAddress"]
        self.collector = lab.collector(self.config)
        if start:
            self.collector.wait_ready()

    def bus(self, user):
        """The block `bus` of a user of SecuredNats."""
        return {"urls": [self.nats.url], "user": user, "password": self.nats.password(user)}

    def sender(self, authority=None):
        context = ssl.create_default_context(cafile=str(authority.ca)) if authority else None
        sender = Sender(self.address, context)
        self.lab.closers.append(sender.close)
        return sender

    def stored(self):
        return list(self.js.read(STREAM)) if self.js.count(STREAM) else []

    def ids(self):
        return [message.json()["id"] for message in self.stored()]

    def requests(self, **labels):
        return self.collector.metric("vcourier_webhook_requests_total", **labels)

    def listening(self):
        def answers():
            try:
                return Sender(self.address, timeout=2).request("OPTIONS")[0] != 0
            except (OSError, http.client.HTTPException):
                return False
        wait_until(answers, 60, "the webhook listens")
