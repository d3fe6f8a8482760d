// The conversation in the middle.

import { avatar, h, icon, reconcile } from "./dom.js";
import { inline, markdown, excerpt } from "./markdown.js";
import { messagesOf, nameOf, state, userName } from "./store.js";

const GROUP_SECONDS = 5 * 60;
const SHOWN = 300; // older messages are there, but a sandbox need not draw them
const QUICK = ["👍", "❤️", "😄", "🎉", "👀", "✅"];
const BUTTON_STYLE = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link" };
const THREAD_CREATED = 18;
const EPHEMERAL = 1 << 6;

const seconds = (message) => Date.parse(message.timestamp) / 1000;
const day = (message) => new Date(message.timestamp).toDateString();

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });

export function drawMessages(log, act) {
  const list = [...messagesOf(state.open).values()].slice(-SHOWN);
  const items = [];
  let before = null;
  for (const message of list) {
    if (!before || day(before) !== day(message)) {
      items.push([`day-${message.id}`, day(message), { day: message }]);
      before = null;
    }
    const first =
      !before ||
      before.author.id !== message.author.id ||
      before.type === THREAD_CREATED ||
      Boolean(message.message_reference) ||
      seconds(message) - seconds(before) > GROUP_SECONDS;
    items.push([message.id, sign(message, first), { message, first }]);
    before = message;
  }
  if (!items.length) items.push(["empty", state.open, { empty: true }]);
  reconcile(log, items, (item, old) => {
    if (item.empty) return h("p", { class: "empty" }, "Nothing here yet. Say something.");
    if (item.day) return h("p", { class: "day" }, calendar.format(new Date(item.day.timestamp)));
    const node = row(item.message, item.first, act);
    if (old) node.classList.add("still"); // redrawn, not new: no entrance
    return node;
  });
}

function sign(message, first) {
  const { reactors, ...rest } = message;
  const whose = [...reactors].map(([emoji, users]) => [emoji, ...users]);
  const parent = messagesOf(state.open).get(message.message_reference?.message_id);
  const quoted = parent ? [parent.content, parent.edited_timestamp] : "gone";
  return JSON.stringify([rest, whose, first, state.me, message.message_reference && quoted]);
}

function row(message, first, act) {
  if (message.type === THREAD_CREATED) return threadLine(message, act);
  const author = state.users.get(message.author.id) ?? message.author;
  const mine = message.author.id === state.me;
  const mentioned = message.content.includes(`<@${state.me}>`);
  const time = clock.format(new Date(message.timestamp));
  const classes = ["msg", first && "first", mentioned && "mentioned"].filter(Boolean).join(" ");
  return h(
    "article",
    { class: classes, id: `m-${message.id}` },
    message.message_reference && quote(message, act),
    first
      ? avatar(author, state.bot)
      : h("time", { class: "aside", datetime: message.timestamp }, time),
    h(
      "div",
      { class: "body" },
      first && byline(author, message, time),
      text(message),
      (message.embeds ?? []).map(embed),
      (message.attachments ?? []).map(attachment),
      (message.components ?? []).map((line) => buttons(message, line, act)),
      reactions(message, act),
      message.thread && threadChip(message.thread, act),
    ),
    tools(message, mine, act),
  );
}

function byline(author, message, time) {
  return h(
    "header",
    {},
    h("b", {}, nameOf(author)),
    author.bot && h("span", { class: "tag" }, "App"),
    h("time", { datetime: message.timestamp }, time),
  );
}

function text(message) {
  const forwarded = message.message_snapshots?.[0]?.message;
  const node = h("div", { class: "text" }, markdown(message.content));
  if (forwarded) {
    node.append(h("blockquote", {}, h("p", { class: "small" }, "Forwarded"), inline(forwarded.content)));
  }
  if (message.poll) node.append(h("p", { class: "small" }, `Poll: ${message.poll.question?.text ?? ""}`));
  for (const sticker of message.sticker_items ?? []) {
    node.append(h("p", { class: "small" }, `Sticker: ${sticker.name}`));
  }
  if (message.edited_timestamp) node.append(h("span", { class: "edited" }, "edited"));
  if (message.flags & EPHEMERAL) node.append(h("span", { class: "edited" }, "only one person sees this"));
  return node;
}

function quote(message, act) {
  const { message_id: id, channel_id: channel = message.channel_id } = message.message_reference;
  const parent = messagesOf(channel).get(id);
  if (!parent) return h("p", { class: "quote gone" }, "The original message is not here any more");
  return h(
    "button",
    { type: "button", class: "quote", onclick: () => act.jump(channel, id) },
    avatar(state.users.get(parent.author.id) ?? parent.author, state.bot),
    h("b", {}, userName(parent.author.id)),
    h("span", {}, excerpt(parent)),
  );
}

function threadLine(message, act) {
  const thread = message.thread?.id ?? message.message_reference?.channel_id;
  return h(
    "p",
    { class: "system", id: `m-${message.id}` },
    icon("thread"),
    h("span", {}, `${userName(message.author.id)} started a thread: `),
    h("button", { type: "button", onclick: () => act.open(thread) }, message.content),
  );
}

function threadChip(thread, act) {
  return h(
    "button",
    { type: "button", class: "chip", onclick: () => act.open(thread.id) },
    icon("thread"),
    h("b", {}, thread.name),
    h("span", {}, "Open thread"),
  );
}

function embed(one) {
  const node = h(
    "div",
    { class: "embed" },
    one.author && h("p", { class: "small" }, one.author.name),
    one.title && h("p", { class: "title" }, inline(one.title)),
    one.description && h("div", { class: "text" }, markdown(one.description)),
    one.fields?.length &&
      h("dl", {}, one.fields.map((field) =>
        h("div", { class: field.inline ? "half" : "" },
          h("dt", {}, inline(field.name)), h("dd", {}, markdown(field.value))))),
    one.footer && h("p", { class: "small" }, one.footer.text),
  );
  if (one.color) node.style.setProperty("--bar", `#${one.color.toString(16).padStart(6, "0")}`);
  return node;
}

function attachment(one) {
  if (one.content_type?.startsWith("image/")) {
    return h("img", { class: "picture", src: one.url, alt: one.description ?? one.filename });
  }
  const size = one.size < 1024 ? `${one.size} B` : `${(one.size / 1024).toFixed(1)} kB`;
  return h(
    "a",
    { class: "chip", href: one.url, target: "_blank", rel: "noopener noreferrer" },
    icon("file"), h("b", {}, one.filename), h("span", {}, size),
  );
}

function buttons(message, line, act) {
  return h("div", { class: "buttons" }, (line.components ?? []).map((one) => {
    if (one.type !== 2) return h("span", { class: "small" }, one.placeholder ?? "");
    const label = [one.emoji?.name, one.label].filter(Boolean).join(" ");
    const style = BUTTON_STYLE[one.style] ?? "secondary";
    if (one.url) {
      return h("a", { class: "button link", href: one.url, target: "_blank", rel: "noopener noreferrer" }, label);
    }
    const press = () => act.press(message, one.custom_id);
    return h("button", { type: "button", class: `button ${style}`, disabled: one.disabled, onclick: press }, label);
  }));
}

function reactions(message, act) {
  if (!message.reactors.size) return null;
  return h("div", { class: "reactions" }, [...message.reactors].map(([emoji, users]) => {
    const mine = users.has(state.me);
    const names = [...users].map(userName).join(", ");
    return h(
      "button",
      {
        type: "button", class: mine ? "mine" : "", title: names, "aria-pressed": String(mine),
        "aria-label": `${emoji}, ${users.size}: ${names}`,
        onclick: () => act.react(message, emoji, !mine),
      },
      h("span", {}, emoji.replace(/:\d+$/, ":")),
      h("b", {}, String(users.size)),
    );
  }));
}

function tools(message, mine, act) {
  const tool = (name, label, onclick) =>
    h("button", { type: "button", title: label, "aria-label": label, onclick }, icon(name));
  const quick = h("span", { class: "quick" }, QUICK.map((emoji) =>
    h("button", {
      type: "button", "aria-label": `React with ${emoji}`,
      onclick: () => act.react(message, emoji, !message.reactors.get(emoji)?.has(state.me)),
    }, emoji)));
  return h(
    "div",
    { class: "tools" },
    h("span", { class: "smile" }, tool("smile", "React", () => {}), quick),
    tool("reply", "Reply", () => act.reply(message)),
    mine && tool("edit", "Edit", () => act.edit(message)),
    mine && tool("bin", "Delete", () => act.remove(message)),
  );
}
