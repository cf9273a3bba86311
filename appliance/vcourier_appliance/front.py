# SPDX-License-Identifier: Apache-2.0
"""The front on port 443: nginx, its certificate and its password."""
import hashlib
import ipaddress
import ssl
import subprocess
import time

from .machine import crypt

HOME = "/etc/vcourier-appliance"
CERTIFICATE, KEY = f"{HOME}/tls/cert.pem", f"{HOME}/tls/key.pem"
OWN = f"{HOME}/tls/own"  # there while the certificate is one that the user gave
PASSWORDS = f"{HOME}/htpasswd"
STATUS = "/run/vcourier-appliance"  # the screen of tty1 writes status.txt here
CONSOLE_PORT, WEBHOOK_PORT = 8090, 8086


def fingerprint(pem):
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem[:pem.index("-----END CERTIFICATE-----") + 26].strip())).hexdigest().upper()
    return ":".join(digest[i:i + 2] for i in range(0, len(digest), 2))


def belong_together(target, certificate, key):
    """Whether the first certificate of the chain is that of the key. Neither appears in an argument."""
    try:
        mine = target.run("openssl", "x509", "-pubkey", "-noout", text=certificate)
        return mine == target.run("openssl", "pkey", "-pubout", text=key)
    except subprocess.CalledProcessError:
        return False


def given_certificate(target, values):
    """True when the user's certificate is in place. A key that is not given again stays."""
    certificate, key = values["custom_tls_ca_cert"], values["custom_tls_private_key"]
    if not certificate:
        if key:
            values.tell("custom_tls_ca_cert", "is missing: a self-signed certificate is used")
        return False
    if not key and target.at(OWN).exists():
        key = target.at(KEY).read_text()
    if not key:
        values.tell("custom_tls_private_key", "is missing: a self-signed certificate is used")
        return False
    if not belong_together(target, certificate, key):
        values.tell("custom_tls_private_key", "is not the key of custom_tls_ca_cert: a self-signed certificate is used")
        return False
    target.write(KEY, key, 0o600)
    target.write(CERTIFICATE, certificate)
    target.write(OWN, "")
    return True


def names(host, address):
    found = [f"DNS:{host}", f"DNS:{host.split('.')[0]}"] if "." in host else [f"DNS:{host}"]
    return found + ([f"IP:{ipaddress.ip_address(address)}"] if address else [])


def is_valid_now(target):
    """Not when it has expired, nor when it was made while the clock was years ahead."""
    shown = target.run("openssl", "x509", "-in", target.at(CERTIFICATE), "-noout", "-startdate", "-enddate")
    start, end = (ssl.cert_time_to_seconds(line.partition("=")[2]) for line in shown.splitlines())
    return start <= time.time() < end


def self_signed(target, host, address, replace=False):
    """An existing one stays as long as its names are right and it is valid: browsers were told to trust it."""
    wanted = ",".join(names(host, address))
    marker = f"{HOME}/tls/names"
    if not replace and target.at(CERTIFICATE).exists() and target.at(KEY).exists() and not target.at(OWN).exists() \
            and target.at(marker).exists() and target.at(marker).read_text() == wanted and is_valid_now(target):
        return
    key = target.run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    target.write(KEY, key, 0o600)
    certificate = target.run("openssl", "req", "-x509", "-new", "-key", target.at(KEY), "-sha256", "-days", "3650", "-subj", "/CN=vcourier appliance",
                             "-addext", f"subjectAltName={wanted}", "-addext", "extendedKeyUsage=serverAuth")
    target.write(CERTIFICATE, certificate)
    target.write(marker, wanted)
    target.remove(OWN)


def certificate(target, values, host, address):
    target.directory(f"{HOME}/tls", 0o755)
    if not given_certificate(target, values):
        self_signed(target, host, address)


def password(target, values):
    """Whether there is one. The user name is part of the file: it may have no colon."""
    user, word = values["endpoint_username"], values["endpoint_password"]
    if ":" in user or " " in user:
        values.tell("endpoint_username", "has a colon or a blank: admin is used")
        user = "admin"
    if word:
        target.set_password("endpoint", f"{user}:{word}", target.at(PASSWORDS).exists(),
                            lambda: target.write(PASSWORDS, f"{user}:{crypt(target, word)}\n", 0o640, "www-data"))
    if not target.at(PASSWORDS).exists():
        values.tell("endpoint_password", "is missing: /status, /stats and /metrics are closed")
    return target.at(PASSWORDS).exists()


def locations(instances):
    """/stats and /metrics of each instance under its name; without a name the first one, which VEBA showed."""
    lines = []
    for path in ("stats", "metrics"):
        for where, instance in [(f"/{path}", instances[0]), *((f"/{path}/{i['name']}", i) for i in instances)] if instances else []:
            lines.append(f"\tlocation = {where} {{ include /etc/nginx/vcourier-closed.conf; proxy_pass http://127.0.0.1:{instance['port']}/{path}; }}")
    return "\n".join(lines)


def front(target, values, instances):
    closed = f'auth_basic "vcourier"; auth_basic_user_file {PASSWORDS};\n' if password(target, values) else "deny all;\n"
    target.write("/etc/nginx/vcourier-closed.conf", closed)
    webhook = f"\tlocation /webhook {{ client_max_body_size 64m; proxy_request_buffering off; proxy_pass http://127.0.0.1:{WEBHOOK_PORT}; }}\n" \
        if any(i["name"] == "webhook" for i in instances) else ""
    target.write("/etc/nginx/nginx.conf", f'''# Written by vcourier-appliance configure.
user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
	default_type text/plain;
	access_log off;
	server_tokens off;
	sendfile on;
	client_max_body_size 1m;
	client_body_timeout 30s;
	client_header_timeout 30s;
	proxy_http_version 1.1;
	proxy_set_header Host $http_host;
	proxy_set_header Connection "";
	ssl_protocols TLSv1.2 TLSv1.3;
	ssl_prefer_server_ciphers off;
	ssl_session_cache shared:tls:2m;
	ssl_session_tickets off;
	limit_conn_zone $binary_remote_addr zone=peers:1m;
	limit_conn peers 200;
	server {{
		listen 443 ssl default_server;
		listen [::]:443 ssl default_server;
		ssl_certificate {CERTIFICATE};
		ssl_certificate_key {KEY};
		add_header Strict-Transport-Security "max-age=31536000";
		location = /events {{ return 302 /; }}
		location = /status {{ include /etc/nginx/vcourier-closed.conf; alias {STATUS}/status.txt; }}
{indented(locations(instances) + chr(10) + webhook)}		location / {{ proxy_cookie_flags ~ secure; proxy_buffering off; proxy_read_timeout 1h; proxy_pass http://127.0.0.1:{CONSOLE_PORT}; }}
	}}
}}
''')
    target.enable("nginx.service")


def indented(text):
    return "".join("\t" + line + "\n" for line in text.splitlines() if line)
