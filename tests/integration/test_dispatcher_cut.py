# SPDX-License-Identifier: Apache-2.0
"""N8, N9: NATS after a power cut. The stream ends earlier than before, and the consumer may have an old position."""
import shutil
import time

import pytest

from lab.stream import Stream, keys
from lab.process import wait_until

FAST = {"retry": {"initial": "50ms", "max": "200ms"}, "ackWait": "2s"}
RECREATED = "cut or replaced since this consumer read it"


class CutStream(Stream):
    """Saves the stream's messages, or the whole store, and restores them later."""

    def restart(self, change):
        self.server.stop()
        self.js.close()
        change()
        self.server.start()

    def keep(self, directory, what="msgs"):
        self.kept = directory / "kept"
        jetstream = self.server.store / "jetstream"
        self.original = jetstream / "$G" / "streams" / "VC_lab" / "msgs" if what == "msgs" else jetstream
        self.restart(lambda: shutil.copytree(self.original, self.kept))

    def _put_back(self):
        shutil.rmtree(self.original)
        shutil.copytree(self.kept, self.original)

    def cut(self):
        self.restart(self._put_back)
        self.published += 1000  # new events differ from the lost ones

    def checkpoint(self):
        """The dispatcher's stored checkpoint: sequence and time in microseconds; None: there is none."""
        for message in self.js.read("KV_vcourier-checkpoints") if "KV_vcourier-checkpoints" in self.js.streams() else []:
            if message.subject == "$KV.vcourier-checkpoints.kn.VC_lab":
                return tuple(int(n) for n in message.data.split())
        return None


@pytest.fixture
def stream(lab):
    stream = CutStream(lab, lab.nats())
    stream.make_stream()
    return stream


def all_came(receiver, want):
    receiver.wait_for(lambda requests: set(want) <= set(keys(requests)), 60, "all events")


@pytest.mark.parametrize("more", [50, 200, 500], ids=["shorter", "as long", "longer"])
def test_n9_the_stream_is_cut_while_no_dispatcher_runs(lab, stream, tmp_path, more):
    """For any new length of the stream when a dispatcher starts, and any time since the cut."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    all_came(receiver, stream.publish(100))
    stream.keep(tmp_path)
    all_came(receiver, stream.publish(200))
    stream.idle()
    wait_until(lambda: stream.checkpoint() and stream.checkpoint()[0] == 300, what="the checkpoint is stored")
    dispatcher.stop()
    stream.cut()
    assert stream.js.last_seq("VC_lab") == 100 < stream.consumer()["delivered"]["stream_seq"]
    before = receiver.count
    want = stream.publish(more)
    dispatcher.start()
    all_came(receiver, want)
    stream.idle()
    assert dispatcher.lines(RECREATED)
    assert receiver.count - before <= more + 100, "only events that are still in the stream are repeated"


def test_n9_the_last_deliveries_are_not_in_the_checkpoint(lab, stream, tmp_path):
    """The dispatcher is killed before it stores its checkpoint, and the stream grows beyond that position."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    all_came(receiver, stream.publish(100))
    wait_until(lambda: stream.checkpoint() and stream.checkpoint()[0] == 100, what="the checkpoint is stored")
    stream.keep(tmp_path)
    all_came(receiver, stream.publish(200))
    stream.idle()
    dispatcher.kill()
    assert stream.checkpoint()[0] <= 300
    time.sleep(11)  # a power cut takes longer than the 10 s in which every dispatcher stores a checkpoint
    stream.cut()
    want = stream.publish(400)
    dispatcher.start()
    all_came(receiver, want)
    stream.idle()


def test_n8_the_whole_store_is_set_back_while_the_dispatcher_runs(lab, stream, tmp_path):
    """Stream and consumer match each other, but the dispatcher knows other events with these sequences."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    all_came(receiver, stream.publish(100))
    stream.idle()
    stream.keep(tmp_path, "everything")
    all_came(receiver, stream.publish(100))
    stream.idle()
    stream.cut()
    want = stream.publish(150)
    all_came(receiver, want)
    stream.idle()
    assert dispatcher.running()


def test_n9_two_dispatchers_meet_a_cut(lab, stream, tmp_path):
    receiver = lab.receiver()
    config = stream.config(receiver.url, concurrency=8, **FAST)
    replicas = [lab.dispatcher(config, name=f"replica{i}").wait_ready() for i in range(2)]
    all_came(receiver, stream.publish(100))
    stream.idle()
    stream.keep(tmp_path)
    all_came(receiver, stream.publish(300))
    stream.idle()
    stream.cut()
    want = stream.publish(250)
    all_came(receiver, want)
    want = stream.publish(250)
    all_came(receiver, want)
    stream.idle()
    assert all(replica.running() for replica in replicas)


def test_a_restart_is_not_taken_for_a_power_cut(lab, stream):
    """Restarts of NATS, of the dispatcher, and of both in any order: the checkpoint matches, and no event is delivered twice."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    want = [*stream.publish(100)]
    all_came(receiver, want)
    stream.idle()
    stream.restart(lambda: None)
    want += stream.publish(50)
    all_came(receiver, want)
    stream.idle()
    dispatcher.stop()
    want += stream.publish(50)
    stream.restart(lambda: None)
    stream.js.api("STREAM.PURGE.VC_lab", {"seq": 20})
    dispatcher.start()
    all_came(receiver, want)
    stream.idle()
    assert not dispatcher.lines(RECREATED)
    assert len(keys(receiver.requests)) == len(want)


def test_permissions_without_checkpoints(lab, stream):
    """The dispatcher delivers events and logs the missing permission."""
    checkpoints = '["$KV.vcourier-checkpoints.>", "$JS.API.STREAM.*.KV_vcourier-checkpoints", "$JS.API.STREAM.MSG.GET.KV_vcourier-checkpoints"]'
    stream.server.extra = ('authorization { users: [ { user: admin, password: a },\n'
                           f'  {{ user: d, password: d, permissions: {{ publish: {{ deny: {checkpoints} }} }} }} ] }}')
    stream.server.account = ("admin", "a")
    stream.restart(lambda: None)
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, bus={"user": "d", "password": "d"}, **FAST))
    want = stream.publish(20)
    all_came(receiver, want)
    stream.idle()
    wait_until(lambda: dispatcher.lines("delivery checkpoint cannot be stored"), what="the error is logged")
