# SPDX-License-Identifier: Apache-2.0
"""A double of Horizon's REST API over TLS, and a collector that reads it. No Horizon server can be had without a licence.

What it does is what the API's documentation and its users report: tokens with a life time, 401 for an expired access token, 400 for an
expired refresh token, the newest events first, a Between filter with both ends inclusive, pages from 1 on."""
import itertools
import json
import ssl
import threading
import time
import urllib.parse
from collections import Counter

from .process import wait_until
from .product import router_config
from .receiver import Answer

DOMAIN, USER, PASSWORD = "corp", "events", 'pa"ss\\word<ü>'
STREAM = "CE_pod"
EVENTS = "/rest/external/v1/audit-events"
TYPES = ("VLSI_USERLOGGEDIN", "BROKER_USERLOGGEDIN", "AGENT_CONNECTED", "AGENT_DISCONNECTED")


def reply(document, status=200, **headers):
    return Answer(status, {"Content-Type": "application/json", **headers}, json.dumps(document, ensure_ascii=False).encode())


class Horizon:
    def __init__(self, lab, access_life=1800, refresh_life=8 * 3600, **listen):
        """lab: with an authority, and a receiver() that takes `listen`."""
        self.lock = threading.RLock()
        self.events = []  # in the order in which they were stored
        self.next_id = 1
        self.lives = access_life, refresh_life
        self.access, self.refresh = {}, {}  # token -> when it ends
        self.password = PASSWORD
        self.ignores_page = False
        self.faults = []  # (path, answer): each is used once
        self.tokens = itertools.count(1)
        self.calls = Counter()  # (last part of the path, status)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(lab.authority.cert, lab.authority.key)
        self.receiver = lab.receiver(self._answer, context=context, keep=False, **listen)
        self.url = self.receiver.url

    # ---- what the test does with it

    @property
    def clock_offset(self):
        return self.receiver.clock_offset

    @clock_offset.setter
    def clock_offset(self, seconds):
        self.receiver.clock_offset = seconds

    def now_ms(self):
        return int((time.time() + self.clock_offset) * 1000)

    def add(self, n=1, at=None, **more):
        """n events of now, or all of the millisecond `at`; more: members of the event, None removes one. Returns them."""
        with self.lock:
            added = []
            for _ in range(n):
                event = {"id": self.next_id, "time": self.now_ms() if at is None else at, "type": TYPES[self.next_id % len(TYPES)],
                         "severity": "AUDIT_SUCCESS", "module": "Broker", "message": f"User CORP\\u{self.next_id} has logged in",
                         "user_id": f"S-1-5-21-{self.next_id}", **more}
                self.next_id += 1
                added.append({k: v for k, v in event.items() if v is not None})
            self.events += added
            return added

    def put(self, text):
        """An element of the reply as it is: any text."""
        with self.lock:
            self.events.append(text)

    def expire(self, refresh=False):
        """The access tokens end now, and the refresh tokens."""
        with self.lock:
            self.access.clear()
            if refresh:
                self.refresh.clear()

    def fail(self, *answers, path=EVENTS):
        """The next requests to this path get these answers; None: the right one."""
        with self.lock:
            self.faults += [(path, answer) for answer in answers]

    # ---- the API

    def _answer(self, request):
        url = urllib.parse.urlsplit(request.path)
        with self.lock:
            answer = self._fault(url.path) or self._serve(request, url)
            self.calls[url.path.rsplit("/", 1)[-1], answer.status] += 1
        return answer

    def _fault(self, path):
        fault = next((f for f in self.faults if f[0] == path), None)
        if fault:
            self.faults.remove(fault)
        return fault and fault[1]

    def _token(self, kind, life):
        token = f"{kind}.{next(self.tokens)}.{'x' * 900}"
        getattr(self, kind)[token] = time.monotonic() + life
        return token

    def _serve(self, request, url):
        if request.method == "GET" and url.path == EVENTS:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if self.access.get(token, 0) < time.monotonic():
                return reply({"error_message": "access token invalid"}, 401)
            return self._page(urllib.parse.parse_qs(url.query))
        if request.method != "POST" or request.headers.get("content-type") != "application/json":
            return reply({"status": "BAD_REQUEST"}, 400)
        body = request.json()
        if url.path == "/rest/login":
            if body != {"domain": DOMAIN, "username": USER, "password": self.password}:
                return reply({"status": "UNAUTHENTICATED"}, 401)
            return reply({"access_token": self._token("access", self.lives[0]), "refresh_token": self._token("refresh", self.lives[1])})
        if self.refresh.get(body["refresh_token"], 0) < time.monotonic():
            return reply({"errors": [{"error_message": "refresh token invalid"}]}, 400)
        if url.path == "/rest/refresh":
            return reply({"access_token": self._token("access", self.lives[0])})
        if url.path == "/rest/logout":
            del self.refresh[body["refresh_token"]]
            self.access.clear()
            return Answer(200)
        return Answer(404)

    def _page(self, query):
        found = [e for e in self.events if isinstance(e, dict) and isinstance(e.get("time"), int)]
        other = [e for e in self.events if not (isinstance(e, dict) and isinstance(e.get("time"), int))]
        if "filter" in query:
            between = json.loads(query["filter"][0])
            assert (between.pop("type"), between.pop("name")) == ("Between", "time") and set(between) == {"fromValue", "toValue"}
            found = [e for e in found if between["fromValue"] <= e["time"] <= between["toValue"]]
        found.sort(key=lambda e: -e["time"])
        size, page = int(query["size"][0]), 1 if self.ignores_page else int(query["page"][0])
        texts = [e if isinstance(e, str) else json.dumps(e, ensure_ascii=False) for e in other + found]
        body = ", ".join(texts[(page - 1) * size:page * size])
        return Answer(200, {"Content-Type": "application/json"}, f"[{body}]".encode("utf-8", "surrogateescape"))


class Pod:
    """NATS, a Horizon and a collector that reads all of its events."""

    def __init__(self, lab, nats=None, start=True, user=None, horizon=None, **options):
        self.lab, self.nats = lab, nats or lab.nats()
        self.js = lab.jetstream(self.nats)
        self.horizon = horizon or Horizon(lab)
        self.password_file = lab.directory / "horizon-password"
        self.password_file.write_text(PASSWORD + "\n")
        self.provider = {"type": "horizon", "name": "pod", "horizon": {
            "address": self.horizon.url, "startFrom": "earliest", "pollInterval": "50ms",
            "auth": {"type": "active_directory", "activeDirectoryAuth": {
                "domain": DOMAIN, "username": USER, "passwordFile": str(self.password_file)}}, **options}}
        self.config = router_config(self.nats, lab.authority.ca, providers=[self.provider])
        if user:
            self.config["bus"] = {"urls": [self.nats.url], "user": user, "password": self.nats.password(user)}
        if start:
            self.collector = lab.collector(self.config)

    def stored(self):
        return list(self.js.read(STREAM)) if self.js.count(STREAM) else []

    def ids(self):
        return [message.json()["id"] for message in self.stored()]

    def wait_stored(self, n, timeout=60):
        wait_until(lambda: self.js.count(STREAM) >= n, timeout, lambda: f"{self.js.count(STREAM)} of {n} stored")

    def settle(self, events=None, timeout=90):
        """Waits until each event of Horizon's is stored, checks that each is there once and as it was, and returns the messages."""
        wanted = {str(e["id"]): e for e in (self.horizon.events if events is None else events)}
        self.wait_stored(len(wanted), timeout)
        stored = self.stored()
        twice = [i for i, n in Counter(m.json()["id"] for m in stored).items() if n > 1]
        assert not twice, f"stored twice: {twice[:10]}"
        found = {m.json()["id"]: m.json()["data"] for m in stored}
        assert found == wanted, (set(wanted) - set(found), set(found) - set(wanted))
        return stored
