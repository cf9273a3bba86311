# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that simulates faults of a network: delay, low bandwidth, silence, cut and reset connections."""
import select
import socket
import struct
import threading
import time


class Proxy:
    """The attributes set the faults. They may change at any time and also affect open connections."""

    def __init__(self, port):
        self.target = port
        self.delay = 0           # seconds before data is forwarded
        self.rate = 0            # bytes per second, 0: no limit
        self.frozen = False      # nothing is forwarded, connections stay open
        self.deaf = False        # only replies are dropped
        self.cut_after = None    # reset after so many bytes of replies
        self.open, self.accepted = set(), 0
        self.listener = None
        self.port = 0
        self.up()

    def up(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def down(self):
        """Refuses new connections and resets open ones."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.reset()

    def reset(self):
        for pair in list(self.open):
            for sock in pair:
                try:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    sock.shutdown(socket.SHUT_RD)
                except OSError:
                    pass

    def close(self):
        self.down()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                if listener.fileno() < 0:
                    return
                continue
            for sock in (client, server):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.accepted += 1
            threading.Thread(target=self._run, args=(client, server), daemon=True).start()

    def _run(self, client, server):
        pair = (client, server)
        self.open.add(pair)
        back = 0
        try:
            while True:
                if self.frozen:
                    time.sleep(0.02)
                    continue
                ready, _, _ = select.select(pair, [], [], 0.1)
                for sock in ready:
                    data = sock.recv(min(65536, max(1, int(self.rate / 20))) if self.rate else 65536)
                    if not data:
                        return
                    if self.delay:
                        time.sleep(self.delay)
                    if self.rate:
                        time.sleep(len(data) / self.rate)
                    if self.frozen:
                        break  # dropped
                    if sock is server:
                        back += len(data)
                        if self.cut_after is not None and back > self.cut_after:
                            self.reset_pair(pair)
                            return
                        if self.deaf:
                            continue
                    (client if sock is server else server).sendall(data)
        except OSError:
            pass
        finally:
            self.open.discard(pair)
            for sock in pair:
                sock.close()

    @staticmethod
    def reset_pair(pair):
        for sock in pair:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
