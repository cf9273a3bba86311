# SPDX-License-Identifier: Apache-2.0
# pip install nats-py apprise. Sends each event to all services of a file that has one URL of Apprise a line: mail, chat, pagers.
# users.py ... --connector notify --subject 'vc.vc1.*.*.error.>'
# notify.py nats://connector-notify:PASSWORD@host:4222 VC_vc1 notify 'vc.vc1.*.*.error.>' URL-FILE
import asyncio
import json
import sys
from pathlib import Path

import nats
from apprise import Apprise, NotifyType
from nats.js.api import ConsumerConfig

TYPES = {"warning": NotifyType.WARNING, "error": NotifyType.FAILURE}


def send(services, event):
    return services.notify(title=f"{event['severity']} {event['subject']}", body=event["data"]["FullFormattedMessage"] or event["subject"],
                           notify_type=TYPES.get(event["severity"], NotifyType.INFO))


async def main(server, stream, durable, subject, urls):
    services = Apprise()
    for url in Path(urls).read_text().split():  # they contain secrets
        if not services.add(url):
            sys.exit(f"a line of {urls} is no URL of Apprise")
    nc = await nats.connect(server, max_reconnect_attempts=-1)
    config = ConsumerConfig(durable_name=durable, name=durable, filter_subject=subject)
    sub = await nc.jetstream().pull_subscribe(subject, durable=durable, stream=stream, config=config)
    while True:
        try:
            msg, = await sub.fetch(1, timeout=30)
        except nats.errors.TimeoutError:
            continue  # no event for 30 s
        if await asyncio.to_thread(send, services, json.loads(msg.data)):
            await msg.ack()
        else:  # a service refuses or does not answer: all of them again after 10 s
            print("not sent to every service", file=sys.stderr, flush=True)
            await msg.nak(delay=10)


asyncio.run(main(*sys.argv[1:]))
