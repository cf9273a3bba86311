# SPDX-License-Identifier: Apache-2.0
"""nats-server in operator mode, with the accounts that nsc makes from the commands of `users.py --format nsc`."""
import os
import subprocess
import sys

import pytest

from .bususers import GENERATOR, SecuredNats
from .nats_wire import Wire
from .natsserver import NatsServer
from .process import ROOT

NSC = ROOT / "build/interop/bin/nsc"  # made by `make interop`


class OperatorNats(NatsServer):
    def __init__(self, directory, *names):
        """names: the generator's arguments, "--vcenter", "lab", ..."""
        super().__init__(directory, extra='include "accounts.conf"')
        self.nsc("add", "operator", "--name", "lab", "--sys")
        self.names(*names)

    def nsc(self, *command, check=True):
        return subprocess.run([NSC, *command], env=self.env_of_nsc(), cwd=self.directory, text=True, capture_output=True, check=check)

    def env_of_nsc(self):
        home = str(self.directory / "nsc")
        return {**os.environ, "PATH": f"{NSC.parent}:{os.environ['PATH']}", "HOME": home, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home}

    def names(self, *names):
        """Runs the commands for these names. Credentials files stay."""
        script = self.directory / "accounts.sh"
        script.write_text(subprocess.check_output([sys.executable, GENERATOR, *names, "--format", "nsc"], text=True))
        run = subprocess.run(["sh", script], env=self.env_of_nsc(), cwd=self.directory, text=True, capture_output=True)
        assert run.returncode == 0, run.stderr[-2000:]
        self.nsc("generate", "config", "--mem-resolver", "--force", "--config-file", "accounts.conf")

    def creds(self, user):
        return self.directory / "creds" / f"{user}.creds"

    def login(self, user):
        return Wire(self.port, user, creds=self.creds(user))

    def options(self, user):
        """The login in the configuration of a program."""
        return {"credentialsFile": str(self.creds(user))}


KINDS = {"passwords": SecuredNats, "operator mode": OperatorNats}


def kind_of_bus(name):
    """The class of this name. Skips the test without nsc."""
    if KINDS[name] is OperatorNats and not NSC.exists():
        pytest.skip("nsc is not installed: `make interop` builds it")
    return KINDS[name]
