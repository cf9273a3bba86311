// SPDX-License-Identifier: Apache-2.0
// npm install nats
// node consumer.js host:4222 USER PASSWORD VC_vc1 reports 'vc.vc1.*.*.*.eventex.com.vmware.vc.HA.>' [SINCE]
const { connect, AckPolicy, DeliverPolicy } = require("nats");

async function main([servers, user, pass, stream, durable, subject, since]) {
  const nc = await connect({ servers, user, pass, inboxPrefix: `_INBOX_${user}` });
  const jsm = await nc.jetstreamManager({ checkAPI: false });
  await jsm.consumers.add(stream, {
    name: durable,
    durable_name: durable,
    filter_subject: subject,
    ack_policy: AckPolicy.Explicit,
    // replay from a time, RFC 3339; applies only when the durable is created
    deliver_policy: since ? DeliverPolicy.StartTime : DeliverPolicy.All,
    opt_start_time: since,
  });
  const consumer = await nc.jetstream().consumers.get(stream, durable);
  const seen = new Set(); // the last 10,000 events; to know them after a restart, keep their keys with your results
  for await (const msg of await consumer.consume()) {
    const event = msg.json(); // a CloudEvent in structured mode
    const key = `${event.source} ${event.id}`;
    if (!seen.has(key)) // an event may come again
      console.log(event.id, event.subject, event.data.FullFormattedMessage);
    seen.add(key);
    if (seen.size > 10_000) seen.delete(seen.values().next().value);
    msg.ack(); // without an ack within ack_wait, the event is delivered again
  }
}

main(process.argv.slice(2)).catch((err) => {
  console.error(err.message);
  process.exit(1);
});
