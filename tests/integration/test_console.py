# SPDX-License-Identifier: Apache-2.0
"""The console's server over HTTP: what users get, and what attackers do not."""
import json
import os
import re
import socket
import ssl
import threading
import time

import pytest

from lab.console import PASSWORDS, Console
from lab.process import BUILD, ROOT, Process, wait_until
from lab.product import knative, router_config
from lab.receiver import Answer

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def console(lab, stream):
    """On a stream with 20 events."""
    stream.publish(20)
    return lab._keep(Console(lab.directory, stream.server)).start().wait_ready()


@pytest.fixture
def rejected(lab, stream):
    """A dispatcher whose backend rejects 6 of 60 events, one after the other, until `accept` is called; with a console."""
    refuse = {"on": True}

    def answer(request):
        return Answer(400, body=b"no such field") if refuse["on"] and int(request.event()["eventkey"]) % 10 == 0 else None
    lab.backend = lab.receiver(answer)
    config = router_config(stream.server, providers=[{"type": "vcenter", "name": "lab", "vcenter": {"address": "https://127.0.0.1/sdk", "auth": {
        "type": "basic_auth", "basicAuth": {"username": "u", "password": "p"}}}}], processors=[
            # the sixth event to be rejected is the last one: nothing that comes later shows that the destination works
            {**knative(lab.backend.url), "retry": {"rejectGrace": "0s"}}])
    lab.dispatcher(config).wait_ready()
    for dead in range(1, 7):  # rejections in a row would pause the destination
        stream.publish(10)
        wait_until(lambda n=dead: len(stream.dead()) == n, 30, f"{dead} dead letters")
    lab.accept = lambda: refuse.update(on=False)
    return lab._keep(Console(lab.directory, stream.server)).start().wait_ready()


def job_ended(login, number):
    def ended():
        job = login.get("/api/job").json()
        return job and job["job"] == number and not job["running"] and job
    return wait_until(ended, 30, "the job has ended")


# ---- what users get

def test_a_user_sees_events_and_one_as_it_is_stored(console):
    me = console.login("vera")
    assert me.get("/api/session").json()["role"] == "viewer"
    rows = me.get("/api/events?limit=5").json()
    assert [r["n"] for r in rows["rows"]] == [20, 19, 18, 17, 16] and rows["more"]
    assert rows["rows"][0]["e"] == "VmPoweredOnEvent" and rows["rows"][0]["src"] == "lab"
    one = me.get("/api/event?stream=VC_lab&seq=20").json()
    assert one["subject"].startswith("vc.lab.") and one["event"]["eventkey"] == "20"
    assert me.get("/api/event?stream=VC_lab&seq=99").status == 404
    assert me.get("/api/events?name=nothing").json()["rows"] == []
    found = me.get("/api/events?pattern=%7B%22eventkey%22%3A%5B%223%22%5D%7D").json()["rows"]
    assert [r["n"] for r in found] == [3]
    assert {"name": "lab", "stream": "VC_lab"} in me.get("/api/names").json()["sources"]


def test_history_by_time(console, stream):
    me = console.login()
    stored = me.get("/api/events?limit=500").json()["rows"]
    middle = stored[10]["at"]
    later = me.get(f"/api/events?from={middle}").json()["rows"]
    assert later and all(r["at"] >= middle for r in later) and len(later) >= 10
    earlier = me.get(f"/api/events?from=1&until={middle}").json()["rows"]
    assert earlier and all(r["at"] <= middle for r in earlier)
    first = me.get("/api/events?from=1&limit=3").json()
    assert [r["n"] for r in first["rows"]] == [3, 2, 1] and first["more"]


def test_a_pattern_is_tried_against_the_last_events(console):
    me = console.login("vera")
    found = me.post("/api/try", {"pattern": '{"eventkey":["1","2","77"]}'}).json()
    assert (found["tried"], found["matched"]) == (20, 2) and [r["n"] for r in found["rows"]] == [2, 1]
    assert me.post("/api/try", {"subject": "vc.*.*.*.error.>"}).json()["matched"] == 0
    assert me.post("/api/try", {"subject": "vc.lab.>"}).json()["matched"] == 20
    wrong = me.post("/api/try", {"pattern": '{"source":[{"EXISTS":true}]}'})
    assert wrong.status == 400 and "Unrecognized match type EXISTS at line: 1, column: " in wrong.json()["error"]


def follow(console, login, path="/api/live"):
    """An open stream of events: (socket file, its connection)."""
    sock = socket.create_connection(("127.0.0.1", console.port), 30)
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {login.cookie}\r\n\r\n".encode())
    return sock.makefile("rb"), sock


def rows_of(file, n):
    """The numbers of the first n rows that come."""
    found = []
    while len(found) < n:
        line = file.readline()
        assert line, found
        if line.startswith(b"data: {\"left_out\""):
            found += [r["n"] for r in json.loads(line[6:])["rows"]]
    return found


def state_of(file, connected):
    while True:
        line = file.readline()
        assert line
        if line.startswith(b"data: {\"connected\":" + json.dumps(connected).encode()):
            return json.loads(line[6:])


def following(console, stream, *user):
    """(login, lines of /api/live, its socket); the console reads the stream."""
    me = console.login(*user)
    file, sock = follow(console, me)
    state_of(file, True)
    wait_until(lambda: stream.js.consumers("VC_lab"), 30, "the console reads")
    return me, file, sock


def test_events_come_as_they_are_stored(console, stream):
    me, file, sock = following(console, stream, "vera")
    stream.publish(5)
    assert rows_of(file, 5) == [21, 22, 23, 24, 25]
    some, other = follow(console, me, "/api/live?pattern=%7B%22eventkey%22%3A%5B%2227%22%5D%7D")
    state_of(some, True)
    stream.publish(3)
    assert rows_of(some, 1) == [27] and rows_of(file, 3) == [26, 27, 28]
    sock.close()
    other.close()


def test_the_console_has_a_lower_priority(console):
    """NATS and dispatchers on the same machine get the processor first."""
    assert os.getpriority(os.PRIO_PROCESS, console.pid) == min(os.getpriority(os.PRIO_PROCESS, 0) + 10, 19)


def test_nats_goes_away_and_comes_back(console, stream, lab):
    me, file, sock = following(console, stream)
    stream.publish(1)
    assert rows_of(file, 1) == [21]
    stream.js.close()
    stream.server.kill()
    assert state_of(file, False)["why"]
    assert me.get("/api/events").status == 503
    wait_until(lambda: not me.get("/api/status").json()["connected"], 30, "the state says so")
    stream.server.start()
    state_of(file, True)
    stream.js = lab.jetstream(stream.server)
    wait_until(lambda: me.get("/api/events").status == 200, 30, "events again")
    stream.publish(2)
    assert rows_of(file, 2)[-1] == 23
    sock.close()


def test_a_stream_vanishes_and_comes_back(console, stream):
    me, file, sock = following(console, stream)
    stream.publish(1)
    assert rows_of(file, 1) == [21]
    stream.js.api("STREAM.DELETE.VC_lab")
    assert me.get("/api/event?stream=VC_lab&seq=1").status == 404
    assert wait_until(lambda: me.get("/api/events").status == 200 and me.get("/api/events").json()["rows"] == [] and me.post("/api/try", {"subject": "vc.>"}).json()["tried"] == 0, 30)
    assert me.get("/api/catalogue").status == 200
    status = lambda: me.get("/api/status").json()["status"]  # noqa: E731 -- null until the first one is there
    wait_until(lambda: (found := status()) and not any(s["name"] == "VC_lab" and s["ok"] for s in found["streams"]), 60, "the state says so")
    stream.make_stream()
    wait_until(lambda: stream.js.consumers("VC_lab"), 60, "the console reads again")
    stream.publish(2)
    assert rows_of(file, 1)[-1] in (1, 2)
    sock.close()


def test_what_runs(rejected):
    me = rejected.login("vera")
    state = wait_until(lambda: (s := me.get("/api/status").json())["status"] and s, 30, "a first look")
    assert state["connected"] and {s["name"] for s in state["status"]["streams"]} == {"VC_lab", "VCDEAD"}
    assert state["status"]["dispatchers"][0]["name"] == "kn" and state["status"]["dispatchers"][0]["replicas"] == 1
    assert len(state["history"]["series"]["stream VC_lab"]) == 61 and state["history"]["series"]["stream VC_lab"][-1] == 60


def test_the_catalogue_counts_and_has_an_example(console):
    kinds = {e["name"]: e for e in console.login("vera").get("/api/catalogue").json()["events"]}
    assert kinds["VmPoweredOnEvent"]["count"] == 20 and kinds["VmPoweredOnEvent"]["seq"] == 20
    assert kinds["HostConnectedEvent"]["count"] == 0 and len(kinds) > 400


def test_dead_letters_are_shown_sent_again_and_dropped(rejected, lab, stream):
    me, viewer = rejected.login(), rejected.login("vera")
    found = viewer.get("/api/dead").json()
    assert found["all"] == 6 and found["groups"] == [{"dispatcher": "kn", "reason": "rejected", "count": 6}]
    assert found["rows"][0]["status"] == "400" and "no such field" in found["rows"][0]["error"]
    letter = viewer.get(f"/api/dead/letter?seq={found['rows'][0]['seq']}").json()
    assert letter["event"]["eventkey"] == "60" and letter["dispatcher"] == "kn"
    seqs = sorted(r["seq"] for r in found["rows"])
    assert viewer.post("/api/dead/redrive", {"seqs": seqs}).status == 403
    assert viewer.post("/api/dead/drop", {"seqs": seqs}).status == 403
    # as many as were confirmed, or none
    assert me.post("/api/dead/redrive", {"all": {"dispatcher": "kn", "reason": "rejected"}, "expect": 5}).status == 409
    lab.accept()
    dropped = me.post("/api/dead/drop", {"seqs": seqs[:1]}).json()["job"]
    assert job_ended(me, dropped)["done"] == 1
    sent = me.post("/api/dead/redrive", {"all": {"dispatcher": "kn", "reason": "rejected"}, "expect": 5}).json()["job"]
    job = job_ended(me, sent)
    assert (job["done"], job["failed"], job["user"]) == (5, 0, "olga")
    lab.backend.wait_for(lambda requests: {int(r.event()["eventkey"]) for r in requests if r.status == 202} == set(range(1, 61)) - {10})
    assert stream.dead() == []
    assert rejected.lines(r'msg="redrive of dead letters begins" user=olga .*count=5') and rejected.lines(r'msg="drop of dead letters begins" user=olga .*count=1')
    gone = me.post("/api/dead/redrive", {"seqs": seqs[:1]}).json()["job"]
    assert job_ended(me, gone)["failed"] == 1


def test_a_replay_is_counted_then_sent(rejected, lab, stream):
    me = rejected.login()
    span = {"dispatcher": "kn", "since": 1, "until": int(time.time() * 1000) + 1000, "pattern": '{"eventkey":["1","2"]}'}
    before = lab.backend.count
    job = job_ended(me, me.post("/api/replay", {**span, "dry_run": True}).json()["job"])
    assert (job["done"], job["total"], job["dry_run"]) == (2, 60, True) and lab.backend.count == before
    assert job_ended(me, me.post("/api/replay", span).json()["job"])["done"] == 2
    lab.backend.wait_for(lambda requests: len([r for r in requests if r.event()["eventkey"] in ("1", "2")]) == 4)
    assert me.post("/api/replay", {**span, "dispatcher": ""}).status == 400
    assert "no dispatcher" in job_ended(me, me.post("/api/replay", {**span, "dispatcher": "nobody"}).json()["job"])["error"]
    assert rejected.login("vera").post("/api/replay", span).status == 403


def test_a_session_that_ends_during_a_redrive(rejected, lab):
    """The job was begun with the right to do so; it goes on, and no other begins."""
    lab.accept()
    me = rejected.login()
    number = me.post("/api/dead/redrive", {"all": {}, "expect": 6}).json()["job"]
    assert me.post("/api/logout", {}).status == 200
    assert me.get("/api/job").status == 401 and me.post("/api/dead/drop", {"all": {}, "expect": 6}).status == 401
    assert job_ended(rejected.login("vera"), number)["done"] == 6


# ---- what attackers do not get

def request(method="GET", path="/api/events", body=None, **headers):
    return method, path, body, {k.replace("_", "-"): v for k, v in headers.items()}


EVIL = "http://evil.example"
LOGIN = json.dumps({"user": "olga", "password": PASSWORDS["olga"]})
# name: (request, expected status); nobody has logged in
STRANGER = {
    "events": (request(), 401),
    "live": (request(path="/api/live"), 401),
    "state": (request(path="/api/status"), 401),
    "event": (request(path="/api/event?stream=VC_lab&seq=1"), 401),
    "dead letters": (request(path="/api/dead"), 401),
    "redrive": (request("POST", "/api/dead/redrive", '{"seqs":[1]}', **JSON), 401),
    "a made-up session": (request(Cookie="vcourier_session=" + "A" * 43), 401),
    "a short session": (request(Cookie="vcourier_session="), 401),
    "a long session": (request(Cookie="vcourier_session=" + "A" * 5000), 401),
    "session of another cookie": (request(Cookie="xvcourier_session=" + "A" * 43), 401),
    "forged Host": (request(Host="evil.example"), 421),
    "forged Host for the page": (request(path="/", Host="evil.example"), 421),
    "Host with a user": (request(path="/", Host="localhost@evil.example"), 421),
    "login from another site": (request("POST", "/api/login", LOGIN, Origin=EVIL, **JSON), 403),
    "login by fetch of another site": (request("POST", "/api/login", LOGIN, Sec_Fetch_Site="cross-site", **JSON), 403),
    "login as a form": (request("POST", "/api/login", "user=olga&password=x", Content_Type="application/x-www-form-urlencoded"), 415),
    "login as text": (request("POST", "/api/login", LOGIN, Content_Type="text/plain"), 415),
    "login without a password": (request("POST", "/api/login", '{"user":"olga"}', **JSON), 400),
    "login with an array": (request("POST", "/api/login", "[" * 5000, **JSON), 400),
    "login with a number": (request("POST", "/api/login", '{"user":1,"password":2}', **JSON), 400),
    "login by GET": (request(path="/api/login"), 405),
    "wrong password": (request("POST", "/api/login", '{"user":"olga","password":"x"}', **JSON), 401),
    "unknown user": (request("POST", "/api/login", '{"user":"root","password":"x"}', **JSON), 401),
    "the proxy's header without a proxy": (request(path="/api/session", X_Remote_User="olga"), 401),
    "path traversal": (request(path="/../../etc/passwd"), 404),
    "path traversal, encoded": (request(path="/%2e%2e/%2e%2e/etc/passwd"), 404),
    "path traversal below a file": (request(path="/app.js/..%2f..%2fetc/passwd"), 404),
    "unknown path": (request(path="/api/config"), 404),
    "PUT of the page": (request("PUT", "/index.html", "x"), 405),
    "TRACE": (request("TRACE", "/"), 405),
    "a body of 10 MB": (request("POST", "/api/login", b"x" * 10_000_000, **JSON), 413),
}


def test_a_stranger_gets_nothing(console):
    wrong = {}
    for name, ((method, path, body, headers), expected) in STRANGER.items():
        try:
            answer = console.request(method, path, body, headers)
        except (BrokenPipeError, ConnectionResetError):  # it was closed before all of the body was sent
            assert expected == 413
            continue
        headers = answer.headers
        if answer.status != expected or b"VmPoweredOnEvent" in answer.body or "set-cookie" in headers or headers.get("x-frame-options") != "DENY" \
                or headers.get("x-content-type-options") != "nosniff" or "default-src 'none'" not in headers.get("content-security-policy", ""):
            wrong[name] = (expected, answer)
    assert not wrong and len(STRANGER) >= 30
    assert console.request("GET", "/").status == 200


def without(login, **headers):
    """A redrive of the operator's session with other headers; None leaves one out."""
    base = {"Cookie": login.cookie, "X-CSRF-Token": login.csrf, "Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return login.console.request("POST", "/api/dead/drop", '{"seqs":[1]}', {k: v for k, v in base.items() if v is not None})


# by another site, in the browser of an operator who has logged in: (the answer, given the operator's session and another one), expected status
OTHER_SITE = {
    "without a token": (lambda me, other: without(me, X_CSRF_Token=None), 403),
    "with an empty token": (lambda me, other: without(me, X_CSRF_Token=""), 403),
    "with the token of another session": (lambda me, other: without(me, X_CSRF_Token=other.csrf), 403),
    "with the session as the token": (lambda me, other: without(me, X_CSRF_Token=me.cookie.split("=")[1]), 403),
    "from another origin": (lambda me, other: without(me, Origin=EVIL), 403),
    "from no origin": (lambda me, other: without(me, Origin="null"), 403),
    "from another port": (lambda me, other: without(me, Origin="http://127.0.0.1:1"), 403),
    "as a form would": (lambda me, other: without(me, Content_Type="text/plain"), 415),
    "as the browser says, from a site beside it": (lambda me, other: without(me, Sec_Fetch_Site="same-site"), 403),
    "to another host": (lambda me, other: without(me, Host="evil.example"), 421),
    "by GET": (lambda me, other: me.get("/api/dead/drop"), 405),
    "as a viewer with a role of its own": (lambda me, other: other.post("/api/dead/drop", {"seqs": [1], "role": "operator"}), 403),
}


def test_another_site_cannot_use_a_session(rejected, stream):
    me, viewer = rejected.login(), rejected.login("vera")
    assert {name: attempt(me, viewer).status for name, (attempt, _) in OTHER_SITE.items()} == {name: status for name, (_, status) in OTHER_SITE.items()}
    assert len(stream.dead()) == 6


BAD = {
    "a stream that is none of events": "/api/event?stream=VCDEAD&seq=1",
    "a stream that is a subject": "/api/event?stream=VC_lab.%3E&seq=1",
    "a stream with a wildcard": "/api/event?stream=VC_*&seq=1",
    "a bucket": "/api/event?stream=KV_vcourier&seq=1",
    "a sequence that is none": "/api/event?stream=VC_lab&seq=-1",
    "a sequence too large": "/api/event?stream=VC_lab&seq=99999999999999999999",
    "a limit too large": "/api/events?limit=1000000",
    "a time that is none": "/api/events?from=yesterday",
    "a filter too long": "/api/events?name=" + "x" * 300,
    "a filter that is not UTF-8": "/api/events?name=%FF%FE",
    "a pattern that is none": "/api/events?pattern=%7B",
    "a pattern for live events that is none": "/api/live?pattern=%5B%5D",
}


def test_bad_arguments_are_refused(console):
    me = console.login("vera")
    answers = {name: me.get(path) for name, path in BAD.items()}
    assert not {name: answer for name, answer in answers.items() if answer.status != 400 or not answer.json()["error"]}


def test_the_page_lists_the_attempts():
    """The table of docs/console.md is these three."""
    table = (ROOT / "docs/console.md").read_text().split("## Attacks that the tests try")[1]
    listed = {(who, name): int(status) for who, name, status in re.findall(r"^\| (a stranger|another site|a user) \| (.*) \| (\d{3}) \|$", table, re.M)}
    assert listed == {("a stranger", name): status for name, (_, status) in STRANGER.items()} | {("another site", name): status for name, (_, status) in OTHER_SITE.items()} \
        | {("a user", name): 400 for name in BAD} and len(listed) >= 50


def test_bad_bodies_are_refused(rejected, stream):
    me = rejected.login()
    for body in ("", "[]", "{", "null", '{"seqs":[]}', '{"seqs":["1"]}', '{"seqs":[0]}', '{"seqs":[-1]}', '{"seqs":[1e300]}', '{"seqs":[NaN]}', '{"seqs":{}}',
                 '{"all":{},"expect":0}', '{"all":{"reason":"other"},"expect":6}', '{"a":' * 1500):
        assert me.post("/api/dead/drop", body).status in (400, 409), body[:40]
    assert len(stream.dead()) == 6


def test_failed_logins_are_slowed_down(console):
    def attempt(password):
        return console.request("POST", "/api/login", json.dumps({"user": "vera", "password": password}), JSON)
    assert [attempt("x").status for _ in range(5)] == [401] * 5
    refused = attempt(PASSWORDS["vera"])
    assert refused.status == 429 and int(refused.headers["retry-after"]) >= 1
    assert console.lines('msg="login refused" user=vera from=127.0.0.1') and PASSWORDS["vera"] not in console.text()


def test_a_failed_login_does_not_tell_who_exists(console):
    """The same answer; and both hash a password (users_verify)."""
    answers = [console.request("POST", "/api/login", json.dumps({"user": user, "password": "x"}), JSON) for user in ("nobody", "olga")]
    assert answers[0].json() == answers[1].json()


def test_a_user_who_is_removed_is_logged_out(console):
    me, other = console.login(), console.login("vera")
    assert me.get("/api/names").status == 200
    console.users.write_text("".join(line for line in console.users.read_text().splitlines(True) if not line.startswith("olga")))
    wait_until(lambda: me.get("/api/names").status == 401, 30, "the session has ended")
    assert other.get("/api/names").status == 200


def test_slow_and_many_clients(lab, stream):
    """Connections that send nothing, or a byte now and then, or do not read: others are served, and they are closed."""
    console = lab._keep(Console(lab.directory, stream.server)).start().wait_ready()
    me = console.login()
    silent = [socket.create_connection(("127.0.0.1", console.port), 60) for _ in range(50)]
    for s in silent:
        s.sendall(b"GET / HTTP/1.1\r\nHost: loc")
    stuck = [follow(console, me)[1] for _ in range(20)]  # nobody reads them
    begin = console.rss()
    stream.publish(3000)
    assert me.get("/api/events?limit=1").json()["rows"][0]["n"] == 3000
    assert console.rss() - begin < 30e6
    for s in silent:
        assert s.recv(100) == b""  # it was closed without an answer
    for s in silent + stuck:
        s.close()
    assert me.get("/api/names").status == 200


def test_a_proxy_that_authenticates(lab, stream):
    console = lab._keep(Console(lab.directory, stream.server, proxy={"userHeader": "X-Remote-User", "from": ["127.0.0.1"], "role": "viewer"})).start().wait_ready()
    known = console.request("GET", "/api/session", headers={"X-Remote-User": "olga"})
    assert known.json()["role"] == "operator" and "HttpOnly; SameSite=Strict" in known.headers["set-cookie"]
    assert console.request("GET", "/api/session", headers={"X-Remote-User": "someone"}).json()["role"] == "viewer"
    assert console.request("GET", "/api/session", headers={"X-Remote-User": "a\x01b"}).status in (400, 401)
    assert console.request("GET", "/api/session").status == 401
    elsewhere = lab._keep(Console(lab.directory, stream.server, name="other", proxy={"userHeader": "X-Remote-User", "from": ["10.0.0.1"], "role": "viewer"})).start().wait_ready()
    assert elsewhere.request("GET", "/api/session", headers={"X-Remote-User": "olga"}).status == 401


def peer_certificate(console, ca):
    context = ssl.create_default_context(cafile=str(ca))
    with socket.create_connection(("127.0.0.1", console.port), 10) as raw, context.wrap_socket(raw, server_hostname="localhost") as s:
        return s.getpeercert()["serialNumber"]


def test_tls_with_files_that_change(lab, stream, tmp_path, authority):
    cert, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    cert.write_bytes(authority.cert.read_bytes())
    key.write_bytes(authority.key.read_bytes())
    console = lab._keep(Console(lab.directory, stream.server, tls={"certFile": str(cert), "keyFile": str(key)})).start()
    first = wait_until(lambda: attempt(lambda: peer_certificate(console, authority.ca)), 30, "TLS")
    from lab.vcenter import Authority
    other = Authority(tmp_path / "other")
    key.write_bytes(other.key.read_bytes())
    cert.write_bytes(other.cert.read_bytes())
    assert wait_until(lambda: attempt(lambda: peer_certificate(console, other.ca)), 30, "the new certificate") != first


def attempt(function):
    try:
        return function()
    except OSError:
        return None


WRONG = [
    ({"usersFile": None}, "nobody could log in"),
    ({"listen": "0.0.0.0:8090"}, "hosts is required"),
    ({"listen": "8090"}, "listen"),
    ({"bus": {"urls": ["http://127.0.0.1"]}}, "nats://host:port"),
    ({"sessionLifetime": "1s"}, "sessionLifetime"),
    ({"proxy": {"userHeader": "X User", "from": ["127.0.0.1"]}}, "name of a header"),
    ({"unknown": 1}, "unknown"),
    ({"operator": {"user": "console-operator"}}, "a user with its password, or credentialsFile, is required"),
    ({"operator": {"user": "o", "password": "p", "credentialsFile": "/dev/null"}}, "exclude each other"),
]


def test_a_wrong_configuration_is_refused(tmp_path):
    for i, (change, message) in enumerate(WRONG):
        console = Console(tmp_path, "nats://127.0.0.1:1")
        options = {k: v for k, v in {**console.options, **change}.items() if v is not None}
        console.file.write_text(json.dumps(options))
        check = Process(f"check{i}", [BUILD / "vcourier-console", "-c", console.file, "--check"], tmp_path).start()
        assert check.wait() == 78 and message in check.text() and re.search(r"console\.yaml:\d+:\d+: ", check.text()), check.text()


def test_the_page_is_small_and_asks_for_nothing_else(console):
    """Under 120 kB, and no address of another host in it but those that are only shown or named."""
    total, seen, wanted = 0, set(), ["/index.html", "/runbooks.md"]
    while wanted:
        path = wanted.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = console.request("GET", path)
        assert answer.status == 200, path
        text = answer.body.decode()
        total += len(answer.body)
        assert not re.search(r"<script>|style=|\son\w+=\"|innerHTML|eval\(|document\.write", text), path
        assert set(re.findall(r"https?://[\w.]+", text)) <= ({"http://127.0.0.1"} if path == "/runbooks.md" else {"http://www.w3.org"}), path
        wanted += ["/" + name for name in re.findall(r"(?:from |src=|href=)\"(?:\./)?(\w+\.(?:js|css|svg))\"", text)]
        again = console.request("GET", path, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status == 304 and again.body == b""
    assert len(seen) > 8 and total < 120_000


def test_each_fault_has_a_runbook(console):
    """The names in the page are headings of docs/operations.md, which the console has compiled in."""
    text = console.request("GET", "/runbooks.md").body.decode()
    headings = re.findall(r"^### (Vcourier\w+)$", text, re.M)
    assert headings == re.findall(r"^### (Vcourier\w+)$", (ROOT / "docs/operations.md").read_text(), re.M)
    named = set(re.findall(r"\bvcourier[a-z]{6,}\b", "".join((ROOT / "web" / name).read_text() for name in ("faults.js", "dead.js"))))
    assert len(named) >= 12 and named <= {h.lower() for h in headings}


def test_many_browsers(lab, stream):
    """200: each gets events; memory stays small."""
    console = lab._keep(Console(lab.directory, stream.server)).start().wait_ready()
    me = console.login("vera")
    opened = [follow(console, me) for _ in range(200)]
    state_of(opened[-1][0], True)
    wait_until(lambda: stream.js.consumers("VC_lab"), 30, "the console reads")
    stream.publish(30)
    for file, _ in opened:
        assert rows_of(file, 30)[-1] == 30
    assert console.rss() < 64e6
    for _, sock in opened:
        sock.close()


def test_a_flood_becomes_samples(console, stream):
    """A browser that reads gets samples and how many were left out; together they are all events."""
    me = console.login("vera")
    file, sock = follow(console, me)
    state_of(file, True)
    wait_until(lambda: stream.js.consumers("VC_lab"), 30, "the console reads")
    publisher = threading.Thread(target=stream.publish, args=(5000,))
    publisher.start()
    shown = lost = 0
    while shown + lost < 5000:
        line = file.readline()
        if line.startswith(b"data: {\"left_out\""):
            message = json.loads(line[6:])
            shown, lost = shown + len(message["rows"]), lost + message["left_out"]
    publisher.join()
    assert shown + lost == 5000 and shown < 5000
    sock.close()
