# SPDX-License-Identifier: Apache-2.0
"""Debian's nginx as a backend that accepts everything: for speed, where a receiver in Python would be what is measured."""
from .process import Process, free_port

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

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"
