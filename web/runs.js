// SPDX-License-Identifier: Apache-2.0
// What runs: sources, streams, dispatchers, and what is wrong with them.
import { age, bytes, count, date, h, refill, spark } from "./dom.js";
import { faults, pausedWhy } from "./faults.js";

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
    refill(element, head, h("p", {}, state.connected ? "…" : "Nothing is known yet: NATS does not answer."));
    return;
  }
  const rateOf = (name) => { const r = rates(series[name] ?? [], step); const now = latest(r); return [h("td", { class: "num" }, now === undefined ? "–" : `${now.toFixed(1)}/s`), h("td", {}, spark(r, `${name}: events a second, last 10 minutes`))]; };
  refill(element, head, faults(state).length === 0 && h("p", { class: "notice ok" }, "Everything runs."),
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
