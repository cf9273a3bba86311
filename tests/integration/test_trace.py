# SPDX-License-Identifier: Apache-2.0
"""The trace of an event (W3C Trace Context) reaches each backend as its HTTP tracing expects it."""
import pytest

from lab.aws import REGION, EventBridge
from lab.gateway import Gateway
from lab.receiver import Answer

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CONTEXT = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "rojo=1,congo=t61rcWkgMzE"}
FAST = {"retry": {"initial": "20ms", "max": "100ms"}}


def context(headers):
    return {name: headers.get(name) for name in CONTEXT}


@pytest.mark.parametrize("encoding", ["binary", "structured"])
def test_knative(lab, stream, encoding):
    receiver = lab.receiver()
    lab.dispatcher(stream.config(receiver.url, knative={"encoding": encoding}))
    stream.publish(1, **CONTEXT)
    stream.publish(1)
    stream.publish(1, traceparent="00-not-one", tracestate="rojo=1")
    stream.idle()
    with_it, without, bad = sorted(receiver.requests, key=lambda r: int(r.event()["eventkey"]))
    assert context(with_it.headers) == CONTEXT
    assert {k: with_it.event()[k] for k in CONTEXT} == CONTEXT  # the attributes stay
    assert context(without.headers) == context(bad.headers) == dict.fromkeys(CONTEXT)
    assert bad.event()["traceparent"] == "00-not-one"


def test_openfaas(lab, stream):
    gateway = Gateway().start()
    lab.closers.append(gateway.close)
    gateway.deploy("fn", "VmPoweredOnEvent")
    auth = {"type": "basic_auth", "basicAuth": {"username": gateway.user, "password": gateway.password}}
    lab.dispatcher(stream.config({"type": "openfaas", "name": "of", "openfaas": {"address": gateway.url, "auth": auth}}))
    stream.publish(1, **CONTEXT)
    stream.idle("of")
    assert context(gateway.calls[0].headers) == CONTEXT


@pytest.mark.parametrize("flags, sampled", [("01", 1), ("00", 0), ("0a", 0), ("0b", 1)])
def test_eventbridge(lab, stream, flags, sampled):
    """X-Ray's header: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader"""
    aws = EventBridge()
    lab.closers.append(aws.close)
    keys = aws.keys[0]
    lab.dispatcher(stream.config({"type": "aws_event_bridge", "name": "aws", "awsEventBridge": {
        "region": REGION, "eventBus": "default", "endpoint": aws.url, "traceHeader": True, "auth": {
            "type": "aws_access_key", "awsAccessKeyAuth": {"accessKey": keys.access_key, "secretKey": keys.secret_key}}}}))
    stream.publish(1, traceparent=f"00-{TRACE}-{PARENT}-{flags}")
    stream.idle("aws")
    assert aws.buses["default"][0]["TraceHeader"] == f"Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent={PARENT};Sampled={sampled}"


def test_the_sink_of_dead_letters(lab, stream):
    sink, receiver = lab.receiver(), lab.receiver(lambda request: Answer(400))
    lab.dispatcher(stream.config(receiver.url, deadLetterSink={"uri": sink.url}, retry={**FAST["retry"], "rejectGrace": "300ms"}))
    stream.publish(1, **CONTEXT)
    assert context(sink.wait_count(1)[0].headers) == CONTEXT
    stream.idle()
