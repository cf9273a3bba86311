// SPDX-License-Identifier: Apache-2.0
// Events as they come, newest first, and those of a time that is over.
import { clock, count, date, field, fill, h } from "./dom.js";
import * as api from "./api.js";

const KEPT = 3000; // rows that the page has; older ones are in the history

// Only the rows that are seen are elements.
class List {
  constructor(open) {
    this.rows = [];
    this.open = open;
    this.at = -1; // the row that has the focus
    this.space = h("div", {});
    this.body = h("div", { class: "rows", role: "rowgroup", tabindex: 0, "aria-label": "Events, newest first. Arrow keys move, Enter opens." }, this.space);
    this.element = h("div", { class: "list events", role: "table", "aria-label": "Events" },
      h("div", { class: "cols heads", role: "row" }, ["Time", "Source", "Severity", "Event", "Entity", "User", "Message"].map((t) => h("span", { role: "columnheader" }, t))), this.body);
    this.body.addEventListener("scroll", () => this.draw());
    this.body.addEventListener("keydown", (e) => this.key(e));
    this.size = new ResizeObserver(() => this.draw());
    this.size.observe(this.body);
  }
  height() { return parseInt(getComputedStyle(this.element).getPropertyValue("--row"), 10) || 28; }
  // The event that has the focus keeps it if it is among the new ones; a list that is loaded again must not lose the place of the keyboard.
  set(rows, empty) {
    const was = this.rows[this.at], focused = this.body.contains(document.activeElement);
    this.rows = rows;
    this.empty = empty;
    this.at = was ? rows.findIndex((r) => r.s === was.s && r.n === was.n) : -1;
    this.body.scrollTop = 0;
    if (focused && this.at >= 0) this.reveal();
    this.draw();
  }
  prepend(rows) {
    const height = this.height(), top = this.body.scrollTop;
    this.rows = [...rows, ...this.rows].slice(0, KEPT);
    if (this.at >= 0) this.at = Math.min(this.at + rows.length, this.rows.length - 1);
    this.draw();
    if (top > 0) this.body.scrollTop = top + rows.length * height; // what is read stays in its place
  }
  draw() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => { this.drawing = 0; this.drawNow(); });
  }
  drawNow() {
    const height = this.height(), top = Math.max(0, Math.floor(this.body.scrollTop / height) - 4);
    const end = Math.min(this.rows.length, top + Math.ceil(this.body.clientHeight / height) + 8);
    this.element.style.setProperty("--bar", `${this.body.offsetWidth - this.body.clientWidth}px`);
    const focused = this.body.contains(document.activeElement) && document.activeElement !== this.body;
    this.element.setAttribute("aria-rowcount", this.rows.length);
    fill(this.body, this.space, this.rows.length === 0 && h("div", { class: "empty" }, this.empty ?? "No events yet."));
    this.space.style.height = `${this.rows.length * height}px`;
    for (let i = top; i < end; i++) this.body.append(this.row(i, height));
    if (focused) this.focus();
  }
  row(i, height) {
    const r = this.rows[i];
    const cell = (name, text) => h("span", { role: "cell", class: name, title: text }, h("bdi", {}, text));
    const row = h("div", { class: "row cols", role: "row", tabindex: -1, "data-at": i, "aria-rowindex": i + 1, onclick: () => { this.at = i; this.open(r); } },
      cell("c-time mono", clock(r.at)), cell("c-source", r.src), cell(`sev sev-${["error", "warning"].includes(r.sev) ? r.sev : "info"}`, r.sev || "–"),
      cell("c-name", r.e), cell("c-entity", r.o || "–"), cell("c-user", r.u || "–"), cell("c-text dim", r.m));
    row.firstChild.title = `${date(r.at)} (stored)`;
    row.style.top = `${i * height}px`;
    return row;
  }
  focus() { (this.body.querySelector(`[data-at="${this.at}"]`) ?? this.body).focus({ preventScroll: true }); }
  reveal() {
    const height = this.height(), top = this.at * height;
    if (top < this.body.scrollTop) this.body.scrollTop = top;
    else if (top + height > this.body.scrollTop + this.body.clientHeight) this.body.scrollTop = top + height - this.body.clientHeight;
  }
  key(e) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity }[e.key];
    if (e.key === "Enter" && this.at >= 0 && this.rows[this.at]) this.open(this.rows[this.at]);
    if (step === undefined || this.rows.length === 0) return;
    e.preventDefault();
    this.at = Math.max(0, Math.min(this.rows.length - 1, this.at + step));
    this.reveal();
    this.drawNow();
    this.focus();
  }
  close() { this.size.disconnect(); cancelAnimationFrame(this.drawing); }
}

// The filter outlives the view: who opens an event and comes back finds it as it was.
const kept = { name: "", entity: "", user: "", text: "", severity: "", source: "", pattern: "" };

export function eventsView() {
  let source = null, paused = false, past = null, missed = 0, leftOut = 0, shown = 0, again = 0, closed = false;
  const keys = new Set();
  const list = new List((r) => { location.hash = `#/event/${encodeURIComponent(r.s)}/${r.n}`; });
  const state = h("span", { role: "status", class: "badge", id: "live" }, "…");
  const problem = h("div", { role: "alert" });
  const input = (key, props) => h("input", { value: kept[key], maxlength: 150, size: 12, "data-filter": key, oninput: (e) => { kept[key] = e.target.value; later(); }, ...props });
  const severity = h("select", { "data-filter": "severity", onchange: (e) => { kept.severity = e.target.value; later(0); } },
    [["", "any"], ["error", "error"], ["error,warning", "warning or error"], ["warning", "warning"], ["info", "info"], ["user", "user"]].map(([v, t]) => h("option", { value: v }, t)));
  severity.value = kept.severity;
  const sources = h("select", { "data-filter": "source", onchange: (e) => { kept.source = e.target.value; later(0); } }, h("option", { value: "" }, "any"));
  const pattern = h("textarea", { rows: 3, spellcheck: "false", "data-filter": "pattern", "aria-label": "Pattern", placeholder: '{"data": {"Vm": {"Name": [{"prefix": "web-"}]}}}', oninput: (e) => { kept.pattern = e.target.value; later(600); } });
  pattern.value = kept.pattern;
  const pause = h("button", { id: "pause", "aria-pressed": "false", onclick: () => setPaused(!paused) }, "Pause");
  const from = h("input", { type: "datetime-local", step: 1, id: "from" }), until = h("input", { type: "datetime-local", step: 1, id: "until" });

  const tell = (text) => fill(problem, text && h("p", { class: "notice bad" }, text));
  const say = (text, kind) => { state.textContent = text; state.className = `badge ${kind}`; };
  function sayLive() {
    if (past) say("history", "warn");
    else if (paused) say(`paused, ${count(missed)} new`, "warn");
    else say(leftOut ? `live; of many events, ${count(leftOut)} were left out` : "live", leftOut ? "warn" : "ok");
  }
  function setPaused(now) {
    paused = now;
    pause.textContent = paused ? "Resume" : "Pause";
    pause.setAttribute("aria-pressed", String(paused));
    if (!paused) restart();
    else sayLive();
  }
  const fresh = (rows) => rows.filter((r) => { const key = `${r.s}/${r.n}`; if (keys.has(key)) return false; keys.add(key); return true; });

  async function restart() {
    clearTimeout(again);
    source?.close();
    source = null;
    const mine = ++shown;
    missed = leftOut = 0;
    keys.clear();
    tell("");
    const early = [];
    let loaded = false;
    if (!past) {
      source = api.live(kept, {
        state: (s) => { if (s.connected) sayLive(); else say(`no events: ${s.why}`, "bad"); },
        lost: () => say("the console does not answer; trying again", "bad"),
        rows: (message) => {
          if (mine !== shown) return;
          leftOut += message.left_out;
          if (paused) missed += message.rows.length + message.left_out;
          else if (loaded) list.prepend(fresh(message.rows).reverse());
          else early.push(...message.rows);
          sayLive();
        },
      });
    }
    try {
      const found = await api.get("events", { ...kept, ...(past ?? {}), limit: past ? 500 : 200 });
      if (mine !== shown || closed) return;
      const rows = fresh([...early.reverse(), ...found.rows]);
      list.set(rows, past ? "No event of that time matches." : "No event matches yet.");
      loaded = true;
      if (past && found.more) tell(`These are the first ${rows.length} of that time. Choose a shorter time to see all.`);
    } catch (error) {
      if (mine !== shown || closed) return;
      tell(error.message);
      if (error.status === 400) { source?.close(); say("the filter is not valid", "bad"); return; }
      again = setTimeout(restart, 3000);
    }
    if (past) sayLive();
  }
  const later = (ms = 250) => { clearTimeout(again); again = setTimeout(restart, ms); };
  function showPast() {
    const a = from.value && new Date(from.value).getTime(), b = until.value && new Date(until.value).getTime();
    if (!a) { tell("From which time on?"); from.focus(); return; }
    past = { from: a, until: b || "" };
    restart();
  }
  function showLive() { past = null; from.value = until.value = ""; restart(); }

  api.get("names").then((names) => {
    for (const s of names.sources) sources.append(h("option", { value: s.name }, s.name));
    sources.value = kept.source;
  }).catch(() => {});
  restart();
  const element = h("div", { class: "list-view" },
    h("div", { class: "head" }, h("h1", {}, "Events"), state, pause),
    h("div", { class: "bar", role: "search", "aria-label": "Filter" }, field("Event", input("name")), field("Entity", input("entity")), field("User", input("user")), field("Text", input("text")),
      field("Severity", severity), field("Source", sources)),
    h("div", { class: "bar more" },
      h("details", { open: kept.pattern !== "" }, h("summary", {}, "Pattern"), h("p", { class: "dim" }, "An event pattern in the language of EventBridge, over the whole CloudEvent."), pattern),
      h("details", {}, h("summary", {}, "Another time"), h("div", { class: "bar" }, field("From", from), field("Until", until), h("button", { id: "past", onclick: showPast }, "Show"), h("button", { onclick: showLive }, "Back to live")))),
    problem, list.element);
  return { element, close: () => { closed = true; shown++; clearTimeout(again); source?.close(); list.close(); } };
}
