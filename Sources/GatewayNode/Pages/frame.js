// What the demo pages have in common: their connection, shown in the header, and a few ways to make elements.
import { Sluice } from "./sluice.js";

export const part = (id) => document.getElementById(id);

/** @param {string} tag @param {string} [className] @param {string} [text] */
export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/** @param {string} tag @param {Record<string, string | number>} attributes */
export function makeSVG(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

export function clock(time, seconds) {
  return new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined });
}

/** This window's own values, across reloads. */
export const kept = {
  get(key) { try { return sessionStorage.getItem(key) ?? undefined; } catch { return undefined; } },
  set(key, value) { try { sessionStorage.setItem(key, value); } catch { /* kept by nobody */ } },
};

export const transportNames = {
  "websocket": "WebSocket", "sse": "server-sent events", "long-poll": "long polls", "short-poll": "short polls",
};

/**
 * A client whose state the header shows. Each window has a route and a session of its own, so that two windows may
 * well be on two nodes, and a reload is still the same member.
 * @param {import("./sluice.js").Options} [options]
 */
export function connect(options) {
  if (!kept.get("route")) kept.set("route", crypto.getRandomValues(new Uint32Array(2)).join("-"));
  const sluice = new Sluice(null, { route: kept.get("route"), session: kept.get("session"), ...options });
  sluice.addEventListener("state", ({ detail }) => {
    const badge = part("state");
    badge.dataset.state = detail.state;
    badge.textContent = describe(detail);
    if (sluice.session) kept.set("session", sluice.session);
  });
  return sluice;
}

function describe({ state, transport, node, reason }) {
  switch (state) {
    case "connected": return `live by ${transportNames[transport]}${node ? ` on ${node}` : ""}`;
    case "connecting": return `connecting by ${transportNames[transport]}`;
    case "waiting": return "connection lost, trying again";
    case "closed": return `ended: ${reason}; reload to come back`;
    default: return "not connected";
  }
}
