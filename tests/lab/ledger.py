# SPDX-License-Identifier: Apache-2.0
"""The books: what the stream holds against what the vCenter says happened."""
from collections import Counter

from .jetstream import ApiError
from .process import wait_until


class Ledger:
    """Every event that vCenter holds and shows is in the stream once; nothing is in it twice; nothing is made up."""

    def __init__(self, js, stream, vcenter):
        self.js, self.stream, self.vcenter = js, stream, vcenter

    def stored(self):
        """Identities in the stream, in order, as (instanceUuid, key, createdTime in ms); no gap records."""
        out = []
        for message in self.js.read(self.stream):
            if "Nats-Msg-Id" not in message.headers:
                continue  # somebody else's
            uuid, key, created = message.headers["Nats-Msg-Id"].rsplit("/", 2)
            if key != "gap":
                out.append((uuid, int(key), int(created)))
        return out

    def gaps(self):
        """The records that say from when to when events are missing."""
        return [m.json() for m in self.js.read(self.stream) if "/gap/" in m.headers.get("Nats-Msg-Id", "")]

    def wanted(self, since=None):
        """What the stream has to hold: what vCenter shows; with `since`, from that key on."""
        return [e for e, (_, state) in self.vcenter.events().items() if state == "visible" and (since is None or e[0] >= since)]

    def missing(self, stored=None, since=None):
        """What is wanted and not stored, by this reading of the stream; by a new one, that may fail, without."""
        try:
            have = {(key, created) for _, key, created in (self.stored() if stored is None else stored)}
        except (ApiError, OSError):
            have = set()
        return [e for e in self.wanted(since) if e not in have]

    def settle(self, timeout=90, since=None):
        """Waits until everything wanted is in the stream, then checks the rest. Gives how many there are."""
        visible = self.wanted(since)
        why = ""

        def complete():
            nonlocal why
            try:
                stored = self.stored()
            except (ApiError, OSError) as e:  # a replica that is behind, or gone
                why = str(e)
                return None
            missing = self.missing(stored, since)
            why = f"not in {self.stream}: {len(missing)}, {missing[:10]}"
            return stored if not missing else None
        wait_until(lambda: self.js.count(self.stream) >= len(visible), timeout,
                   lambda: f"{self.js.count(self.stream)} of {len(visible)} events in {self.stream}")
        return self.check(wait_until(complete, timeout, lambda: why), since)

    def check(self, stored=None, since=None):
        """The books of one reading of the stream."""
        stored = self.stored() if stored is None else stored
        twice = [e for e, n in Counter(stored).items() if n > 1]
        assert not twice, f"stored twice: {twice[:10]} of {len(twice)}"
        truth = self.vcenter.events(ever=True)
        invented = [e for e in stored if e[1:] not in truth]
        assert not invented, f"never happened: {invented[:10]} of {len(invented)}"
        lost = self.missing(stored, since)
        assert not lost, f"lost: {lost[:10]} of {len(lost)}"
        return len(stored)
