// SPDX-License-Identifier: Apache-2.0
// Prints what the generated client reads, one JSON object a line. asyncapi-read.js URL DURABLE vcenter|source NAME [PARAMETER=VALUE]...
import { connect, JsMsg } from "nats";
import { deliverEvents, deliverSourceEvents } from "./client";
import { CloudEvent, EventMessage, GapRecord, VCenterEvent } from "./models";

declare const process: { argv: string[] }; // without the types of Node

function describe(event: EventMessage) {
    if (event.type === "com.vcourier.gap")
        return { gap: (event as GapRecord).data.From };
    const { id, severity, data } = event as VCenterEvent;
    return { id, severity, key: data.Key, vm: data.Vm?.Name ?? null, moref: data.Vm?.Vm.Value ?? null };
}

const print = (value: object) => console.log(JSON.stringify(value));

async function vcenterEvent(message: JsMsg, parameters: Record<string, string>) {
    print({ ...describe(message.json<EventMessage>()), parameters });
}

async function sourceEvent(message: JsMsg, parameters: Record<string, string>) {
    const structured = message.headers?.get("Content-Type") === "application/cloudevents+json";
    print({ id: structured ? message.json<CloudEvent>().id : message.headers?.get("ce-id"), structured, parameters });
}

async function main([url, durable, kind, name, ...selected]: string[]) {
    const nc = await connect({ servers: url });
    const parameters = Object.fromEntries(selected.map(pair => pair.split("=", 2)));
    if (kind === "vcenter")
        await deliverEvents(nc, durable, { vcenter: name, ...parameters }, vcenterEvent);
    else
        await deliverSourceEvents(nc, durable, { source: name, ...parameters }, sourceEvent);
}

main(process.argv.slice(2));
