# SPDX-License-Identifier: Apache-2.0
"""nats-server with the users that compose/nats/users.py generates."""
import subprocess
import sys

from .natsserver import NatsServer
from .process import ROOT

GENERATOR = ROOT / "compose" / "nats" / "users.py"


class SecuredNats(NatsServer):
    def __init__(self, directory, *names):
        """names: the generator's arguments, "--vcenter", "lab", ..."""
        super().__init__(directory, extra='include "users.conf"')
        self.names(*names)

    def names(self, *names):
        """Writes users.conf and the passwords of these names. Existing passwords stay."""
        written = subprocess.check_output([sys.executable, GENERATOR, *names], text=True)
        (self.directory / "users.conf").write_text(written)
        subprocess.run([sys.executable, GENERATOR, *names, "--passwords", self.directory / "secrets"], check=True)

    def password(self, user):
        return (self.directory / "secrets" / user).read_text().strip()

    def login(self, user):
        return self.connect(user, self.password(user))

    def url_for(self, user):
        return f"nats://{user}:{self.password(user)}@127.0.0.1:{self.port}"

    def options(self, user):
        """The login in the configuration of a program."""
        return {"user": user, "passwordFile": str(self.directory / "secrets" / user)}
