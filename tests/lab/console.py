# SPDX-License-Identifier: Apache-2.0
"""vcourier-console with two users, and requests to it as a browser's page would send them."""
import http.client
import json
import subprocess

from .process import BUILD, Process, free_port, wait_until

PASSWORDS = {"olga": "operator's secret", "vera": "viewer's secret"}
ROLES = {"olga": "operator", "vera": "viewer"}
hashes = {}


def hash_of(password):
    """It takes time, so each password is hashed once in a process."""
    if password not in hashes:
        run = subprocess.run([BUILD / "vcourier-console", "--hash"], input=password + "\n", text=True, capture_output=True, check=True)
        hashes[password] = run.stdout.strip()
    return hashes[password]


def users_file(path, passwords):
    path.write_text("# name:role:hash\n" + "".join(f"{user}:{ROLES.get(user, 'operator')}:{hash_of(password)}\n" for user, password in passwords.items()))
    return path


class Answer:
    def __init__(self, reply, body):
        self.status, self.headers, self.body = reply.status, {k.lower(): v for k, v in reply.getheaders()}, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Console(Process):
    def __init__(self, directory, nats, name="console", users=PASSWORDS, **options):
        self.port, self.metrics_port = free_port(), free_port()
        self.users = users_file(directory / f"{name}.users", users)
        self.file = directory / f"{name}.yaml"
        urls = [nats if isinstance(nats, str) else nats.url]
        self.options = {"bus": {"urls": urls}, "listen": f"127.0.0.1:{self.port}", "metrics": f"127.0.0.1:{self.metrics_port}",
                        "usersFile": str(self.users), **options}
        self.file.write_text(json.dumps(self.options))  # JSON is YAML
        super().__init__(name, [BUILD / "vcourier-console", "-c", self.file], directory)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def wait_ready(self, timeout=30):
        def answers():
            try:
                return not self.running() or self.request("GET", "/").status == 200
            except OSError:
                return False
        wait_until(answers, timeout, lambda: f"the console answers\n{self.text()[-2000:]}")
        assert self.running(), self.text()
        return self

    def request(self, method, path, body=None, headers=None, timeout=30):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return Answer(reply, reply.read())
        finally:
            connection.close()

    def login(self, user="olga"):
        return Login(self, user)


class Login:
    """A session, as the page has it."""

    def __init__(self, console, user):
        self.console = console
        answer = console.request("POST", "/api/login", json.dumps({"user": user, "password": PASSWORDS[user]}), {"Content-Type": "application/json"})
        assert answer.status == 200, answer
        self.cookie, self.csrf = answer.headers["set-cookie"].split(";")[0], answer.json()["csrf"]

    def get(self, path, **headers):
        return self.console.request("GET", path, headers={"Cookie": self.cookie, **headers})

    def post(self, path, body, **headers):
        return self.console.request("POST", path, body if isinstance(body, (str, bytes)) else json.dumps(body),
                                    {"Cookie": self.cookie, "X-CSRF-Token": self.csrf, "Content-Type": "application/json", **headers})
