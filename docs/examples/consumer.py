# SPDX-License-Identifier: Apache-2.0
# pip install nats-py
# consumer.py nats://reader-reports:PASSWORD@host:4222 VC_vc1 reports 'vc.vc1.*.*.*.eventex.com.vmware.vc.HA.>' [SINCE]
import asyncio
import json
import sys

import nats
from nats.js.api import ConsumerConfig, DeliverPolicy


async def main(url, stream, durable, subject, since=None):
    nc = await nats.connect(url, inbox_prefix=f"_INBOX_reader-{durable}".encode())
    config = ConsumerConfig(durable_name=durable, name=durable, filter_subject=subject)
    if since:  # replay from a time, RFC 3339; applies only when the durable is created
        config.deliver_policy, config.opt_start_time = DeliverPolicy.BY_START_TIME, since
    sub = await nc.jetstream().pull_subscribe(subject, durable=durable, stream=stream, config=config)
    seen = {}  # the last 10,000 events; to know them after a restart, keep their keys with your results
    while True:
        try:
            batch = await sub.fetch(100, timeout=30)
        except nats.errors.TimeoutError:
            continue  # no event for 30 s
        for msg in batch:
            event = json.loads(msg.data)  # a CloudEvent in structured mode
            key = event["source"], event["id"]
            if key not in seen:  # an event may come again
                print(event["id"], event["subject"], event["data"]["FullFormattedMessage"], flush=True)
                seen[key] = True
            if len(seen) > 10_000:
                del seen[next(iter(seen))]
            await msg.ack()  # without an ack within ack_wait, the event is delivered again


asyncio.run(main(*sys.argv[1:]))
