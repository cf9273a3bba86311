// The code "On Start" of a function node of Node-RED. In its tab Setup add the module `nats` with the name `nats`; the node sends each
// event as msg.payload. users.py ... --connector node-red --subject 'vc.vc1.*.*.error.>'; variables of the flow: NATS_URL, NATS_PASSWORD.
const nc = await nats.connect({ servers: env.get("NATS_URL"), user: "connector-node-red", pass: env.get("NATS_PASSWORD"),
    maxReconnectAttempts: -1 });
const manager = await nc.jetstreamManager();
await manager.consumers.add("VC_vc1", {
    durable_name: "node-red", filter_subject: "vc.vc1.*.*.error.>", ack_policy: nats.AckPolicy.Explicit,
});
const consumer = await nc.jetstream().consumers.get("VC_vc1", "node-red");
const messages = await consumer.consume();
context.set("connection", nc);
node.status({ fill: "green", shape: "dot", text: "connected" });
(async () => {
    for await (const message of messages) {
        node.send({ topic: message.subject, payload: message.json() });
        message.ack();
    }
})().catch(error => node.error(error));
