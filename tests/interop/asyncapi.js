// SPDX-License-Identifier: Apache-2.0
// Parses an AsyncAPI document with the project's own parser and prints its addresses and what the parser reports, as JSON.
// asyncapi.js DOCUMENT
const { Parser, fromFile } = require("@asyncapi/parser");

(async () => {
    const { document, diagnostics } = await fromFile(new Parser(), process.argv[2]).parse();
    console.log(JSON.stringify({
        addresses: document ? document.channels().all().map(channel => channel.address()) : [],
        operations: document ? document.operations().all().map(operation => operation.id()) : [],
        diagnostics: diagnostics.map(d => ({ severity: d.severity, code: d.code, path: d.path.join("."), message: d.message })),
    }));
})();
