# SPDX-License-Identifier: Apache-2.0
"""vcourier check --connect: the certificate that is not trusted, and the exit status. Expected values come from openssl."""
import json
import re
import ssl
import subprocess

import pytest

from lab.process import BUILD, free_port
from lab.product import knative, provider, router_config
from lab.receiver import Receiver


def check(lab, config):
    file = lab.directory / "checked.yaml"
    file.write_text(json.dumps(config))
    return subprocess.run([BUILD / "vcourier", "check", "--connect", file], capture_output=True, text=True, timeout=120)


def openssl(pem, *what):
    out = subprocess.run(["openssl", "x509", "-in", pem, "-noout", *what], check=True, capture_output=True, text=True).stdout
    return out.strip().split("=", 1)[1]


def self_signed(directory, subject, begin="20260101000000Z", end="20360101000000Z"):
    """Returns (certificate, key). Its dates are fixed."""
    directory.mkdir(exist_ok=True)
    run = ["openssl", "ca", "-batch", "-selfsign", "-config", "ca.conf", "-in", "r.csr", "-keyfile", "k.pem", "-out", "c.pem",
           "-startdate", begin, "-enddate", end, "-subj", subject, "-utf8"]
    (directory / "ca.conf").write_text(
        "[ca]\ndefault_ca=d\n[d]\ndatabase=db\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\nx509_extensions=x\n"
        "[p]\ncommonName=supplied\norganizationName=optional\n[x]\nsubjectAltName=IP:127.0.0.1,DNS:vc.example\n[req]\ndistinguished_name=n\n[n]\n")
    (directory / "db").write_text("")
    (directory / "serial").write_text("01\n")
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "ca.conf", "-utf8",
                    "-keyout", "k.pem", "-out", "r.csr", "-subj", subject], cwd=directory, check=True, capture_output=True)
    subprocess.run(run, cwd=directory, check=True, capture_output=True)
    return directory / "c.pem", directory / "k.pem"


def test_the_line_for_a_vcenter_is_printed_and_works(lab):
    vcenter, nats = lab.vcenter(), lab.nats()
    out = check(lab, router_config(nats, None, [provider(vcenter)]))
    assert out.returncode == 78
    said = out.stdout
    assert re.search(r"^  FAILED vCenter lab: .*certificate", said, re.M)
    assert re.search(r"^ +subject +CN=localhost$", said, re.M) and re.search(r"^ +issuer +CN=lab CA$", said, re.M)
    assert re.search(r"^ +names +127\.0\.0\.1, localhost, vcenter\.localhost$", said, re.M)
    sha256 = openssl(lab.authority.cert, "-fingerprint", "-sha256")
    assert re.search(rf"^ +SHA-256 +{sha256}$", said, re.M)
    [line] = re.findall(r'^ +(thumbprint: ".*")$', said, re.M)
    assert line == f'thumbprint: "{sha256}"' and "eventProvider.vcenter" in said
    fixed = check(lab, router_config(nats, None, [provider(vcenter, thumbprint=line.split('"')[1])]))
    assert (fixed.returncode, fixed.stdout.count("FAILED")) == (0, 0), fixed.stdout


def test_another_thumbprint_is_configured(lab):
    vcenter = lab.vcenter()
    out = check(lab, router_config(lab.nats(), None, [provider(vcenter, thumbprint=":".join(["00"] * 32))]))
    assert out.returncode == 78 and f'thumbprint: "{openssl(lab.authority.cert, "-fingerprint", "-sha256")}"' in out.stdout


@pytest.mark.parametrize("begin, end, word", [("20200101000000Z", "20210101000000Z", "EXPIRED"), ("20700101000000Z", "20800101000000Z", "NOT YET")])
def test_dates_that_are_over_or_to_come(lab, begin, end, word):
    cert, key = self_signed(lab.directory / "own", "/O=Ex\u00e4mple/CN=vc \u202e\u001b[31m", begin, end)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    receiver = Receiver(context=context)
    lab.closers.append(receiver.close)
    vcenter = type("Peer", (), {"url": f"{receiver.url}/sdk"})
    out = check(lab, router_config(lab.nats(), None, [provider(vcenter)]))
    assert out.returncode == 78 and word in out.stdout
    assert f"{begin[:4]}-01-01T00:00:00Z to {end[:4]}-01-01T00:00:00Z" in out.stdout
    assert "issuer   itself" in out.stdout and "names    127.0.0.1, vc.example" in out.stdout
    assert "\u001b" not in out.stdout and "\u202e" not in out.stdout, "a certificate cannot control the terminal"
    assert receiver.requests == [], "nothing is sent to a peer that is not trusted"


def test_a_backend_says_ca_file_and_gets_no_request(lab):
    receiver = lab.receiver(context=server_context(lab))
    trusted = provider(lab.vcenter(), thumbprint=openssl(lab.authority.cert, "-fingerprint", "-sha256"))
    out = check(lab, router_config(lab.nats(), None, [trusted], [knative(f"{receiver.url}/")]))
    assert out.returncode == 78 and re.search(r"FAILED knative kn: .*certificate", out.stdout)
    assert "caFile: FILE.pem" in out.stdout and "eventProcessor.knative" in out.stdout and "thumbprint:" not in out.stdout
    assert openssl(lab.authority.cert, "-fingerprint", "-sha256") in out.stdout
    assert receiver.requests == []


def server_context(lab):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(lab.authority.cert, lab.authority.key)
    return context


def test_exit_statuses(lab):
    vcenter, nats = lab.vcenter(), lab.nats()
    ca = lab.authority.ca
    nobody = type("Peer", (), {"url": f"https://127.0.0.1:{free_port()}/sdk"})
    wrong = provider(vcenter)
    wrong["vcenter"]["auth"]["basicAuth"]["password"] = "wrong"
    assert check(lab, router_config(nats, ca, [provider(vcenter)])).returncode == 0
    assert check(lab, router_config(nats, ca, [provider(nobody)])).returncode == 69
    assert check(lab, router_config(f"nats://127.0.0.1:{free_port()}", ca, [provider(vcenter)])).returncode == 69
    assert check(lab, router_config(nats, ca, [wrong])).returncode == 77
    both = check(lab, router_config(nats, ca, [wrong, provider(nobody, name="two")]))
    assert both.returncode == 77 and both.stdout.count("FAILED") == 2
    assert check(lab, router_config(nats, None, [provider(vcenter), provider(nobody, name="two")])).returncode == 78


def test_no_certificate_comes(lab):
    """A peer that speaks no TLS: the error alone."""
    receiver = lab.receiver()
    peer = type("Peer", (), {"url": f"https://127.0.0.1:{receiver.port}/sdk"})
    out = check(lab, router_config(lab.nats(), None, [provider(peer)]))
    assert out.returncode in (69, 78, 1) and "FAILED vCenter lab" in out.stdout and "SHA-256" not in out.stdout
