// A connection to a Sluice cluster that outlives its sockets: it resumes where it was on any node, moves to
// another one before it lets go of a draining one, and sends again what was never answered.
//
// Events, each with its object of the protocol in `detail`: welcome, subscribed, message, join, leave, gap,
// presence; and state, whose detail is { state: "connecting" | "live" | "waiting" | "ended", node?, why?, in? }.

const patience = 10_000; // ms to be connected and subscribed
const longestWait = 15_000; // ms between two attempts
const final = new Set([4001, 4003, 4004, 4009]); // close codes after which nobody should try again as before

const kept = {
  get(key) { try { return sessionStorage.getItem(key); } catch { return null; } },
  set(key, value) { try { sessionStorage.setItem(key, value); } catch { /* kept by nobody */ } },
};

export function randomName() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Connection extends EventTarget {
  #channels; // name → { since, presence }
  #current = null; // the socket that is subscribed everywhere
  #next = null; // the socket that is to take its place
  #attempt = 0;
  #timer = null;
  #lastId = 0;
  #unanswered = new Map(); // id → a publish that waits for its answer
  #ended = false;

  /// channels: { name: { since, presence } }
  constructor(channels) {
    super();
    this.#channels = new Map(Object.entries(channels));
    // Each window has a route of its own, so that two windows may well be on two nodes.
    if (!kept.get("sluice.route")) kept.set("sluice.route", randomName());
    addEventListener("online", () => { if (!this.#current) this.#dialIn(0); });
    setInterval(() => this.#checkSilence(), 1_000);
    this.#dialIn(0);
  }

  /// Resolves with the cursor when the message is in the log. Is sent again until then, and stored once.
  publish(channel, data) {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#unanswered.set(id, { command: { type: "publish", id, channel, data, key: randomName() }, resolve, reject });
      this.#send(this.#current, this.#unanswered.get(id).command);
    });
  }

  askPresence(channel, after) {
    this.#send(this.#current, { type: "presence", id: ++this.#lastId, channel, limit: 1000, after });
  }

  #send(socket, command) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(command));
  }

  #tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }

  // MARK: Dialling

  #dialIn(delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#dial(), delay);
  }

  #dial() {
    if (this.#next || this.#ended) return;
    if (!this.#current) this.#tell("state", { state: "connecting" });
    const url = new URL("v1/socket", document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    url.searchParams.set("route", kept.get("sluice.route") ?? "");
    const session = kept.get("sluice.session");
    if (session) url.searchParams.set("session", session);

    const socket = new WebSocket(url, "sluice.v1.json");
    this.#next = socket;
    socket.waiting = new Set(this.#channels.keys());
    socket.heard = performance.now();
    socket.timeout = setTimeout(() => this.#lost(socket, 0), patience);
    socket.onmessage = ({ data }) => {
      socket.heard = performance.now();
      socket.asked = false;
      this.#received(JSON.parse(data), socket);
    };
    socket.onclose = ({ code }) => this.#lost(socket, code);
  }

  /// Waits a random part of a time that doubles: many clients that lost the same node do not return as one.
  #backOff() {
    const most = Math.min(longestWait, 500 * 2 ** this.#attempt++);
    const delay = 100 + Math.random() * most;
    if (!this.#current) this.#tell("state", { state: "waiting", in: delay });
    this.#dialIn(delay);
  }

  #lost(socket, code) {
    clearTimeout(socket.timeout);
    socket.onmessage = socket.onclose = null;
    socket.close();
    const wasNext = socket === this.#next;
    const wasCurrent = socket === this.#current;
    if (wasNext) this.#next = null;
    if (wasCurrent) this.#current = null;
    if (final.has(code) && (wasNext || wasCurrent)) {
      this.#ended = true;
      this.#tell("state", { state: "ended", why: code });
    } else if (wasNext || (wasCurrent && !this.#next)) {
      this.#backOff();
    }
  }

  // The new socket is subscribed everywhere: only now is the old one let go.
  #promote(socket) {
    clearTimeout(socket.timeout);
    const old = this.#current;
    this.#current = socket;
    this.#next = null;
    this.#attempt = 0;
    if (old) {
      old.onmessage = old.onclose = null;
      old.close(1000);
    }
    this.#tell("state", { state: "live", node: socket.node });
    for (const { command } of this.#unanswered.values()) this.#send(socket, command);
  }

  /// A socket may be dead without a word: what was silent for a heartbeat is asked, then given up.
  #checkSilence() {
    const socket = this.#current;
    if (!socket) return;
    const silence = performance.now() - socket.heard;
    if (socket.asked && performance.now() - socket.asked > 5_000) {
      this.#lost(socket, 0);
    } else if (!socket.asked && silence > socket.heartbeat) {
      socket.asked = performance.now();
      this.#send(socket, { type: "ping", id: ++this.#lastId });
    }
  }

  // MARK: What the node says

  #received(event, socket) {
    switch (event.type) {
      case "welcome":
        kept.set("sluice.session", event.session);
        socket.node = event.node;
        socket.heartbeat = event.heartbeat * 1000;
        this.#tell("welcome", event);
        for (const [channel, { since, presence }] of this.#channels) {
          this.#send(socket, { type: "subscribe", id: ++this.#lastId, channel, since, presence });
        }
        break;
      case "subscribed": {
        const position = this.#channels.get(event.channel);
        if (position.since === undefined) position.since = event.cursor;
        socket.waiting.delete(event.channel);
        if (socket.waiting.size === 0 && socket === this.#next) this.#promote(socket);
        this.#tell("subscribed", event);
        break;
      }
      case "message":
        if (this.#isNew(event)) this.#tell("message", event);
        break;
      case "gap":
        this.#channels.get(event.channel).since = event.to;
        this.#tell("gap", event);
        break;
      case "goaway":
        if (socket === this.#current) this.#dialIn(event.reconnect_after_ms);
        break;
      case "published":
        this.#unanswered.get(event.id)?.resolve(event.cursor);
        this.#unanswered.delete(event.id);
        break;
      case "error":
        this.#failed(event, socket);
        break;
      case "presence": case "join": case "leave":
        this.#tell(event.type, event);
    }
  }

  /// Two sockets may deliver the same for a moment. Offsets of one epoch only grow.
  #isNew({ channel, cursor }) {
    if (!cursor) return true;
    const position = this.#channels.get(channel);
    const [epoch, offset] = cursor.split(".");
    const [lastEpoch, lastOffset] = (position.since ?? "").split(".");
    if (epoch === lastEpoch && Number(offset) <= Number(lastOffset)) return false;
    position.since = cursor;
    return true;
  }

  #failed(error, socket) {
    const publish = this.#unanswered.get(error.id);
    if (!publish) {
      // A subscription failed: as good as no connection.
      if (socket === this.#next) this.#lost(socket, 0);
    } else if (["unavailable", "overloaded", "rate_limited", "draining"].includes(error.code)) {
      setTimeout(() => this.#send(this.#current, publish.command), error.retry_after_ms ?? 1_000);
    } else {
      this.#unanswered.delete(error.id);
      publish.reject(new Error(error.message));
    }
  }
}
