// SPDX-License-Identifier: Apache-2.0
// Generates code from an AsyncAPI document with the AsyncAPI generator. asyncapi-generate.js TEMPLATE FOLDER DOCUMENT
const Generator = require("@asyncapi/generator");

const [template, folder, document] = process.argv.slice(2);
new Generator(template, folder, { forceWrite: true }).generateFromFile(document);
