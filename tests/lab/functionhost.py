#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A recorder in place of podman, systemctl and journalctl, for a machine without them: `vcourier function` finds it in PATH.

It writes each call to calls.jsonl. `systemctl start` reads the .container file below the root and runs a small HTTP server on its port, which
writes the events that it gets to NAME.events. Files in its directory change what it does:
  podman.version      what `podman --version` says
  network             what `podman network inspect podman` says
  images              the images that the registry has, one a line; without the file: all
  NAME.ends           the function ends at once with the status in this file
  NAME.silent         it runs, and nothing listens on its port"""
import json
import os
import re
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

HERE = Path(os.environ.get("FUNCTION_HOST", "."))
ROOT = Path(os.environ.get("FUNCTION_ROOT", "/"))


# as podman 4.3.1 wrote it
NETWORK = """[
     {
          "name": "podman",
          "id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9",
          "driver": "bridge",
          "network_interface": "podman0",
          "created": "2026-11-29T01:59:29.588871669Z",
          "subnets": [
               {
                    "subnet": "10.88.0.0/16",
                    "gateway": "10.88.0.1"
               }
          ],
          "ipv6_enabled": false,
          "internal": false,
          "dns_enabled": false,
          "ipam_options": {
               "driver": "host-local"
          }
     }
]"""


def install(directory):
    """Puts it into a directory for PATH."""
    directory.mkdir()
    for name in ("podman", "systemctl", "journalctl"):
        (directory / name).symlink_to(Path(__file__).resolve())
    return directory


def serve(name, port):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            with open(HERE / f"{name}.events", "a") as out:
                out.write(json.dumps({"id": self.headers["ce-id"], "type": self.headers["ce-type"], "body": body.decode()}) + "\n")
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass
    HTTPServer(("127.0.0.1", port), Handler).serve_forever()


def name_of(unit):
    return re.fullmatch(r"vcourier-function-(.*)\.service", unit)[1]


def state(name):
    file = HERE / f"{name}.state"
    return json.loads(file.read_text()) if file.exists() else {"pid": 0, "restarts": 0, "status": 0, "active": "inactive", "sub": "dead"}


def keep(name, **values):
    (HERE / f"{name}.state").write_text(json.dumps({**state(name), **values}))


def stop(name):
    pid = state(name)["pid"]
    if pid:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    keep(name, pid=0, active="inactive", sub="dead")


def start(name):
    unit = (ROOT / f"etc/containers/systemd/vcourier-function-{name}.container").read_text()
    port = int(re.search(r"^PublishPort=127\.0\.0\.1:(\d+):", unit, re.M)[1])
    image = re.search(r"^Image=(.*)$", unit, re.M)[1]
    if not (HERE / "here").exists() or image not in (HERE / "here").read_text().splitlines():
        sys.exit(f"the unit was started without its image {image}")
    if (HERE / f"{name}.ends").exists():
        keep(name, pid=0, restarts=0, status=int((HERE / f"{name}.ends").read_text()), active="activating", sub="auto-restart")
        return
    keep(name, active="active", sub="running", restarts=0)
    if (HERE / f"{name}.silent").exists():
        return
    server = subprocess.Popen([sys.executable, str(Path(__file__).resolve()), "serve", name, str(port)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, start_new_session=True)
    keep(name, pid=server.pid)


def systemctl(verb, *words):
    units = [w for w in words if w.startswith("vcourier-function-")]
    if verb == "show":
        for unit in units:
            name = name_of(unit)
            s = state(name)
            loaded = (ROOT / f"etc/containers/systemd/vcourier-function-{name}.container").exists()
            print(f"NRestarts={s['restarts']}\nExecMainStatus={s['status']}\nResult={'exit-code' if s['status'] else 'success'}\n"
                  f"LoadState={'loaded' if loaded else 'not-found'}\nActiveState={s['active']}\nSubState={s['sub']}")
            if unit != units[-1]:
                print()
    elif verb == "is-active":
        sys.exit(0 if state(name_of(units[0]))["active"] == "active" else 3)
    elif verb in ("start", "restart", "stop"):
        if verb != "start" or not state(name_of(units[0]))["pid"]:
            stop(name_of(units[0]))
            if verb != "stop":
                start(name_of(units[0]))


def podman(verb, *words):
    here = (HERE / "here").read_text().splitlines() if (HERE / "here").exists() else []
    if verb == "--version":
        print((HERE / "podman.version").read_text() if (HERE / "podman.version").exists() else "podman version 5.4.2")
    elif verb == "network":
        said = (HERE / "network").read_text() if (HERE / "network").exists() else NETWORK
        print(said)
        sys.exit(125 if "Error" in said else 0)
    elif verb == "image":
        sys.exit(0 if words[-1] in here else 1)
    elif verb in ("pull", "load"):
        wanted = [words[-1]] if verb == "pull" else Path(words[-1]).read_text().splitlines()
        registry = HERE / "images"
        if verb == "pull" and registry.exists() and wanted[0] not in registry.read_text().splitlines():
            sys.exit(f"Error: initializing source docker://{wanted[0]}: reading manifest: manifest unknown")
        (HERE / "here").write_text("\n".join(here + wanted))
        print("\n".join(f"Loaded image: {w}" for w in wanted) if verb == "load" else "sha256:0")


def main():
    called = Path(sys.argv[0]).name
    if called == "functionhost.py":
        return serve(sys.argv[2], int(sys.argv[3]))
    with open(HERE / "calls.jsonl", "a") as out:
        out.write(json.dumps([called, *sys.argv[1:]]) + "\n")
    if called == "journalctl":
        print("Traceback: no module named vmware")
    else:
        {"systemctl": systemctl, "podman": podman}[called](*sys.argv[1:])


if __name__ == "__main__":
    main()
