# SPDX-License-Identifier: Apache-2.0
"""Debian's nginx as a backend that accepts everything, for measurements in which a receiver in Python would be the bottleneck."""
import socket

from .process import Process, free_port, wait_until

CONFIG = """
daemon off; master_process off; pid {directory}/nginx.pid; error_log stderr warn;
events {{ worker_connections 2048; }}
http {{
    access_log off; keepalive_requests 1000000; client_max_body_size 8m; client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/p; fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
    server {{ listen 127.0.0.1:{port} backlog=2048; location / {{ return 202; }} }}
}}
"""


class Nginx(Process):
    def __init__(self, directory):
        self.port = free_port()
        directory = directory / "nginx"
        directory.mkdir()
        config = directory / "nginx.conf"
        config.write_text(CONFIG.format(directory=directory, port=self.port))
        super().__init__("nginx", ["/usr/sbin/nginx", "-c", config, "-e", "stderr", "-p", directory], directory)

    def start(self):
        super().start()
        wait_until(self.listens, 30, "nginx listens")
        return self

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
            return True
        except OSError:
            return False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"


FRONT = """
daemon off; master_process on; worker_processes 1; pid {directory}/nginx.pid; error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    log_format streams '$server_protocol $connection $status $http_ce_eventkey'; access_log {directory}/streams.log streams;
    client_max_body_size 8m; client_body_temp_path {directory}/body; keepalive_requests 1000000;
    proxy_temp_path {directory}/p; fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
    server {{
        listen 127.0.0.1:{port} ssl http2; ssl_certificate {cert}; ssl_certificate_key {key}; {more}
        location /early {{ return 202; }}
        location / {{ proxy_pass http://127.0.0.1:{upstream}; proxy_read_timeout 60s; }}
    }}
}}
"""


class Http2Front(Process):
    """TLS and HTTP/2 in front of a receiver. /early replies without reading the body."""

    def __init__(self, directory, authority, upstream, more=""):
        self.port = free_port()
        self.directory = directory / "front"
        self.directory.mkdir()
        (self.directory / "nginx.conf").write_text(FRONT.format(directory=self.directory, port=self.port, upstream=upstream, more=more,
                                                                cert=authority.cert, key=authority.key))
        super().__init__("front", ["/usr/sbin/nginx", "-c", self.directory / "nginx.conf", "-e", "stderr", "-p", self.directory], directory)

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def workers(self):
        """The worker processes. The process that we started only supervises them."""
        with open(f"/proc/{self.pid}/task/{self.pid}/children") as f:
            return [int(pid) for pid in f.read().split()]

    def streams(self):
        """(protocol, connection, status, event key) of each finished request."""
        log = self.directory / "streams.log"
        return [tuple(line.split(maxsplit=3)) for line in log.read_text().splitlines()] if log.exists() else []
