# SPDX-License-Identifier: Apache-2.0
"""
Answers parts of the JetStream API instead of the server, like a replica or a leader that lags. A real server cannot be
put into that state on demand. The server maps the API's subject to another subject, on which a client answers.
"""
import itertools
import json
import threading


class StandIn:
    def __init__(self, servers, answers):
        """servers: one server, or all of a cluster. answers: {API subject: function that maps a request to a dict or a status text}."""
        self.servers, self.answers = servers, answers
        self.asked = {subject: [] for subject in answers}
        self.changed = threading.Condition()
        self.wire = servers[0].connect()
        self.wire.sock.settimeout(None)
        self.by_sid = {self.wire.subscribe(self._mapped(subject)): subject for subject in answers}
        self.wire.flush()
        self.before = [server.extra for server in servers]
        self._map(self._mapped)
        threading.Thread(target=self._run, daemon=True).start()

    def _map(self, to):
        mappings = ", ".join(f'"{subject}": "{to(subject)}"' for subject in self.answers)
        for server, extra in zip(self.servers, self.before):
            server.reload(f"{extra}\nmappings: {{ {mappings} }}")

    @staticmethod
    def _mapped(subject):
        return "standin" + subject.replace("$", "")

    def _run(self):
        try:
            while True:
                while not self.wire.messages:
                    self.wire._read()
                message = self.wire.messages.pop(0)
                subject = self.by_sid[message.sid]
                answer = self.answers[subject](json.loads(message.data or b"{}"))
                if isinstance(answer, str):
                    self.wire.publish_status(message.reply, answer)
                else:
                    self.wire.publish(message.reply, json.dumps(answer).encode())
                with self.changed:
                    self.asked[subject].append(json.loads(message.data or b"{}"))
                    self.changed.notify_all()
        except (OSError, ValueError):
            pass

    def wait_asked(self, subject, n, timeout=60):
        """Waits for n requests and returns them."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.asked[subject]) >= n, timeout), \
                f"{len(self.asked[subject])} of {n} requests to {subject}"
            return self.asked[subject][:n]

    def end(self):
        """From now on the servers answer again. Maps the subject to itself, because 2.10 keeps a mapping that is removed from its configuration."""
        self._map(lambda subject: subject)


def not_found(description="no message found", code=10037):
    return {"error": {"code": 404, "err_code": code, "description": description}}


def elections(info, last):
    """
    An answer for STREAM.INFO: a leader that was elected a moment ago and has applied its log up to this sequence. Each answer
    is from another leader. So what it finds, or does not find, must not be believed, however long the test takes.
    """
    number = itertools.count()
    return lambda request: info | {"state": info["state"] | {"last_seq": last, "messages": last},
                                   "cluster": {**info["cluster"], "leader": f"leader-{next(number)}"}}
