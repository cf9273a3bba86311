# SPDX-License-Identifier: Apache-2.0
"""Starts the processes that a test needs, stops them at the end, and shows their logs if the test failed."""
import sys
from pathlib import Path

from .ledger import Ledger
from .jetstream import ApiError, JetStream
from .natsserver import NatsServer, of_a_cluster
from .process import free_port, wait_until
from .product import Daemon
from .receiver import Receiver
from .vcenter import Authority, Vcenter


class Lab:
    def __init__(self, directory, authority=None):
        self.directory = Path(directory)
        self.authority = authority or Authority(self.directory / "ca")
        self.processes, self.closers = [], []

    def _keep(self, process):
        self.processes.append(process)
        return process

    def nats(self, name="nats", **options):
        return self._keep(NatsServer(self.directory, name, **options)).start()

    def cluster(self, n):
        """Starts n nats-servers, n1 and so on, with the tags host:n1 and so on, as one JetStream cluster."""
        ports = [free_port() for _ in range(n)]

        def routes(own):
            """n routes, none of them to the server itself. A server uses their number as the cluster size when it creates the meta
            group (raft.go, bootstrapRaftNode), and drops a route to itself later. With fewer, two servers may form a group of two."""
            others = [port for port in ports if port != own]
            return ", ".join([f"nats://127.0.0.1:{port}" for port in others] + [f"nats://localhost:{others[0]}"])
        servers = [self.nats(f"n{i + 1}", env=of_a_cluster(), extra=f'server_name: n{i + 1}\nserver_tags: ["host:n{i + 1}"]\n'
                             f'cluster {{ name: lab, listen: "127.0.0.1:{port}", routes: [{routes(port)}] }}')
                   for i, port in enumerate(ports)]
        js = self.jetstream(servers[0])

        def complete():
            """There is a leader that all others follow and that answers requests."""
            metas = {server.name: server.jsz().get("meta_cluster", {}) for server in servers}
            followers = next((meta.get("replicas") or [] for name, meta in metas.items() if meta.get("leader") == name), [])
            try:
                return len([r for r in followers if r["current"]]) == n - 1 and js.streams() is not None
            except (ApiError, OSError):
                return False
        wait_until(complete, 60, lambda: f"the cluster has a leader: {[s.jsz().get('meta_cluster') for s in servers]}")
        return servers

    def vcenter(self, *flags, name="vcenter"):
        return self._keep(Vcenter(self.directory, self.authority, *flags, name=name)).start()

    def receiver(self, answer=None, **options):
        receiver = Receiver(answer, **options)
        self.closers.append(receiver.close)
        return receiver

    def jetstream(self, server):
        js = JetStream(server)
        self.closers.append(js.close)
        return js

    def open_ledger(self, server, vcenter, stream="VC_lab"):
        return Ledger(self.jetstream(server), stream, vcenter)

    def prometheus(self, *daemons, rules=None):
        """Starts a Prometheus that has scraped each of these daemons twice."""
        from .prometheus import Prometheus  # here: `make demo` uses this file, on a machine without python3-yaml
        prometheus = self._keep(Prometheus(self.directory, daemons, rules)).start()
        prometheus.scraped(*(d.name for d in daemons))
        return prometheus

    def daemon(self, program, config, *flags, name=None):
        """Returns the program without starting it."""
        return self._keep(Daemon(program, config, self.directory, *flags, name=name))

    def collector(self, config, *flags, name="collector"):
        return self.daemon("collector", config, *flags, name=name).start()

    def dispatcher(self, config, *flags, name="dispatcher"):
        return self.daemon("dispatcher", config, *flags, name=name).start()

    def close(self):
        """Stops the writers first and NATS last."""
        for process in reversed(self.processes):
            process.signal(18)  # SIGCONT: a stopped process cannot end
            process.stop(25)
        for close in self.closers:
            close()

    def show_logs(self, file=sys.stdout, lines=40):
        for process in self.processes:
            tail = process.text().splitlines()[-lines:]
            print(f"---- {process.name}\n" + "\n".join(tail), file=file)
