// The life of each event: a card per message that was accepted, a bar per step.

import { avatar, h, reconcile } from "./dom.js";
import { excerpt } from "./markdown.js";
import { channelName, isFinal, messagesOf, now, state, userName } from "./store.js";

const SHOWN = 60;
const OPEN_CARDS = 4; // how many finished cards show their steps without being asked
const SHORTEST = 0.8; // per cent of the bar's width, so that a step of a millisecond can be seen

const LABEL = {
  queued: "Waiting", running: "Working", tool: "Tool", retrying: "Trying again", answered: "Answered",
  declined: "Declined", failed: "Failed", cancelled: "Cancelled", expired: "Expired",
};

export function lasted(seconds) {
  if (seconds < 0.0005) return "0 ms";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  return seconds < 60 ? `${seconds.toFixed(2)} s` : `${Math.floor(seconds / 60)} m ${Math.round(seconds % 60)} s`;
}

const last = (event) => event.steps[event.steps.length - 1];
const done = (event) => isFinal(last(event).step);
const endOf = (event) => (done(event) ? last(event).at : Math.max(now(), last(event).at));
const span = (event) => endOf(event) - event.steps[0].at;

export function drawEvents(cards, tally, act) {
  const events = [...state.events.values()].slice(-SHOWN).reverse();
  const items = events.map((event, index) => {
    const message = messagesOf(event.channel_id).get(event.message_id);
    const sign = JSON.stringify([event.steps.length, message?.content, index < OPEN_CARDS]);
    return [event.id, sign, { event, message, open: index < OPEN_CARDS }];
  });
  if (!items.length) items.push(["empty", "", null]);
  reconcile(cards, items, (item, old) => {
    if (!item) {
      return h("p", { class: "empty" }, "Mention Aurora, and what happens to your message shows up here.");
    }
    const node = card(item.event, item.message, item.open, act);
    if (old?.dataset?.asked) {
      node.open = old.open;
      node.dataset.asked = "yes";
    }
    return node;
  });
  drawTally(tally);
  tick(cards);
}

function drawTally(tally) {
  const events = [...state.events.values()];
  const busy = events.filter((event) => !done(event)).length;
  const times = events.filter((event) => last(event).step === "answered").map(span).sort((a, b) => a - b);
  const parts = [busy ? `${busy} under way` : "", times.length ? `${times.length} answered` : ""];
  if (times.length) parts.push(`median ${lasted(times[Math.floor((times.length - 1) / 2)])}`);
  tally.textContent = parts.filter(Boolean).join(" · ");
}

function card(event, message, open, act) {
  const step = last(event).step;
  const shown = step === "tool" ? "running" : step;
  const channel = state.channels.get(event.channel_id);
  const where = channel?.type === 1 ? "DM" : `#${channelName(channel)}`;
  const author = message ? userName(message.author.id) : "A message";
  const node = h(
    "details",
    { class: `card ${shown}`, open: open || !done(event), "data-event": event.id, "data-step": step },
    h(
      "summary",
      {},
      h("span", { class: "state" }, LABEL[shown] ?? shown),
      h("b", {}, author),
      h("span", { class: "where" }, where),
      h("span", { class: "total" }, lasted(span(event))),
    ),
    h(
      "button",
      { type: "button", class: "said", title: "Show the message", onclick: () => act.jump(event.channel_id, event.message_id) },
      message ? avatar(state.users.get(message.author.id), state.bot) : null,
      h("span", {}, message ? excerpt(message) : "This message is not here any more"),
    ),
    h("ol", {}, event.steps.map((one, index) => stepRow(event, one, index))),
  );
  node.querySelector("summary").addEventListener("click", () => (node.dataset.asked = "yes"));
  return node;
}

function stepRow(event, one, index) {
  const since = one.at - event.steps[0].at;
  const label = one.step === "tool" && one.detail ? one.detail : LABEL[one.step] ?? one.step;
  const detail = one.step !== "tool" && one.detail ? one.detail : "";
  return h(
    "li",
    { class: one.step, "data-index": index },
    h("span", { class: "label", title: detail || label }, label, detail && h("i", {}, detail)),
    h("span", { class: "bar" }, h("span", {})),
    h("time", {}, index ? `+${lasted(since)}` : "0 ms"),
  );
}

/** Bring bars and running clocks up to date; cheap, called on every animation frame in need. */
export function tick(cards) {
  let busy = false;
  for (const node of cards.children) {
    const event = state.events.get(node.dataset?.event);
    if (!event) continue;
    if (done(event) && node.dataset.still) continue;
    if (done(event)) node.dataset.still = "yes";
    else busy = true;
    const total = Math.max(span(event), 0.001);
    node.querySelector(".total").textContent = lasted(span(event));
    for (const row of node.querySelectorAll("li")) bar(row, event, total);
  }
  return busy;
}

function bar(row, event, total) {
  const index = Number(row.dataset.index);
  const from = event.steps[index].at - event.steps[0].at;
  const to = (event.steps[index + 1]?.at ?? endOf(event)) - event.steps[0].at;
  const left = Math.min((from / total) * 100, 100 - SHORTEST);
  const line = row.querySelector(".bar > span").style;
  line.setProperty("left", `${left}%`);
  line.setProperty("width", `${Math.max(((to - from) / total) * 100, SHORTEST)}%`);
}
