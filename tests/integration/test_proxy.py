# SPDX-License-Identifier: Apache-2.0
"""
Proxies: how the environment and the options select one, which data it receives, how its TLS is verified, and which peer an
error names. The hosts are names below localhost: they resolve to this machine and are not loopback by Go's rule.
"""
import os
import ssl
import subprocess

import pytest

from lab.stream import counters, settle
from lab.forward_proxy import ForwardProxy
from lab.process import BUILD, ROOT, wait_until
from lab.product import provider, router_config
from lab.vcenter import Authority

DEAD = "http://127.0.0.1:9"
SECRET = "canary-of-the-proxy"
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def without_proxies(**more):
    return {**{k: v for k, v in os.environ.items() if k.lower() not in VARIABLES}, **{k: str(v) for k, v in more.items()}}


def test_the_table_agrees_with_go():
    """Debian's Go gives the same results as tests/data/proxies.tsv, with which http_proxy_test compares ours."""
    subprocess.run(["make", "-s", "build/goproxy"], cwd=ROOT, check=True)
    table = (ROOT / "tests" / "data" / "proxies.tsv").read_text()
    assert subprocess.run([ROOT / "build" / "goproxy"], input=table, capture_output=True, text=True, check=True).stdout == table


@pytest.fixture
def proxies(lab):
    def start(**options):
        proxy = ForwardProxy(**options)
        lab.closers.append(proxy.close)
        return proxy
    return start


@pytest.fixture
def vcenter(lab):
    vcenter = lab.vcenter("-backlog", "5")
    vcenter.port = vcenter.url.split("/")[2].split(":")[1]
    return vcenter


@pytest.fixture
def check(lab, vcenter, tmp_path):
    """The line of `vcourier check --connect` for a vCenter with these options, in this environment."""
    def run(environment, ca=True, **options):
        entry = provider(vcenter, address=vcenter.url.replace("127.0.0.1", "vcenter.localhost"), **options)
        file = lab.daemon("collector", router_config("nats://127.0.0.1:1", lab.authority.ca if ca else None, [entry])).file
        out = subprocess.run([BUILD / "vcourier", "check", "--connect", file], capture_output=True, text=True, timeout=60,
                             env=without_proxies(**environment)).stdout
        return next(line.strip() for line in out.splitlines() if "vCenter lab" in line)
    return run


# ---- selection

@pytest.mark.parametrize("no_proxy, direct", [
    ("vcenter.localhost", True), (".localhost", True), ("*.localhost", True), ("vcenter.localhost:PORT", True), ("*", True),
    ("VCENTER.LocalHost", True), ("elsewhere, .localhost:PORT", True), ("127.0.0.0/8", False), ("vcenter.localhost:1", False),
    (".vcenter.localhost", False), ("", False)])
def test_no_proxy(check, proxies, vcenter, no_proxy, direct):
    proxy = proxies()
    line = check({"HTTPS_PROXY": proxy.url, "NO_PROXY": no_proxy.replace("PORT", vcenter.port)})
    assert line.startswith("ok "), line
    assert {target for _, target in proxy.asked} == (set() if direct else {f"vcenter.localhost:{vcenter.port}"})


@pytest.mark.parametrize("environment, used", [
    ({"https_proxy": "PROXY"}, True), ({"HTTPS_PROXY": "PROXY", "https_proxy": DEAD}, True), ({"HTTP_PROXY": DEAD}, False),
    ({"ALL_PROXY": DEAD, "all_proxy": DEAD}, False), ({"HTTPS_PROXY": "PROXY", "no_proxy": "*", "NO_PROXY": "elsewhere"}, True)])
def test_the_scheme_selects_the_variable(check, proxies, environment, used):
    proxy = proxies()
    bare = proxy.url.removeprefix("http://")  # a scheme is not needed
    line = check({name: value.replace("PROXY", bare) for name, value in environment.items()})
    assert line.startswith("ok ") and bool(proxy.asked) == used, line


@pytest.mark.parametrize("option", ["", "PROXY"], ids=["none", "one of its own"])
def test_the_option_replaces_the_environment(check, proxies, option):
    """NO_PROXY applies only to the proxies of the environment."""
    proxy = proxies()
    line = check({"HTTPS_PROXY": DEAD, "NO_PROXY": "*" if option else ""}, proxy=option.replace("PROXY", proxy.url))
    assert line.startswith("ok ") and bool(proxy.asked) == bool(option), line


def test_socks(check, proxies, vcenter):
    proxy = proxies()
    line = check({"HTTPS_PROXY": proxy.url.replace("http:", "socks5:")})
    assert line.startswith("ok "), line
    assert set(proxy.asked) == {("SOCKS", f"vcenter.localhost:{vcenter.port}")}  # the proxy resolves the name, as in Go


# ---- data that the proxy receives

def test_a_password_for_the_proxy(check, proxies):
    proxy = proxies(user=f"us@er:{SECRET}/%")
    line = check({"HTTPS_PROXY": proxy.url.replace("://", f"://us%40er:{SECRET}%2F%25@")})
    assert line.startswith("ok "), line
    allowed = {"host", "proxy-authorization", "user-agent", "proxy-connection"}
    assert all(set(headers) <= allowed for headers in proxy.headers), proxy.headers  # none of the peer's credentials


def test_the_printed_configuration_hides_the_password(lab, vcenter):
    config = router_config("nats://127.0.0.1:1", None, [provider(vcenter, proxy=f"http://user:{SECRET}@proxy.example:3128")])
    file = lab.daemon("collector", config).file
    run = subprocess.run([BUILD / "vcourier", "config", file], capture_output=True, text=True, timeout=60)
    assert '"http://***@proxy.example:3128"' in run.stdout and SECRET not in run.stdout + run.stderr


@pytest.mark.parametrize("proxy", ["ftp://proxy.example", "http://", f"http://user:{SECRET} x@proxy.example", "http://p:99999", ["a"]])
def test_an_invalid_proxy_is_an_error_of_the_configuration(lab, vcenter, proxy):
    file = lab.daemon("collector", router_config("nats://127.0.0.1:1", None, [provider(vcenter, proxy=proxy)])).file
    run = subprocess.run([BUILD / "vcourier", "check", file], capture_output=True, text=True, timeout=60)
    assert run.returncode == 78 and "eventProvider.vcenter.proxy: " in run.stderr and SECRET not in run.stderr, run.stderr


# ---- the peer that an error names

@pytest.mark.parametrize("environment, options, why", [
    ({"HTTPS_PROXY": f"http://user:{SECRET}@127.0.0.1:9"}, {}, "cannot reach proxy http://127.0.0.1:9: "),
    ({"HTTPS_PROXY": "http://proxy.invalid:3128"}, {}, "cannot reach proxy http://proxy.invalid:3128: "),
    ({"HTTPS_PROXY": "socks5://127.0.0.1:9"}, {}, "cannot reach proxy socks5://127.0.0.1:9: "),
    ({"HTTPS_PROXY": f"ftp://user:{SECRET}@proxy.example"}, {}, "HTTPS_PROXY in the environment: "),
    ({}, {"proxy": DEAD}, "cannot reach proxy http://127.0.0.1:9: ")])
def test_an_unreachable_proxy_is_named(check, environment, options, why):
    line = check(environment, **options)
    assert "FAILED" in line and why in line and SECRET not in line, line


@pytest.mark.parametrize("options, why", [
    ({"user": "a:b"}, "the proxy URL refused CONNECT: HTTP 407 (it requires a user name and password)"),
    ({"refuse": 403}, "the proxy URL refused CONNECT: HTTP 403"),
    ({"refuse": 502}, "the proxy URL refused CONNECT: HTTP 502")], ids=["407", "403", "502"])
def test_a_proxy_that_refuses_is_named(check, proxies, options, why):
    proxy = proxies(**options)
    line = check({"HTTPS_PROXY": proxy.url.replace("://", f"://user:{SECRET}@")})
    assert "FAILED" in line and why.replace("URL", proxy.url) in line and SECRET not in line, line


def test_a_failure_behind_the_proxy_names_both(check, proxies):
    proxy = proxies()
    line = check({"HTTPS_PROXY": proxy.url}, ca=False)
    assert "FAILED" in line and f"through proxy {proxy.url}: " in line and "certificate" in line, line


# ---- TLS: the peer's settings apply only to the peer

UNKNOWN_ISSUER = "unable to get local issuer certificate"  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY of OpenSSL


@pytest.fixture(scope="session")
def proxys_authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("proxy-ca"))


@pytest.fixture
def tls_proxy(proxies, proxys_authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(proxys_authority.cert, proxys_authority.key)
    return proxies(context=context)


def thumbprint(authority):
    text = subprocess.run(["openssl", "x509", "-in", authority.cert, "-noout", "-fingerprint", "-sha256"],
                          check=True, capture_output=True, text=True).stdout
    return text.strip().split("=")[1]


@pytest.mark.parametrize("options", [{}, {"thumbprint": "OF THE PEER"}, {"insecureSSL": True}], ids=["ca", "thumbprint", "insecure"])
def test_an_https_proxy_with_its_own_authority(check, lab, vcenter, tls_proxy, proxys_authority, options):
    options = {k: thumbprint(lab.authority) if v == "OF THE PEER" else v for k, v in options.items()}
    line = check({"HTTPS_PROXY": tls_proxy.url}, ca=not options, proxyCaFile=str(proxys_authority.ca), **options)
    assert line.startswith("ok "), line
    assert set(tls_proxy.asked) == {("CONNECT", f"vcenter.localhost:{vcenter.port}")}


@pytest.mark.parametrize("trust", ["caFile", "thumbprint", "insecureSSL", "nothing"])
def test_the_peers_authority_does_not_apply_to_the_proxy(check, lab, tls_proxy, proxys_authority, trust):
    options = {"caFile": {"caFile": str(proxys_authority.ca)}, "thumbprint": {"thumbprint": thumbprint(proxys_authority)},
               "insecureSSL": {"insecureSSL": True}, "nothing": {}}[trust]
    line = check({"HTTPS_PROXY": tls_proxy.url}, **options)
    assert "FAILED" in line and f"cannot reach proxy {tls_proxy.url}: " in line and "certificate" in line, line
    assert not tls_proxy.asked


def test_the_proxys_authority_does_not_apply_to_the_peer(check, lab, tls_proxy, proxys_authority, tmp_path):
    both = tmp_path / "both.pem"
    both.write_text(lab.authority.ca.read_text() + proxys_authority.ca.read_text())
    line = check({"HTTPS_PROXY": tls_proxy.url}, ca=False, proxyCaFile=str(both))
    assert "FAILED" in line and f"through proxy {tls_proxy.url}: SSL certificate problem: {UNKNOWN_ISSUER}" in line, line


def test_a_wrong_thumbprint_behind_an_https_proxy(check, lab, tls_proxy, proxys_authority):
    line = check({"HTTPS_PROXY": tls_proxy.url}, proxyCaFile=str(proxys_authority.ca), thumbprint=thumbprint(proxys_authority))
    assert "FAILED" in line and f"the certificate's thumbprint is {thumbprint(lab.authority)}" in line, line


# ---- deliveries

def server_context(authority, clients=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.cert, authority.key)
    if clients:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def start_dispatcher(lab, stream, uri, environment, **options):
    dispatcher = lab.daemon("dispatcher", stream.config(uri, knative=options, retry={"initial": "50ms", "max": "200ms"}))
    dispatcher.env = environment
    return dispatcher.start()


def test_the_client_certificate_is_sent_to_the_peer_only(lab, stream, proxies, proxys_authority):
    certificate = {"certFile": str(lab.authority.cert), "keyFile": str(lab.authority.key)}
    proxy = proxies(context=server_context(proxys_authority, lab.authority.ca))
    receiver = lab.receiver(context=server_context(lab.authority))
    dispatcher = start_dispatcher(lab, stream, f"https://vcenter.localhost:{receiver.port}/", {"HTTPS_PROXY": proxy.url}, **certificate,
                     caFile=str(lab.authority.ca), proxyCaFile=str(proxys_authority.ca))
    settle(stream, receiver, stream.publish(20))
    assert proxy.certificates and not any(proxy.certificates)
    wait_until(lambda: counters(dispatcher) == {"delivered": 20, "filtered": 0, "dead": 0, "expired": 0, "pending": 0, "all": 20})


def test_plain_http_through_a_proxy_that_requires_a_password(lab, stream, proxies):
    """Its 407 is not a reply of the destination: no event becomes a dead letter, and the error names the proxy."""
    proxy = proxies(user="user:right")
    receiver = lab.receiver()
    uri = f"http://sink.localhost:{receiver.port}/in"
    dispatcher = start_dispatcher(lab, stream, uri, {"HTTP_PROXY": proxy.url.replace("://", f"://user:{SECRET}@")})
    events = stream.publish(10)
    wait_until(lambda: f"the proxy {proxy.url} refused the request: HTTP 407" in dispatcher.text(), what=dispatcher.text)
    assert not stream.dead() and not receiver.requests
    proxy.user = f"user:{SECRET}"
    settle(stream, receiver, events)
    assert SECRET not in dispatcher.text() and ("POST", uri) in proxy.asked
