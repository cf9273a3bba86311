# SPDX-License-Identifier: Apache-2.0
"""The ledger compares the stream with the events that the vCenter reports."""
from collections import Counter

from .jetstream import ApiError
from .process import wait_until


class Ledger:
    """Every event that vCenter has and shows is in the stream exactly once, and the stream has no other events."""

    def __init__(self, js, stream, vcenter):
        self.js, self.stream, self.vcenter = js, stream, vcenter

    def stored(self):
        """The events in the stream, in order, as (instanceUuid, key, createdTime in ms); without gap records."""
        out = []
        for message in self.js.read(self.stream):
            if "Nats-Msg-Id" not in message.headers:
                continue  # not written by a collector
            uuid, key, created = message.headers["Nats-Msg-Id"].rsplit("/", 2)
            if key != "gap":
                out.append((uuid, int(key), int(created)))
        return out

    def gaps(self):
        """The records of time spans in which events are missing."""
        return [m.json() for m in self.js.read(self.stream) if "/gap/" in m.headers.get("Nats-Msg-Id", "")]

    def wanted(self, since=None):
        """The events that the stream must contain: those that vCenter shows; with `since`, from that key on."""
        return [e for e, (_, state) in self.vcenter.events().items() if state == "visible" and (since is None or e[0] >= since)]

    def missing(self, stored=None, since=None):
        """The wanted events that are not in `stored`; without it, not in the stream, which is then read and may fail."""
        try:
            have = {(key, created) for _, key, created in (self.stored() if stored is None else stored)}
        except (ApiError, OSError):
            have = set()
        return [e for e in self.wanted(since) if e not in have]

    def settle(self, timeout=90, since=None):
        """Waits until all wanted events are in the stream, then checks for duplicates. Returns the number of events."""
        visible = self.wanted(since)
        why = ""

        def complete():
            nonlocal why
            try:
                stored = self.stored()
            except (ApiError, OSError) as e:  # a replica that lags or is down
                why = str(e)
                return None
            missing = self.missing(stored, since)
            why = f"not in {self.stream}: {len(missing)}, {missing[:10]}"
            return stored if not missing else None
        wait_until(lambda: self.js.count(self.stream) >= len(visible), timeout,
                   lambda: f"{self.js.count(self.stream)} of {len(visible)} events in {self.stream}")
        return self.check(wait_until(complete, timeout, lambda: why), since)

    def check(self, stored=None, since=None):
        """Checks `stored`, or the stream as it is now. Returns the number of events."""
        stored = self.stored() if stored is None else stored
        twice = [e for e, n in Counter(stored).items() if n > 1]
        assert not twice, f"stored twice: {twice[:10]} of {len(twice)}"
        truth = self.vcenter.events(ever=True)
        invented = [e for e in stored if e[1:] not in truth]
        assert not invented, f"not an event of the vCenter: {invented[:10]} of {len(invented)}"
        lost = self.missing(stored, since)
        assert not lost, f"lost: {lost[:10]} of {len(lost)}"
        return len(stored)
