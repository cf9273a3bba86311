# SPDX-License-Identifier: Apache-2.0
"""A forward proxy: CONNECT, plain http requests, SOCKS5. It records the requested targets and the credentials it received."""
import base64
import http.client
import socket
import socketserver
import ssl
import threading


class ForwardProxy:
    def __init__(self, context=None, user=None, refuse=None):
        """context: TLS, for an https:// proxy. user: the "name:password" that it requires. refuse: the status of every reply."""
        self.context, self.user, self.refuse = context, user, refuse
        self.asked = []         # (method, target); the method may be SOCKS
        self.headers = []       # of each request, names in lower case
        self.certificates = []  # the certificate of each client, usually None
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.proxy = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def allows(self, headers):
        want = "Basic " + base64.b64encode((self.user or "").encode()).decode()
        return self.user is None or headers.get("proxy-authorization") == want


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """No traceback when a client disconnects or rejects our certificate."""


class _Handler(socketserver.StreamRequestHandler):
    def setup(self):
        proxy = self.server.proxy
        if proxy.context:
            self.request = proxy.context.wrap_socket(self.request, server_side=True)
            proxy.certificates.append(self.request.getpeercert())
        super().setup()

    def handle(self):
        if self.rfile.peek(1)[:1] == b"\x05":
            self.socks()
            return
        while line := self.rfile.readline():
            self.one(line.decode())

    def one(self, line):
        proxy = self.server.proxy
        method, target, _ = line.split()
        headers = {}
        while line := self.rfile.readline().decode().strip():
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", 0)))
        proxy.asked.append((method, target))
        proxy.headers.append(headers)
        if proxy.refuse:
            self.answer(proxy.refuse, "refused")
        elif not proxy.allows(headers):
            self.answer(407, "Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="lab"\r\n')
        elif method == "CONNECT":
            self.tunnel(*target.rsplit(":", 1), b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            self.forward(method, target, headers, body)

    def answer(self, status, reason, more=""):
        self.wfile.write(f"HTTP/1.1 {status} {reason}\r\n{more}Content-Length: 0\r\n\r\n".encode())

    def forward(self, method, target, headers, body):
        where, _, path = target.removeprefix("http://").partition("/")
        kept = {k: v for k, v in headers.items() if not k.startswith("proxy-") and k != "connection"}
        host, _, port = where.partition(":")
        peer = http.client.HTTPConnection(_resolved(host), int(port or 80))
        peer.request(method, "/" + path, body, kept)
        reply = peer.getresponse()
        data = reply.read()
        lines = "".join(f"{k}: {v}\r\n" for k, v in reply.getheaders() if k.lower() not in ("content-length", "transfer-encoding"))
        self.wfile.write(f"HTTP/1.1 {reply.status} {reply.reason}\r\n{lines}Content-Length: {len(data)}\r\n\r\n".encode() + data)
        peer.close()

    def socks(self):
        """RFC 1928, for a name or an IPv4 address, without a password."""
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        kind = self.rfile.read(4)[3]
        host = self.rfile.read(self.rfile.read(1)[0]).decode() if kind == 3 else socket.inet_ntoa(self.rfile.read(4))
        port = int.from_bytes(self.rfile.read(2), "big")
        self.server.proxy.asked.append(("SOCKS", f"{host}:{port}"))
        self.tunnel(host, port, b"\x05\x00\x00\x01" + bytes(6))

    def tunnel(self, host, port, greeting):
        with socket.create_connection((_resolved(host), int(port))) as peer:
            self.wfile.write(greeting)
            back = threading.Thread(target=_copy, args=(peer, self.request), daemon=True)
            back.start()
            _copy(self.request, peer)
            back.join()


def _resolved(host):
    """Resolves the names below localhost (RFC 6761): libcurl does this itself, glibc does not."""
    return "127.0.0.1" if host.endswith(".localhost") else host


def _copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except (OSError, ssl.SSLError):
        pass
