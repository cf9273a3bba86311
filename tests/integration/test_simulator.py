# SPDX-License-Identifier: Apache-2.0
"""Tests of the simulator and of the test library, on which all other tests depend."""
import http.client
import re
import ssl
from urllib.parse import urlsplit

import pytest

from lab.ledger import Ledger
from lab.vcenter import PASSWORD, USER

ENVELOPE = ('<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            '<soapenv:Body><{0} xmlns="urn:vim25"><_this type="{1}">{2}</_this>{3}</{0}></soapenv:Body></soapenv:Envelope>')


class Client:
    """A few vSphere calls, written by hand."""

    def __init__(self, vcenter):
        self.connection = http.client.HTTPSConnection(urlsplit(vcenter.url).netloc, context=vcenter.authority.context())
        self.cookie = None

    def call(self, method, kind, ref, arguments=""):
        headers = {"Content-Type": "text/xml", "SOAPAction": "urn:vim25/6.5"}
        if self.cookie:
            headers["Cookie"] = self.cookie
        self.connection.request("POST", "/sdk", ENVELOPE.format(method, kind, ref, arguments), headers)
        reply = self.connection.getresponse()
        text = reply.read().decode(errors="replace")
        if reply.getheader("Set-Cookie"):
            self.cookie = reply.getheader("Set-Cookie").split(";")[0]
        return text

    def login(self):
        assert "<LoginResponse" in self.call("Login", "SessionManager", "SessionManager",
                                             f"<userName>{USER}</userName><password>{PASSWORD}</password>")

    def collector(self):
        text = self.call("CreateCollectorForEvents", "EventManager", "EventManager", "<filter><maxCount>1</maxCount></filter>")
        return re.search(r'<returnval type="EventHistoryCollector">([^<]+)', text)[1]

    def page(self, collector, n=1000):
        return self.call("ReadNextEvents", "EventHistoryCollector", collector, f"<maxCount>{n}</maxCount>")


def keys(page):
    return [int(k) for k in re.findall(r"<key>(-?\d+)</key><chainId>", page)]


@pytest.fixture
def reader(lab):
    def start(*flags):
        vcenter = lab.vcenter(*flags)
        client = Client(vcenter)
        client.login()
        return vcenter, client, client.collector()
    return start


def test_pages_have_the_oldest_events_first(reader):
    vcenter, client, collector = reader("-backlog", "2500")
    pages = [keys(client.page(collector)) for _ in range(4)]
    assert [len(p) for p in pages] == [1000, 1000, 501, 0]  # 501: the login
    assert sum(pages, []) == list(range(1, 2502))
    vcenter.burst(3)
    assert keys(client.page(collector)) == [2502, 2503, 2504]


def test_the_list_of_events_equals_the_read_events(reader):
    vcenter, client, collector = reader("-backlog", "50", "-gap", "0.2", "-tie", "5", "-keystart", "2147483620")
    read = keys(client.page(collector))
    assert read == [key for key, _ in vcenter.events()]
    assert min(read) < 0 < max(read)


def test_sessions_expire_in_all_forms(reader):
    vcenter, client, collector = reader()
    vcenter.lab("expire", what="state")
    assert "InvalidState" in client.page(collector)
    vcenter.lab("expire", what="collectors")
    assert "ManagedObjectNotFound" in client.page(collector)
    vcenter.lab("expire")
    assert "NotAuthenticated" in client.page(collector)
    latest = client.call("RetrievePropertiesEx", "PropertyCollector", "propertyCollector",
                         "<specSet><propSet><type>EventManager</type><pathSet>latestEvent</pathSet></propSet><objectSet>"
                         '<obj type="EventManager">EventManager</obj></objectSet></specSet><options/>')
    assert "<missingSet>" in latest and "NotAuthenticated" in latest


@pytest.mark.parametrize("kind, sign", [("503", "simulated 503"), ("html", "<!DOCTYPE html>"), ("notauth", "NotAuthenticated"),
                                        ("control", "\x0b"), ("tags", "</userName><"), ("entities", "<!ENTITY")])
def test_faults_with_a_reply(reader, kind, sign):
    vcenter, client, collector = reader("-backlog", "10")
    vcenter.fault(kind, method="ReadNextEvents")
    assert sign in client.page(collector)
    client.page(collector)
    assert vcenter.stats()["faults"] == 0


def test_cut_reply(reader):
    vcenter, client, collector = reader("-backlog", "10")
    vcenter.fault("cut")
    with pytest.raises(http.client.IncompleteRead):
        client.page(collector)


def test_a_truncated_reply_is_complete_http(reader):
    vcenter, client, collector = reader("-backlog", "10")
    vcenter.fault("truncated")
    assert not client.page(collector).rstrip().endswith("Envelope>")


def test_restored_database(reader):
    vcenter, client, collector = reader("-backlog", "100")
    vcenter.lab("restore", drop=11)
    assert "ManagedObjectNotFound" in client.page(collector) or "NotAuthenticated" in client.page(collector)
    vcenter.burst(1)
    assert max(vcenter.events())[0] == 91
    assert len(vcenter.events(ever=True)) == 102


def test_hidden_events_use_up_the_page(reader):
    vcenter, client, collector = reader("-backlog", "100")
    vcenter.lab("hide", run=10, every=50)
    assert len(keys(client.page(collector, 20))) == 10
    assert [state for _, state in vcenter.events().values()].count("hidden") == 21  # of 101, with the login


def test_clock_and_huge_event(reader):
    vcenter, client, collector = reader()
    vcenter.lab("clock", offset="-1h")
    vcenter.burst(1, pad=3_000_000)
    assert len(client.page(collector)) > 3_000_000
    (_, login), (_, late) = vcenter.events()
    assert login - late > 3_000_000


def test_untrusted_without_the_ca(lab):
    vcenter = lab.vcenter()
    with pytest.raises(ssl.SSLCertVerificationError):
        http.client.HTTPSConnection(urlsplit(vcenter.url).netloc, context=ssl.create_default_context()).connect()


def test_the_ledger_detects_lost_duplicate_and_foreign_events(lab):
    vcenter, nats = lab.vcenter("-backlog", "3"), lab.nats()
    js = lab.jetstream(nats)
    js.api("STREAM.CREATE.VC_lab", {"name": "VC_lab", "subjects": ["vc.lab.>"], "storage": "file"})
    ledger = Ledger(js, "VC_lab", vcenter)

    def store(key, created):
        js.wire.request("vc.lab.x", b"{}", {"Nats-Msg-Id": f"uuid/{key}/{created}"})
    truth = list(vcenter.events())
    for event in truth[:2]:
        store(*event)
    with pytest.raises(AssertionError, match="lost"):
        ledger.check()
    store(*truth[2])
    nats.kill()
    nats.start()
    js.close()
    assert ledger.settle() == 3
    js.wire.request("vc.lab.x", b"{}", {"Nats-Msg-Id": "uuid/77/1"})
    with pytest.raises(AssertionError, match="not an event of the vCenter"):
        ledger.check()
