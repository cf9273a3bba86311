// SPDX-License-Identifier: Apache-2.0
// Every kind of event: seen or only known.
import { age, count, field, fill, h } from "./dom.js";
import * as api from "./api.js";

const SHOWN = 300;

export function catalogueView() {
  let events = [], described = false, closed = false, limit = SHOWN;
  const result = h("div", {}), total = h("span", { class: "dim", role: "status" }), problem = h("div", { role: "alert" });
  const search = h("input", { id: "search", size: 28, oninput: () => { limit = SHOWN; draw(); } });
  const only = h("select", { id: "only", onchange: draw }, h("option", { value: "all" }, "all that are known"), h("option", { value: "seen" }, "seen"), h("option", { value: "never" }, "never seen"));

  function draw() {
    const words = search.value.toLowerCase();
    const found = events.filter((e) => (only.value === "all" || (only.value === "seen") === e.count > 0) && (e.name.toLowerCase().includes(words) || e.description.toLowerCase().includes(words)));
    found.sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
    total.textContent = `${count(found.length)} of ${count(events.length)}; ${count(events.filter((e) => e.count > 0).length)} seen${described ? "" : "; no source has described its events"}`;
    const now = Date.now();
    fill(result, h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Kinds of events" }, h("table", { id: "kinds" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Event"), h("th", { scope: "col", class: "num" }, "Count"), h("th", { scope: "col" }, "Last"), h("th", { scope: "col" }, "Severity"), h("th", { scope: "col" }, "Class"), h("th", { scope: "col" }, "Description"), h("th", { scope: "col" }, "Example"))),
      h("tbody", {}, found.slice(0, limit).map((e) => h("tr", { class: e.count ? "" : "never" }, h("td", {}, h("bdi", {}, e.name), e.count === 0 && h("span", { class: "sr" }, " (never seen)")), h("td", { class: "num" }, e.count ? count(e.count) : "–"), h("td", { class: "when" }, e.last_ms ? `${age(now - e.last_ms)} ago` : "–"),
        h("td", {}, e.severity ? h("span", { class: `sev sev-${e.severity}` }, e.severity) : "–"), h("td", {}, e.class, e.base && h("span", { class: "dim" }, ` (${e.base})`)), h("td", { class: "wrap" }, h("bdi", {}, e.description)),
        h("td", {}, e.seq && h("a", { href: `#/event/${encodeURIComponent(e.stream)}/${e.seq}`, "aria-label": `Example of ${e.name}` }, "newest"))))))),
    found.length > limit && h("p", {}, h("button", { onclick: () => { limit += 1000; draw(); } }, `Show more of ${count(found.length)}`)));
  }
  async function load() {
    try {
      const found = await api.get("catalogue");
      if (closed) return;
      ({ events, described } = found);
      fill(problem);
      draw();
    } catch (error) {
      if (closed) return;
      fill(problem, h("p", { class: "notice bad" }, error.message));
      setTimeout(() => { if (!closed) load(); }, 3000);
    }
  }
  total.textContent = "…";
  load();
  return { element: h("div", { class: "list-view" }, h("div", { class: "head" }, h("h1", {}, "Catalogue"), total), h("div", { class: "bar" }, field("Find", search), field("Show", only)), problem, result), close: () => { closed = true; } };
}
