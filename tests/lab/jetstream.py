# SPDX-License-Identifier: Apache-2.0
"""JetStream by its API: the content of streams, the state of consumers."""
import json
from dataclasses import dataclass

from .process import wait_until


class ApiError(Exception):
    def __init__(self, error):
        super().__init__(f"{error.get('code')}/{error.get('err_code')}: {error.get('description')}")
        self.code = error.get("err_code", error.get("code"))


FILES_LEFT = 10051  # nats-server 2.9 wrote the consumer's state while it deleted it: the consumer is deleted, its state is not


def gone(reply):
    """Whether the reply to CONSUMER.DELETE says that the consumer is deleted. A new one of this name may find the old state: see clear."""
    return bool(reply.get("success")) or reply["error"].get("err_code") == FILES_LEFT


def clear(wire, stream, name):
    """Deletes a durable consumer and its state."""
    for _ in range(20):
        reply = wire.request(f"$JS.API.CONSUMER.DELETE.{stream}.{name}").json()
        if reply.get("success"):
            return
        assert gone(reply), reply
        wire.request(f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{name}", {
            "stream_name": stream, "config": {"durable_name": name, "ack_policy": "explicit"}})
    raise ApiError(reply["error"])


@dataclass
class Stored:
    """One message of a stream."""
    seq: int
    stored_ms: int
    subject: str
    headers: dict
    data: bytes

    def json(self):
        return json.loads(self.data)


def parse_headers(block):
    lines = block.decode(errors="replace").split("\r\n")[1:]
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines) if name}


class JetStream:
    def __init__(self, server):
        self.server = server
        self.wire = None

    def close(self):
        if self.wire:
            self.wire.close()
        self.wire = None

    def api(self, subject, body=b""):
        """The JSON of the reply. Raises ApiError if it contains an error. Reconnects after a broken connection."""
        try:
            if self.wire is None:
                self.wire = self.server.connect()
            reply = self.wire.request(f"$JS.API.{subject}", body)
        except (OSError, ValueError):
            self.close()
            raise
        if not reply.data and b"503" in reply.headers:
            raise ApiError({"code": 503, "description": "JetStream is not there"})
        answer = reply.json()
        if "error" in answer:
            raise ApiError(answer["error"])
        return answer

    def flush(self, subject):
        """What this connection published before to the stream of this subject is stored, or was refused: the server takes
        messages in order, and refuses this one."""
        if self.wire:
            self.wire.request(subject, b"", {"Nats-Expected-Stream": "none"})

    def create(self, stream, config):
        """Creates a stream. A cluster may elect another leader meanwhile, and the request of the old one is then never answered;
        a repetition with the same settings is answered like the first request."""
        def created():
            try:
                self.api(f"STREAM.CREATE.{stream}", config)
            except OSError:
                return False
            return True
        wait_until(created, 60, lambda: f"{stream} is created")

    def streams(self):
        return self.api("STREAM.NAMES").get("streams") or []

    def info(self, stream):
        return self.api(f"STREAM.INFO.{stream}")

    def last_seq(self, stream):
        """0 while the stream or the server does not exist."""
        try:
            return self.info(stream)["state"]["last_seq"]
        except (ApiError, OSError):
            return 0

    def whole(self, stream):
        """Whether the stream has a leader, all its replicas are current, and so a message is stored as soon as it is published."""
        try:
            cluster = self.info(stream)["cluster"]
        except (ApiError, OSError):
            return False
        return bool(cluster.get("leader")) and all(r["current"] for r in cluster["replicas"])

    def count(self, stream):
        try:
            return self.info(stream)["state"]["messages"]
        except (ApiError, OSError):
            return 0

    def consumer(self, stream, name):
        return self.api(f"CONSUMER.INFO.{stream}.{name}")

    def consumers(self, stream):
        """The names of its consumers."""
        return self.api(f"CONSUMER.NAMES.{stream}")["consumers"] or []

    def delete_consumer(self, stream, name):
        try:
            self.api(f"CONSUMER.DELETE.{stream}.{name}")
        except ApiError as error:
            if error.code != FILES_LEFT:
                raise

    def read(self, stream, first=1):
        """All messages from sequence `first` on, in order. Raises ApiError if the replica that answers lags behind the leader."""
        state = self.info(stream)["state"]
        made = self.api(f"CONSUMER.CREATE.{stream}", {"stream_name": stream, "config": {
            "deliver_policy": "by_start_sequence", "opt_start_seq": first, "ack_policy": "none", "replay_policy": "instant",
            "inactive_threshold": 60_000_000_000}})
        sid = self.wire.subscribe(f"{self.wire.inbox}.read")
        pending = made["num_pending"]
        if first == 1 and pending < state["messages"]:
            raise ApiError({"description": f"a replica that lags: {pending} of {state['messages']} messages"})
        while pending:
            self.wire.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{made['name']}",
                              json.dumps({"batch": min(pending, 1000), "no_wait": True}).encode(), f"{self.wire.inbox}.read")
            for _ in range(min(pending, 1000)):
                message = self.wire.next(sid)
                ack = message.reply.split(".")
                if len(ack) < 9:
                    raise ApiError({"description": message.headers.decode(errors="replace")})
                pending = int(ack[-1] if len(ack) == 9 else ack[10])
                seq, stored_ns = (ack[5], ack[7]) if len(ack) == 9 else (ack[7], ack[9])
                yield Stored(int(seq), int(stored_ns) // 1_000_000, message.subject, parse_headers(message.headers), message.data)
        self.wire.unsubscribe(sid)
