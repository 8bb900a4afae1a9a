import { makeSVG } from "./frame.js";

// Members are anonymous here: each public member id has a name and a colour of its own, the same in every window.

const manners = `Amber Brave Calm Clever Coral Cosy Daring Eager Gentle Golden Happy Jolly Keen Kind Lively Lucky
  Mellow Merry Noble Quick Quiet Silver Sunny Swift Velvet Warm Wise Witty`.split(/\s+/);
const animals = `Badger Beaver Bison Crane Dolphin Falcon Finch Fox Gecko Hare Heron Ibex Koala Lynx Marten Mole
  Newt Otter Owl Panda Puffin Raven Robin Seal Stork Swan Tapir Toad Wombat Wren`.split(/\s+/);

function digest(text) {
  let hash = 2166136261;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0), 16777619);
  hash = Math.imul(hash ^ (hash >>> 15), 2246822519);
  return (hash ^ (hash >>> 13)) >>> 0;
}

export function nameOf(member, user) {
  if (user) return user;
  if (!member) return "Somebody";
  const number = digest(member);
  return `${manners[number % manners.length]} ${animals[(number >>> 8) % animals.length]}`;
}

/// A round picture with the initials.
export function faceOf(member, user) {
  const name = nameOf(member, user);
  const hue = member || user ? digest(user ?? member) % 360 : 0;
  const face = makeSVG("svg", { class: "face", viewBox: "0 0 36 36", "aria-hidden": "true" });
  face.append(makeSVG("circle", { cx: 18, cy: 18, r: 18, fill: `hsl(${hue} ${member || user ? 45 : 0}% 40%)` }));
  const initials = makeSVG("text", { x: 18, y: 22.5 });
  initials.textContent = name.split(/\s+/).map((word) => word[0]).join("").slice(0, 2).toUpperCase();
  face.append(initials);
  return face;
}
