// SPDX-License-Identifier: Apache-2.0
// A span of stored events is sent again, to one dispatcher.
import { confirm, count, field, fill, h } from "./dom.js";
import * as api from "./api.js";
import { jobPanel } from "./job.js";

const local = (ms) => new Date(ms - new Date(ms).getTimezoneOffset() * 60000).toISOString().slice(0, 19);

export function replayView() {
  let counted = null, closed = false;
  const problem = h("div", { role: "alert" });
  const changed = () => { counted = null; send.disabled = true; };
  const dispatcher = h("select", { id: "dispatcher", onchange: changed }), source = h("select", { id: "source", onchange: changed }, h("option", { value: "" }, "any"));
  const since = h("input", { type: "datetime-local", step: 1, id: "since", value: local(Date.now() - 3600000), oninput: changed }), until = h("input", { type: "datetime-local", step: 1, id: "until", value: local(Date.now()), oninput: changed });
  const subject = h("input", { id: "subject", size: 34, placeholder: "vc.*.*.*.error.>", oninput: changed, maxlength: 299 }), pattern = h("textarea", { id: "pattern", rows: 4, spellcheck: "false", placeholder: '{"subject": ["VmPoweredOnEvent"]}', oninput: changed });
  const job = jobPanel((ended) => {
    if (ended?.kind === "replay" && ended.dry_run && !ended.error) { counted = ended.done; send.disabled = counted === 0; send.textContent = `Send ${count(counted)} again`; }
  });
  const body = (dry_run) => ({ dispatcher: dispatcher.value, source: source.value, since: new Date(since.value).getTime(), until: new Date(until.value).getTime(), subject: subject.value.trim(), pattern: pattern.value.trim(), dry_run });
  const begin = (dry_run) => {
    fill(problem);
    const wanted = body(dry_run);
    if (!wanted.since || !wanted.until) { fill(problem, h("p", { class: "notice bad" }, "From which time, and until when?")); return; }
    job.begin("replay", wanted);
  };
  const counter = h("button", { class: "main", id: "count", onclick: () => { changed(); begin(true); } }, "Count them first");
  const send = h("button", { id: "send", disabled: true, onclick: async () => {
    if (await confirm("Replay", `${count(counted)} events will be sent again to ${dispatcher.value}, and to no other dispatcher.`, `Send ${count(counted)}`)) { begin(false); changed(); }
  } }, "Send again");
  api.get("names").then((names) => {
    if (closed) return;
    fill(dispatcher, names.dispatchers.map((d) => h("option", { value: d }, d)));
    source.append(...names.sources.map((s) => h("option", { value: s.name }, s.name)));
  }).catch((error) => fill(problem, h("p", { class: "notice bad" }, error.message)));
  const element = h("div", { class: "list-view" }, h("div", { class: "head" }, h("h1", {}, "Replay")), job.element, problem,
    api.isOperator() ? h("section", { class: "panel", "aria-label": "Replay" }, h("p", { class: "dim" }, "Stored events are sent again to one dispatcher. Its own filter applies; no position changes."),
      h("div", { class: "bar" }, field("Dispatcher", dispatcher), field("Source", source), field("From", since), field("Until", until), field("Subject", subject)), h("label", { class: "field", for: "pattern" }, "Pattern"), pattern, h("p", {}), h("div", { class: "bar" }, counter, send))
      : h("p", { class: "notice" }, "Only an operator can send events again."));
  return { element, close: () => { closed = true; job.close(); } };
}
