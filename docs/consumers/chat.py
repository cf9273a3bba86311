# SPDX-License-Identifier: Apache-2.0
# pip install nats-py. Posts each event to an incoming webhook of Slack, Mattermost or Teams (a JSON object with "text").
# users.py ... --connector chat --subject 'vc.vc1.*.*.error.>'
# chat.py nats://connector-chat:PASSWORD@host:4222 VC_vc1 chat 'vc.vc1.*.*.error.>' WEBHOOK-FILE
import asyncio
import json
import sys
import urllib.request
from pathlib import Path

import nats
from nats.js.api import ConsumerConfig


def post(url, event):
    text = f"*{event['severity']}* {event['subject']}: {event['data']['FullFormattedMessage']}"
    body = json.dumps({"text": text.replace("<", "&lt;")}).encode()
    urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json"}), timeout=10).close()


async def main(server, stream, durable, subject, webhook):
    url = Path(webhook).read_text().strip()  # the URL is a secret
    nc = await nats.connect(server, max_reconnect_attempts=-1)
    config = ConsumerConfig(durable_name=durable, name=durable, filter_subject=subject)
    sub = await nc.jetstream().pull_subscribe(subject, durable=durable, stream=stream, config=config)
    while True:
        try:
            msg, = await sub.fetch(1, timeout=30)
        except nats.errors.TimeoutError:
            continue  # no event for 30 s
        try:
            await asyncio.to_thread(post, url, json.loads(msg.data))
            await msg.ack()
        except OSError as error:  # the webhook refuses or does not answer: again after 10 s
            print(error, file=sys.stderr, flush=True)
            await msg.nak(delay=10)


asyncio.run(main(*sys.argv[1:]))
