// SPDX-License-Identifier: Apache-2.0
// Elements and texts. Everything from outside becomes a text node: there is no markup in strings anywhere.

// Controls and the characters that reorder text are shown as U+FFFD, a very long text is cut.
const unsafe = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;
const LONGEST = 100000;

export function safe(value) {
  const text = String(value ?? "");
  const cut = text.length > LONGEST ? text.slice(0, LONGEST) + ` … (${text.length} characters)` : text;
  return cut.replace(unsafe, "\ufffd");
}

const SVG = new Set(["svg", "path"]);

// h("button", {class: "main", onclick: f, "aria-label": "x"}, "text", element, [list])
export function h(tag, props, ...children) {
  const element = SVG.has(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked" || key === "disabled" || key === "indeterminate") element[key] = value;
    else element.setAttribute(key, value === true ? "" : safe(value));
  }
  add(element, children);
  return element;
}

function add(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(safe(child)));
  }
}

export function fill(element, ...children) {
  element.replaceChildren();
  add(element, children);
  return element;
}

// Draws again, at each look, what somebody may use: focus and scroll positions stay, and text that is selected is left alone.
export function refill(element, ...children) {
  const selection = getSelection(), path = [];
  if (!selection.isCollapsed && element.contains(selection.anchorNode)) return;
  if (element.contains(document.activeElement))
    for (let at = document.activeElement; at !== element; at = at.parentNode) path.unshift([...at.parentNode.children].indexOf(at));
  const scrolled = [...element.querySelectorAll(".scroll")].map((e) => e.scrollLeft);
  fill(element, ...children);
  element.querySelectorAll(".scroll").forEach((e, i) => { e.scrollLeft = scrolled[i] ?? 0; });
  if (path.length) path.reduce((at, i) => at?.children[i], element)?.focus({ preventScroll: true });
}

export const field = (label, input) => h("label", { class: "field" }, label, input);

const two = (n) => String(n).padStart(2, "0");
export function clock(ms) {
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}
export function date(ms) {
  const d = new Date(ms);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${clock(ms)}`;
}
export function age(ms) {
  if (ms === undefined || ms === null || ms < 0) return "–";
  const s = Math.round(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s % 86400 / 3600)} h`;
}
export function bytes(n) {
  if (n === undefined || n === null) return "–";
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (n < 1024 || unit === "GiB") return `${unit === "B" ? n : n.toFixed(1)} ${unit}`;
    n /= 1024;
  }
}
export const count = (n) => (n ?? 0).toLocaleString("en");

// A line of the numbers; null where nothing is known.
export function spark(points, label) {
  const known = points.filter((p) => p !== null);
  if (known.length < 2) return h("span", { class: "dim" }, "–");
  const top = Math.max(...known, 1);
  let path = "", pen = "M";
  points.forEach((p, i) => {
    if (p === null) { pen = "M"; return; }
    path += `${pen}${(i * 120 / (points.length - 1)).toFixed(1)} ${(20 - p * 18 / top).toFixed(1)}`;
    pen = "L";
  });
  return h("svg", { class: "spark", viewBox: "0 0 120 22", role: "img", "aria-label": label, preserveAspectRatio: "none" }, h("path", { d: path }));
}

// Over plain HTTP from another machine there is no navigator.clipboard.
function copySelected(text) {
  const area = h("textarea", { readonly: true, class: "sr", value: text });
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

export async function copy(text, button) {
  const before = button.textContent;
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else if (!copySelected(text)) throw new Error();
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not permitted";
  }
  button.focus();
  setTimeout(() => { button.textContent = before; }, 1500);
}

// Asks before something is changed. Resolves to true or false.
export function confirm(title, text, action, danger) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { "aria-labelledby": "ask" }, h("h2", { id: "ask" }, title), h("p", {}, text),
      h("div", { class: "bar" },
        h("button", { onclick: () => dialog.close("") }, "Cancel"),
        h("button", { class: danger ? "danger" : "main", id: "confirm", onclick: () => dialog.close("yes") }, action)));
    dialog.addEventListener("close", () => { dialog.remove(); resolve(dialog.returnValue === "yes"); });
    document.body.append(dialog);
    dialog.showModal();
  });
}
