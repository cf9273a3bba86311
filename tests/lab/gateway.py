# SPDX-License-Identifier: Apache-2.0
"""An OpenFaaS gateway with the API for event connectors and the replies of gateway 0.25.

GET  /system/namespaces, /system/functions[?namespace=N]     basic auth, 401 without
POST /function/NAME[.NS][/path], /async-function/NAME[.NS]   open unless auth_invoke is set

Functions are Python callables: they take a Call and return a status, or (status, body). A slow function
waits for a threading.Event of the test, never for a fixed time.
"""
import base64
import json
import re
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

NAME = re.compile(r"^[-a-zA-Z_0-9.]+$")


@dataclass
class Call:
    function: str
    headers: dict
    body: bytes
    path: str
    is_async: bool
    status: int = 0

    @property
    def event(self):
        return json.loads(self.body)

    @property
    def id(self):
        return self.headers.get("x-call-id", "")


@dataclass
class Function:
    name: str
    topic: str = None  # the annotation; None: no annotation at all
    namespace: str = "openfaas-fn"
    handler: callable = lambda call: 200
    max_inflight: int = 0  # of-watchdog's limit; 0: none
    inflight: int = 0
    peak: int = 0
    annotations: object = ...  # replaces {"topic": topic}, for invalid lists

    def listed(self):
        annotations = self.annotations
        if annotations is ...:
            annotations = None if self.topic is None else {"topic": self.topic}
        return {"name": self.name, "image": "lab/%s:latest" % self.name, "namespace": self.namespace,
                "envProcess": "", "labels": {"faas_function": self.name}, "annotations": annotations,
                "replicas": 1, "availableReplicas": 1, "invocationCount": 0,
                "createdAt": "2026-01-01T00:00:00Z"}


@dataclass
class Gateway:
    user: str = "admin"
    password: str = "secret"
    auth_invoke: bool = False
    queue: bool = True          # False: no queue-worker is configured
    namespaces: list = field(default_factory=lambda: ["openfaas-fn"])
    functions: dict = field(default_factory=dict)
    calls: list = field(default_factory=list)
    listings: int = 0           # complete answers of /system/functions
    seen: set = field(default_factory=set)  # paths of all POST requests
    fault: callable = None      # fault(handler) -> True when it has replied or closed the connection itself
    port: int = 0

    def __post_init__(self):
        self.changed = threading.Condition()
        self.server = None

    # ---- for tests

    def start(self):
        gateway = self

        class Handler(GatewayHandler):
            pass

        Handler.gateway = gateway
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def close(self):
        """Stops, and closes open connections. start() starts it again on the same port."""
        if self.server:
            self.server.shutdown()
            self.server.close_connections()
            self.server.server_close()
            self.server = None

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port

    def deploy(self, name, topic=None, handler=None, **more):
        f = Function(name, topic, **more)
        if handler:
            f.handler = handler
        with self.changed:
            self.functions[(f.namespace, name)] = f
        return f

    def fail(self, names):
        """Calls of these functions get 500. `names` may change."""
        def fault(handler):
            if handler.path.split("/")[-1].split(".")[0] not in names:
                return False
            handler.send_response(500)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return True
        self.fault = fault

    def remove(self, name, namespace="openfaas-fn"):
        with self.changed:
            del self.functions[(namespace, name)]

    def wait(self, predicate, timeout=60):
        """Waits until predicate(gateway) is true. It is evaluated after each call and listing."""
        with self.changed:
            if not self.changed.wait_for(lambda: predicate(self), timeout):
                raise AssertionError("not within %d s; %d calls, %d listings" %
                                     (timeout, len(self.calls), self.listings))

    def ids(self, function, ok=True):
        """Event ids that a function received, in order, once for each call; with `ok`, once for each 2xx."""
        return [c.id for c in self.calls if c.function == function and (not ok or 200 <= c.status < 300)]

    # ---- used by the handlers

    def find(self, name):
        """The namespace follows the last dot."""
        for ns in self.namespaces:
            if name.endswith("." + ns) and (ns, name[:-len(ns) - 1]) in self.functions:
                return self.functions[(ns, name[:-len(ns) - 1])]
        return self.functions.get((self.namespaces[0] if self.namespaces else "openfaas-fn", name))

    def record(self, call, status):
        call.status = status
        with self.changed:
            self.calls.append(call)
            self.changed.notify_all()

    def run(self, function, call):
        """(status, body, whether the gateway or watchdog made the reply)"""
        with self.changed:
            if function.max_inflight and function.inflight >= function.max_inflight:
                limit = function.max_inflight
                return 429, "Concurrent request limit exceeded. Max concurrent requests: %d\n" % limit, True
            function.inflight += 1
            function.peak = max(function.peak, function.inflight)
        try:
            result = function.handler(call)
        except Exception as e:  # the reply of the forking watchdog when the process failed
            return 500, "exit status 1\n%s" % e, True
        finally:
            with self.changed:
                function.inflight -= 1
        status, body = result if isinstance(result, tuple) else (result, "done")
        return status, body, status in (502, 504)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, *args):
        self.sockets = set()
        super().__init__(*args)

    def process_request(self, request, client_address):
        self.sockets.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.sockets.discard(request)
        super().shutdown_request(request)

    def close_connections(self):
        for s in list(self.sockets):
            try:
                s.shutdown(2)
            except OSError:
                pass

    def handle_error(self, request, client_address):
        pass  # tests close connections on purpose


class GatewayHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gateway = None

    def log_message(self, *_):
        pass

    def answer(self, status, body="", headers=()):
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def hang_up(self):
        self.close_connection = True

    def authorized(self):
        want = "%s:%s" % (self.gateway.user, self.gateway.password)
        return self.headers.get("Authorization") == "Basic " + base64.b64encode(want.encode()).decode()

    def unauthorized(self):
        self.answer(401, "invalid credentials\n", [("WWW-Authenticate", 'Basic realm="Restricted"')])

    def do_GET(self):
        g = self.gateway
        if g.fault and g.fault(self):
            return
        url = urlsplit(self.path)
        if not url.path.startswith("/system/"):
            return self.answer(404, "404 page not found\n")
        if not self.authorized():
            return self.unauthorized()
        if url.path == "/system/namespaces":
            return self.json(g.namespaces)
        if url.path != "/system/functions":
            return self.answer(404, "404 page not found\n")
        ns = parse_qs(url.query).get("namespace", [g.namespaces[0] if g.namespaces else "openfaas-fn"])[0]
        with g.changed:
            listed = [f.listed() for (n, _), f in g.functions.items() if n == ns]
        self.json(listed)
        with g.changed:
            g.listings += 1
            g.changed.notify_all()

    def json(self, value):
        self.answer(200, json.dumps(value), [("Content-Type", "application/json")])

    def do_POST(self):
        g = self.gateway
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if g.fault and g.fault(self):
            return
        with g.changed:
            g.seen.add(self.path)
            g.changed.notify_all()
        kind, _, rest = self.path.lstrip("/").partition("/")
        name = unquote(rest.split("?")[0].split("/")[0])
        if kind not in ("function", "async-function") or not NAME.match(name):
            return self.answer(404, "404 page not found\n")
        if g.auth_invoke and not self.authorized():
            return self.unauthorized()
        call = Call(name, {k.lower(): v for k, v in self.headers.items()}, body, self.path,
                    kind == "async-function")
        common = [("X-Start-Time", str(time.time_ns())), ("X-Duration-Seconds", "0.001")]
        if not call.id:
            common.append(("X-Call-Id", "generated"))
        if call.is_async:
            return self.enqueue(call, common)
        function = g.find(name)
        if function is None:
            g.record(call, 404)
            return self.answer(404, "error finding function %s: not found\n" % name,
                               common + [("X-OpenFaaS-Internal", "gateway")])
        status, text, internal = g.run(function, call)
        g.record(call, status)
        self.answer(status, text, common + ([("X-OpenFaaS-Internal", "gateway")] if internal else []))

    def enqueue(self, call, common):
        g = self.gateway
        callback = call.headers.get("x-callback-url")
        if not g.queue:
            g.record(call, 404)
            return self.answer(404, "404 page not found\n")
        if callback is not None and urlsplit(callback).scheme not in ("http", "https"):
            g.record(call, 400)
            return self.answer(400, "bad X-Callback-Url\n")
        g.record(call, 202)
        self.answer(202, "", common)
        threading.Thread(target=self.work, args=(call, callback), daemon=True).start()

    def work(self, call, callback):
        function = self.gateway.find(call.function)
        status, text, _ = self.gateway.run(function, call) if function else (404, "", True)
        if callback:
            urllib.request.urlopen(urllib.request.Request(callback, str(text).encode(), {
                "X-Call-Id": call.id, "X-Function-Name": call.function,
                "X-Function-Status": str(status)}), timeout=10).close()
