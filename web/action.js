// SPDX-License-Identifier: Apache-2.0
// From an event to what it takes to act on it. Pure: no document, no network.

const ROUTER = "com.vmware.event.router/";

export function typeOf(event, style) {
  return style === "vsphere" && String(event.type).startsWith(ROUTER) && event.subject ? `com.vmware.vsphere.${event.subject}.v0` : event.type;
}

// A double-quoted YAML string: JSON's, with the characters that YAML forbids escaped, too.
export const quoted = (value) => JSON.stringify(String(value)).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g,
  (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));

// A name that Kubernetes accepts (RFC 1123).
export function resourceName(subject) {
  const name = String(subject).toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+/, "").slice(0, 50).replace(/-+$/, "");
  return `on-${name || "event"}`;
}

// chosen: [{path: ["data", "Vm", "Name"], value}]; indexes of arrays are numbers, which a pattern does not have.
export function pattern(chosen) {
  const root = {};
  for (const { path, value } of chosen) {
    const keys = path.filter((key) => typeof key !== "number");
    let at = root;
    for (const key of keys.slice(0, -1)) {
      if (Array.isArray(at[key]) || at[key] === undefined) Object.defineProperty(at, key, { value: {}, enumerable: true, configurable: true, writable: true });
      at = at[key];
    }
    const last = keys[keys.length - 1];
    const list = Object.hasOwn(at, last) && Array.isArray(at[last]) ? at[last] : [];
    if (!list.includes(value)) list.push(value);
    Object.defineProperty(at, last, { value: list, enumerable: true, configurable: true, writable: true });
  }
  return root;
}

const attributesOf = (chosen) => chosen.filter((c) => c.path.length === 1 && c.path[0] !== "data" && c.path[0] !== "type" && c.path[0] !== "specversion");
const hasData = (chosen) => chosen.some((c) => c.path[0] === "data");
const withSubject = (event, chosen) => chosen.some((c) => c.path[0] === "subject" && c.path.length === 1) || !event.subject
  ? chosen : [{ path: ["subject"], value: event.subject }, ...chosen];

export function trigger(event, chosen, style) {
  const lines = ["apiVersion: eventing.knative.dev/v1", "kind: Trigger", "metadata:", `  name: ${resourceName(event.subject ?? event.type)}`, "spec:",
    "  broker: default", "  filter:", "    attributes:", `      type: ${quoted(typeOf(event, style))}`];
  const seen = new Set(["type"]);
  for (const { path, value } of attributesOf(withSubject(event, chosen))) {
    if (seen.has(path[0])) continue;
    seen.add(path[0]);
    lines.push(`      ${path[0]}: ${quoted(value)}`);
  }
  lines.push("  subscriber:", "    ref:", "      apiVersion: serving.knative.dev/v1", "      kind: Service", "      name: my-function");
  return { text: lines.join("\n") + "\n", note: hasData(chosen) ? "A Trigger sees attributes only. Choose by members of data with the dispatcher's filter, below." : "" };
}

export function openfaas(event, chosen) {
  const topic = String(event.subject ?? event.type);
  return { text: `functions:\n  my-function:\n    annotations:\n      topic: ${quoted(topic)}\n`,
    note: topic.includes(",") ? "A topic list has commas between the names: this name cannot be one."
      : withSubject(event, chosen).length > 1 ? "A topic is the name of the event alone. Choose by the rest with the dispatcher's filter, below." : "" };
}

export function eventbridge(event, chosen, style) {
  const result = {};
  if (event.subject) result["detail-type"] = [event.subject];
  const inside = chosen.filter((c) => !(c.path.length === 1 && ["subject", "source"].includes(c.path[0])))
    .map((c) => c.path.length === 1 && c.path[0] === "type" ? { path: c.path, value: typeOf(event, style) } : c);
  if (chosen.some((c) => c.path.length === 1 && c.path[0] === "source")) result.source = [event.source];
  if (inside.length) result.detail = pattern(inside);
  return { text: JSON.stringify(result, null, 2) + "\n", note: "" };
}

// The subject of the stored message, with * for each part that was not chosen.
export function subject(stored, chosen) {
  const tokens = stored.split(".");
  if (tokens.length < 7) return stored;
  const has = (...path) => chosen.some((c) => path.every((key, i) => c.path[i] === key));
  const keep = [true, has("source"), has("data", "Datacenter"), has("data", "ComputeResource"), has("severity"), has("eventclass")];
  return [...keep.map((k, i) => k ? tokens[i] : "*"), ...tokens.slice(6)].join(".");
}

export function filter(stored, event, chosen) {
  const rest = chosen.filter((c) => !(c.path.length === 1 && ["subject", "severity", "eventclass", "type", "source"].includes(c.path[0])));
  const lines = ["filter:", `  subject: ${quoted(subject(stored, chosen))}`];
  if (rest.length) lines.push(`  pattern: ${JSON.stringify(pattern(rest)).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"))}`);
  return { text: lines.join("\n") + "\n", note: "" };
}

// What the server tries: the chosen members of the event as it is stored.
export const tried = (event, chosen) => JSON.stringify(pattern(withSubject(event, chosen)));
