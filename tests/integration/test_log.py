# SPDX-License-Identifier: Apache-2.0
"""Log lines that a peer causes: few lines with one text are written, all are counted, and lines with other texts are not lost."""
import re

import pytest

from lab.process import wait_until
from lab.product import knative, provider, router_config
from lab.stream import subject

FLOOD, LIMIT = 1000, 100  # the limit: lib/base/log_limit.h


def left_out(daemon, kind):
    sums = daemon.lines("more lines of one kind than are written")
    return sum(int(re.search(r"left_out=(\d+)", line)[1]) for line in sums if f'kind="{kind}"' in line)


@pytest.mark.parametrize("program", ["collector", "dispatcher"])
def test_a_start_and_an_end_are_one_line_each(lab, stream, program):
    """The work of a program begins and ends with lines of another text: it can begin several times in one process."""
    daemon = getattr(lab, program)(router_config(stream.server, lab.authority.ca, [provider(lab.vcenter("-backlog", "1"), startFrom="earliest")],
                                                 [knative(lab.receiver().url)])).wait_ready()
    daemon.stop()
    assert [len(daemon.lines(f"msg={text}")) for text in ("started", "stopped")] == [1, 1]
    assert len(daemon.lines('msg="reading ends"' if program == "collector" else 'msg="deliveries end"')) == 1


def test_a_flood_of_messages_causes_few_log_lines(lab, stream):
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url)).wait_ready()
    for i in range(FLOOD):
        stream.js.wire.publish(subject(), f"no event {i}".encode())
    stream.published = FLOOD
    stream.publish(1)
    stream.idle()
    wait_until(lambda: len(stream.dead()) == FLOOD, what="the dead letters")
    assert receiver.count == 1
    assert dispatcher.metric("vcourier_log_messages_total", level="warn") >= FLOOD
    dispatcher.stop()
    kind = "event becomes a dead letter"
    written = len(dispatcher.lines(f'msg="{kind}"'))
    assert LIMIT <= written < FLOOD / 2
    assert written + left_out(dispatcher, kind) == FLOOD
    assert len(dispatcher.lines("msg=stopped")) == 1, "another text, in the same minute"
