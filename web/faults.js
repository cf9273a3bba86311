// SPDX-License-Identifier: Apache-2.0
// What is wrong, and the runbook for it: a heading of docs/operations.md, in lower case. Pure: no document, no network.
import { age } from "./dom.js";

const BUS = "vcourierbusunreachable", DOWN = "vcourierbackendunreachable", FULL = "vcourierstreamnearlyfull";
const streams = { "does not exist": "vcouriernoleader", "not permitted": "vcourierpublishfailing" };
const collectors = { "no reply": "vcourierprocessdown", stuck: "vcourierprocessdown", "no leader": "vcouriernoleader" };
const dispatchers = { "no reply": "vcourierdispatchermissing", "has never run": "vcourierdispatchermissing", orphaned: "vcourierdispatchermissing",
  "not fetched": "vcourierdispatcherstalled", "AHEAD of its stream": "vcourierconsumerahead" };

// The check of a process that fails: "nats: connection refused" is about NATS.
const check = (entry) => String(entry.why ?? "").split(":")[0];
function failingCollector(c) {
  if (check(c) === "nats") return BUS;
  if (check(c) === "stream") return "vcourierpublishfailing";
  return check(c).includes("permission") ? "vcourierpermissionmissing" : "vcouriervcenterunreachable";
}
const failingDispatcher = (d) => check(d) === "nats" || check(d) === "consumer" ? BUS : check(d) === "dead-letters" ? FULL : DOWN;

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

export function pausedWhy(status, d) {
  const replicas = replicasOf(status, d.name).filter(isPaused);
  return replicas.length ? replicas.map((r) => `${r.host} (pid ${r.pid}): ${reason(r)}`).join("; ") : "";
}

function paused(status, d) {
  const replicas = replicasOf(status, d.name);
  return replicas.some((r) => r.dead_letters_fail) ? FULL : replicas.some((r) => r.down) ? DOWN : "vcourierbackendpaused";
}

// [{what, why, runbook}]
export function faults(state) {
  const found = [], add = (what, why, runbook) => found.push({ what, why, runbook });
  if (!state.connected) add("NATS", state.why || "connecting", BUS);
  const status = state.status;
  if (!status) return found;
  for (const s of status.streams) if (!s.ok) add(`stream ${s.name}`, s.why ?? s.state, streams[s.state] ?? BUS);
  for (const s of status.streams) if (s.max_bytes && s.bytes > 0.9 * s.max_bytes) add(`stream ${s.name}`, `${Math.round(100 * s.bytes / s.max_bytes)} % of its limit`, FULL);
  for (const c of status.collectors) if (!c.ok) add(`source ${c.source}`, c.why ?? c.state, c.state === "failing" ? failingCollector(c) : collectors[c.state] ?? BUS);
  for (const d of status.dispatchers) if (!d.ok) add(`dispatcher ${d.name} on ${d.stream}`, pausedWhy(status, d) || (d.why ?? d.state),
    d.state.startsWith("paused") ? paused(status, d) : d.state === "failing" ? failingDispatcher(d) : dispatchers[d.state] ?? BUS);
  return found;
}
