// The client of a Sluice cluster for browsers: one ES module, nothing to build, nothing else to load.
//
//   import { Sluice } from "https://example.org/sluice.js";
//   const sluice = new Sluice();
//   sluice.subscribe("room:lobby", (event) => {
//     if (event.type === "message") show(event.data);
//     if (event.type === "gap") showThatSomethingIsMissing(event);
//   });
//   await sluice.publish("room:lobby", { text: "hello" });
//
// It listens over WebSocket, else server-sent events, else long polls, else short polls, whichever works, and
// tries the better ones again later. Whatever happens to connections, nodes and transports in between, a handler
// gets each message of its channel once and in order, and is told of every gap.

/**
 * @typedef {"websocket" | "sse" | "long-poll" | "short-poll"} Transport
 *
 * @typedef {object} MessageEvent_ A message. Of an ephemeral channel it has no cursor.
 * @property {"message"} type
 * @property {string} channel
 * @property {string} [cursor] `epoch.offset`
 * @property {any} data
 * @property {string} [user] who published it, where that is known
 * @property {number} time ms since 1970
 *
 * @typedef {object} GapEvent What lies after `from`, up to and with `to`, may have been missed.
 * @property {"gap"} type
 * @property {string} channel
 * @property {string} from
 * @property {string} to
 * @property {"trimmed" | "reset" | "overflow"} reason
 *
 * @typedef {object} PresenceEvent Somebody has come or left.
 * @property {"join" | "leave"} type
 * @property {string} channel
 * @property {string} member
 * @property {string} [user]
 * @property {any} [info]
 *
 * @typedef {object} SubscribedEvent A connection has taken the channel over: the first one, or another.
 * @property {"subscribed"} type
 * @property {string} channel
 * @property {string} [cursor] the position held
 * @property {Transport} transport
 *
 * @typedef {object} RefusedEvent The subscription is refused for good, and over.
 * @property {"error"} type
 * @property {string} channel
 * @property {string} code
 * @property {string} message
 *
 * @typedef {MessageEvent_ | GapEvent | PresenceEvent | SubscribedEvent | RefusedEvent} ChannelEvent
 * @callback Handler
 * @param {ChannelEvent} event
 * @param {Subscription} subscription
 * @returns {void}
 *
 * @typedef {object} SubscribeOptions
 * @property {string} [since] a cursor, or `start`: from the oldest message held. By default from now
 * @property {"join" | "watch"} [presence] become a member and hear who comes and leaves, or only hear
 *
 * @typedef {object} RequestOptions
 * @property {AbortSignal} [signal]
 * @property {number} [timeout] ms until it is given up, tried again as often as need be until then; 120,000
 *
 * @typedef {object} Member
 * @property {string} member
 * @property {string} [user]
 * @property {any} [info]
 * @property {number} since ms since 1970
 *
 * @typedef {object} PresencePage
 * @property {string} channel
 * @property {Member[]} members
 * @property {number} count members in all
 * @property {number} users distinct known users
 * @property {string} [next] `after` of the next page
 *
 * @typedef {object} HistoryPage
 * @property {string} channel
 * @property {MessageEvent_[]} messages in ascending order
 * @property {string} [cursor] a subscription `since` this goes on after the page
 * @property {GapEvent} [gap]
 *
 * @typedef {object} Receipt
 * @property {string} channel
 * @property {string} [cursor] none in an ephemeral channel
 *
 * @typedef {object} State Detail of the event `state`.
 * @property {"idle" | "connecting" | "connected" | "waiting" | "closed"} state idle: nothing is subscribed
 * @property {Transport} [transport]
 * @property {string} [node] the node's name, where the transport tells it
 * @property {string} [reason] why it waits, or is closed
 * @property {number} [retryInMs] when it waits, until it tries again
 *
 * @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} Keeper
 *
 * @typedef {object} Pace Times in ms.
 * @property {number} patience to be connected and subscribed; 10,000
 * @property {number} attempts of a transport before the next one is tried; 2
 * @property {number} proof how long a connection lasts to count as working; 10,000
 * @property {number} floor least time between two attempts; 100
 * @property {number} base the time that doubles with each attempt, of which a random part is waited; 500
 * @property {number} ceiling most it doubles to; 15,000
 * @property {number} rest least time after the loss of a connection that worked; 200
 * @property {number} spread what is waited at random beyond that, the first time; 1,300
 * @property {number} climb until a better transport is tried again, doubling; 10,000
 * @property {number} climbMost most it doubles to; 300,000
 * @property {number} pollWait seconds that a long poll may be held; 25
 *
 * @typedef {object} Options
 * @property {string | (() => string | Promise<string>)} [token] a JWT, or what gets one: it is asked again before
 *   the token expires, and when it is refused
 * @property {Transport[]} [transports] those to use, the best first; all four
 * @property {string} [session] a session to go on with
 * @property {Keeper} [storage] keeps session and cursors across page loads: `sessionStorage` for this tab,
 *   `localStorage` for all of them, which are then one member. By default nothing is kept
 * @property {Keeper | null} [preferences] keeps which transport worked; `localStorage` where it may be used
 * @property {string} [name] prefix of what is kept; `sluice`
 * @property {string} [route] binds connections to a node of their own behind nginx, in place of its cookie
 * @property {Partial<Pace>} [pace]
 */

/** @type {Transport[]} */
const allTransports = ["websocket", "sse", "long-poll", "short-poll"];

/** @type {Pace} */
const usualPace = {
  patience: 10_000, attempts: 2, proof: 10_000, floor: 100, base: 500, ceiling: 15_000, rest: 200, spread: 1_300,
  climb: 10_000, climbMost: 300_000, pollWait: 25,
};

const channelsPerRequest = 100; // of one stream or poll
const answerTime = 5_000; // ms for a pong
const requestTime = 15_000; // ms for one try of a request
const largeAnswer = 128 * 1024; // a poll's answer that was probably cut off
const hiddenSlowdown = 4; // short polls of a page that nobody sees
const hiddenSlowdownOfMembers = 1.5; // who polls more seldom has left, as others see it
const passing = new Set(["unavailable", "overloaded", "rate_limited", "draining", "internal", "network", "timeout"]);
const tokenTrouble = new Set(["unauthorized", "token_expired"]);
// What a close code of a WebSocket means, beyond that it is closed.
/** @type {Record<number, string>} */
const closeCodes = {
  1008: "bad_request", 1012: "draining", 1013: "overloaded", 4001: "unauthorized", 4003: "forbidden",
  4004: "token_expired", 4008: "too_slow", 4009: "sent_away",
};
const finalCodes = new Set(["forbidden", "sent_away"]);

/** An error with the code of the protocol, or `network`, `timeout`, `closed`. */
export class SluiceError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{status?: number, retryAfter?: number, spoken?: boolean}} more `spoken`: by the gateway itself
   */
  constructor(code, message, { status, retryAfter, spoken = false } = {}) {
    super(message);
    this.name = "SluiceError";
    this.code = code;
    /** Of the HTTP answer, if there was one. */
    this.status = status;
    /** In ms, where the answer says it. */
    this.retryAfter = retryAfter;
    this.spoken = spoken;
  }

  /** Whether the same may succeed later. */
  get isPassing() { return passing.has(this.code); }
}

/** @param {unknown} error @returns {SluiceError} */
function sluiceError(error) {
  if (error instanceof SluiceError) return error;
  if (error instanceof DOMException && error.name === "TimeoutError") return new SluiceError("timeout", "no answer in time");
  return new SluiceError("network", error instanceof Error ? error.message : String(error));
}

function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} text */
function parseCursor(text) {
  const dot = text.indexOf(".");
  return { epoch: text.slice(0, dot), offset: Number(text.slice(dot + 1)) };
}

/** @param {string} text @returns {Map<string, string>} */
function parseCursorSet(text) {
  const set = new Map();
  for (const part of text ? text.split(",") : []) {
    const at = part.indexOf("@");
    set.set(part.slice(0, at), part.slice(at + 1));
  }
  return set;
}

/** @param {string | null} text seconds, or a date @returns {number | undefined} */
function parseRetryAfter(text) {
  if (!text) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), longest / 2) : undefined;
}

/** The longest time that a timer can wait: beyond it a browser fires at once. */
const longest = 2 ** 31 - 1;

/** @param {number} ms @param {AbortSignal} [signal] wakes it early, without an error @returns {Promise<void>} */
function sleep(ms, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
    signal?.addEventListener("abort", done);
  });
}

// Calls what is not ours: its errors are reported, and stop nothing here.
/** @param {() => void} body */
function guarded(body) {
  try { body(); } catch (error) {
    if (typeof reportError === "function") reportError(error);
    else console.error(error);
  }
}

// MARK: Channels

/**
 * One channel over all connections: where it stands, and what is news.
 *
 * At any time one connection is its source, the last that took its place; what another still brings is passed over. Of its source it believes the order: a jump forwards without a gap is a channel of which only the latest
 * message counts. What the source repeats, because it was asked before another one was done, is dropped.
 */
class Follower {
  /** @type {{epoch: string, offset: number} | null} */
  #position = null;
  /** @type {Leg | null} */
  #source = null;
  /** Epochs that are over: a connection that lags may still bring theirs. */
  #past = new Set();
  #fromStart = false;
  /** Whether it shares no request with other channels, because one of those was refused. */
  isAlone = false;

  /** @param {string} channel @param {SubscribeOptions} options @param {(event: ChannelEvent) => void} tell */
  constructor(channel, { since, presence }, tell) {
    this.channel = channel;
    this.presence = presence;
    this.tell = tell;
    if (since === "start") this.#fromStart = true;
    else if (since) this.#position = parseCursor(since);
  }

  get cursor() { return this.#position ? `${this.#position.epoch}.${this.#position.offset}` : undefined; }

  /** What to ask for. */
  get since() { return this.cursor ?? (this.#fromStart ? "start" : undefined); }

  /**
   * A connection is subscribed, and the source from now on. False when it begins too late, because it was asked
   * before there was a position: it has to be asked again.
   * @param {Leg} leg @param {string | undefined} cursor @param {string | undefined} asked
   */
  subscribed(leg, cursor, asked) {
    if (cursor && !asked && this.#position) {
      const { epoch, offset } = parseCursor(cursor);
      if (epoch !== this.#position.epoch || offset > this.#position.offset) return false;
    }
    this.#source = leg;
    this.#fromStart = false;
    if (cursor && !this.#position) this.#position = parseCursor(cursor);
    return true;
  }

  /** @param {Leg} leg @param {MessageEvent_} event whether it is news */
  message(leg, event) {
    if (leg !== this.#source) return false;
    if (!event.cursor) return true;
    const cursor = parseCursor(event.cursor);
    const held = this.#position;
    if (held?.epoch === cursor.epoch) {
      if (cursor.offset <= held.offset) return false;
    } else if (held) {
      if (this.#past.has(cursor.epoch)) return false;
      this.#past.add(held.epoch);
    }
    this.#position = cursor;
    return true;
  }

  // The gap as it is for us, or nothing when we are past it.
  /** @param {Leg} leg @param {GapEvent} event */
  gap(leg, event) {
    if (leg !== this.#source) return null;
    const held = this.#position;
    const [from, to] = [parseCursor(event.from), parseCursor(event.to)];
    if (held && event.from !== this.cursor) {
      const isPast = to.epoch === held.epoch ? to.offset <= held.offset : this.#past.has(to.epoch);
      if (isPast) return null;
      if (held.epoch === from.epoch && held.offset > from.offset) event = { ...event, from: `${held.epoch}.${held.offset}` };
    }
    if (held && held.epoch !== to.epoch) this.#past.add(held.epoch);
    this.#past.delete(to.epoch);
    this.#position = to;
    return event;
  }

  // A poll's answer goes up to here.
  /** @param {Leg} leg @param {string | undefined} cursor */
  settled(leg, cursor) {
    if (leg !== this.#source || !cursor) return;
    const to = parseCursor(cursor);
    if (!this.#position || (this.#position.epoch === to.epoch && this.#position.offset < to.offset)) this.#position = to;
  }

  // Where its start is, so that it can be asked for together with others.
  /** @param {string} cursor */
  place(cursor) { if (this.#fromStart) this.#position ??= parseCursor(cursor); }

  /** @param {Leg} leg */
  hears(leg) { return leg === this.#source; }
}

/** A channel that is listened to, until `unsubscribe()`. */
export class Subscription {
  #follower;
  #leave;

  /** @internal @param {Follower} follower @param {() => void} leave */
  constructor(follower, leave) {
    this.#follower = follower;
    this.#leave = leave;
  }

  get channel() { return this.#follower.channel; }

  /** The position: of the last message or gap that the handler got. None before it is subscribed, or where nothing is stored. */
  get cursor() { return this.#follower.cursor; }

  unsubscribe() { this.#leave(); }
}

// MARK: Connections

/**
 * @typedef {object} End Why a connection has ended.
 * @property {string} reason
 * @property {SluiceError} [error]
 * @property {number} [wait] ms, as the node asks
 * @property {boolean} [told] the node said so: the transport is not to blame
 */

/** One connection, over some transport. It tells its engine what it hears, and its end, once. */
class Leg {
  isClosed = false;
  isReady = false;
  isProved = false;
  isSentAway = false;
  /** @type {string | undefined} */
  node;
  heardAt = performance.now();
  // What it has heard while another is still the source: it counts when this one takes its place, or never.
  /** @type {(() => void)[]} */
  backlog = [];
  #abort = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #patience;

  /** @param {Engine} engine @param {Transport} transport */
  constructor(engine, transport) {
    this.engine = engine;
    this.transport = transport;
    this.bePatient();
  }

  get signal() { return this.#abort.signal; }

  /** Begins to connect. */
  start() { this.open().catch((error) => this.failed(error)); }

  /** @returns {Promise<void>} */
  async open() {}

  /** The wanted channels are others now. */
  update() {}

  // It was subscribed to this channel before there was a position, and begins after it.
  /** @param {Follower} _follower */
  tooLate(_follower) {}

  /** It may have been cut without a word: finds out. */
  probe() {}

  /** @param {number} _now each second */
  tick(_now) {}

  /** Waits anew for the connection to be ready. */
  bePatient() {
    clearTimeout(this.#patience);
    if (this.isReady || this.isClosed) return;
    this.#patience = setTimeout(() => this.end({ reason: "no answer in time" }), this.engine.pace.patience);
  }

  becameReady() {
    if (this.isReady || this.isClosed) return;
    this.isReady = true;
    clearTimeout(this.#patience);
    this.engine.ready(this);
  }

  /** @param {unknown} cause */
  failed(cause) {
    const error = sluiceError(cause);
    this.end({ reason: error.message, error, wait: error.retryAfter, told: error.spoken && error.isPassing });
  }

  /** @param {End} end */
  end(end) {
    if (this.isClosed) return;
    this.close();
    this.engine.ended(this, end);
  }

  /** Lets go, without a word to the engine. */
  close() {
    this.isClosed = true;
    clearTimeout(this.#patience);
    this.#abort.abort();
  }
}

/** A WebSocket. */
class SocketLeg extends Leg {
  /** @type {WebSocket | undefined} */
  #socket;
  #lastId = 0;
  #isWelcome = false;
  #heartbeat = 25_000;
  #askedAt = 0;
  // Channel → its follower, from the moment it is asked for.
  /** @type {Map<string, Follower>} */
  #wanted = new Map();
  // Those without an answer.
  /** @type {Set<Follower>} */
  #waiting = new Set();
  /** @type {Map<number, {done: (event: any) => void, failed: (error: SluiceError) => void}>} */
  #unanswered = new Map();

  async open() {
    const { engine } = this;
    const token = await engine.credentials.get();
    if (this.isClosed) return;
    const url = engine.url("v1/socket", { route: engine.route, session: engine.session });
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, token ? ["sluice.v1.json", `bearer.${token}`] : ["sluice.v1.json"]);
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      this.heardAt = performance.now();
      this.#askedAt = 0;
      this.#received(JSON.parse(data));
    };
    socket.onclose = ({ code, reason }) => {
      if (!this.#isWelcome) this.engine.askWhyNoSocket();
      const error = new SluiceError(closeCodes[code] ?? "network", reason || `closed with ${code}`);
      this.end({ reason: error.message, error, told: code === 1012 || code === 4008 });
    };
  }

  /**
   * Sends a command. Fails with `network` when the connection ends before the answer.
   * @param {Record<string, unknown>} command @returns {Promise<any>}
   */
  request(command) {
    return new Promise((done, failed) => this.#ask(command, done, failed));
  }

  /** @param {Record<string, unknown>} command @param {(event: any) => void} done @param {(error: SluiceError) => void} failed */
  #ask(command, done, failed) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return failed(new SluiceError("network", "not connected"));
    const id = ++this.#lastId;
    this.#unanswered.set(id, { done, failed });
    this.#socket.send(JSON.stringify({ ...command, id }));
  }

  update() {
    if (!this.#isWelcome) return;
    const { followers } = this.engine;
    for (const [channel, follower] of this.#wanted) {
      if (followers.get(channel) !== follower) this.#leave(follower);
    }
    for (const follower of followers.values()) {
      if (!this.#wanted.has(follower.channel)) this.#subscribe(follower);
    }
    this.#checkReady();
  }

  /** @param {Follower} follower */
  #subscribe(follower) {
    const { channel, since, presence } = follower;
    this.#wanted.set(channel, follower);
    this.#waiting.add(follower);
    const isWanted = () => !this.isClosed && this.#wanted.get(channel) === follower;
    this.#ask({ type: "subscribe", channel, since, presence }, ({ cursor }) => {
      if (!isWanted()) return;
      this.#waiting.delete(follower);
      this.engine.subscribed(this, follower, cursor, since);
      this.#checkReady();
    }, (error) => {
      if (!isWanted()) return;
      if (error.isPassing) {
        this.bePatient();
        setTimeout(() => { if (isWanted()) this.#subscribe(follower); }, (error.retryAfter ?? 1000) * (1 + Math.random()));
      } else {
        this.#wanted.delete(channel);
        this.#waiting.delete(follower);
        this.engine.refused(follower, error);
        this.#checkReady();
      }
    });
  }

  /** @param {Follower} follower */
  #leave(follower) {
    this.#wanted.delete(follower.channel);
    this.#waiting.delete(follower);
    this.#ask({ type: "unsubscribe", channel: follower.channel }, () => {}, () => {});
  }

  tooLate(/** @type {Follower} */ follower) {
    this.#leave(follower);
    this.#subscribe(follower);
  }

  #checkReady() {
    if (this.#isWelcome && this.#waiting.size === 0) this.becameReady();
  }

  // A fresh token, of which the connection lives on.
  /** @param {string} token */
  refresh(token) {
    this.#ask({ type: "token", token }, () => {}, (error) => {
      if (!error.isPassing) this.end({ reason: error.message, error });
    });
  }

  tick(/** @type {number} */ now) {
    if (this.#askedAt && now - this.#askedAt > answerTime) this.end({ reason: "it fell silent" });
    else if (!this.#askedAt && now - this.heardAt > 1.5 * this.#heartbeat) this.probe();
  }

  probe() {
    if (this.#askedAt || this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#askedAt = performance.now();
    this.#ask({ type: "ping" }, () => {}, () => {});
  }

  /** @param {any} event */
  #received(event) {
    const { engine } = this;
    const asked = event.id === undefined ? undefined : this.#unanswered.get(event.id);
    if (asked) {
      this.#unanswered.delete(event.id);
      if (event.type !== "error") return asked.done(event);
      return asked.failed(new SluiceError(event.code, event.message, { retryAfter: event.retry_after_ms, spoken: true }));
    }
    switch (event.type) {
      case "welcome":
        this.node = event.node;
        this.#heartbeat = event.heartbeat * 1000;
        this.#isWelcome = true;
        this.bePatient();
        engine.welcomed(event);
        return this.update();
      case "unsubscribed": {
        // A new token no longer grants it: asked again, the node says why.
        const follower = this.#wanted.get(event.channel);
        return follower && this.#subscribe(follower);
      }
      case "goaway":
        return engine.sentAway(this, event.reconnect_after_ms);
      case "error":
        return engine.tell("error", new SluiceError(event.code, event.message, { spoken: true }));
      default:
        engine.take(this, event);
    }
  }

  close() {
    super.close();
    if (this.#socket) {
      this.#socket.onmessage = this.#socket.onclose = null;
      this.#socket.close(1000);
    }
    const lost = new SluiceError("network", "the connection was lost");
    for (const { failed } of this.#unanswered.values()) failed(lost);
    this.#unanswered.clear();
  }
}

/**
 * Channels that share one stream or poll.
 * @typedef {{followers: Follower[], presence: "join" | "watch" | undefined}} Lane
 */

/** What streams and polls have in common: requests, each for some of the channels. */
class RequestLeg extends Leg {
  /** @type {Lane[]} */
  #later = [];
  /** @type {(lane: Lane) => void} */
  #run = () => {};

  // Runs all lanes; where there is no session yet, the first one alone, which gets the one that they all share.
  /** @param {Lane[]} lanes @param {(lane: Lane) => Promise<void>} run */
  launch(lanes, run) {
    this.#run = (lane) => run(lane).catch((error) => this.refused(lane, error));
    this.#later = [...lanes].sort((a, b) => Number(!a.presence) - Number(!b.presence));
    if (this.engine.session) this.launchRest();
    else this.#later.splice(0, 1).forEach(this.#run);
  }

  launchRest() { this.#later.splice(0).forEach(this.#run); }

  // What the request says for these channels.
  /** @param {Lane} lane */
  query({ followers, presence }) {
    const since = followers.flatMap(({ channel, cursor }) => (cursor ? `${channel}@${cursor}` : []));
    const isFromStart = followers.every((follower) => follower.since === "start");
    return {
      channels: followers.map(({ channel }) => channel).join(","),
      since: isFromStart ? "start" : since.join(",") || undefined,
      presence,
    };
  }

  // Every channel of the lane goes on here.
  /** @param {Lane} lane @param {Map<string, string>} cursors @param {Map<Follower, string | undefined>} asked */
  subscribed({ followers }, cursors, asked) {
    for (const follower of followers) {
      this.engine.subscribed(this, follower, cursors.get(follower.channel), asked.get(follower));
    }
  }

  tooLate() { this.end({ reason: "asked before there was a position", wait: 0, told: true }); }

  // A request was refused: which of its channels is to blame?
  /** @param {Lane} lane @param {unknown} cause */
  refused({ followers }, cause) {
    if (this.isClosed) return;
    const error = sluiceError(cause);
    const isChannels = error.spoken && !error.isPassing && !tokenTrouble.has(error.code) && error.code !== "transport_disabled";
    if (!isChannels) return this.failed(error);
    if (followers.length === 1) this.engine.refused(followers[0], error);
    else for (const follower of followers) follower.isAlone = true;
    this.end({ reason: error.message, wait: 0, told: true });
  }
}

/** Server-sent events, read by `fetch`: it shows why it was refused, and hears the comments. */
class StreamLeg extends RequestLeg {
  #silence = 60_000;
  #retry = 0;
  #opening = 0;

  async open() {
    await this.engine.placeStarts();
    if (this.isClosed) return;
    const lanes = this.engine.lanes();
    this.#opening = lanes.length;
    this.launch(lanes, (lane) => this.#run(lane));
  }

  update() { this.engine.replace(this); }

  tick(/** @type {number} */ now) {
    if (this.isReady && now - this.heardAt > this.#silence) this.end({ reason: "it fell silent", wait: this.#retry });
  }

  /** @param {Lane} lane */
  async #run(lane) {
    const { engine } = this;
    const asked = new Map(lane.followers.map((follower) => [follower, follower.since]));
    const query = { ...this.query(lane), session: engine.session, route: engine.route };
    const response = await engine.fetch("v1/stream", { query, headers: { Accept: "text/event-stream" }, signal: this.signal });
    if (!response.headers.get("content-type")?.startsWith("text/event-stream") || !response.body) {
      throw new SluiceError("network", "the answer is no event stream");
    }
    let isWelcome = false;
    let isSentAway = false;
    /** @type {SluiceError | undefined} */
    let refusal;
    const parser = new EventStreamParser((event, id) => {
      if (this.isClosed) return;
      switch (event.type) {
        case "welcome":
          isWelcome = true;
          this.node = event.node;
          this.#silence = 2.5 * event.heartbeat * 1000;
          engine.welcomed(event);
          this.launchRest();
          this.subscribed(lane, parseCursorSet(id), asked);
          if (--this.#opening === 0) this.becameReady();
          break;
        case "goaway":
          isSentAway = true;
          break;
        case "error":
          // Its last word: the token has run out, or there is no room before its `retry:` is over.
          refusal = new SluiceError(event.code, event.message, { spoken: true });
          if (!refusal.isPassing) this.end({ reason: event.message, error: refusal });
          return;
        default:
          engine.take(this, event);
      }
    });
    const reader = response.body.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (this.isClosed) return;
        if (done) break;
        this.heardAt = performance.now();
        parser.feed(value);
        this.#retry = parser.retry;
      }
    } catch (error) {
      // It had begun: it was cut.
      return this.end({ reason: sluiceError(error).message, wait: this.#retry });
    }
    // A stream that ends at once with its `retry:` is a cluster that has no place now.
    this.end({
      reason: refusal?.message ?? (isSentAway ? "the node is draining" : "the stream ended"),
      wait: parser.retry,
      told: isSentAway || (!isWelcome && parser.retry > 0),
    });
  }
}

/** Server-sent events (WHATWG HTML section 9.2.6), as far as this server writes them. */
class EventStreamParser {
  #decoder = new TextDecoder();
  #rest = "";
  #data = "";
  #id = "";
  /** In ms; 0 while nothing was said. */
  retry = 0;

  /** @param {(event: any, id: string) => void} tell */
  constructor(tell) { this.tell = tell; }

  /** @param {Uint8Array} bytes */
  feed(bytes) {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split(/\r?\n/);
    this.#rest = /** @type {string} */ (lines.pop());
    for (const line of lines) {
      if (line === "") {
        const data = this.#data;
        this.#data = "";
        if (data) this.tell(JSON.parse(data), this.#id);
        continue;
      }
      const colon = line.indexOf(":");
      const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
      switch (colon < 0 ? line : line.slice(0, colon)) {
        case "data": this.#data += this.#data ? `\n${value}` : value; break;
        case "id": this.#id = value; break;
        case "retry": if (/^\d+$/.test(value)) this.retry = Number(value);
      }
    }
  }
}

/** Polls: held ones, that answer as soon as there is something, or short ones at intervals. */
class PollLeg extends RequestLeg {
  #isHeld = this.transport === "long-poll";
  #asking = new AbortController();
  // Lanes that have no answer yet.
  /** @type {Set<Lane>} */
  #opening = new Set();

  async open() { this.update(); }

  update() {
    if (this.isClosed) return;
    this.#asking.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    const lanes = this.engine.lanes();
    this.#opening = new Set(lanes);
    this.launch(lanes, (lane) => this.#run(lane, signal).catch((error) => { if (!signal.aborted) throw error; }));
  }

  /** A visible page is shown what there is at once. */
  probe() { if (!this.#isHeld && this.isReady) this.update(); }

  close() {
    super.close();
    this.#asking.abort();
  }

  /** @param {Lane} lane @param {AbortSignal} signal */
  async #run(lane, signal) {
    const { engine } = this;
    for (let first = true; !signal.aborted; first = false) {
      const asked = new Map(lane.followers.map((follower) => [follower, follower.since]));
      // The first one is answered soon, so that it is known where the others go on.
      const wait = !this.#isHeld ? 0 : first ? 1 : engine.pace.pollWait;
      const route = this.#isHeld ? engine.route : undefined;
      /** @type {Record<string, string>} */
      const headers = lane.presence && engine.session ? { "Sluice-Session": engine.session } : {};
      const response = await engine.fetch("v1/poll", {
        query: { ...this.query(lane), wait: String(wait), route },
        headers,
        // A cache may answer a short poll, and the browser's own knows how to ask again.
        cache: this.#isHeld ? "no-store" : "default",
        timeout: wait * 1000 + requestTime,
        signal,
      });
      const text = await response.text();
      if (signal.aborted || this.isClosed) return;
      const { cursor, events } = JSON.parse(text);
      const session = response.headers.get("Sluice-Session");
      if (session) engine.welcomed({ session });
      const cursors = parseCursorSet(cursor);
      if (first) {
        this.launchRest();
        this.subscribed(lane, PollLeg.#beginning(cursors, events), asked);
      }
      for (const event of events) {
        if (signal.aborted || this.isClosed) return;
        engine.take(this, event);
      }
      for (const follower of lane.followers) engine.settled(this, follower, cursors.get(follower.channel));
      if (signal.aborted || this.isClosed) return;
      if (first && this.#opening.delete(lane) && this.#opening.size === 0) {
        this.becameReady();
        // Those that came from the start have their places now, and share requests with the others.
        if (asked.size && [...asked.values()].includes("start")) return this.update();
      } else if (!first) {
        this.engine.proved(this);
      }
      if (this.#isHeld || text.length > largeAnswer) continue;
      const seconds = Number(response.headers.get("X-Poll-Interval")) || 2;
      const isHidden = globalThis.document?.hidden;
      const slowdown = !isHidden ? 1 : lane.presence === "join" ? hiddenSlowdownOfMembers : hiddenSlowdown;
      await sleep(seconds * 1000 * slowdown * (0.9 + 0.2 * Math.random()), signal);
    }
  }

  // The positions before these events: an answer says only where it ends.
  /** @param {Map<string, string>} cursors after them @param {any[]} events @returns {Map<string, string>} */
  static #beginning(cursors, events) {
    const before = new Map(cursors);
    for (const event of [...events].reverse()) {
      if (event.type === "gap") before.set(event.channel, event.from);
      if (event.type !== "message" || !event.cursor) continue;
      const { epoch, offset } = parseCursor(event.cursor);
      before.set(event.channel, `${epoch}.${offset - 1}`);
    }
    return before;
  }
}

/** @type {Record<Transport, new (engine: Engine, transport: Transport) => Leg>} */
const legs = { "websocket": SocketLeg, "sse": StreamLeg, "long-poll": PollLeg, "short-poll": PollLeg };

// MARK: Tokens and memory

/** The token, renewed before it expires (RFC 7519 section 4.1.4). */
class Credentials {
  #source;
  /** @type {string | undefined} */
  #token;
  /** @type {Promise<string> | null} */
  #asking = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Options["token"]} source @param {(token: string) => void} renewed */
  constructor(source, renewed) {
    this.#source = source;
    this.renewed = renewed;
  }

  get canRenew() { return typeof this.#source === "function"; }

  /** @returns {Promise<string | undefined>} */
  async get() {
    if (typeof this.#source !== "function") return this.#source;
    if (this.#token) return this.#token;
    this.#asking ??= Promise.resolve(this.#source()).finally(() => { this.#asking = null; });
    this.#token = await this.#asking;
    this.#plan(this.#token);
    return this.#token;
  }

  /** It was refused: the next one is asked for anew. */
  forget() { this.#token = undefined; }

  close() { clearTimeout(this.#timer); }

  /** @param {string} token */
  #plan(token) {
    clearTimeout(this.#timer);
    const left = Credentials.expiry(token) - Date.now();
    if (!Number.isFinite(left)) return;
    const wait = Math.max(1000, left - Math.min(30_000, left / 5) * (1 + Math.random()));
    this.#timer = setTimeout(() => this.#renew(), Math.min(wait, longest));
  }

  async #renew() {
    const old = this.#token;
    this.forget();
    try {
      const token = await this.get();
      if (token && token !== old) this.renewed(token);
    } catch {
      // The old one may serve a while yet, and when it is refused, another is asked for.
      this.#token ??= old;
      if (old) this.#plan(old);
    }
  }

  // In ms since 1970; not a number where the token does not say it.
  /** @param {string} token */
  static expiry(token) {
    try {
      return JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).exp * 1000;
    } catch {
      return NaN;
    }
  }
}

/** What is kept across page loads. Storage that may not be used, or is full, keeps nothing. */
class Memory {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {(() => Record<string, string | undefined>) | undefined} */
  #cursors;

  /** @param {string} name @param {Keeper | undefined} storage @param {Keeper | null | undefined} preferences */
  constructor(name, storage, preferences) {
    this.name = name;
    this.storage = storage;
    try { this.preferences = preferences === undefined ? localStorage : preferences; } catch { this.preferences = null; }
  }

  get transport() { return Memory.#read(this.preferences, `${this.name}.transport`); }
  set transport(value) { Memory.#write(this.preferences, `${this.name}.transport`, value); }
  get session() { return Memory.#read(this.storage, `${this.name}.session`); }
  set session(value) { Memory.#write(this.storage, `${this.name}.session`, value); }

  /** @returns {Record<string, string | undefined>} */
  get cursors() {
    try { return JSON.parse(Memory.#read(this.storage, `${this.name}.cursors`) ?? "{}"); } catch { return {}; }
  }

  // Some cursor has moved: they are written soon.
  /** @param {() => Record<string, string | undefined>} cursors */
  moved(cursors) {
    if (!this.storage) return;
    this.#cursors = cursors;
    this.#timer ??= setTimeout(() => this.write(), 250);
  }

  /** @param {string} channel */
  forget(channel) {
    if (!this.storage) return;
    const { [channel]: _, ...others } = this.cursors;
    Memory.#write(this.storage, `${this.name}.cursors`, JSON.stringify(others));
  }

  /** Writes what has moved: also when the page goes. */
  write() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#cursors) Memory.#write(this.storage, `${this.name}.cursors`, JSON.stringify({ ...this.cursors, ...this.#cursors() }));
    this.#cursors = undefined;
  }

  /** @param {Keeper | null | undefined} keeper @param {string} key */
  static #read(keeper, key) { try { return keeper?.getItem(key) ?? undefined; } catch { return undefined; } }
  /** @param {Keeper | null | undefined} keeper @param {string} key @param {string | undefined} value */
  static #write(keeper, key, value) { try { if (value) keeper?.setItem(key, value); } catch { /* full, or forbidden */ } }
}

// MARK: The engine

/** @typedef {"recover" | "replace" | "climb"} Purpose of a connection that is being opened */

/** Decides which connection is there, which is to come, and when. */
class Engine {
  /** @type {Map<string, Follower>} */
  followers = new Map();
  // The connection that is subscribed everywhere.
  /** @type {Leg | null} */
  current = null;
  // The one that is to take its place.
  /** @type {Leg | null} */
  next = null;
  /** @type {State} */
  state = { state: "idle" };
  /** @type {string | undefined} */
  session;
  /** @type {string | undefined} */
  member;
  isClosed = false;
  /** @type {Transport} */
  #transport;
  /** @type {Purpose} */
  #purpose = "recover";
  /** @type {Set<Transport>} */
  #disabled = new Set();
  /** @type {Map<Transport, number>} */
  #failures = new Map();
  #attempt = 0;
  #tokenStrikes = 0;
  #climbs = 0;
  // Better transports that this climb has yet to try.
  /** @type {Transport[]} */
  #rungs = [];
  #isChanging = false;
  #isOverHTTP = true;
  #isAsking = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #dial;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #climb;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #proof;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #clock;
  #listeners = new AbortController();

  /** @param {URL} base @param {Options} options @param {(type: string, detail: any) => void} tell */
  constructor(base, options, tell) {
    this.base = base;
    this.tell = tell;
    this.pace = { ...usualPace, ...options.pace };
    this.route = options.route;
    this.transports = [...(options.transports ?? allTransports)];
    this.memory = new Memory(`${options.name ?? "sluice"}@${base.host}`, options.storage, options.preferences);
    this.kept = this.memory.cursors;
    this.session = options.session ?? this.memory.session;
    this.credentials = new Credentials(options.token, (token) => this.#renewed(token));
    this.#transport = this.transports.find((transport) => transport === this.memory.transport) ?? this.transports[0];
    const { signal } = this.#listeners;
    addEventListener("online", () => this.wake(), { signal });
    addEventListener("pageshow", () => this.wake(), { signal });
    addEventListener("pagehide", () => this.memory.write(), { signal });
    // A worker has no document.
    globalThis.document?.addEventListener("visibilitychange", () => { if (!document.hidden) this.wake(); }, { signal });
  }

  /** @param {string} path @param {Record<string, string | undefined>} [query] */
  url(path, query = {}) {
    const url = new URL(path, this.base);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    return url;
  }

  /**
   * One request. Fails on every status but 2xx.
   * @param {string} path
   * @param {{method?: string, query?: Record<string, string | undefined>, headers?: Record<string, string>, body?: string,
   *   cache?: RequestCache, signal?: AbortSignal, timeout?: number}} request
   */
  async fetch(path, { method = "GET", query, headers = {}, body, cache = "no-store", signal, timeout }) {
    const token = await this.credentials.get();
    if (token) headers.Authorization = `Bearer ${token}`;
    const signals = [signal, timeout ? AbortSignal.timeout(timeout) : undefined].filter((one) => one !== undefined);
    const response = await fetch(this.url(path, query), {
      method, headers, body, cache, signal: signals.length ? AbortSignal.any(signals) : undefined,
    });
    if (response.ok) return response;
    const { status } = response;
    const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json");
    const problem = isProblem ? await response.json().catch(() => ({})) : {};
    const code = problem.code ?? (status === 429 ? "rate_limited" : status >= 500 ? "unavailable" : "network");
    if (tokenTrouble.has(code)) this.credentials.forget();
    throw new SluiceError(code, problem.detail ?? problem.title ?? `answered ${status}`, {
      status, retryAfter: parseRetryAfter(response.headers.get("retry-after")), spoken: Boolean(problem.code),
    });
  }

  // MARK: Channels

  /** @param {string} channel @param {SubscribeOptions} options @param {(event: ChannelEvent) => void} tell */
  follow(channel, options, tell) {
    if (this.isClosed) throw new SluiceError("closed", "this client is closed");
    if (this.followers.has(channel)) throw new SluiceError("already_subscribed", `already subscribed to ${channel}`);
    const follower = new Follower(channel, { ...options, since: this.kept[channel] ?? options.since }, tell);
    this.followers.set(channel, follower);
    this.changed();
    return follower;
  }

  /** @param {Follower} follower */
  leave(follower) {
    if (this.followers.get(follower.channel) !== follower) return;
    this.memory.write();
    this.memory.forget(follower.channel);
    delete this.kept[follower.channel];
    this.followers.delete(follower.channel);
    this.changed();
  }

  /** Other channels are wanted: once for all that change in one go. */
  changed() {
    if (this.#isChanging || this.isClosed) return;
    this.#isChanging = true;
    queueMicrotask(() => {
      this.#isChanging = false;
      if (this.isClosed) return;
      if (this.followers.size === 0) return this.#rest({ state: "idle" });
      this.#clock ??= setInterval(() => this.#tick(), 1000);
      if (!this.current && !this.next && this.#dial === undefined) return this.#open(this.#transport, "recover");
      const { current, next } = this;
      next?.update();
      current?.update();
    });
  }

  // The channels by the requests that can ask for them together.
  /** @returns {Lane[]} */
  lanes() {
    /** @type {Map<string, Lane>} */
    const lanes = new Map();
    for (const follower of this.followers.values()) {
      const isFromStart = follower.since === "start";
      const kind = follower.isAlone ? follower.channel : `${follower.presence ?? ""} ${isFromStart}`;
      for (let number = 0; ; number++) {
        const lane = lanes.get(`${kind} ${number}`);
        if (!lane) lanes.set(`${kind} ${number}`, { followers: [follower], presence: follower.presence });
        else if (lane.followers.length < channelsPerRequest) lane.followers.push(follower);
        else continue;
        break;
      }
    }
    return [...lanes.values()];
  }

  // A request asks for all its channels from their start, or for none: where some have a place already, the others'
  // starts are looked up, so that no more connections are held than need be.
  async placeStarts() {
    const all = [...this.followers.values()];
    const isStart = (/** @type {Follower} */ follower) => follower.since === "start";
    const mixed = all.filter((one) => isStart(one) && all.some((other) => other.presence === one.presence && !isStart(other)));
    await Promise.all(mixed.map(async (follower) => {
      const path = `v1/channels/${encodeURIComponent(follower.channel)}/messages`;
      const query = { since: "start", limit: "1" };
      try {
        const { messages, cursor } = await (await this.fetch(path, { query, timeout: answerTime })).json();
        if (!messages.length) return cursor && follower.place(cursor);
        const { epoch, offset } = parseCursor(messages[0].cursor);
        follower.place(`${epoch}.${offset - 1}`);
      } catch { /* then it gets a request of its own */ }
    }));
  }

  // What a connection brings counts at once, or when it takes the place of the one before.
  /** @param {Leg} leg @param {() => void} action */
  #heard(leg, action) {
    if (leg === this.next && this.current) leg.backlog.push(action);
    else if (leg === this.current || leg === this.next) action();
  }

  /** @param {Leg} leg @param {Follower} follower @param {string | undefined} cursor @param {string | undefined} asked */
  subscribed(leg, follower, cursor, asked) {
    this.#heard(leg, () => {
      const isNew = !follower.hears(leg);
      if (!follower.subscribed(leg, cursor, asked)) return leg.tooLate(follower);
      this.#moved();
      if (isNew) follower.tell({ type: "subscribed", channel: follower.channel, cursor: follower.cursor, transport: leg.transport });
    });
  }

  /** @param {Leg} leg @param {Follower} follower @param {string | undefined} cursor */
  settled(leg, follower, cursor) { this.#heard(leg, () => follower.settled(leg, cursor)); }

  /** @param {Follower} follower @param {SluiceError} error */
  refused(follower, error) {
    if (this.followers.get(follower.channel) !== follower) return;
    this.leave(follower);
    for (const other of this.followers.values()) other.isAlone = false;
    follower.tell({ type: "error", channel: follower.channel, code: error.code, message: error.message });
    this.tell("error", error);
  }

  // Something has happened in a channel.
  /** @param {Leg} leg @param {any} event */
  take(leg, event) {
    if (leg === this.current) this.#take(leg, event);
    else this.#heard(leg, () => this.#take(leg, event));
  }

  /** @param {Leg} leg @param {any} event */
  #take(leg, event) {
    const follower = this.followers.get(event.channel);
    if (!follower) return;
    switch (event.type) {
      case "message":
        if (!follower.message(leg, event)) return;
        this.#moved();
        return follower.tell(event);
      case "gap": {
        const gap = follower.gap(leg, event);
        if (!gap) return;
        this.#moved();
        follower.tell(gap);
        return this.tell("gap", gap);
      }
      case "join": case "leave":
        if (follower.hears(leg)) follower.tell(event);
    }
  }

  #moved() {
    this.memory.moved(() => Object.fromEntries([...this.followers.values()].map(({ channel, cursor }) => [channel, cursor])));
  }

  /** @param {{session: string, member?: string}} event */
  welcomed({ session, member }) {
    const isNew = session !== this.session;
    this.session = this.memory.session = session;
    if (member) this.member = member;
    else if (isNew || !this.member) this.#derive(session);
  }

  // A poll does not say which member it is, but the session does.
  /** @param {string} session */
  async #derive(session) {
    if (!crypto.subtle) return;
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`member ${session}`));
    const text = btoa(String.fromCharCode(...new Uint8Array(hash, 0, 12))).replaceAll("+", "-").replaceAll("/", "_");
    if (this.session === session) this.member = text;
  }

  // MARK: Connections

  /** @param {Transport} transport @param {Purpose} purpose */
  #open(transport, purpose) {
    clearTimeout(this.#dial);
    this.#dial = undefined;
    this.#purpose = purpose;
    this.next = new legs[transport](this, transport);
    if (!this.current) this.#show({ state: "connecting", transport });
    this.next.start();
  }

  /** @param {State} state */
  #show(state) {
    this.state = state;
    this.tell("state", state);
  }

  // The connection is subscribed everywhere: only now the one before is let go.
  /** @param {Leg} leg */
  ready(leg) {
    if (leg !== this.next) return;
    this.current?.close();
    this.current = leg;
    this.next = null;
    this.#transport = this.memory.transport = leg.transport;
    this.#tokenStrikes = 0;
    clearTimeout(this.#proof);
    // Held polls are proved when one was held.
    if (leg.transport !== "long-poll") this.#proof = setTimeout(() => this.proved(leg), this.pace.proof);
    this.#show({ state: "connected", transport: leg.transport, node: leg.node });
    for (const action of leg.backlog.splice(0)) action();
    if (leg !== this.current) return;
    if (leg.isSentAway) this.#dialIn(this.pace.floor, "replace");
    else this.#planClimb();
  }

  // It has worked for a while.
  /** @param {Leg} leg */
  proved(leg) {
    if (leg !== this.current || leg.isProved) return;
    leg.isProved = true;
    this.#attempt = 0;
    this.#failures.delete(leg.transport);
    if (this.#better().length === 0) this.#climbs = 0;
  }

  // The node wants this connection to go elsewhere, after a delay.
  /** @param {Leg} leg @param {number} delay */
  sentAway(leg, delay) {
    leg.isSentAway = true;
    if (leg === this.current && !this.next) this.#dialIn(delay, "replace");
  }

  // Opens another connection of the same kind before this one is let go.
  /** @param {Leg} leg */
  replace(leg) {
    if (leg === this.next) {
      leg.close();
      this.#open(leg.transport, this.#purpose);
    } else if (leg === this.current) {
      // One that was to take its place may fail, while this is wanted now.
      this.next?.close();
      this.#open(leg.transport, "replace");
    }
  }

  /** @param {Leg} leg @param {End} end */
  ended(leg, end) {
    if (this.isClosed || (leg !== this.current && leg !== this.next)) return;
    const code = end.error?.code;
    if (code === "transport_disabled") this.#disabled.add(leg.transport);
    const wasNext = leg === this.next;
    if (wasNext) this.next = null;
    else this.current = null;
    if (wasNext && this.#purpose === "climb") {
      if (this.current) return this.#climbOn();
    } else if (wasNext && this.#purpose === "replace" && this.current?.transport === "sse" && !end.told) {
      // A browser holds only a few connections to one host: the old stream makes room for the new one.
      this.current.close();
      this.current = null;
    } else if (!end.told && !leg.isProved) {
      this.#failures.set(leg.transport, (this.#failures.get(leg.transport) ?? 0) + 1);
    }
    if (code && tokenTrouble.has(code)) {
      this.credentials.forget();
      if (!this.credentials.canRenew || ++this.#tokenStrikes > 2) return this.close(end.reason, code);
    } else if (leg.transport === "websocket" && code && finalCodes.has(code)) {
      return this.close(end.reason, code);
    }
    if (this.next) {
      this.#show({ state: "connecting", transport: this.next.transport });
      for (const action of this.next?.backlog.splice(0) ?? []) action();
      return;
    }
    this.#again(end, !wasNext);
  }

  /** @param {End} end @param {boolean} hadWorked what ended */
  #again(end, hadWorked) {
    const isNew = this.#descend();
    if (isNew === null) return this.close("every transport is disabled", "transport_disabled");
    const { floor, base, ceiling, rest, spread } = this.pace;
    // Full jitter over a floor: many clients that lost the same node do not return as one.
    const span = Math.max(base * 2 ** this.#attempt, hadWorked ? spread : 0);
    let wait = (hadWorked ? Math.max(floor, rest) : floor) + Math.random() * Math.min(ceiling, span);
    if (isNew) wait = floor;
    // The pace of a node that says when to come back spreads its clients already.
    else if (end.told && end.wait !== undefined && !end.error) wait = Math.max(end.wait, floor);
    else if (end.wait) wait = Math.max(wait, end.wait * (1 + Math.random() / 2));
    if (!isNew && !(end.told && !end.error)) this.#attempt += 1;
    if (navigator.onLine === false) wait = Math.max(wait, ceiling);
    if (!this.current) {
      clearTimeout(this.#climb);
      this.#show({ state: "waiting", transport: this.#transport, reason: end.reason, retryInMs: Math.round(wait) });
    }
    this.#dialIn(wait, this.current ? "replace" : "recover");
  }

  /** @param {number} wait @param {Purpose} purpose */
  #dialIn(wait, purpose) {
    clearTimeout(this.#dial);
    this.#dial = setTimeout(() => {
      this.#dial = undefined;
      if (!this.next) this.#open(this.#transport, purpose);
    }, Math.min(wait, longest));
  }

  /** Goes on to the next transport when this one has failed too often. Whether it is another one; null when there is none. */
  #descend() {
    const usable = this.#usable();
    if (usable.length === 0) return null;
    const isUsable = usable.includes(this.#transport);
    if (isUsable && (this.#failures.get(this.#transport) ?? 0) < this.pace.attempts) return false;
    this.#failures.delete(this.#transport);
    const from = this.transports.indexOf(this.#transport);
    const worse = this.transports.slice(from + 1).find((transport) => usable.includes(transport));
    this.#transport = worse ?? usable[0];
    // After the last one it begins again at the best, after a time as for any failure.
    return worse !== undefined;
  }

  // A page is not shown why a WebSocket was refused: a plain request tells whether it is switched off.
  askWhyNoSocket() {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.fetch("v1/socket", { timeout: answerTime, signal: this.#listeners.signal }).catch((error) => {
      if (sluiceError(error).code === "transport_disabled") this.#disabled.add("websocket");
    }).finally(() => { this.#isAsking = false; });
  }

  #usable() { return this.transports.filter((transport) => !this.#disabled.has(transport)); }

  #better() {
    const usable = this.#usable();
    const index = usable.indexOf(this.#transport);
    return index < 0 ? usable : usable.slice(0, index);
  }

  #planClimb() {
    clearTimeout(this.#climb);
    if (this.isClosed || !this.current || this.#better().length === 0) return;
    const wait = Math.min(this.pace.climbMost, this.pace.climb * 2 ** this.#climbs) * (0.8 + 0.4 * Math.random());
    this.#climb = setTimeout(() => {
      if (!this.current || this.next) return this.#planClimb();
      this.#rungs = this.#better();
      this.#climbOn();
    }, wait);
  }

  /** Tries the next better transport while the present one goes on. */
  #climbOn() {
    const rung = this.#rungs.shift();
    if (this.current?.isSentAway) return this.#dialIn(0, "replace");
    if (rung) return this.#open(rung, "climb");
    this.#climbs += 1;
    this.#planClimb();
  }

  #tick() {
    const now = performance.now();
    this.current?.tick(now);
  }

  /** The network, or the page, is back: what waits does so no longer, what stands is asked whether it does. */
  wake() {
    if (this.isClosed || this.followers.size === 0) return;
    if (this.current) this.current.probe();
    else if (!this.next) this.#open(this.#transport, "recover");
  }

  /** @param {Transport[]} transports */
  use(transports) {
    if (transports.length === 0) throw new SluiceError("bad_request", "transports: one at least");
    this.transports = [...transports];
    this.#disabled.clear();
    this.#failures.clear();
    this.#climbs = 0;
    if (this.isClosed) return;
    this.next?.close();
    this.next = null;
    clearTimeout(this.#climb);
    if (!transports.includes(this.#transport)) this.#transport = transports[0];
    if (this.current && transports.includes(this.current.transport)) {
      this.#rungs = this.#better();
      this.#climbOn();
    } else if (this.followers.size) {
      this.#open(this.#transport, this.current ? "replace" : "recover");
    }
  }

  /** Gives the connection up as a lost network would. */
  cut() {
    const leg = this.current ?? this.next;
    if (leg === this.current) this.next?.close(), (this.next = null);
    leg?.end({ reason: "cut", told: true });
  }

  /** @param {string} token */
  #renewed(token) {
    for (const leg of [this.current, this.next]) {
      if (leg instanceof SocketLeg) leg.refresh(token);
      else if (leg instanceof StreamLeg) this.replace(leg);
    }
  }

  /** @param {State} state */
  #rest(state) {
    clearTimeout(this.#dial);
    clearTimeout(this.#climb);
    clearTimeout(this.#proof);
    clearInterval(this.#clock);
    this.#dial = this.#clock = undefined;
    const { current, next } = this;
    this.current = this.next = null;
    next?.close();
    current?.close();
    this.#show(state);
  }

  /** @param {string} reason @param {string} [code] */
  close(reason, code) {
    if (this.isClosed) return;
    this.isClosed = true;
    this.memory.write();
    this.credentials.close();
    this.#listeners.abort();
    this.#rest({ state: "closed", reason });
    if (code) this.tell("error", new SluiceError(code, reason, { spoken: true }));
  }

  // MARK: Requests

  /**
   * Asks over the WebSocket when there is one, else over HTTP, until there is an answer or time is up.
   * @param {Record<string, unknown>} command @param {(signal: AbortSignal | undefined) => Promise<any>} overHTTP
   * @param {RequestOptions} options @returns {Promise<any>}
   */
  async ask(command, overHTTP, { signal, timeout = 120_000 } = {}) {
    const deadline = performance.now() + timeout;
    for (let attempt = 0, renewals = 0; ; attempt++) {
      try {
        signal?.throwIfAborted();
        if (this.isClosed) throw new SluiceError("closed", "this client is closed");
        if (this.current instanceof SocketLeg) return await within(requestTime, this.current.request(command));
        if (this.#isOverHTTP) return await overHTTP(signal);
        throw new SluiceError("unavailable", "there is no WebSocket at the moment");
      } catch (cause) {
        if (signal?.aborted) throw signal.reason;
        const error = sluiceError(cause);
        // What was under way when a connection took the place of another is asked again at once.
        const isMoved = attempt === 0 && error.code === "network" && this.current;
        const wait = isMoved ? 0 : Math.max(
          this.pace.floor + Math.random() * Math.min(this.pace.ceiling, this.pace.base * 2 ** attempt),
          error.retryAfter ?? 0,
        );
        const isRenewable = tokenTrouble.has(error.code) && this.credentials.canRenew && renewals++ === 0;
        if (error.code === "transport_disabled" && this.transports.includes("websocket")) this.#isOverHTTP = false;
        else if (!error.isPassing && !isRenewable) throw error;
        if (performance.now() + wait > deadline) throw error;
        await sleep(wait, signal);
      }
    }
  }
}

/** @template T @param {number} ms @param {Promise<T>} answer @returns {Promise<T>} */
function within(ms, answer) {
  return new Promise((done, failed) => {
    const timer = setTimeout(() => failed(new SluiceError("timeout", "no answer in time")), ms);
    answer.then(done, failed).finally(() => clearTimeout(timer));
  });
}

// MARK: The client

/**
 * A client of a Sluice cluster. Connects when the first channel is subscribed.
 *
 * Its events are `CustomEvent`s: `state` (detail: {@link State}), `gap` ({@link GapEvent}) and `error`
 * ({@link SluiceError}).
 */
export class Sluice extends EventTarget {
  #engine;

  /**
   * @param {string | URL | null} [url] of the gateway: `https:`, `http:`, `wss:` or `ws:`; by default where this module is from
   * @param {Options} [options]
   */
  constructor(url, options = {}) {
    super();
    const base = new URL(url ?? ".", url ? globalThis.document?.baseURI ?? location.href : import.meta.url);
    base.protocol = base.protocol.replace(/^ws/, "http");
    if (!/^https?:$/.test(base.protocol)) throw new TypeError(`not an address of a gateway: ${base}`);
    base.search = base.hash = "";
    if (!base.pathname.endsWith("/")) base.pathname += "/";
    for (const transport of options.transports ?? []) {
      if (!allTransports.includes(transport)) throw new TypeError(`not a transport: ${transport}`);
    }
    if (options.transports?.length === 0) throw new TypeError("transports: one at least");
    this.#engine = new Engine(base, options, (type, detail) => {
      guarded(() => this.dispatchEvent(new CustomEvent(type, { detail })));
    });
  }

  /** What the last `state` event said. */
  get state() { return this.#engine.state; }

  /** How others see this client in presence, once it is known. */
  get member() { return this.#engine.member; }

  /** Secret: who has it is this member. */
  get session() { return this.#engine.session; }

  /** Those in use, the best first. Others can be set at any time: the connection moves when it has to. */
  get transports() { return [...this.#engine.transports]; }
  set transports(transports) { this.#engine.use(transports); }

  /**
   * Listens to a channel, which can be done once at a time.
   * @param {string} channel
   * @param {Handler} handler called with everything that happens in the channel, in order
   * @param {SubscribeOptions} [options] `since` counts where no cursor was kept from an earlier page
   * @returns {Subscription}
   */
  subscribe(channel, handler, options = {}) {
    const engine = this.#engine;
    const follower = engine.follow(channel, options, (event) => guarded(() => handler(event, subscription)));
    const subscription = new Subscription(follower, () => engine.leave(follower));
    return subscription;
  }

  /**
   * Settles when the message is in the log, or is refused for good. It is sent again until then, under one key, and
   * stored once.
   * @param {string} channel
   * @param {any} data a JSON value
   * @param {RequestOptions & {key?: string}} options `timeout` stays below the 5 minutes that a key lives
   * @returns {Promise<Receipt>}
   */
  async publish(channel, data, { key = randomKey(), ...options } = {}) {
    const body = JSON.stringify(data);
    if (body === undefined) throw new TypeError("data: not a JSON value");
    const { cursor } = await this.#engine.ask({ type: "publish", channel, data, key }, async (signal) => {
      /** @type {Record<string, string>} */
      const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
      if (this.session) headers["Sluice-Session"] = this.session;
      const path = `v1/channels/${encodeURIComponent(channel)}/messages`;
      return (await this.#engine.fetch(path, { method: "POST", headers, body, signal, timeout: requestTime })).json();
    }, options);
    return { channel, cursor };
  }

  /**
   * Who is in a channel, in pages.
   * @param {string} channel @param {RequestOptions & {limit?: number, after?: string}} options
   * @returns {Promise<PresencePage>}
   */
  presence(channel, { limit, after, ...options } = {}) {
    return this.#read("presence", channel, "presence", { limit, after }, options);
  }

  /**
   * Messages of the log: after `since`, before `before`, or the newest.
   * @param {string} channel @param {RequestOptions & {since?: string, before?: string, limit?: number}} options
   * @returns {Promise<HistoryPage>}
   */
  history(channel, { since, before, limit, ...options } = {}) {
    return this.#read("history", channel, "messages", { since, before, limit }, options);
  }

  /**
   * @param {string} type @param {string} channel @param {string} path
   * @param {Record<string, string | number | undefined>} what @param {RequestOptions} options
   */
  async #read(type, channel, path, what, options) {
    const query = Object.fromEntries(Object.entries(what).map(([name, value]) => [name, value?.toString()]));
    const { id, type: _, ...answer } = await this.#engine.ask({ type, channel, ...what }, async (signal) => {
      const route = `v1/channels/${encodeURIComponent(channel)}/${path}`;
      return (await this.#engine.fetch(route, { query, cache: "no-cache", signal, timeout: requestTime })).json();
    }, options);
    return answer;
  }

  /** Gives up the present connection, as a lost network would, and comes back by itself. */
  reconnect() { this.#engine.cut(); }

  /** Ends everything. What was not answered fails with `closed`, or when its time is up. */
  close() { this.#engine.close("closed by the page"); }
}
