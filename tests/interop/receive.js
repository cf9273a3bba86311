// SPDX-License-Identifier: Apache-2.0
// Like go/receive, with the JavaScript SDK.
const { HTTP } = require("cloudevents");

require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
	try {
		const { headers, body } = JSON.parse(line);
		const event = HTTP.toEvent({ headers, body: Buffer.from(body, "base64").toString() });
		event.validate();
		console.log(JSON.stringify(event));
	} catch (e) {
		console.log(JSON.stringify({ error: String(e) }));
	}
});
