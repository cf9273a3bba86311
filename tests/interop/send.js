// SPDX-License-Identifier: Apache-2.0
// Sends events with the JavaScript SDK. send.js URL; each line of the input is {"mode": "structured" or "binary", "event": {...}}, each line
// of the output the status of the answer, or {"error": ...}.
const { CloudEvent, HTTP } = require("cloudevents");

async function send(url, { mode, event }) {
	const { data_base64, ...rest } = event;
	if (data_base64 !== undefined)
		rest.data = Uint8Array.from(Buffer.from(data_base64, "base64"));
	const { headers, body } = HTTP[mode](new CloudEvent(rest));
	return (await fetch(url, { method: "POST", headers, body })).status;
}

(async () => {
	for await (const line of require("readline").createInterface({ input: process.stdin }))
		console.log(JSON.stringify(await send(process.argv[2], JSON.parse(line)).catch((e) => ({ error: String(e) }))));
})();
