// SPDX-License-Identifier: Apache-2.0
// Requests to the server. A session that has ended sends the user to the login; every other failure is an Error with the server's text.

let session = null;
let onLogout = () => {};

export const user = () => session;
export const isOperator = () => session?.role === "operator";
export const whenLoggedOut = (f) => { onLogout = f; };

async function request(path, options = {}) {
  let reply;
  try {
    reply = await fetch(path, { ...options, credentials: "same-origin", cache: "no-store" });
  } catch {
    throw new Error("the console does not answer");
  }
  const body = await reply.json().catch(() => ({}));
  if (reply.ok) return body;
  const error = new Error(body.error ?? `HTTP ${reply.status}`);
  error.status = reply.status;
  if (reply.status === 401 && session) {
    session = null;
    onLogout();
  }
  throw error;
}

const query = (values) => {
  const q = new URLSearchParams();
  for (const [key, value] of Object.entries(values ?? {})) if (value !== undefined && value !== null && value !== "") q.set(key, value);
  return q.size ? `?${q}` : "";
};

export const get = (path, values) => request(`api/${path}${query(values)}`);
export const post = (path, body) => request(`api/${path}`, {
  method: "POST", body: JSON.stringify(body),
  headers: { "Content-Type": "application/json", ...(session ? { "X-CSRF-Token": session.csrf } : {}) },
});

export async function resume() {
  session = await get("session").catch(() => null);
  return session;
}
export async function login(name, password) {
  session = await post("login", { user: name, password });
  return session;
}
export async function logout() {
  await post("logout", {}).catch(() => {});
  session = null;
  onLogout();
}

// Events as they come. `rows`, `state` and `lost` are called; close() ends it.
export function live(values, { rows, state, lost }) {
  const source = new EventSource(`api/live${query(values)}`);
  source.addEventListener("rows", (e) => rows(JSON.parse(e.data)));
  source.addEventListener("state", (e) => state(JSON.parse(e.data)));
  source.addEventListener("over", () => { source.close(); resume().then((s) => { if (!s) onLogout(); }); });
  source.addEventListener("error", () => {
    lost();
    // a browser gives up after an answer other than 200, and tries again by itself after any other end
    if (source.readyState === EventSource.CLOSED) get("session").catch(() => {});
  });
  return source;
}
