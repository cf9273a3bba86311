# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that records its requests and replies as configured."""
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Request:
    at: float  # time.time() when the request was complete
    method: str
    path: str
    headers: dict  # names in lower case
    body: bytes
    status: int = None  # of the reply, once it is known

    def json(self):
        return json.loads(self.body)

    def event(self):
        """The CloudEvent's attributes and data, from either content mode."""
        if self.headers.get("content-type", "").startswith("application/cloudevents+json"):
            return self.json()
        event = {name[3:]: value for name, value in self.headers.items() if name.startswith("ce-")}
        event["datacontenttype"] = self.headers.get("content-type")
        event["data"] = self.json()
        return event


@dataclass
class Answer:
    """status 0: close without a reply; raw: send these bytes as the reply; hang: seconds before the reply."""
    status: int = 202
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    hang: float = 0
    raw: bytes = None


class Receiver:
    def __init__(self, answer=None, context=None, keep=True, port=0, host="127.0.0.1"):
        """answer: a function that maps a Request to an Answer, or to None for 202. context: TLS. host: where it listens; "" is everywhere."""
        self.answer = answer
        self.keep = keep
        self.clock_offset = 0  # seconds that its clock and the Date of its replies are ahead
        self.requests, self.changed, self.count = [], threading.Condition(), 0
        self.options = []  # requests of the method OPTIONS
        self.server = _Server((host, port), _Handler)
        self.server.receiver = self
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.scheme = "https" if context else "http"
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def take(self, request):
        with self.changed:
            self.count += 1
            if self.keep:
                self.requests.append(request)
            self.changed.notify_all()
        answer = (self.answer and self.answer(request)) or Answer()
        request.status = answer.status
        return answer

    def wait_for(self, condition, timeout=60, what="the requests"):
        """Waits until condition(requests) is true and returns its value."""
        end = time.monotonic() + timeout
        with self.changed:
            while True:
                result = condition(self.requests)
                if result:
                    return result
                left = end - time.monotonic()
                assert left > 0 and self.changed.wait(left), f"not within {timeout} s: {what}; {len(self.requests)} came"

    def wait_count(self, n, timeout=60):
        self.wait_for(lambda requests: len(requests) >= n, timeout, f"{n} requests")
        return self.requests

    def ids(self):
        return [r.event()["id"] for r in self.requests]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request, client_address):
        """Some tests disconnect on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        return super().date_time_string((timestamp or time.time()) + self.server.receiver.clock_offset)

    def _read(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return Request(time.time(), self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)

    def _serve(self):
        answer = self.server.receiver.take(self._read())
        if answer.hang:
            time.sleep(answer.hang)
        if answer.raw is not None or not answer.status:
            self.close_connection = True
            if answer.raw:
                self.wfile.write(answer.raw)
                self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()

    def do_OPTIONS(self):
        """No event: what comes is not among the requests."""
        self.server.receiver.options.append(self._read())
        self.send_error(501)

    do_GET = do_POST = do_PUT = do_DELETE = _serve
