// SPDX-License-Identifier: Apache-2.0
// The frame: login, navigation, and the state of the deployment that every view shows.
import { confirm, fill, h, refill } from "./dom.js";
import * as api from "./api.js";
import { catalogueView } from "./catalogue.js";
import { deadView } from "./dead.js";
import { eventView } from "./event.js";
import { eventsView } from "./events.js";
import { faults } from "./faults.js";
import { replayView } from "./replay.js";
import { loadDocs, runbookLink, runbookView } from "./runbook.js";
import { runsView } from "./runs.js";

const app = document.getElementById("app");
const views = {
  events: { title: "Events", open: eventsView },
  runs: { title: "What runs", open: runsView },
  dead: { title: "Dead letters", open: deadView },
  catalogue: { title: "Catalogue", open: catalogueView },
  replay: { title: "Replay", open: replayView },
};
const details = { event: { title: "Event", below: "events", open: ([stream, seq]) => eventView(stream, seq) }, runbook: { title: "Runbook", below: "runs", open: runbookView } };
const POLL_MS = 3000;
let frame = null, view = null, timer = 0;

// ---- light or dark

const themes = { "": "Auto", light: "Light", dark: "Dark" };
function setTheme(name) {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
  try { localStorage.setItem("theme", name); } catch { /* storage may be off */ }
}
try { setTheme(localStorage.getItem("theme") ?? ""); } catch { setTheme(""); }

function themeButton() {
  const names = Object.keys(themes);
  const now = () => document.documentElement.dataset.theme ?? "";
  const label = () => `◐ ${themes[now()]}`;
  const button = h("button", { title: "Light or dark, or as the system", onclick: () => {
    setTheme(names[(names.indexOf(now()) + 1) % names.length]);
    button.textContent = label();
  } }, label());
  return button;
}

// ---- login

function showLogin(message) {
  clearTimeout(timer);
  view?.close?.();
  view = frame = null;
  document.title = "Log in – vcourier console";
  const name = h("input", { id: "user", autocomplete: "username", autocapitalize: "none", required: true, maxlength: 64 });
  const password = h("input", { id: "password", type: "password", autocomplete: "current-password", required: true, maxlength: 256 });
  const problem = h("div", { role: "alert" });
  const button = h("button", { class: "main", type: "submit" }, "Log in");
  const tell = (text) => fill(problem, text && h("p", { class: "notice bad" }, text));
  tell(message);
  fill(app, h("main", { id: "main", tabindex: -1 }, h("form", { class: "panel login", onsubmit: async (e) => {
    e.preventDefault();
    button.disabled = true;
    try {
      await api.login(name.value, password.value);
      start();
    } catch (error) {
      tell(error.message);
      button.disabled = false;
      password.value = "";
      password.focus();
    }
  } }, h("h1", {}, "vcourier console"), problem, h("label", { class: "field" }, "User", name), h("label", { class: "field" }, "Password", password), button)));
  name.focus();
}
api.whenLoggedOut(() => showLogin("The session is over. Log in again."));

// ---- the frame

function showFrame() {
  const links = Object.fromEntries(Object.entries(views).map(([key, v]) => [key, h("a", { href: `#/${key}` }, v.title, h("span", { class: "mark" }))]));
  frame = { links, strip: h("div", {}), said: h("div", { class: "sr", role: "status" }), nats: h("span", { class: "badge" }, "…") };
  frame.scroll = h("main", { id: "main", tabindex: -1 });
  fill(app, h("div", { class: "frame" },
    h("header", { class: "top" }, h("span", { class: "brand" }, h("img", { src: "icon.svg", alt: "vcourier" }), h("span", { class: "word", "aria-hidden": "true" }, "vcourier")), frame.nats, h("span", { class: "space" }),
      h("span", { class: "who dim" }, `${api.user().user} (${api.user().role})`), themeButton(),
      h("button", { onclick: async () => { if (await confirm("Log out", "End this session?", "Log out")) api.logout(); } }, "Log out")),
    h("nav", { class: "side", "aria-label": "Views" }, Object.values(links)), frame.scroll));
}

// A phone shows some of the links: among them the one of this view.
const seeWhere = () => Object.values(frame.links).find((link) => link.hasAttribute("aria-current")).scrollIntoView({ block: "nearest", inline: "nearest" });

function route() {
  if (!frame) return;
  const [key, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  const found = Object.hasOwn(views, key) ? views[key] : Object.hasOwn(details, key) ? details[key] : views.events;
  view?.close?.();
  for (const [name, link] of Object.entries(frame.links)) {
    if (views[name] === (views[found.below] ?? found)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  seeWhere();
  document.title = `${found.title} – vcourier console`;
  const part = (text) => { try { return decodeURIComponent(text ?? ""); } catch { return ""; } };
  view = found.open(rest.map(part));
  fill(frame.scroll, frame.said, frame.strip, view.element);
  frame.scroll.scrollTop = 0;
  if (last) view.status?.(last);
}

// ---- the state of the deployment

let last = null;

function showStatus(state) {
  const wrong = faults(state), noun = wrong.length === 1 ? "1 fault" : `${wrong.length} faults`;
  frame.nats.className = `badge ${state.connected ? "ok" : "bad"}`;
  frame.nats.textContent = state.connected ? "NATS connected" : "NATS away";
  refill(frame.strip, wrong.length > 0 && h("div", { class: "notice bad", id: "faults" }, h("strong", {}, noun),
    h("ul", {}, wrong.slice(0, 6).map((f) => h("li", {}, h("a", { href: "#/runs" }, f.what), ": ", f.why, " ", runbookLink(f.runbook))))));
  const names = wrong.map((f) => f.what).join(", "); // said when it changes, not at each look
  if (frame.names !== names) frame.said.textContent = names ? `${noun}: ${names}` : frame.names ? "no faults" : "";
  frame.names = names;
  const mark = frame.links.runs.querySelector(".mark");
  mark.className = wrong.length ? "mark badge bad" : "mark";
  mark.textContent = wrong.length ? String(wrong.length) : "";
  const dead = state.status?.streams?.find((s) => s.name === "VCDEAD")?.messages ?? 0;
  const deadMark = frame.links.dead.querySelector(".mark");
  deadMark.className = dead ? "mark badge warn" : "mark";
  deadMark.textContent = dead ? String(dead) : "";
  if (frame.marks !== `${mark.textContent} ${deadMark.textContent}`) seeWhere(); // they move the links
  frame.marks = `${mark.textContent} ${deadMark.textContent}`;
  view?.status?.(state);
}

async function poll() {
  clearTimeout(timer);
  const mine = frame;
  try {
    last = await api.get("status");
  } catch (error) {
    if (!frame || frame !== mine) return;
    last = { connected: false, why: error.message, status: last?.status ?? null, history: last?.history };
  }
  if (!frame || frame !== mine) return;
  showStatus(last);
  timer = setTimeout(poll, document.hidden ? 4 * POLL_MS : POLL_MS);
}

function start() {
  showFrame();
  route();
  loadDocs().then(() => { if (frame && last) showStatus(last); }); // where the runbooks are
  poll();
}

addEventListener("hashchange", route);
document.addEventListener("visibilitychange", () => { if (!document.hidden && frame) poll(); });
if (await api.resume()) start();
else showLogin("");
