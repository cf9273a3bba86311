// SPDX-License-Identifier: Apache-2.0
// The newest job of the server: how far it is. A view shows it with jobPanel() and begins one with begin().
import { count, fill, h } from "./dom.js";
import * as api from "./api.js";

const done = { redrive: "sent again", drop: "dropped", replay: "sent again" };

// The job that was begun here. It outlives the view, a session that ends, and the page, which a login loads again.
let watched = 0;
try { watched = Number(sessionStorage.getItem("job")); } catch { /* storage may be off */ }

function watch(number) {
  watched = number;
  try { sessionStorage.setItem("job", number); } catch { /* storage may be off */ }
  return number;
}

export function jobPanel(onEnd) {
  const element = h("div", { role: "status", id: "job" });
  let timer = 0, closed = false, mine = 0;
  const show = (job) => {
    const failed = job.failed ? `, ${count(job.failed)} failed: ${job.error}` : job.error ? `: ${job.error}` : "";
    const word = job.dry_run ? "match" : done[job.kind];
    fill(element, h("div", { class: `notice ${job.running ? "" : job.error || job.failed ? "bad" : "ok"}` },
      `${job.kind} by ${job.user}: ${count(job.done)} of ${count(job.total)} ${word}${failed}${job.cancelled ? " (cancelled)" : ""} `,
      job.running && h("progress", { max: Math.max(1, job.total), value: job.done, "aria-label": "Progress" }),
      job.running && api.isOperator() && h("button", { onclick: () => api.post("job/cancel", {}).catch(() => {}) }, "Cancel")));
  };
  const poll = async () => {
    clearTimeout(timer);
    try {
      const job = await api.get("job");
      if (closed || !job) return;
      if (job.running || job.job === watched) show(job);
      if (job.running) {
        mine = watch(job.job);
        timer = setTimeout(poll, 400);
      } else if (job.job === mine) {
        onEnd?.(job);
      }
    } catch (error) {
      if (!closed && mine) { fill(element, h("div", { class: "notice bad" }, error.message)); timer = setTimeout(poll, 2000); }
    }
  };
  const begin = async (path, body) => {
    try {
      mine = watch((await api.post(path, body)).job);
      poll();
    } catch (error) {
      fill(element, h("div", { class: "notice bad", role: "alert" }, error.message));
      if (error.status === 409) onEnd?.(null);
    }
  };
  poll();
  return { element, begin, close: () => { closed = true; clearTimeout(timer); } };
}
