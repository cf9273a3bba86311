// SPDX-License-Identifier: Apache-2.0
// Dead letters: by dispatcher and reason, one by one, and what to do with them.
import { confirm, count, date, fill, h } from "./dom.js";
import * as api from "./api.js";
import { jobPanel } from "./job.js";
import { runbookLink } from "./runbook.js";

const noun = (n) => n === 1 ? "1 dead letter" : `${count(n)} dead letters`;

export function deadView() {
  let closed = false, list = null, asked = 0;
  const choice = { dispatcher: "", reason: "" }, selected = new Set();
  const groups = h("div", {}), rows = h("div", {}), problem = h("div", { role: "alert" }), detail = h("div", {});
  const job = jobPanel(() => { selected.clear(); load(); });
  const operator = api.isOperator();

  async function load() {
    const mine = ++asked;
    try {
      const found = await api.get("dead", choice);
      if (closed || mine !== asked) return;
      list = found;
      const there = new Set(found.rows.map((r) => r.seq));
      for (const seq of selected) if (!there.has(seq)) selected.delete(seq); // what is selected is on the page
      fill(problem);
      draw();
    } catch (error) {
      if (closed || mine !== asked) return;
      fill(problem, h("p", { class: "notice bad" }, error.message));
      setTimeout(() => { if (!closed && mine === asked) load(); }, 3000);
    }
  }
  const change = async (what, body, n) => {
    const drop = what === "drop";
    const text = drop ? `${noun(n)} will be removed for good. The events stay in their streams until these forget them.` : `${noun(n)} will be sent again, each to the dispatcher and the target it was meant for, and removed from this list.`;
    if (await confirm(drop ? `Drop ${noun(n)}` : `Redrive ${noun(n)}`, text, drop ? `Drop ${count(n)}` : `Redrive ${count(n)}`, drop)) job.begin(`dead/${what}`, body);
  };
  const buttons = (body, n, label) => operator && [h("button", { "data-do": "redrive", disabled: n === 0, onclick: () => change("redrive", body(), n) }, `Redrive ${label}`),
    h("button", { class: "danger", "data-do": "drop", disabled: n === 0, onclick: () => change("drop", body(), n) }, `Drop ${label}`)];

  function draw() {
    fill(groups, list.groups.length === 0 ? h("p", { class: "notice ok" }, "There are no dead letters.") : h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "By dispatcher and reason" }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Dispatcher"), h("th", { scope: "col" }, "Reason"), h("th", { scope: "col", class: "num" }, "Count"), h("th", { scope: "col" }, h("span", { class: "sr" }, "Actions")))),
      h("tbody", {}, list.groups.map((g) => h("tr", {}, h("td", {}, h("bdi", {}, g.dispatcher)), h("td", {}, h("bdi", {}, g.reason)), h("td", { class: "num" }, count(g.count)),
        h("td", {}, h("div", { class: "bar" }, h("button", { onclick: () => { choice.dispatcher = g.dispatcher; choice.reason = g.reason; selected.clear(); load(); } }, "Show"),
          buttons(() => ({ all: { dispatcher: g.dispatcher, reason: g.reason }, expect: g.count }), list.all > list.read_max ? 0 : g.count, "all")))))))),
      list.all > list.read_max && h("p", { class: "dim" }, `${noun(list.all)} in all; the newest ${count(list.read_max)} are counted here. Use "vcourier dead" for all of them.`));
    drawRows();
  }
  function drawRows() {
    const n = selected.size, shown = list.rows;
    if (list.groups.length === 0) { fill(rows); return; }
    const all = h("input", { type: "checkbox", "aria-label": "Select all that are shown", checked: shown.length > 0 && shown.every((r) => selected.has(r.seq)), onchange: (e) => { for (const r of shown) if (e.target.checked) selected.add(r.seq); else selected.delete(r.seq); drawRows(); } });
    fill(rows, h("div", { class: "head" }, h("h2", {}, choice.reason ? `${choice.dispatcher}: ${choice.reason}` : "All"), choice.reason && h("button", { onclick: () => { choice.dispatcher = choice.reason = ""; selected.clear(); load(); } }, "Show all"),
      buttons(() => ({ seqs: [...selected] }), n, n ? `${count(n)} selected` : "selected"), h("button", { onclick: load }, "Refresh"), h("span", { class: "dim" }, list.matched > shown.length ? `the newest ${count(shown.length)} of ${count(list.matched)}` : "")),
    h("p", {}), h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Dead letters" }, h("table", { id: "letters" },
      h("thead", {}, h("tr", {}, operator && h("th", { scope: "col" }, all), ["Number", "Since", "Event", "Reason", "Status", "Answer", "Dispatcher", "Target", "Attempts"].map((t) => h("th", { scope: "col" }, t)))),
      h("tbody", {}, shown.map((r) => h("tr", {}, operator && h("td", {}, h("input", { type: "checkbox", "aria-label": `Select ${r.seq}`, checked: selected.has(r.seq), onchange: (e) => { if (e.target.checked) selected.add(r.seq); else selected.delete(r.seq); drawRows(); document.querySelector(`[aria-label="Select ${r.seq}"]`)?.focus(); } })),
        h("td", {}, h("button", { class: "link", onclick: () => show(r.seq) }, String(r.seq))), h("td", { class: "when" }, date(r.at)), h("td", {}, h("bdi", {}, r.name)), h("td", {}, r.reason), h("td", {}, r.status || "–"), h("td", { class: "wrap" }, h("bdi", {}, r.error)),
        h("td", {}, h("bdi", {}, r.dispatcher)), h("td", { class: "clip" }, h("bdi", {}, r.target)), h("td", { class: "num" }, r.attempts)))))));
  }
  async function show(seq) {
    try {
      const letter = await api.get("dead/letter", { seq });
      const { event, ...facts } = letter;
      fill(detail, h("section", { class: "panel", tabindex: -1, "aria-label": `Dead letter ${seq}` }, h("div", { class: "head" }, h("h2", {}, `Dead letter ${seq}`),
        buttons(() => ({ seqs: [seq] }), 1, "this one"), facts.stream && facts.sequence && h("a", { href: `#/event/${encodeURIComponent(facts.stream)}/${encodeURIComponent(facts.sequence)}` }, "The event in its stream"), h("button", { onclick: () => fill(detail) }, "Close")),
      h("dl", { class: "facts" }, Object.entries(facts).filter(([, v]) => v !== "").map(([k, v]) => [h("dt", {}, k), h("dd", {}, h("bdi", {}, v))])), h("h3", {}, "Event"), h("pre", { class: "code", tabindex: 0 }, event ? JSON.stringify(event, null, 2) : "not JSON")));
      detail.firstChild.focus();
      detail.scrollIntoView({ block: "nearest" });
    } catch (error) {
      fill(detail, h("p", { class: "notice bad", role: "alert" }, error.message));
    }
  }
  load();
  const element = h("div", { class: "list-view" }, h("div", { class: "head" }, h("h1", {}, "Dead letters"), runbookLink("vcourierdeadlettering"), !operator && h("span", { class: "dim" }, "Only an operator can redrive or drop.")), job.element, problem, groups, detail, rows);
  return { element, close: () => { closed = true; job.close(); } };
}
