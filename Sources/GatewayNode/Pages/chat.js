// The chat window: what is said, who is here, who is typing, and how far each has read.
import { clock, connect, kept, make, part } from "./frame.js";
import { faceOf, nameOf } from "./people.js";

const room = new URLSearchParams(location.search).get("channel") ?? "room:lobby";
const name = room.slice(room.indexOf(":") + 1);
const typing = `typing:${name}`; // an ephemeral channel: { member }
const seen = `seen:${name}`; // receipts: { member, cursor, node }
const most = 500; // lines that are kept in the window
const typingTime = 4_000; // ms that a sign of typing lasts
const bottom = 60; // px from the end that still count as there

const log = part("log");
const members = new Map(); // member → { user }
const readers = new Map(); // member → { cursor, node }, as each has told it last
const typists = new Map(); // member → the timer that ends it
const lines = []; // { cursor, element } of what is said, in order
let node, newest, hasSettled;

const sluice = connect();
// Where the page cannot know which member it is, it is somebody all the same.
const nobody = kept.get("nobody") ?? crypto.getRandomValues(new Uint32Array(2)).join("-");
kept.set("nobody", nobody);
const me = () => sluice.member ?? nobody;

part("title").textContent = room;
document.title = `${room} · Sluice`;
part("second").href = location.href;

// MARK: The log

function isAtEnd() { return log.scrollHeight - log.scrollTop - log.clientHeight < bottom; }

function add(line) {
  const wasAtEnd = isAtEnd();
  log.append(line);
  while (log.childElementCount > most) {
    if (lines[0]?.element === log.firstElementChild) lines.shift();
    log.firstElementChild.remove();
  }
  if (wasAtEnd || line.classList.contains("own")) log.scrollTop = log.scrollHeight;
  else part("newest").hidden = false;
}

function notice(text, className = "") { add(make("p", `notice ${className}`, text)); }

/** A message of this page has text, member and node; anything else is shown as the JSON it is. */
function bubble({ data, user, time }) {
  const ours = typeof data?.text === "string";
  const member = ours && typeof data.member === "string" ? data.member : undefined;
  const from = user ?? member ?? "";
  const line = make("article", "message");
  line.dataset.from = from;
  line.classList.toggle("own", member !== undefined && (member === me() || member === nobody));
  const last = log.lastElementChild;
  line.classList.toggle("more", Boolean(from) && last?.dataset.from === from);
  const through = ours && typeof data.node === "string" ? ` · ${data.node}` : "";
  const body = make("div", "body");
  body.append(
    make("div", "meta", `${nameOf(member, user)}${through} · ${clock(time)}`),
    make("p", "bubble", ours ? data.text : JSON.stringify(data)),
    make("div", "seen"),
  );
  line.append(faceOf(member, user), body);
  return line;
}

function said(event) {
  const element = bubble(event);
  lines.push({ cursor: event.cursor, element });
  newest = event.cursor;
  add(element);
  stoppedTyping(event.data?.member);
  showReaders();
  receiptIsDue();
}

log.addEventListener("scroll", () => {
  if (!isAtEnd()) return;
  part("newest").hidden = true;
  receiptIsDue();
});
part("newest").addEventListener("click", () => {
  log.scrollTop = log.scrollHeight;
  part("text").focus();
});

// MARK: Who is here

function showMembers() {
  const mine = ([member]) => (member === me() ? 0 : 1);
  const sorted = [...members].sort((a, b) => mine(a) - mine(b) || nameOf(a[0]).localeCompare(nameOf(b[0])));
  part("count").textContent = `· ${members.size}`;
  part("members").replaceChildren(...sorted.slice(0, 200).map(([member, { user }]) => {
    const item = make("li");
    const who = make("div", "who");
    who.append(
      make("span", "", nameOf(member, user) + (member === me() ? " (you)" : "")),
      make("span", "node", readers.get(member)?.node ?? ""),
    );
    item.append(faceOf(member, user), who);
    return item;
  }));
}

async function askWhoIsHere() {
  const here = new Map();
  let after;
  try {
    do {
      const page = await sluice.presence(room, { limit: 1000, after });
      for (const { member, user } of page.members) here.set(member, { user });
      after = page.next;
    } while (after);
  } catch {
    return; // asked again with the next connection
  }
  members.clear();
  for (const [member, about] of here) members.set(member, about);
  hasSettled = true;
  showMembers();
  showReaders();
}

function cameOrLeft({ type, member, user }) {
  const isKnown = members.has(member);
  if (type === "join") members.set(member, { user });
  else members.delete(member);
  if (type === "leave") stoppedTyping(member);
  if (hasSettled && isKnown !== (type === "join") && member !== me()) {
    notice(`${nameOf(member, user)} ${type === "join" ? "has come in" : "has left"}`);
  }
  showMembers();
  showReaders();
}

// MARK: Who is typing

let toldTypingAt = -Infinity;

part("text").addEventListener("input", () => {
  const now = performance.now();
  if (!part("text").value.trim() || now - toldTypingAt < typingTime / 2) return;
  toldTypingAt = now;
  // Late news of it would be none.
  sluice.publish(typing, { member: me() }, { timeout: 1_000 }).catch(() => {});
});

function isTyping(member) {
  if (typeof member !== "string" || member === me()) return;
  clearTimeout(typists.get(member));
  typists.set(member, setTimeout(() => stoppedTyping(member), typingTime));
  showTypists();
}

function stoppedTyping(member) {
  clearTimeout(typists.get(member));
  if (typists.delete(member)) showTypists();
}

function showTypists() {
  const names = [...typists.keys()].map((member) => nameOf(member, members.get(member)?.user));
  part("typing").textContent = names.length === 0 ? ""
    : names.length === 1 ? `${names[0]} is typing…`
    : names.length === 2 ? `${names[0]} and ${names[1]} are typing…` : `${names.length} are typing…`;
}

// MARK: Who has read how far

let receiptTimer;
let told = {};

/** Tells the others how far this window has read: when it is seen, and shows the end of the log. */
function receiptIsDue() {
  receiptTimer ??= setTimeout(() => {
    receiptTimer = undefined;
    const cursor = !document.hidden && isAtEnd() ? newest ?? told.cursor : told.cursor;
    if (!sluice.member || (cursor === told.cursor && node === told.node)) return;
    told = { cursor, node };
    sluice.publish(seen, { member: me(), cursor, node }, { timeout: 30_000 }).catch(() => {});
  }, 300);
}

document.addEventListener("visibilitychange", receiptIsDue);

function isAfter(cursor, other) {
  const [epoch, offset] = cursor.split(".");
  const [otherEpoch, otherOffset] = other.split(".");
  return epoch === otherEpoch && Number(offset) > Number(otherOffset);
}

/** Each reader's name stands under the last message that was read. */
function showReaders() {
  const places = new Map();
  for (const [member, { cursor }] of readers) {
    if (member === me() || !members.has(member) || typeof cursor !== "string") continue;
    const line = lines.findLast((line) => line.cursor && (line.cursor === cursor || isAfter(cursor, line.cursor)));
    if (!line || line.element.dataset.from === member) continue;
    places.set(line.element, [...places.get(line.element) ?? [], nameOf(member, members.get(member).user)]);
  }
  for (const element of log.querySelectorAll(".seen:not(:empty)")) {
    if (!places.has(element.closest(".message"))) element.textContent = "";
  }
  for (const [element, names] of places) {
    const text = names.length > 2 ? `Seen by ${names[0]} and ${names.length - 1} others` : `Seen by ${names.join(" and ")}`;
    const place = element.querySelector(".seen");
    if (place.textContent === text) continue;
    const wasAtEnd = isAtEnd();
    place.textContent = text;
    if (wasAtEnd) log.scrollTop = log.scrollHeight;
  }
}

// MARK: The connection

const reasons = {
  trimmed: "they are older than what is kept",
  reset: "the log was started anew",
  overflow: "this window was too slow",
};

sluice.subscribe(room, (event) => {
  switch (event.type) {
    case "message": return said(event);
    case "join": case "leave": return cameOrLeft(event);
    case "gap": return notice(`Messages may be missing here: ${reasons[event.reason] ?? event.reason}`, "gap");
    case "error": return notice(`${room}: ${event.message}`, "gap");
  }
}, { since: "start", presence: "join" });

sluice.subscribe(typing, (event) => { if (event.type === "message") isTyping(event.data?.member); });

sluice.subscribe(seen, (event) => {
  if (event.type !== "message" || typeof event.data?.member !== "string") return;
  const { member, cursor, node } = event.data;
  readers.set(member, { cursor, node });
  if (!members.has(member)) return;
  showMembers();
  showReaders();
}, { since: "start" });

sluice.addEventListener("state", ({ detail }) => {
  if (detail.state !== "connected") return;
  if (node && detail.node && node !== detail.node) notice(`You are now served by ${detail.node}`);
  node = detail.node ?? node;
  askWhoIsHere();
  receiptIsDue();
});

// MARK: Writing

part("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = part("text").value.trim();
  if (!text) return;
  part("text").value = "";
  toldTypingAt = -Infinity;
  const data = { text, member: me(), node };
  // Shown at once only when the answer takes long: the log decides what was said, and when.
  const waiting = bubble({ data, time: Date.now() });
  waiting.classList.add("own", "waiting");
  const timer = setTimeout(() => add(waiting), 400);
  try {
    await sluice.publish(room, data);
  } catch (error) {
    notice(`“${text}” was not sent: ${error.message}`, "gap");
  }
  clearTimeout(timer);
  waiting.remove();
});
