# SPDX-License-Identifier: Apache-2.0
"""The dispatcher: what is in the stream reaches the backend, once, whatever happens."""
import json

import pytest

from lab.desk import Desk, event, keys, settle, subject
from lab.receiver import Answer


@pytest.fixture
def desk(lab):
    return Desk(lab, lab.nats())


def test_the_stream_reaches_the_backend(lab, desk):
    receiver = lab.receiver()
    desk.make_stream()
    want = desk.publish(500)
    dispatcher = lab.dispatcher(desk.config(receiver.url + "/in"))
    receiver.wait_count(500)
    want = [*want, *desk.publish(100)]
    assert settle(desk, receiver, want) == []
    first = receiver.requests[0]
    assert first.path == "/in" and first.method == "POST" and first.headers["content-type"] == "application/json"
    assert first.headers["ce-type"] == "com.vmware.event.router/event"
    assert dispatcher.wait_ready().metric("vcourier_dispatcher_events_total", result="delivered") == 600
    assert dispatcher.stop() == 0
