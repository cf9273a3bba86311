// SPDX-License-Identifier: Apache-2.0
// One function for each operation that receives. JetStream needs the name of a stream, for which AsyncAPI has no
// member: it is the extension x-stream of the channel.
import { File } from "@asyncapi/generator-react-sdk";

const head = `import { AckPolicy, JsMsg, NatsConnection } from "nats";

export type Handler = (message: JsMsg, parameters: Record<string, string>) => Promise<void>;

const fill = (text: string, values: Record<string, string>) => text.replace(/{(\\w+)}/g, (_, name) => {
    if (!values[name]) throw new Error(name + " is missing");
    return values[name];
});

// The last parameter of an address takes the rest of the subject, as its description says.
function filter(address: string, values: Record<string, string>): string {
    const tokens = address.split(".");
    return tokens.map((token, i) => {
        const value = token.startsWith("{") ? values[token.slice(1, -1)] : token;
        return value || (i === tokens.length - 1 ? ">" : "*");
    }).join(".");
}

function parse(address: string, subject: string): Record<string, string> {
    const tokens = address.split("."), parts = subject.split(".");
    const values = tokens.map((token, i) => [token, i === tokens.length - 1 ? parts.slice(i).join(".") : parts[i]]);
    return Object.fromEntries(values.filter(([token]) => token.startsWith("{")).map(([token, value]) => [token.slice(1, -1), value]));
}

// Reads with a durable until the handler throws. A message is acknowledged after its handler.
async function receive(nc: NatsConnection, stream: string, address: string, durable: string, values: Record<string, string>, handler: Handler) {
    const js = nc.jetstream(), manager = await nc.jetstreamManager();
    const name = fill(stream, values);
    await manager.consumers.add(name, { durable_name: durable, filter_subject: filter(address, values), ack_policy: AckPolicy.Explicit });
    for await (const message of await (await js.consumers.get(name, durable)).consume()) {
        await handler(message, parse(address, message.subject));
        message.ack();
    }
}
`;

const receiver = (operation, channel) => `
/** ${operation.summary()} */
export const ${operation.id()} = (nc: NatsConnection, durable: string, parameters: Record<string, string>, handler: Handler) =>
    receive(nc, ${JSON.stringify(channel.json("x-stream"))}, ${JSON.stringify(channel.address())}, durable, parameters, handler);
`;

export default function client({ asyncapi }) {
    const receivers = asyncapi.operations().filterByReceive().map(operation => receiver(operation, operation.channels().all()[0]));
    return <File name="client.ts">{head + receivers.join("")}</File>;
}
