# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus server (Debian's package `prometheus`), and the text format that it reads."""
import json
import re
import urllib.error
import urllib.parse
import urllib.request

import yaml

from .process import ROOT, Process, free_port, wait_until

RULES = yaml.safe_load((ROOT / "k8s/components/monitoring/prometheusrule.yaml").read_text())["spec"]
UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def parse(text):
    """({family: type}, [(name, {label: value}, number)]) of a /metrics text."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    series = [(m[1], dict(LABEL.findall(m[2] or "")), float(m[3]))
              for m in re.finditer(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$", text, re.M)]
    return types, series


def shorter(duration, by):
    whole = sum(int(n) * UNITS[unit] for n, unit in re.findall(r"(\d+)(ms|[smhd])", duration))
    return f"{max(1, whole // by)}ms"


def faster(rules, by):
    """The same rules for a test that cannot wait: every duration is divided by `by`, with nothing else changed. Durations are `for`, the
    ranges and offsets of an expression, and each number that a metric in `_seconds` is compared with."""
    def expression(text):
        text = re.sub(r"\[(\w+)\]", lambda m: f"[{shorter(m[1], by)}]", text)
        text = re.sub(r"offset (\w+)", lambda m: f"offset {shorter(m[1], by)}", text)
        return re.sub(r"(_seconds\S* [<>] )(\d+)", lambda m: f"{m[1]}{int(m[2]) / by}", text)

    def rule(r):
        return {**r, "expr": expression(r["expr"]), **({"for": shorter(r["for"], by)} if "for" in r else {})}
    return {"groups": [{**g, "rules": [rule(r) for r in g["rules"]]} for g in rules["groups"]]}


class Prometheus(Process):
    """Scrapes the metrics ports of `targets` (daemons of this project) twice a second as the job `vcourier`."""

    def __init__(self, directory, targets=(), rules=None):
        self.port = free_port()
        self.targets = directory / "targets.json"
        self.watch(targets)
        config = {"global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
                  "scrape_configs": [{"job_name": "vcourier", "file_sd_configs": [{"files": [str(self.targets)], "refresh_interval": "1s"}]}]}
        if rules:
            (directory / "rules.yaml").write_text(yaml.safe_dump(rules))
            config["rule_files"] = [str(directory / "rules.yaml")]
        (directory / "prometheus.yaml").write_text(yaml.safe_dump(config))
        super().__init__("prometheus", [
            "prometheus", f"--config.file={directory / 'prometheus.yaml'}", f"--storage.tsdb.path={directory / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"], directory)

    def watch(self, targets):
        """Scrapes these from now on."""
        text = json.dumps([{"targets": [f"127.0.0.1:{t.port}"], "labels": {"daemon": t.name, "namespace": "vcourier"}} for t in targets])
        new = self.targets.with_suffix(".new")
        new.write_text(text)
        new.rename(self.targets)

    def get(self, path, **arguments):
        url = f"http://127.0.0.1:{self.port}/{path}?{urllib.parse.urlencode(arguments)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as reply:
                return reply.read()
        except urllib.error.HTTPError as e:
            return e.read()

    def start(self):
        super().start()

        def ready():
            try:
                return b"Ready" in self.get("-/ready")
            except OSError:
                return False
        wait_until(ready, 60, lambda: f"Prometheus is ready: {self.text()[-2000:]}")
        return self

    def query(self, expression):
        """[(labels, number)]; an expression that does not parse is an error."""
        reply = json.loads(self.get("api/v1/query", query=expression))
        assert reply["status"] == "success", (expression, reply)
        data = reply["data"]
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(r["metric"], float(r["value"][1])) for r in data["result"]]

    def alerts(self, state="firing"):
        """{name: [labels]}"""
        out = {}
        for alert in json.loads(self.get("api/v1/alerts"))["data"]["alerts"]:
            if alert["state"] == state:
                out.setdefault(alert["labels"]["alertname"], []).append(alert["labels"])
        return out

    def scraped(self, *names):
        """Waits until these daemons were scraped twice."""
        wait_until(lambda: {m["daemon"] for m, n in self.query("count_over_time(vcourier_build_info[1m])") if n >= 2} >= set(names),
                   60, lambda: f"scraped: {names}; {self.query('up')}")
