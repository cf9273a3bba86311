# SPDX-License-Identifier: Apache-2.0
"""Own programs publish events to NATS as docs/events.md says, without a collector; dispatchers deliver them like others."""
import json

from lab.bususers import SecuredNats
from lab.process import wait_until
from lab.product import knative, router_config
from lab.receiver import Answer

STRUCTURED = "application/cloudevents+json"
PROVIDER = {"type": "webhook", "name": "shop", "webhook": {"bindAddress": "127.0.0.1:8080"}}


def test_both_modes(lab):
    """With the user of --source: each mode arrives, a repeated id is stored once, what is refused becomes a dead letter, other subjects are not permitted."""
    nats = lab._keep(SecuredNats(lab.directory, "--vcenter", "lab", "--source", "shop", "--dispatcher", "kn", "--dispatcher", "other")).start()
    nats.account = ("admin", nats.password("admin"))
    receiver = lab.receiver(lambda request: Answer(400 if b"refused" in request.body else 200))
    config = router_config(nats, providers=[PROVIDER], processors=[knative(receiver.url, encoding="structured") | {"retry": {"rejectGrace": "0s"}}])
    config["bus"].update(nats.options("dispatcher-kn"))
    dispatcher = lab.dispatcher(config).wait_ready()  # it creates the stream
    me = nats.login("collector-shop")

    def store(subject, body, **headers):
        return me.request(subject, body, headers).json()

    event = {"specversion": "1.0", "id": "1", "source": "https://shop.example", "type": "com.example.order.paid", "data": {"order": 7}}
    subject = "ce.shop.com.example.order.paid"
    first = {"Content-Type": STRUCTURED, "Nats-Msg-Id": "https://shop.example 1"}
    assert store(subject, json.dumps(event).encode(), **first) == {"stream": "CE_shop", "seq": 1}
    assert store(subject, json.dumps(event).encode(), **first)["duplicate"] is True
    binary = {"ce-specversion": "1.0", "ce-source": "https://shop.example", "ce-type": event["type"], "ce-subject": "Caf%C3%A9", "Content-Type": "application/json"}
    assert store(subject, b'{"order":8}', **binary, **{"ce-id": "2"})["seq"] == 2
    assert store(subject, b'{"order":"refused"}', **binary, **{"ce-id": "3"})["seq"] == 3
    assert store(subject, b"no event")["seq"] == 4
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_events_total", result="dead") == 2, 60, dispatcher.text)
    arrived = {r.event()["id"]: r.event() for r in receiver.requests}
    assert arrived["1"] == event
    assert (arrived["2"]["data"], arrived["2"]["subject"], arrived["2"]["type"]) == ({"order": 8}, "Caf\u00e9", event["type"])
    letters = list(lab.jetstream(nats).read("VCDEAD"))
    assert [(m.subject, m.headers["Vcourier-Stream"], m.headers["Vcourier-Sequence"]) for m in letters] == [
        ("vcdead.kn.shop.com.example.order.paid", "CE_shop", "3"), ("vcdead.kn.shop.com.example.order.paid", "CE_shop", "4")]
    assert letters[0].headers["ce-id"] == "3" and letters[0].data == b'{"order":"refused"}'
    for forged in ("ce.other.x", "vc.lab.x", "vcdead.kn.shop.x", "vcreplay.kn.shop.x"):
        me.publish(forged, b"{}")
        wait_until(lambda: nats.lines(f'Publish Violation.*"{forged}"'), 60, f"{forged} is refused")
