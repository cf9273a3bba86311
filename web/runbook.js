// SPDX-License-Identifier: Apache-2.0
// The runbooks of docs/operations.md. They are compiled in; with the option docsUrl the links lead to the published page instead.
import { fill, h } from "./dom.js";
import * as api from "./api.js";

let docs = "";

// Once somebody has logged in.
export const loadDocs = () => api.get("names").then((n) => { docs = n.docs; }).catch(() => {});

export const runbookLink = (name, text = "runbook") => docs ? h("a", { href: `${docs}/operations.md#${name}`, rel: "noreferrer noopener", target: "_blank" }, text)
  : h("a", { href: `#/runbook/${name}` }, text);

// Of Markdown they have paragraphs, lists, code spans and links; the name of another one leads to it.
const inline = (text) => text.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").split(/(`[^`]*`|\bVcourier[A-Z]\w+)/).map((part) =>
  part.startsWith("`") ? h("code", {}, part.slice(1, -1)) : part.startsWith("Vcourier") ? h("a", { href: `#/runbook/${part.toLowerCase()}` }, part) : part);

function block(text) {
  const items = `\n${text}`.split(/\n- /).map((item) => inline(item.trim().replace(/\s+/g, " ")));
  return [items[0].join("") !== "" && h("p", {}, items[0]), items.length > 1 && h("ul", {}, items.slice(1).map((item) => h("li", {}, item)))];
}

export function runbookView([name]) {
  const element = h("div", { class: "list-view" }, h("h1", {}, "Runbook"));
  let closed = false;
  fetch("runbooks.md").then((reply) => reply.text()).then((text) => {
    const found = text.split(/^### /m).find((part) => part.split("\n")[0].toLowerCase() === name);
    const [title, ...rest] = (found ?? "Runbook\nThere is no such runbook.").split("\n");
    if (!closed) fill(element, h("div", { class: "head" }, h("button", { onclick: () => history.back() }, "Back"), h("h1", {}, title)),
      h("section", { class: "panel runbook", "aria-label": title }, rest.join("\n").trim().split(/\n\n+/).map(block)));
  }, () => { if (!closed) fill(element, h("h1", {}, "Runbook"), h("p", { class: "notice bad", role: "alert" }, "the console does not answer")); });
  return { element, close: () => { closed = true; } };
}
