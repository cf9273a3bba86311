# SPDX-License-Identifier: Apache-2.0
"""The events of a stream, for tests that reach NATS by its wire protocol alone."""
import json


def subjects_by_id(wire, stream="VC_lab"):
    """{CloudEvent id: subject} of the whole stream. Fails if an id is in it twice."""
    state = wire.request(f"$JS.API.STREAM.INFO.{stream}").json()["state"]
    made = wire.request(f"$JS.API.CONSUMER.CREATE.{stream}", {"stream_name": stream, "config": {"ack_policy": "none"}}).json()
    inbox = wire.subscribe(f"{wire.inbox}.all")
    wire.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{made['name']}", json.dumps(
        {"batch": state["messages"], "expires": 20_000_000_000}).encode(), f"{wire.inbox}.all")
    events = [wire.next(inbox).json() for _ in range(state["messages"])]
    ids = {e["id"]: e["subject"] for e in events}
    assert len(ids) == len(events), "an id is in the stream twice"
    return ids
