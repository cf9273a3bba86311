# SPDX-License-Identifier: Apache-2.0
"""A container engine to test with: the one that runs, or one started here and stopped afterwards; and a Debian base image."""
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BASE_TAR = ROOT / "build" / "base.tar"


class NoEngine(Exception):
    """Why there is none."""


def run(*command, quiet=False, **options):
    """Standard output; the command's errors are shown, and end us."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        if quiet:
            return None
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


class Engine:
    def __init__(self):
        self.daemon = None
        if not shutil.which("docker"):
            raise NoEngine("docker is not installed")
        if run("docker", "info", quiet=True) is None:
            self._start()
        self.compose = next((c for c in (["docker", "compose"], ["docker-compose"])
                             if shutil.which(c[0]) and run(*c, "version", quiet=True)), None)
        if self.compose is None:
            self.stop()
            raise NoEngine("neither `docker compose` nor docker-compose is installed")

    def _start(self):
        if os.geteuid() != 0 or not shutil.which("dockerd"):
            raise NoEngine("no engine answers, and dockerd cannot be started from here (root and docker.io are needed)")
        if not os.path.ismount("/sys/fs/cgroup"):
            run("mount", "-t", "cgroup2", "none", "/sys/fs/cgroup", quiet=True)
        self.directory = tempfile.mkdtemp(prefix="vcourier-dockerd.")
        os.environ["DOCKER_HOST"] = f"unix://{self.directory}/sock"
        log = open(f"{self.directory}/log", "wb")
        self.daemon = subprocess.Popen(
            ["dockerd", "--host", os.environ["DOCKER_HOST"], "--data-root", ROOT / "build" / "docker", "--exec-root",
             f"{self.directory}/exec", "--pidfile", f"{self.directory}/pid"], stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + 60
        while run("docker", "info", quiet=True) is None:
            if self.daemon.poll() is not None or time.monotonic() > end:
                tail = Path(f"{self.directory}/log").read_text()[-600:]
                self.stop()
                raise NoEngine(f"dockerd does not start:\n{tail}")
            time.sleep(0.2)

    def stop(self):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait(60)
            shutil.rmtree(self.directory, ignore_errors=True)

    def base(self):
        """The base image's name: Debian's slim one, or where no registry has it one made with debootstrap."""
        name = "debian:bookworm-slim"
        if run("docker", "image", "inspect", name, quiet=True) or run("docker", "pull", "-q", name, quiet=True):
            return name
        name = "vcourier-base:bookworm"
        if run("docker", "image", "inspect", name, quiet=True):
            return name
        if not BASE_TAR.exists():
            if not shutil.which("debootstrap"):
                raise NoEngine("no registry is reachable, and debootstrap is not installed")
            with tempfile.TemporaryDirectory() as root:
                run("debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", root)
                BASE_TAR.parent.mkdir(exist_ok=True)
                run("tar", "-C", root, "--exclude=./var/cache/apt/archives/*.deb", "--exclude=./dev/*", "-cf", BASE_TAR, ".")
        run("docker", "import", BASE_TAR, name)
        return name

    def build(self, base):
        """Every target. Without BuildKit, which needs a plugin that Debian's packages do not have."""
        for target in ("collector", "dispatcher", "cli", "simulator", "standins", "nats"):
            print(f"building vcourier-{target}", flush=True)
            run("docker", "build", "-q", "-f", ROOT / "compose" / "Dockerfile", "--build-arg", f"BASE={base}", "--target", target,
                "-t", f"vcourier-{target}", ROOT, env={**os.environ, "DOCKER_BUILDKIT": "0"})
