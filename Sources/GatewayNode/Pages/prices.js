// A price board over server-sent events. Who publishes the prices is a window that wants to be the market.
import { clock, connect, make, makeSVG, part } from "./frame.js";

const goods = { copper: 9.42, wheat: 231.5, coffee: 4.18, silver: 31.07, timber: 588, wool: 12.9 };
const most = 40; // points of a sparkline
const pace = 900; // ms between two prices of the same goods

const sluice = connect({ preferences: null, transports: ["sse", "long-poll", "short-poll"] });
const rows = new Map(Object.keys(goods).map((name) => [name, new Row(name)]));
let received = 0;
let skipped = 0;
let market;

/** One row of the board: the newest price, and what came before it while this window looked. */
function Row(name) {
  const prices = [];
  let offset;
  const line = make("tr");
  const head = make("th", "", name[0].toUpperCase() + name.slice(1));
  head.scope = "row";
  const chart = makeSVG("svg", { viewBox: `0 0 ${most} 24`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const path = makeSVG("polyline", { points: "" });
  chart.append(path);
  const spark = make("td", "spark");
  spark.append(chart);
  const price = make("td", "price", "–");
  const change = make("td", "change", "");
  line.append(head, spark, price, change);
  part("board").append(line);

  this.last = () => prices.at(-1);

  this.show = ({ data, cursor, time }) => {
    if (typeof data?.price !== "number") return;
    // Where the namespace is no `latest` one, each price comes, and none is skipped.
    const next = cursor && Number(cursor.split(".")[1]);
    if (offset !== undefined && next > offset + 1) skipped += next - offset - 1;
    offset = next;
    received += 1;
    prices.push(data.price);
    if (prices.length > most) prices.shift();
    price.textContent = data.price.toFixed(2);
    price.title = `at ${clock(time, true)}`;
    const percent = (data.price / prices[0] - 1) * 100;
    line.dataset.trend = percent > 0.005 ? "up" : percent < -0.005 ? "down" : "even";
    change.textContent = `${percent > 0.005 ? "▲" : percent < -0.005 ? "▼" : "="} ${Math.abs(percent).toFixed(2)} %`;
    const [low, high] = [Math.min(...prices), Math.max(...prices)];
    const height = (value) => (high > low ? 22 - ((value - low) / (high - low)) * 20 : 12).toFixed(1);
    const start = most - prices.length;
    path.setAttribute("points", prices.map((value, index) => `${start + index},${height(value)}`).join(" "));
  };
}

function tell() {
  part("hint").hidden = received > 0;
  const lost = skipped ? `, ${skipped} skipped that were old by the time they could be shown` : "";
  part("tally").textContent = received ? `${received} prices received${lost}.` : "";
}

for (const [name, row] of rows) {
  // With a history of one, its start is the newest price.
  sluice.subscribe(`price:${name}`, (event) => {
    if (event.type === "message") {
      row.show(event);
      tell();
    }
  }, { since: "start" });
}

// MARK: The market

async function trade(name) {
  const before = rows.get(name).last() ?? goods[name];
  // It strays at random, and is drawn back to where it belongs.
  const price = before * (1 + (Math.random() - 0.5) * 0.012) + (goods[name] - before) * 0.02;
  try {
    await sluice.publish(`price:${name}`, { price: Number(price.toFixed(2)) }, { timeout: 5_000 });
  } catch (error) {
    part("hint").hidden = false;
    part("hint").textContent = `The price of ${name} was not taken: ${error.message}`;
  }
}

part("market").addEventListener("click", () => {
  const isOn = !market;
  part("market").setAttribute("aria-pressed", String(isOn));
  part("market").textContent = isOn ? "Close the market" : "Be the market";
  if (!isOn) {
    clearInterval(market);
    market = undefined;
    return;
  }
  const names = Object.keys(goods);
  let turn = 0;
  const tick = () => trade(names[turn++ % names.length]);
  for (const _ of names) tick();
  market = setInterval(tick, pace / names.length);
});
