# SPDX-License-Identifier: Apache-2.0
"""The vCenter simulator over TLS, with its own certificate authority, and its control API."""
import json
import ssl
import subprocess
import urllib.parse
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

from .process import ROOT, Process

USER = "administrator@vsphere.local"
PASSWORD = "canary-p4ssw0rd-of-the-simulator"


CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class Authority:
    """A CA and a server certificate for 127.0.0.1, created with openssl."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.ca, self.cert, self.key = (self.directory / n for n in ("ca.pem", "server.pem", "server.key"))
        self._openssl("req", "-x509", *CURVE, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=lab CA",
                      "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self.issue(self.cert, self.key)

    def issue(self, cert, key, usage="serverAuth"):
        """A certificate for this machine; usage: values of extendedKeyUsage."""
        self._openssl("req", *CURVE, "-keyout", key, "-out", "server.csr", "-subj", "/CN=localhost")
        (self.directory / "san").write_text(f"subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:vcenter.localhost\nextendedKeyUsage={usage}\n")
        self._openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                      "-days", "30", "-extfile", "san", "-out", cert)

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.directory, check=True, capture_output=True)

    def context(self):
        return ssl.create_default_context(cafile=self.ca)


class Endpoint:
    """One vCenter of a simulator, by its URL."""

    def __init__(self, url, authority):
        self.url, self.authority = url, authority

    def lab(self, call, **arguments):
        """One call of the control API; returns its text."""
        query = urllib.parse.urlencode({k: v for k, v in arguments.items() if v is not None})
        where = f"{self.url[:-len('/sdk')]}/lab/{call}?{query}"
        with urllib.request.urlopen(where, context=self.authority.context(), timeout=60) as reply:
            return reply.read().decode()

    def fault(self, kind, n=1, **arguments):
        self.lab("fault", kind=kind, n=n, **arguments)

    def burst(self, n, **arguments):
        self.lab("burst", n=n, **arguments)

    def stats(self):
        return json.loads(self.lab("stats"))

    def events(self, ever=False):
        """The simulator's own record: {(key, createdTime in ms): (class, state)}; state: visible, hidden or gone."""
        out = {}
        for line in self.lab("keys", ever=int(ever)).splitlines():
            key, created, cls, state = line.split()
            out[int(key), milliseconds(created)] = cls, state
        return out

    def json(self, first=0, n=-1, form="router"):
        lines = self.lab("json", form=form, n=n, **{"from": first}).splitlines()
        return [json.loads(line) for line in lines]


class Vcenter(Process, Endpoint):
    def __init__(self, directory, authority, *flags, name="vcenter"):
        self.authority = authority
        self.ready = {}
        super().__init__(name, [ROOT / "build" / "vcenter-sim", "-cert", authority.cert, "-key", authority.key, *flags],
                         directory, {"VCENTER_SIM_PASSWORD": PASSWORD}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def start(self):
        if self.ready:  # the same port after a restart
            self.argv += ["-listen", urllib.parse.urlsplit(self.url).netloc]
        super().start()
        line = self.process.stdout.readline()
        assert line, f"the simulator does not start: {self.text()}"
        self.ready = json.loads(line)
        return self

    @property
    def url(self):
        return self.ready["url"]

    def endpoints(self):
        """All vCenters of this process: flag -endpoints."""
        return [Endpoint(url, self.authority) for url in self.ready["urls"]]


def milliseconds(rfc3339):
    """Unix milliseconds, truncated; exact for any number of fraction digits."""
    whole, _, fraction = rfc3339.rstrip("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=timezone.utc).timestamp())
    return seconds * 1000 + int((fraction + "000")[:3])
