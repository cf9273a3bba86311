#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""page.py REPLY N: a page of N events, made by repeating the events of a recorded reply with new keys."""
import re
import sys


def page(reply, n):
    head, rest = reply.split("<returnval", 1)
    events, tail = rest.rsplit("</returnval>", 1)
    events = ["<returnval" + event + "</returnval>" for event in events.split("</returnval><returnval")]
    return head + "".join(re.sub(r"<key>\d+</key>", f"<key>{1000000 + i}</key>", events[i % len(events)], count=1) for i in range(n)) + tail


if __name__ == "__main__":
    sys.stdout.write(page(open(sys.argv[1], encoding="utf-8").read(), int(sys.argv[2])))
