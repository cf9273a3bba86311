# SPDX-License-Identifier: Apache-2.0
"""A container engine for tests: the running one, or one that is started here and stopped afterwards; and a Debian base image."""
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lab.process import ROOT, Process, wait_until  # noqa: E402

BASE_TAR = ROOT / "build" / "base.tar"
COMMAND_TIMEOUT = 600  # seconds: more than the slowest step needs, a build with all packages
PRODUCT = ("collector", "dispatcher", "cli", "console")
LAB = ("simulator", "standins", "nats")
BUILDKIT, CLASSIC = "1", "0"  # DOCKER_BUILDKIT


class NoEngine(Exception):
    """Raised with the reason if there is no engine."""


class CommandFailed(AssertionError):
    """Raised with the output of the command."""


def run(*command, timeout=COMMAND_TIMEOUT, **options):
    """Returns the standard output. Raises CommandFailed with the end of the output if the command fails."""
    line = " ".join(map(str, command))
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL, **options)
    except subprocess.TimeoutExpired:
        raise CommandFailed(f"{line}: no end after {timeout} s") from None
    if done.returncode != 0:
        raise CommandFailed(f"{line}: exit code {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def works(*command, timeout=60, **options):
    try:
        run(*command, timeout=timeout, **options)
        return True
    except (CommandFailed, OSError):
        return False


class Engine:
    """`compose` is the command to use, $COMPOSE if set; `builders` is {CLASSIC or BUILDKIT: the docker command that has it}."""

    def __init__(self):
        self.daemon = self.directory = None
        if not shutil.which("docker"):
            raise NoEngine("docker is not installed")
        if not works("docker", "info"):
            self._start()
        try:
            self.compose, self.version = self._find_compose()
            self.builders = {kind: docker for kind in (BUILDKIT, CLASSIC) if (docker := self._find_builder(kind))}
        except BaseException:
            self.stop()
            raise

    def _start(self):
        if os.geteuid() != 0 or not shutil.which("dockerd"):
            raise NoEngine("no engine answers, and none can be started from here (that takes root and docker.io)")
        if not os.path.ismount("/sys/fs/cgroup"):
            works("mount", "-t", "cgroup2", "none", "/sys/fs/cgroup")
        self.lock = open(Path(tempfile.gettempdir()) / "vcourier-dockerd.lock", "w")  # two daemons would use the same bridge and addresses
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.directory = Path(tempfile.mkdtemp(prefix="vcourier-dockerd."))
        os.environ["DOCKER_HOST"] = f"unix://{self.directory}/sock"
        data = ROOT / "build" / "docker"
        data.mkdir(parents=True, exist_ok=True)  # dockerd would create build/ readable only for root
        self.daemon = Process("dockerd", [
            "dockerd", "--host", os.environ["DOCKER_HOST"], "--data-root", data, "--exec-root", self.directory / "exec",
            "--pidfile", self.directory / "pid"], self.directory).start()
        try:
            wait_until(lambda: not self.daemon.running() or works("docker", "info"), 90)
        except AssertionError:
            pass
        if not works("docker", "info"):
            tail = self.daemon.text()[-600:]
            self.stop()
            raise NoEngine(f"dockerd does not start:\n{tail}")

    @staticmethod
    def _find_compose():
        asked = os.environ.get("COMPOSE")
        for command in ([asked.split()] if asked else [["docker", "compose"], ["docker-compose"]]):
            if shutil.which(command[0]) and works(*command, "version", "--short"):
                return command, run(*command, "version", "--short").strip()
        raise NoEngine(f"{asked or 'neither `docker compose` nor docker-compose'} is not installed")

    @staticmethod
    def _find_builder(kind):
        """Docker 23 and later have BuildKit only as a plugin. Version 20 of Debian 12 has it built in."""
        for docker in ("docker", "/usr/bin/docker"):
            if shutil.which(docker) and works(docker, "build", "--help", env={**os.environ, "DOCKER_BUILDKIT": kind}):
                return docker
        return None

    def stop(self):
        if self.daemon:
            self.daemon.stop(60)
            shutil.rmtree(self.directory, ignore_errors=True)
            self.lock.close()
            self.daemon = None

    def base(self):
        """The name of the base image. It was tested to run and to reach Debian's packages, which every build needs."""
        try:
            name = self._base()
            run("docker", "run", "--rm", name, "apt-get", "-qq", "update", timeout=180)
        except CommandFailed as why:
            raise NoEngine(f"the engine is there, but of no use: {why}") from None
        return name

    def _base(self):
        """Debian's slim image, or one made with debootstrap if no registry is reachable."""
        name = "debian:bookworm-slim"
        if works("docker", "image", "inspect", name) or works("docker", "pull", "-q", name, timeout=180):
            return name
        name = "vcourier-base:bookworm"
        if works("docker", "image", "inspect", name):
            return name
        if not BASE_TAR.exists():
            if not shutil.which("debootstrap"):
                raise NoEngine("no registry is reachable, and debootstrap is not installed")
            self._debootstrap()
        run("docker", "import", BASE_TAR, name)
        return name

    @staticmethod
    def _debootstrap():
        BASE_TAR.parent.mkdir(exist_ok=True)
        part = BASE_TAR.with_suffix(".part")
        with tempfile.TemporaryDirectory() as root:
            os.chmod(root, 0o755)
            mirror = run(ROOT / "tests/debian/mirror.sh").split()
            run("debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", root, *mirror)
            run("tar", "-C", root, "--exclude=./var/cache/apt/archives/*.deb", "--exclude=./dev/*", "-cf", part, ".")
        part.rename(BASE_TAR)

    def build(self, base):
        """Builds all images of the stack. Ours are built with each available builder, BuildKit last, so that BuildKit's images run."""
        if not self.builders:
            raise NoEngine("docker cannot build images")
        for kind in (CLASSIC, BUILDKIT):
            if kind not in self.builders:
                print(f"SKIPPED: building with{'out' if kind == CLASSIC else ''} BuildKit: this docker cannot", flush=True)
                continue
            last = kind == BUILDKIT or BUILDKIT not in self.builders
            for target in PRODUCT + (LAB if last else ()):
                print(f"building vcourier-{target}, with{'out' if kind == CLASSIC else ''} BuildKit", flush=True)
                run(self.builders[kind], "build", "-q", "-f", ROOT / "compose" / "Dockerfile", "--build-arg", f"BASE={base}",
                    "--target", target, "-t", f"vcourier-{target}", ROOT, env={**os.environ, "DOCKER_BUILDKIT": kind})
