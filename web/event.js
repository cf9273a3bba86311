// SPDX-License-Identifier: Apache-2.0
// One event: its JSON, and what it takes to act on it.
import { bytes, copy, count, date, field, fill, h } from "./dom.js";
import * as api from "./api.js";
import * as action from "./action.js";

const CHILDREN = 200, TEXT = 2000;

// A value with a box to choose it, or an object that opens. Children are made when they are first shown.
function node(key, value, path, choose, depth) {
  const label = key === null ? [] : [h("span", { class: "key" }, typeof key === "number" ? `${key}` : key), ": "];
  if (value === null || typeof value !== "object") {
    const kind = value === null ? "null" : typeof value;
    const text = kind === "string" ? JSON.stringify(value) : String(value);
    const shown = h("span", { class: kind }, h("bdi", {}, text.length > TEXT ? text.slice(0, TEXT) : text));
    const more = text.length > TEXT && h("button", { class: "link", onclick: (e) => { fill(shown, h("bdi", {}, text)); e.target.remove(); } }, ` … all ${count(text.length)} characters`);
    const box = h("input", { type: "checkbox", "aria-label": `Choose ${path.join(".")}`, "data-path": path.join("."), onchange: (e) => choose(path, value, e.target.checked) });
    return h("li", {}, path.length > 0 && path[0] !== "specversion" && box, label, shown, more);
  }
  const entries = Array.isArray(value) ? value.map((v, i) => [i, v]) : Object.entries(value);
  const children = h("ul", { hidden: true });
  let made = 0;
  const make = () => {
    const next = entries.slice(made, made + CHILDREN);
    made += next.length;
    children.append(...next.map(([k, v]) => node(k, v, [...path, k], choose, depth + 1)));
    if (made < entries.length) children.append(h("li", {}, h("button", { class: "link", onclick: (e) => { e.target.parentNode.remove(); make(); } }, `${count(entries.length - made)} more`)));
  };
  const button = h("button", { class: "fold", "aria-expanded": "false", "aria-label": `${key ?? "event"}`, onclick: () => toggle() }, "▸");
  const toggle = () => {
    if (made === 0) make();
    children.hidden = !children.hidden;
    button.setAttribute("aria-expanded", String(!children.hidden));
    button.textContent = children.hidden ? "▸" : "▾";
  };
  if (depth < 2 && entries.length <= CHILDREN) toggle();
  return h("li", {}, button, label, h("span", { class: "dim" }, Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`), children);
}

const outputs = [
  { key: "trigger", title: "Knative Trigger", make: (e, c, style) => action.trigger(e, c, style) },
  { key: "openfaas", title: "OpenFaaS annotation", make: (e, c) => action.openfaas(e, c) },
  { key: "eventbridge", title: "EventBridge pattern", make: (e, c, style) => action.eventbridge(e, c, style) },
  { key: "subject", title: "NATS subject", make: (e, c, style, stored) => ({ text: action.subject(stored, c) + "\n", note: "" }) },
  { key: "filter", title: "vcourier filter", make: (e, c, style, stored) => action.filter(stored, e, c) },
];

function actionPanel(stored) {
  const event = stored.event, chosen = new Map();
  const style = h("select", { id: "style", onchange: draw }, h("option", { value: "router" }, "com.vmware.event.router/… (event router)"), h("option", { value: "vsphere" }, "com.vmware.vsphere.….v0 (VSphereSource)"));
  const which = h("select", { id: "output", onchange: draw }, outputs.map((o) => h("option", { value: o.key }, o.title)));
  const code = h("pre", { class: "code", tabindex: 0, id: "generated", "aria-label": "Generated text" }), note = h("p", { class: "dim" }), result = h("div", { role: "status", id: "tried" });
  const list = () => [...chosen.values()];
  function draw() {
    const made = outputs.find((o) => o.key === which.value).make(event, list(), style.value, stored.subject);
    code.textContent = made.text;
    note.textContent = made.note;
  }
  async function tryIt(e) {
    e.target.disabled = true;
    fill(result, "…");
    const bySubject = which.value === "subject" || which.value === "filter";
    const rest = list().filter((c) => !(c.path.length === 1 && c.path[0] === "type"));
    const body = { pattern: which.value === "subject" ? "" : which.value === "openfaas" ? action.tried(event, []) : which.value === "trigger" ? action.tried(event, rest.filter((c) => c.path[0] !== "data")) : action.tried(event, rest), subject: bySubject ? action.subject(stored.subject, list()) : "" };
    try {
      const found = await api.post("try", body);
      fill(result, h("p", {}, h("strong", {}, `${count(found.matched)} of the last ${count(found.tried)} events match.`)),
        h("div", { class: "scroll", tabindex: 0, "aria-label": "Events that match" }, h("table", {}, h("thead", {}, h("tr", {}, ["Time", "Event", "Entity", "User"].map((t) => h("th", { scope: "col" }, t)))),
          h("tbody", {}, found.rows.map((r) => h("tr", {}, h("td", { class: "when" }, h("a", { href: `#/event/${encodeURIComponent(r.s)}/${r.n}` }, date(r.at))), h("td", {}, h("bdi", {}, r.e)), h("td", {}, h("bdi", {}, r.o)), h("td", {}, h("bdi", {}, r.u))))))));
    } catch (error) {
      fill(result, h("p", { class: "notice bad" }, error.message));
    }
    e.target.disabled = false;
  }
  draw();
  return {
    choose: (path, value, on) => { if (on) chosen.set(path.join("\u0000"), { path, value }); else chosen.delete(path.join("\u0000")); draw(); },
    element: h("section", { class: "panel", "aria-labelledby": "act" }, h("h2", { id: "act" }, "Act on such events"),
      h("p", { class: "dim" }, "Choose members of the event; the name is always one of them."),
      h("div", { class: "bar" }, field("For", which), field("Types", style)), h("p", {}), code, note,
      h("div", { class: "bar" }, h("button", { onclick: (e) => copy(code.textContent, e.target) }, "Copy"), h("button", { class: "main", id: "try", onclick: tryIt }, "Try it on the last events")), h("p", {}), result),
  };
}

function show(element, stored) {
  const event = stored.event;
  const facts = [["Stored", `${date(stored.stored_ms)}, ${stored.stream} ${stored.seq}`], ["Subject", stored.subject], ["Size", bytes(stored.bytes)]];
  const head = h("div", { class: "head" }, h("button", { onclick: () => history.length > 1 ? history.back() : location.hash = "#/events" }, "Back"),
    h("h1", { class: "iso" }, event?.subject ?? event?.type ?? "Event"), event?.severity && h("span", { class: `sev sev-${event.severity}` }, event.severity));
  if (!event) {
    fill(element, head, h("p", { class: "notice" }, "This message is not JSON in structured mode; its content cannot be shown."), h("dl", { class: "facts panel" }, facts.map(([k, v]) => [h("dt", {}, k), h("dd", {}, v)])));
    return;
  }
  const panel = actionPanel(stored);
  const link = `${location.origin}${location.pathname}#/event/${encodeURIComponent(stored.stream)}/${stored.seq}`;
  fill(element, head,
    h("p", { class: "iso" }, event.data?.FullFormattedMessage ?? ""),
    h("div", { class: "two" },
      h("section", { class: "panel", "aria-labelledby": "json" }, h("div", { class: "head" }, h("h2", { id: "json" }, "The event"), h("button", { onclick: (e) => copy(JSON.stringify(event, null, 2), e.target) }, "Copy JSON"), h("button", { onclick: (e) => copy(link, e.target) }, "Copy link")),
        h("dl", { class: "facts" }, facts.map(([k, v]) => [h("dt", {}, k), h("dd", { class: "mono" }, v)])), h("p", {}),
        h("div", { class: "tree" }, h("ul", {}, node(null, event, [], panel.choose, 0)))),
      panel.element));
}

// An event by its id, as log lines have it: #/event/<id>. Ids of vCenter's events end in the time; it is looked for from then on.
async function find(id) {
  const ms = Number(/-(\d{13})$/.exec(id)?.[1] ?? 0);
  const found = await api.get("events", { pattern: JSON.stringify({ id: [id] }), from: ms ? ms - 60000 : "", limit: 1 });
  if (found.rows.length === 0) throw new Error(`No stored event has the id ${id}${found.more ? ", of those that were looked at" : ""}.`);
  location.replace(`#/event/${encodeURIComponent(found.rows[0].s)}/${found.rows[0].n}`);
}

export function eventView(stream, seq) {
  const element = h("div", { class: "list-view" }, h("p", {}, "…"));
  let timer = 0, closed = false;
  const load = async () => {
    try {
      if (!seq) { await find(stream); return; }
      const stored = await api.get("event", { stream, seq });
      if (!closed) show(element, stored);
    } catch (error) {
      if (closed) return;
      fill(element, h("div", { class: "head" }, h("button", { onclick: () => { location.hash = "#/events"; } }, "To the events"), h("h1", {}, "Event")), h("p", { class: "notice bad", role: "alert" }, error.message));
      if (error.status === 503 || (seq && error.status === undefined)) timer = setTimeout(load, 3000);
    }
  };
  load();
  return { element, close: () => { closed = true; clearTimeout(timer); } };
}
