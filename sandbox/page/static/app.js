// Connect, keep the picture current, and carry out what the person does.

import { compose } from "./compose.js";
import { h } from "./dom.js";
import { drawers } from "./drawers.js";
import { drawEvents, tick } from "./events.js";
import { drawMessages } from "./messages.js";
import { drawPlaces, drawTitle, drawWho } from "./places.js";
import { addChange, apply, load, myDm, settle, state, typingNow, userName } from "./store.js";

const $ = (id) => document.getElementById(id);
const AT_END = 80; // pixels from the end within which the log keeps following
const DM = 1;
const TYPING_EVERY_MS = 8000;
const RETRY_MS = [300, 600, 1200, 2500, 5000];

let socket = null;
let tries = 0;
let drawing = false;
let typed = 0;
let acted = Promise.resolve();

const act = {
  open(id) {
    if (!state.channels.has(id)) return;
    state.open = id;
    state.unread.delete(id);
    box.leave();
    drawer.close();
    draw({ end: true });
    box.focus();
  },
  async dm() {
    const known = myDm();
    const id = known?.id ?? (await call("dm", {}))?.channel;
    if (!id) return;
    if (!state.channels.has(id)) {
      const user = state.users.get(state.me);
      const channel = { id, type: 1, recipient_id: state.me, recipients: [user], guild_id: null };
      state.dms.push(channel);
      state.channels.set(id, channel);
    }
    act.open(id);
  },
  become(id) {
    state.me = id;
    localStorage.setItem("me", id);
    box.leave();
    if (state.channels.get(state.open)?.type === DM) act.dm();
    else settle();
    draw({ end: true });
  },
  reply(message) {
    state.replyTo = message;
    box.draw();
    box.focus();
  },
  edit: (message) => box.edit(message),
  say: (content) => call("say", { channel: state.open, content, reply_to: state.replyTo?.id ?? null }),
  change: (message, content) => call("edit", { message: message.id, content }),
  remove: (message) => call("delete", { message: message.id }),
  react: (message, emoji, on) => call("react", { message: message.id, emoji, on }),
  press: (message, custom_id) => call("press", { message: message.id, custom_id }),
  typing() {
    if (Date.now() - typed < TYPING_EVERY_MS || !state.open) return;
    typed = Date.now();
    call("typing", { channel: state.open });
  },
  jump(channel, id) {
    drawer.close();
    if (channel !== state.open) act.open(channel);
    requestAnimationFrame(() => {
      const node = $(`m-${id}`);
      if (!node) return;
      node.scrollIntoView({ block: "center", behavior: "smooth" });
      node.classList.remove("flash");
      requestAnimationFrame(() => node.classList.add("flash"));
    });
  },
};

const box = compose($("compose"), act);
const drawer = drawers(document.body);

/** Do one thing after the other, in the order in which the person did them. */
function call(action, body) {
  const content = JSON.stringify({ as: state.me, ...body });
  acted = acted.then(() => post(action, content));
  return acted;
}

async function post(action, body) {
  const problem = $("problem");
  problem.hidden = true;
  try {
    const answer = await fetch(`api/${action}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    const result = await answer.json();
    if (answer.ok) return result;
    problem.textContent = result.error;
  } catch {
    problem.textContent = "The sandbox does not answer. Is it still running?";
  }
  problem.hidden = false;
  return null;
}

function connect() {
  socket = new WebSocket(new URL("live", location.href.replace(/^http/, "ws")));
  socket.addEventListener("message", (event) => receive(JSON.parse(event.data)));
  socket.addEventListener("close", () => {
    $("offline").hidden = false;
    setTimeout(connect, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
  });
}

function receive(news) {
  if (news.t === "state") {
    tries = 0;
    $("offline").hidden = true;
    const first = state.open === null;
    state.me ??= localStorage.getItem("me");
    load(news);
    document.body.dataset.mode = state.mode;
    document.body.dataset.ready = "yes";
    draw({ end: first });
    if (first) box.focus();
  } else if (news.t === "change") {
    addChange(news.change);
    draw();
  } else if (news.t === "gateway") {
    // A change of the world itself is rare: a fresh snapshot is simpler than a patch, and right.
    if (!apply(news.type, news.data)) socket.send("state");
    else draw();
  }
}

/** Draw once per frame, however much happened in it. */
function draw({ end = false } = {}) {
  draw.end ||= end;
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    const log = $("log");
    const follow = draw.end || atEnd(log);
    draw.end = false;
    drawPlaces($("places"), act);
    drawWho($("who"), act);
    drawTitle($("title"));
    drawer.draw();
    drawMessages(log, act);
    drawTyping();
    drawReal();
    drawEvents($("cards"), $("tally"), act);
    box.draw();
    if (follow) log.scrollTop = log.scrollHeight;
  });
}

const atEnd = (log) => log.scrollHeight - log.scrollTop - log.clientHeight < AT_END;

function drawTyping() {
  const names = typingNow(state.open).filter((id) => id !== state.me).map(userName);
  const node = $("typing");
  const text = names.length ? `${names.join(" and ")} ${names.length > 1 ? "are" : "is"} typing` : "";
  if (node.dataset.text === text) return;
  node.dataset.text = text;
  node.replaceChildren(...(text ? [h("span", { class: "dots" }, h("i"), h("i"), h("i")), text] : []));
}

function drawReal() {
  const node = $("real");
  node.hidden = !state.real;
  if (!state.real || node.dataset.drawn === state.real.bot) return;
  node.dataset.drawn = state.real.bot;
  node.replaceChildren(
    h("h3", {}, `${state.real.bot} is online`),
    h("p", {}, "Invite it with this link, which asks for the permissions it needs:"),
    h("p", {}, h("a", { href: state.real.invite, target: "_blank", rel: "noopener noreferrer" }, state.real.invite)),
    h("p", {}, "Then its owner types in a channel of the server:"),
    h("pre", {}, h("code", {}, state.real.commands.join("\n"))),
  );
}

$("log").addEventListener("scroll", () => {
  $("latest").hidden = atEnd($("log"));
});
$("log").addEventListener("click", (event) => {
  const channel = event.target.closest?.("[data-channel]")?.dataset.channel;
  if (channel) act.open(channel);
});
$("latest").addEventListener("click", () => {
  $("log").scrollTop = $("log").scrollHeight;
  $("latest").hidden = true;
});

// The box below grows and shrinks; whoever reads the end goes on reading the end.
new ResizeObserver(() => {
  const log = $("log");
  if ($("latest").hidden) log.scrollTop = log.scrollHeight;
}).observe($("log"));

setInterval(() => {
  drawTyping();
  tick($("cards"));
}, 100);


connect();
