# SPDX-License-Identifier: Apache-2.0
"""What is the event's fault and what is not: refusals of a destination, and requests that cannot be made."""
from lab.desk import books, keys, settle
from lab.kubernetes import Kubernetes
from lab.process import wait_until

FAST = {"retry": {"initial": "50ms", "max": "200ms"}, "ackWait": "2s"}


def balanced(dispatcher, stored):
    """stored = delivered + filtered + dead + expired + pending, and nothing is pending."""
    wait_until(lambda: books(dispatcher)["all"] == stored and books(dispatcher)["pending"] == 0, what=lambda: str(books(dispatcher)))
    return books(dispatcher)


def test_an_event_that_makes_a_bad_header_is_a_dead_letter_at_once(lab, desk):
    """Five of them in a row say nothing about the destination: its circuit stays closed."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(desk.config(receiver.url, **FAST))
    forged = desk.publish(6, datacontenttype="application/json\r\nX-Forged: yes")
    good = desk.publish(20)
    assert settle(desk, receiver, [*forged, *good]) == list(forged)
    assert {m.headers["Vcourier-Reason"] for m in desk.dead()} == {"unencodable"}
    assert sorted(keys(receiver.requests)) == list(good) and not any("x-forged" in r.headers for r in receiver.requests)
    assert dispatcher.metric("vcourier_dispatcher_circuit_opens_total") == 0
    assert balanced(dispatcher, 26)["dead"] == 6


def test_a_token_too_large_to_send_is_no_fault_of_the_events(lab, desk):
    """At the start there is no token yet, so nothing is sent; later the last good one stays in use."""
    cluster = Kubernetes(lab.directory, lab.authority)
    lab.closers.append(cluster.close)
    cluster.padding = "x" * 100_000
    receiver = lab.receiver()
    destination = {"uri": receiver.url, "audience": "a", "kubernetes": cluster.options}
    config = desk.config("", **FAST)
    config["eventProcessor"]["knative"]["destination"] = destination
    dispatcher = lab.daemon("dispatcher", config)
    dispatcher.env = cluster.env
    dispatcher.start()
    want = desk.publish(5)
    wait_until(lambda: "bytes, more than the 16384 that fit a request" in dispatcher.get("/readyz")[1], what="/readyz names it")
    assert not receiver.requests and desk.dead() == []
    cluster.padding = ""
    assert settle(desk, receiver, want) == []
    assert {r.headers["authorization"][:12] for r in receiver.requests} == {"Bearer oidc-"}
    balanced(dispatcher, 5)


def test_credentials_that_no_request_can_carry_pause_deliveries(lab, desk):
    receiver = lab.receiver()
    auth = {"type": "basic_auth", "basicAuth": {"username": "u" * 60_000, "password": "p"}}
    dispatcher = lab.dispatcher(desk.config(receiver.url, knative={"auth": auth}, **FAST))
    want = desk.publish(30)
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_circuit_state") == 2, what="deliveries pause")
    assert dispatcher.lines("deliveries pause.*credentials")
    assert not receiver.requests and desk.dead() == [] and books(dispatcher)["pending"] == len(want)
