// SPDX-License-Identifier: Apache-2.0
// What runs: sources, streams, dispatchers, and what is wrong with them.
import { age, bytes, count, date, fill, h, spark } from "./dom.js";
import * as api from "./api.js";

let docs = "";
const runbooks = { NATS: "vcourierbusunreachable", "no reply": "vcourierprocessdown", "no leader": "vcouriernoleader", failing: "vcouriervcenterunreachable", stuck: "vcourierreadingstalled",
  paused: "vcourierbackendpaused", down: "vcourierbackendunreachable", "not fetched": "vcourierdispatcherstalled", "AHEAD of its stream": "vcourierconsumerahead", "has never run": "vcourierdispatchermissing",
  "does not exist": "vcourierabsent", full: "vcourierstreamnearlyfull" };
const runbook = (key) => docs && runbooks[key] ? `${docs}/operations.md#${runbooks[key]}` : "";

const replicasOf = (status, name) => (status.replicas ?? []).filter((r) => r.name === name).map((r) => r.report);
const isPaused = (r) => r.down || r.dead_letters_fail || r.paused > 0;

// Why a replica is paused, for people.
export function reason(r) {
  const since = `for ${age(r.paused_ms)}`;
  const answer = r.status > 0 ? `HTTP ${r.status}` : "no reply";
  if (r.dead_letters_fail) return `dead letters cannot be stored, ${since}`;
  if (r.down) return `the destination does not answer (${answer}), ${since}`;
  return `${r.paused} of ${r.targets} targets paused ${since}: ${r.target ? `${r.target}: ` : ""}${answer}`;
}

function pausedWhy(status, d) {
  const replicas = replicasOf(status, d.name).filter(isPaused);
  return replicas.length ? replicas.map((r) => `${r.host} (pid ${r.pid}): ${reason(r)}`).join("; ") : "";
}

// [{what, why, runbook}]
export function faults(state) {
  const found = [];
  if (!state.connected) found.push({ what: "NATS", why: state.why || "connecting", runbook: runbook("NATS") });
  const status = state.status;
  if (!status) return found;
  for (const s of status.streams) if (!s.ok) found.push({ what: `stream ${s.name}`, why: s.why ?? s.state, runbook: runbook(s.state) });
  for (const s of status.streams) if (s.max_bytes && s.bytes > 0.9 * s.max_bytes) found.push({ what: `stream ${s.name}`, why: `${Math.round(100 * s.bytes / s.max_bytes)} % of its limit`, runbook: runbook("full") });
  for (const c of status.collectors) if (!c.ok) found.push({ what: `source ${c.source}`, why: c.why ?? c.state, runbook: runbook(c.state) });
  for (const d of status.dispatchers) if (!d.ok) found.push({ what: `dispatcher ${d.name} on ${d.stream}`, why: pausedWhy(status, d) || (d.why ?? d.state),
    runbook: runbook(d.state.startsWith("paused") ? replicasOf(status, d.name).some((r) => r.down) ? "down" : "paused" : d.state) });
  return found;
}

const badge = (entry, well) => h("span", { class: `badge ${entry.ok ? "ok" : "bad"}` }, entry.state || well);

// Events a second between two points of a series that counts up; the newest point is of a step that is not over.
export function rates(points, step) {
  return points.slice(0, -1).map((p, i) => i === 0 || p === null || points[i - 1] === null || p < points[i - 1] ? null : (p - points[i - 1]) * 1000 / step);
}
const latest = (points) => points.filter((p) => p !== null).at(-1);

function table(title, heads, rows, none) {
  return h("section", { class: "panel" }, h("h2", {}, title), rows.length === 0 ? h("p", { class: "dim" }, none)
    : h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": title }, h("table", {}, h("thead", {}, h("tr", {}, heads.map((t) => h("th", { scope: "col", class: t.startsWith("#") ? "num" : "" }, t.replace("#", ""))))), h("tbody", {}, rows))));
}

function draw(element, state) {
  const status = state.status, series = state.history?.series ?? {}, step = state.history?.step_ms ?? 10000;
  const head = h("div", { class: "head" }, h("h1", {}, "What runs"), h("span", { class: "dim" }, state.looked_ms >= 0 ? `${age(state.looked_ms)} ago` : ""));
  if (!status) {
    fill(element, head, h("p", {}, state.connected ? "…" : "Nothing is known yet: NATS does not answer."));
    return;
  }
  const rateOf = (name) => { const r = rates(series[name] ?? [], step); const now = latest(r); return [h("td", { class: "num" }, now === undefined ? "–" : `${now.toFixed(1)}/s`), h("td", {}, spark(r, `${name}: events a second, last 10 minutes`))]; };
  fill(element, head, faults(state).length === 0 && h("p", { class: "notice ok" }, "Everything runs."),
    table("Sources", ["Source", "State", "Role", "#Lag", "Last event", "Host", "#PID", "Reason"], status.collectors.map((c) => h("tr", {},
      h("td", {}, h("bdi", {}, c.source)), h("td", {}, badge(c, "ready")), h("td", {}, c.report ? c.report.leader ? "leader" : "standby" : "–"), h("td", { class: "num" }, c.report?.leader ? age(c.report.lag_ms) : "–"),
      h("td", { class: "when" }, c.report?.last_event ? date(Date.parse(c.report.last_event)) : "–"), h("td", {}, c.report?.host ?? "–"), h("td", { class: "num" }, c.report?.pid ?? "–"), h("td", { class: "wrap" }, c.why ?? ""))), "No source is known."),
    table("Streams", ["Stream", "State", "#Events", "#Size", "Of its limit", "#Oldest", "#Newest", "#Rate", "10 minutes"], status.streams.map((s) => h("tr", {},
      h("td", {}, s.name), h("td", {}, badge(s, "stored")), h("td", { class: "num" }, count(s.messages)), h("td", { class: "num" }, bytes(s.bytes)),
      h("td", { class: "bar-cell" }, s.max_bytes ? h("span", {}, h("progress", { max: s.max_bytes, value: s.bytes, "aria-label": `${s.name}: size` }), ` ${Math.round(100 * s.bytes / s.max_bytes)} %`) : "–"),
      h("td", { class: "num" }, age(s.oldest_ms)), h("td", { class: "num" }, age(s.newest_ms)), rateOf(`stream ${s.name}`))), "No stream is known."),
    table("Dispatchers", ["Dispatcher", "Stream", "State", "#Waiting", "#In progress", "#Oldest", "#Replicas", "#Settled", "10 minutes", "Reason"], status.dispatchers.map((d) => h("tr", {},
      h("td", {}, h("bdi", {}, d.name)), h("td", {}, d.stream), h("td", {}, badge(d, "up to date")), h("td", { class: "num" }, count(d.waiting)), h("td", { class: "num" }, count(d.ack_pending)),
      h("td", { class: "num" }, age(d.oldest_ms)), h("td", { class: "num" }, d.replicas ?? "–"), rateOf(`settled ${d.name} ${d.stream}`), h("td", { class: "wrap" }, pausedWhy(status, d) || (d.why ?? "")))), "No dispatcher is known."));
}

export function runsView() {
  const element = h("div", { class: "list-view runs" }, h("h1", {}, "What runs"));
  return { element, status: (state) => draw(element, state) };
}

// The address of the runbooks, once somebody has logged in.
export const loadDocs = () => api.get("names").then((n) => { docs = n.docs; }).catch(() => {});
