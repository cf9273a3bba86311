# SPDX-License-Identifier: Apache-2.0
"""
The TLS requirements of all our clients and servers: at least version 1.2, even if the system's policy allows less, and keys of
the strength that the system's security level requires (SSL_CTX_set_security_level(3)). The peers of our clients use OpenSSL
through Python; our servers, which use GnuTLS, are tested with `openssl s_client`.
"""
import json
import re
import socket
import ssl
import subprocess
import threading
import warnings

import pytest

from lab.console import Console
from lab.stream import PROVIDER, keys
from lab.process import wait_until
from lab.product import knative, router_config
from lab.webhook import Webhook

FAST = {"retry": {"initial": "20ms", "max": "100ms"}, "ackWait": "2s"}
LAX = """openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = policy
[policy]
MinProtocol = TLSv1
CipherString = DEFAULT:@SECLEVEL={level}
"""
INFO = {"server_id": "x", "server_name": "x", "version": "2.10.0", "go": "x", "host": "127.0.0.1", "port": 1, "headers": True,
        "max_payload": 1048576, "proto": 1, "tls_required": True}


def server_context(authority, version=None, level=2):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(f"ALL:@SECLEVEL={level}")
    context.load_cert_chain(authority.cert, authority.key)
    if version:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
    return context


class TlsNats:
    """Sends INFO, then does a TLS handshake, and records the result of each: the version or the error."""

    def __init__(self, context):
        self.context, self.results = context, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            client.sendall(b"INFO " + json.dumps(INFO).encode() + b"\r\n")
            try:
                with self.context.wrap_socket(client, server_side=True) as tls:
                    tls.recv(1)  # CONNECT follows only if the client accepts our certificate
                    self.results.append(tls.version())
            except OSError as e:
                self.results.append(f"{e}")


def old_client(port, authority, info=False):
    """The server supports TLS 1.1 for a client that requests it."""
    context = ssl.create_default_context(cafile=authority.ca)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    with socket.create_connection(("127.0.0.1", port)) as plain:
        if info:
            assert plain.recv(10000).startswith(b"INFO ")
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
            tls.sendall(b"x")
            return tls.version()


@pytest.fixture
def lax(tmp_path):
    """An environment whose OpenSSL policy allows everything down to this security level."""
    def environment(level):
        file = tmp_path / f"openssl-{level}.cnf"
        file.write_text(LAX.format(level=level))
        return {"OPENSSL_CONF": str(file)}
    return environment


def to_backend(lab, stream, receiver, environment):
    dispatcher = lab.daemon("dispatcher", stream.config(receiver.url, knative={"caFile": str(lab.authority.ca)}, **FAST))
    dispatcher.env = environment
    return dispatcher.start()


def to_bus(lab, port, environment):
    config = router_config(f"tls://127.0.0.1:{port}", providers=[PROVIDER], processors=[knative("http://127.0.0.1:9")])
    config["bus"]["caFile"] = str(lab.authority.ca)
    dispatcher = lab.daemon("dispatcher", config)
    dispatcher.env = environment
    return dispatcher.start()


def test_http_with_tls_1_1_only_is_refused(lab, stream, lax):
    receiver = lab.receiver(context=server_context(lab.authority, ssl.TLSVersion.TLSv1_1, level=0))
    assert old_client(receiver.port, lab.authority) == "TLSv1.1"
    dispatcher = to_backend(lab, stream, receiver, lax(0))
    stream.publish(20)
    wait_until(lambda: dispatcher.lines("deliveries pause.*protocol version"), what="the reason")
    assert not receiver.requests


def test_nats_with_tls_1_1_only_is_refused(lab, lax):
    bus = TlsNats(server_context(lab.authority, ssl.TLSVersion.TLSv1_1, level=0))
    lab.closers.append(bus.socket.close)
    assert old_client(bus.port, lab.authority, info=True) == "TLSv1.1"
    wait_until(lambda: bus.results, what="that handshake")
    to_bus(lab, bus.port, lax(0))
    wait_until(lambda: len(bus.results) > 1, what="our handshake")
    assert bus.results[0] == "TLSv1.1" and "protocol" in bus.results[1], bus.results


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_tls_1_2_and_1_3_are_taken(lab, stream, version):
    version = getattr(ssl.TLSVersion, version)
    receiver = lab.receiver(context=server_context(lab.authority, version))
    to_backend(lab, stream, receiver, {})
    want = stream.publish(3)
    stream.idle()
    assert sorted(keys(receiver.requests)) == list(want)
    bus = TlsNats(server_context(lab.authority, version))
    lab.closers.append(bus.socket.close)
    config = to_bus(lab, bus.port, {})
    wait_until(lambda: bus.results, what="a handshake")
    assert bus.results[0] == version.name.replace("_", ".", 1).replace("_", "."), config.text()


@pytest.fixture
def weak(lab, tmp_path):
    """A server whose certificate has a key of 1,024 bits: 80 bits of security, level 1."""
    class Weak:
        ca, cert, key = lab.authority.ca, tmp_path / "weak.pem", tmp_path / "weak.key"

    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=tmp_path)
    openssl("req", "-newkey", "rsa:1024", "-nodes", "-keyout", Weak.key, "-out", "weak.csr", "-subj", "/CN=localhost")
    (tmp_path / "san").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "weak.csr", "-CA", lab.authority.ca, "-CAkey", lab.authority.directory / "ca.key", "-set_serial", 77,
            "-days", 30, "-extfile", "san", "-out", Weak.cert)
    return server_context(Weak, level=1)


def test_the_security_level_is_the_systems(lab, stream, weak, lax):
    """Debian's is 2. vcourier sets none, so a stricter or more permissive policy of the system applies."""
    receiver = lab.receiver(context=weak)
    dispatcher = to_backend(lab, stream, receiver, {})
    stream.publish(20)
    wait_until(lambda: dispatcher.lines("deliveries pause.*(key too small|too weak)"), what="the reason")
    assert not receiver.requests
    dispatcher.stop()
    dispatcher.env = lax(1)
    dispatcher.start()
    receiver.wait_count(20)


def test_the_security_level_of_the_bus_is_the_systems(lab, weak, lax):
    bus = TlsNats(weak)
    lab.closers.append(bus.socket.close)
    dispatcher = to_bus(lab, bus.port, {})
    wait_until(lambda: bus.results, what="a handshake")
    dispatcher.stop()
    assert not [r for r in bus.results if r.startswith("TLSv1")]
    before = len(bus.results)
    dispatcher.env = lax(1)
    dispatcher.start()
    wait_until(lambda: len(bus.results) > before, what="a handshake")
    assert bus.results[before].startswith("TLSv1"), bus.results


def handshake(address, authority, version):
    """What openssl reports of a handshake with this version only."""
    return subprocess.run(["openssl", "s_client", "-connect", address, "-CAfile", authority.ca, "-verify_return_error",
                           "-cipher", "ALL:@SECLEVEL=0", f"-{version}"], input="", capture_output=True, text=True, timeout=60)


def start_server(lab, kind):
    """The address of one of our servers with TLS."""
    cert, key = str(lab.authority.cert), str(lab.authority.key)
    if kind == "webhook":
        return Webhook(lab, certFile=cert, keyFile=key).address
    console = lab._keep(Console(lab.directory, lab.nats(), tls={"certFile": cert, "keyFile": key})).start()
    wait_until(lambda: handshake(console.options["listen"], lab.authority, "tls1_2").returncode == 0, 30, "the console listens")
    return console.options["listen"]


@pytest.mark.parametrize("kind", ["console", "webhook"])
def test_our_servers_refuse_tls_1_1(lab, kind):
    address = start_server(lab, kind)
    for version, name in (("tls1_2", "TLSv1.2"), ("tls1_3", "TLSv1.3")):
        run = handshake(address, lab.authority, version)
        assert run.returncode == 0 and f"New, {name}, Cipher is" in run.stdout, run.stdout + run.stderr
    for version in ("tls1", "tls1_1"):
        run = handshake(address, lab.authority, version)
        assert run.returncode != 0 and "Cipher is (NONE)" in run.stdout, run.stdout + run.stderr
        assert re.search("unexpected eof|protocol version", run.stderr), f"the server ended it, not this client: {run.stderr}"
