# SPDX-License-Identifier: Apache-2.0
"""The programs of this project: configuration, start, metrics and readiness."""
import json
import re
import urllib.error
import urllib.request

from .process import BUILD, Process, free_port, wait_until
from .vcenter import PASSWORD, USER


def provider(vcenter, name="lab", **more):
    """An eventProvider entry in the format of the Event Router."""
    auth = {"type": "basic_auth", "basicAuth": {"username": USER, "password": PASSWORD}}
    return {"type": "vcenter", "name": name, "vcenter": {"address": vcenter.url, "auth": auth, **more}}


def knative(uri, name="kn", **more):
    return {"type": "knative", "name": name, "knative": {"encoding": "binary", "destination": {"uri": uri}, **more}}


def router_config(nats, ca=None, providers=(), processors=(), **more):
    """A RouterConfig document. One provider or processor uses the singular key, several use the plural key."""
    config = {"apiVersion": "event-router.vmware.com/v1alpha1", "kind": "RouterConfig", "metadata": {"name": "lab"},
              "bus": {"urls": [nats if isinstance(nats, str) else nats.url]}}
    if ca:
        config["certificates"] = {"rootCAs": [str(ca)]}
    for key, entries in (("eventProvider", providers), ("eventProcessor", processors)):
        if len(entries) == 1:
            config[key] = entries[0]
        elif entries:
            config[key + "s"] = list(entries)
    return {**config, **more}


class Daemon(Process):
    """vcourier-collector or vcourier-dispatcher with its own configuration file and metrics port."""

    def __init__(self, program, config, directory, *flags, name=None):
        name = name or program
        self.port = free_port()
        self.file = directory / f"{name}.yaml"
        self.configure(config)
        super().__init__(name, [BUILD / f"vcourier-{program}", "-c", self.file, "--metrics", f"127.0.0.1:{self.port}", *flags],
                         directory)

    def configure(self, config):
        """JSON is YAML."""
        self.file.write_text(config if isinstance(config, str) else json.dumps(config, indent=2))

    def get(self, path):
        """(status, text) from the metrics port; (0, error) if there is no reply."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()
        except OSError as e:
            return 0, str(e)

    def wait_ready(self, timeout=60):
        wait_until(lambda: not self.running() or self.get("/readyz")[0] == 200, timeout,
                   lambda: f"{self.name} ready; /readyz: {self.get('/readyz')}\n{self.text()[-2000:]}")
        assert self.running(), self.text()[-4000:]
        return self

    def reasons(self):
        """The failed checks of /readyz: {check: reason}; empty if the process is ready or does not reply."""
        status, body = self.get("/readyz")
        return {name: check["why"] for name, check in json.loads(body)["checks"].items() if not check["ok"]} if status == 503 else {}

    def metrics(self):
        """{'name{labels}': value}"""
        text = self.get("/metrics")[1]
        return {m[1]: float(m[2]) for m in re.finditer(r"^([a-z_]\w*(?:\{.*\})?) (\S+)$", text, re.M)}

    def metric(self, name, **labels):
        """The sum of the series with this name and these labels."""
        want = [f'{k}="{v}"' for k, v in labels.items()]
        return sum(value for series, value in self.metrics().items()
                   if series.split("{")[0] == name and all(w in series for w in want))
