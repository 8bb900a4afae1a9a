// A channel heard by whichever transports are allowed, and what comes of it when things are cut.
import { clock, connect, make, makeSVG, part, transportNames } from "./frame.js";

const channel = new URLSearchParams(location.search).get("channel") ?? "room:lab";
const self = crypto.getRandomValues(new Uint32Array(2)).join("-");
const most = 100; // latencies that are shown, and events

const sluice = connect({ preferences: null, pace: { climb: 3_000, climbMost: 20_000 } });
part("title").textContent = channel;
let subscription;
let position; // of the last message or gap, as this page counts
const counts = { received: 0, gaps: 0, holes: 0, repeats: 0 };
const latencies = []; // { ms, transport }
let stream;

function note(text, className = "") {
  const item = make("li", className);
  item.append(make("time", "", clock(Date.now(), true)), ` ${text}`);
  part("events").prepend(item);
  while (part("events").childElementCount > most) part("events").lastElementChild.remove();
}

function show() {
  for (const [name, count] of Object.entries(counts)) part(name).textContent = count;
  part("cursor").textContent = subscription.cursor ?? "–";
  const isBad = counts.holes + counts.repeats > 0;
  const verdict = isBad ? "Something is wrong: see holes and repeats."
    : counts.received ? "Each message once and in order, with no hole but what was told as a gap." : "Nothing yet.";
  if (part("verdict").textContent !== verdict) part("verdict").textContent = verdict;
  part("verdict").dataset.verdict = isBad ? "bad" : "good";
}

// MARK: What comes

/** Trusts nobody: looks at every cursor. */
function check(cursor) {
  const [epoch, offset] = cursor.split(".");
  const [lastEpoch, lastOffset] = position?.split(".") ?? [];
  if (position && epoch === lastEpoch) {
    if (Number(offset) <= Number(lastOffset)) counts.repeats += 1;
    else if (Number(offset) > Number(lastOffset) + 1) counts.holes += 1;
  } else if (position) {
    counts.holes += 1;
  }
  position = cursor;
}

function take(event) {
  switch (event.type) {
    case "subscribed":
      position ??= event.cursor;
      note(`Subscribed by ${transportNames[event.transport]}, from ${event.cursor ?? "now"}`);
      break;
    case "message":
      counts.received += 1;
      if (event.cursor) check(event.cursor);
      if (event.data?.by === self) {
        latencies.push({ ms: Math.max(0, performance.now() - event.data.sent), transport: sluice.state.transport });
        if (latencies.length > most) latencies.shift();
        draw();
      }
      break;
    case "gap":
      counts.gaps += 1;
      position = event.to;
      note(`Gap from ${event.from} to ${event.to}: ${event.reason}`, "warning");
      break;
    case "error":
      note(`Refused: ${event.message}`, "warning");
  }
  show();
}

function draw() {
  const sorted = latencies.map(({ ms }) => ms).sort((a, b) => a - b);
  const text = (ms) => (ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
  part("median").textContent = text(sorted[sorted.length >> 1]);
  part("worst").textContent = text(sorted.at(-1));
  // A scale of tenfolds, from 1 ms to 30 s: the transports lie far apart.
  const height = (ms) => Math.min(1, Math.log10(Math.max(1, ms) + 0.5) / 4.5) * 58 + 2;
  part("latencies").replaceChildren(...latencies.map(({ ms, transport }, index) => makeSVG("rect", {
    class: transport ?? "", x: index * 2 + 0.2, y: 60 - height(ms), width: 1.6, height: height(ms),
  })));
}

function subscribe(since) {
  position = since;
  subscription = sluice.subscribe(channel, take, { since });
}

// MARK: What one can do

sluice.addEventListener("state", ({ detail: { state, transport, node, reason, retryInMs } }) => {
  part("transport").textContent = state === "connected" ? transportNames[transport] : state;
  part("node").textContent = node ?? (state === "connected" ? "not told by polls" : "–");
  if (state === "connected") note(`Connected by ${transportNames[transport]}${node ? ` to ${node}` : ""}`, "good");
  else if (state === "connecting") note(`Connecting by ${transportNames[transport]}`);
  else if (state === "waiting") note(`Lost (${reason}): again in ${(retryInMs / 1000).toFixed(1)} s`, "warning");
});

async function publish() {
  try {
    await sluice.publish(channel, { by: self, sent: performance.now() });
  } catch (error) {
    note(`Not published: ${error.message}`, "warning");
  }
}

part("publish").addEventListener("click", publish);
part("cut").addEventListener("click", () => {
  note("Cut by you", "warning");
  sluice.reconnect();
});
part("stream").addEventListener("click", () => {
  stream = stream ? void clearInterval(stream) : setInterval(publish, 100);
  part("stream").setAttribute("aria-pressed", String(Boolean(stream)));
  part("stream").textContent = stream ? "Stop publishing" : "Publish 10 a second";
});
part("lose").addEventListener("click", () => {
  note("Back to a place that the log has never known");
  subscription.unsubscribe();
  subscribe("lostlost.7");
});

part("transports").addEventListener("change", ({ target }) => {
  const boxes = [...part("transports").querySelectorAll("input")];
  const chosen = boxes.filter((box) => box.checked);
  if (chosen.length === 0) {
    target.checked = true;
    return note("One transport has to stay", "warning");
  }
  sluice.transports = chosen.map((box) => box.value);
});

subscribe();
show();
