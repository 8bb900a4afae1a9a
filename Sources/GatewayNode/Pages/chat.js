// The chat window: one channel for what is said, and one in which each window says which node serves it.
import { Connection } from "./connection.js";
import { faceOf, nameOf } from "./people.js";

const room = new URLSearchParams(location.search).get("channel") ?? "room:lobby";
const places = `nodes:${room.slice(room.indexOf(":") + 1)}`;
const most = 500; // lines that are kept in the window

const part = (id) => document.getElementById(id);
const log = part("log");
const members = new Map(); // member → { user }
const nodes = new Map(); // member → the node that serves it
let me, node, settled;

const connection = new Connection({
  [room]: { since: "start", presence: "join" },
  [places]: { since: "start" },
});

part("channel").textContent = room;
document.title = `${room} · Sluice`;
part("second").href = location.href;

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

// MARK: The log

function add(line) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  log.append(line);
  while (log.childElementCount > most) log.firstElementChild.remove();
  if (atEnd || line.classList.contains("own")) log.scrollTop = log.scrollHeight;
  else part("newest").hidden = false;
}

function notice(text, className = "") { add(make("p", `notice ${className}`, text)); }

function clock(time) { return new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }); }

/// A message of this page has text, member and node; anything else is shown as the JSON it is.
function bubble({ data, user, time }) {
  const ours = typeof data?.text === "string";
  const member = ours && typeof data.member === "string" ? data.member : undefined;
  const from = user ?? member ?? "";
  const line = make("article", "message");
  line.dataset.from = from;
  line.classList.toggle("own", member !== undefined && member === me);
  const last = log.lastElementChild;
  line.classList.toggle("more", Boolean(from) && last?.dataset.from === from);
  const through = ours && typeof data.node === "string" ? ` · ${data.node}` : "";
  const body = make("div", "body");
  body.append(
    make("div", "meta", `${nameOf(member, user)}${through} · ${clock(time)}`),
    make("p", "bubble", ours ? data.text : JSON.stringify(data)),
  );
  line.append(faceOf(member, user), body);
  return line;
}

log.addEventListener("scroll", () => {
  if (log.scrollHeight - log.scrollTop - log.clientHeight < 60) part("newest").hidden = true;
});
part("newest").addEventListener("click", () => {
  log.scrollTop = log.scrollHeight;
  part("text").focus();
});

// MARK: Who is here

function showMembers() {
  const mine = ([member]) => (member === me ? 0 : 1);
  const sorted = [...members].sort((a, b) => mine(a) - mine(b) || nameOf(a[0]).localeCompare(nameOf(b[0])));
  part("count").textContent = `· ${members.size}`;
  part("members").replaceChildren(...sorted.slice(0, 200).map(([member, { user }]) => {
    const item = make("li");
    const who = make("div", "who");
    who.append(
      make("span", "", nameOf(member, user) + (member === me ? " (you)" : "")),
      make("span", "node", nodes.get(member) ?? ""),
    );
    item.append(faceOf(member, user), who);
    return item;
  }));
}

connection.addEventListener("presence", ({ detail }) => {
  if (detail.channel !== room) return;
  if (!detail.after && !settled) members.clear();
  settled = true;
  for (const { member, user } of detail.members) members.set(member, { user });
  if (detail.next) connection.askPresence(room, detail.next);
  showMembers();
});

for (const type of ["join", "leave"]) {
  connection.addEventListener(type, ({ detail: { channel, member, user } }) => {
    if (channel !== room) return;
    const known = members.has(member);
    if (type === "join") members.set(member, { user });
    else members.delete(member);
    if (known !== (type === "join") && member !== me) {
      notice(`${nameOf(member, user)} ${type === "join" ? "has come in" : "has left"}`);
    }
    showMembers();
  });
}

// MARK: The connection

connection.addEventListener("welcome", ({ detail }) => {
  me = detail.member;
});

connection.addEventListener("state", ({ detail }) => {
  const state = part("state");
  state.dataset.state = detail.state;
  state.textContent = {
    connecting: "connecting",
    live: `live on ${detail.node}`,
    waiting: "connection lost, trying again",
    ended: "the connection was ended: reload to come back",
  }[detail.state];
  if (detail.state !== "live") return;
  if (node && node !== detail.node) notice(`You are now served by ${detail.node}`);
  node = detail.node;
  settled = false;
  connection.askPresence(room);
  connection.publish(places, { member: me, node }).catch(() => {});
});

connection.addEventListener("message", ({ detail }) => {
  if (detail.channel === room) add(bubble(detail));
  const { member, node: place } = detail.data ?? {};
  if (typeof member === "string" && typeof place === "string" && nodes.get(member) !== place) {
    nodes.set(member, place);
    if (members.has(member)) showMembers();
  }
});

connection.addEventListener("gap", ({ detail }) => {
  if (detail.channel !== room) return;
  const why = {
    trimmed: "they are older than what is kept",
    reset: "the log was started anew",
    overflow: "this window was too slow",
  };
  notice(`Messages may be missing here: ${why[detail.reason] ?? detail.reason}`, "gap");
});

// MARK: Writing

part("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = part("text").value.trim();
  if (!text) return;
  part("text").value = "";
  const data = { text, member: me, node };
  // Shown at once only when the answer takes long: the log decides what was said, and when.
  const waiting = bubble({ data, time: Date.now() });
  waiting.classList.add("own", "waiting");
  const timer = setTimeout(() => add(waiting), 400);
  try {
    await connection.publish(room, data);
  } catch (error) {
    notice(`“${text}” was not sent: ${error.message}`, "gap");
  }
  clearTimeout(timer);
  waiting.remove();
});
