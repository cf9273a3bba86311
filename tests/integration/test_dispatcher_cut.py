# SPDX-License-Identifier: Apache-2.0
"""N8, N9: NATS after a power cut. Its stream ends earlier than it did, and its consumer may not know."""
import shutil
import time

import pytest

from lab.stream import Stream, keys
from lab.process import wait_until

FAST = {"retry": {"initial": "50ms", "max": "200ms"}, "ackWait": "2s"}
ANEW = "made anew from where it was"


class CutStream(Stream):
    """Keeps the stream's messages, or the whole store, as they are now, and puts them back later."""

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
        self.published += 1000  # what is published now is not what was lost

    def place(self):
        """What the dispatcher has told the bus: sequence and time, in microseconds; None: nothing."""
        for message in self.js.read("KV_vcourier-places") if "KV_vcourier-places" in self.js.streams() else []:
            if message.subject == "$KV.vcourier-places.kn.VC_lab":
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
def test_n9_cut_while_no_dispatcher_runs(lab, stream, tmp_path, more):
    """However far the stream has grown again when a dispatcher starts, and however long that was ago."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    all_came(receiver, stream.publish(100))
    stream.keep(tmp_path)
    all_came(receiver, stream.publish(200))
    stream.idle()
    wait_until(lambda: stream.place() and stream.place()[0] == 300, what="the place is on the bus")
    dispatcher.stop()
    stream.cut()
    assert stream.js.last_seq("VC_lab") == 100 < stream.consumer()["delivered"]["stream_seq"]
    before = receiver.count
    want = stream.publish(more)
    dispatcher.start()
    all_came(receiver, want)
    stream.idle()
    assert dispatcher.lines(ANEW)
    assert receiver.count - before <= more + 100, "only what is left of the stream comes again"


def test_n9_the_bus_was_not_told_of_the_last_deliveries(lab, stream, tmp_path):
    """Killed before it could say where it is; and the stream grew over that."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST))
    all_came(receiver, stream.publish(100))
    wait_until(lambda: stream.place() and stream.place()[0] == 100, what="the place is on the bus")
    stream.keep(tmp_path)
    all_came(receiver, stream.publish(200))
    stream.idle()
    dispatcher.kill()
    assert stream.place()[0] <= 300
    time.sleep(11)  # a power cut takes longer than the 10 s in which the bus hears of every dispatcher
    stream.cut()
    want = stream.publish(400)
    dispatcher.start()
    all_came(receiver, want)
    stream.idle()


def test_n8_the_whole_store_is_set_back_while_it_runs(lab, stream, tmp_path):
    """Stream and consumer agree, and the dispatcher knows the sequences as other events'."""
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


def test_a_restart_is_no_power_cut(lab, stream):
    """Of NATS, of the dispatcher, of both, in any order: the place is believed, nothing comes twice."""
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
    assert not dispatcher.lines(ANEW)
    assert len(keys(receiver.requests)) == len(want)


def test_permissions_from_before_there_were_places(lab, stream):
    """It delivers, and says what is missing."""
    places = '["$KV.vcourier-places.>", "$JS.API.STREAM.*.KV_vcourier-places", "$JS.API.STREAM.MSG.GET.KV_vcourier-places"]'
    stream.server.extra = ('authorization { users: [ { user: admin, password: a },\n'
                           f'  {{ user: d, password: d, permissions: {{ publish: {{ deny: {places} }} }} }} ] }}')
    stream.server.account = ("admin", "a")
    stream.restart(lambda: None)
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, bus={"user": "d", "password": "d"}, **FAST))
    want = stream.publish(20)
    all_came(receiver, want)
    stream.idle()
    wait_until(lambda: dispatcher.lines("bus does not keep how far deliveries are"), what="it says so")
