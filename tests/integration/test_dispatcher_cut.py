# SPDX-License-Identifier: Apache-2.0
"""N8, N9: NATS after a power cut. Its stream ends earlier than it did, and its consumer may not know."""
import shutil
import time

import pytest

from lab.desk import Desk, keys
from lab.process import wait_until

FAST = {"retry": {"initial": "50ms", "max": "200ms"}, "ackWait": "2s"}
ANEW = "made anew from where it was"


class CutDesk(Desk):
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
def desk(lab):
    desk = CutDesk(lab, lab.nats())
    desk.make_stream()
    return desk


def all_came(receiver, want):
    receiver.wait_for(lambda requests: set(want) <= set(keys(requests)), 60, "all events")


@pytest.mark.parametrize("more", [50, 200, 500], ids=["shorter", "as long", "longer"])
def test_n9_cut_while_no_dispatcher_runs(lab, desk, tmp_path, more):
    """However far the stream has grown again when a dispatcher starts, and however long that was ago."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(desk.config(receiver.url, **FAST))
    all_came(receiver, desk.publish(100))
    desk.keep(tmp_path)
    all_came(receiver, desk.publish(200))
    desk.idle()
    wait_until(lambda: desk.place() and desk.place()[0] == 300, what="the place is on the bus")
    dispatcher.stop()
    desk.cut()
    assert desk.js.last_seq("VC_lab") == 100 < desk.consumer()["delivered"]["stream_seq"]
    before = receiver.count
    want = desk.publish(more)
    dispatcher.start()
    all_came(receiver, want)
    desk.idle()
    assert dispatcher.lines(ANEW)
    assert receiver.count - before <= more + 100, "only what is left of the stream comes again"


def test_n9_the_bus_was_not_told_of_the_last_deliveries(lab, desk, tmp_path):
    """Killed before it could say where it is; and the stream grew over that."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(desk.config(receiver.url, **FAST))
    all_came(receiver, desk.publish(100))
    wait_until(lambda: desk.place() and desk.place()[0] == 100, what="the place is on the bus")
    desk.keep(tmp_path)
    all_came(receiver, desk.publish(200))
    desk.idle()
    dispatcher.kill()
    assert desk.place()[0] <= 300
    time.sleep(11)  # a power cut takes longer than the 10 s in which the bus hears of every dispatcher
    desk.cut()
    want = desk.publish(400)
    dispatcher.start()
    all_came(receiver, want)
    desk.idle()


def test_n8_the_whole_store_is_set_back_while_it_runs(lab, desk, tmp_path):
    """Stream and consumer agree, and the dispatcher knows the sequences as other events'."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(desk.config(receiver.url, **FAST))
    all_came(receiver, desk.publish(100))
    desk.idle()
    desk.keep(tmp_path, "everything")
    all_came(receiver, desk.publish(100))
    desk.idle()
    desk.cut()
    want = desk.publish(150)
    all_came(receiver, want)
    desk.idle()
    assert dispatcher.running()


def test_n9_two_dispatchers_meet_a_cut(lab, desk, tmp_path):
    receiver = lab.receiver()
    config = desk.config(receiver.url, concurrency=8, **FAST)
    replicas = [lab.dispatcher(config, name=f"replica{i}").wait_ready() for i in range(2)]
    all_came(receiver, desk.publish(100))
    desk.idle()
    desk.keep(tmp_path)
    all_came(receiver, desk.publish(300))
    desk.idle()
    desk.cut()
    want = desk.publish(250)
    all_came(receiver, want)
    want = desk.publish(250)
    all_came(receiver, want)
    desk.idle()
    assert all(replica.running() for replica in replicas)


def test_a_restart_is_no_power_cut(lab, desk):
    """Of NATS, of the dispatcher, of both, in any order: the place is believed, nothing comes twice."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(desk.config(receiver.url, **FAST))
    want = [*desk.publish(100)]
    all_came(receiver, want)
    desk.idle()
    desk.restart(lambda: None)
    want += desk.publish(50)
    all_came(receiver, want)
    desk.idle()
    dispatcher.stop()
    want += desk.publish(50)
    desk.restart(lambda: None)
    desk.js.api("STREAM.PURGE.VC_lab", {"seq": 20})
    dispatcher.start()
    all_came(receiver, want)
    desk.idle()
    assert not dispatcher.lines(ANEW)
    assert len(keys(receiver.requests)) == len(want)


def test_permissions_from_before_there_were_places(lab, desk):
    """It delivers, and says what is missing."""
    places = '["$KV.vcourier-places.>", "$JS.API.STREAM.*.KV_vcourier-places", "$JS.API.STREAM.MSG.GET.KV_vcourier-places"]'
    desk.server.extra = ('authorization { users: [ { user: admin, password: a },\n'
                         f'  {{ user: d, password: d, permissions: {{ publish: {{ deny: {places} }} }} }} ] }}')
    desk.server.account = ("admin", "a")
    desk.restart(lambda: None)
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(desk.config(receiver.url, bus={"user": "d", "password": "d"}, **FAST))
    want = desk.publish(20)
    all_came(receiver, want)
    desk.idle()
    wait_until(lambda: dispatcher.lines("bus does not keep how far deliveries are"), what="it says so")
