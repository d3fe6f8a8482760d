// Discord's markdown as nodes. Every rule ends in text nodes; no string ever becomes HTML.

import { h } from "./dom.js";
import { channelName, state, userName } from "./store.js";

const DEEPEST = 6; // nesting beyond this is shown as it was typed, so hostile text stays cheap
const SPECIAL = /[\\`*_~|<[]|https?:\/\//g;

const link = (url, text) =>
  h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text);
const pill = (text, kind) => h("span", { class: `pill ${kind ?? ""}` }, text);
const wrap = (tag, props) => (match, deep) => h(tag, props ?? {}, inline(match[1], deep + 1));

const RULES = [
  [/\\([^\w\s])/y, (match) => match[1]],
  [/\*\*(?=\S)([^]+?)\*\*(?!\*)/y, wrap("strong")],
  [/__(?=\S)([^]+?)__(?!_)/y, wrap("u")],
  [/~~(?=\S)([^]+?)~~/y, wrap("s")],
  [/\|\|([^]+?)\|\|/y, (match, deep) => spoiler(inline(match[1], deep + 1))],
  [/\*(?=[^\s*])([^]*?[^\s*])\*(?!\*)/y, wrap("em")],
  [/(?<!\w)_(?=[^\s_])([^]*?[^\s_])_(?!\w)/y, wrap("em")],
  [/<@!?(\d+)>/y, (match) => userPill(match[1])],
  [/<@&(\d+)>/y, (match) => pill(`@${roleName(match[1])}`)],
  [/<#(\d+)>/y, (match) => channelPill(match[1])],
  [/<a?:(\w+):\d+>/y, (match) => `:${match[1]}:`],
  [/<t:(-?\d{1,12})(?::\w)?>/y, (match) => stamp(Number(match[1]))],
  [/\[([^\]\n]+)\]\((https?:\/\/[^\s)]+)\)/y, (match) => link(match[2], match[1])],
  [/<(https?:\/\/[^\s<>]+)>/y, (match) => link(match[1], match[1])],
  [/https?:\/\/[^\s<>]*[^\s<>.,:;"')\]!?*_]/y, (match) => link(match[0], match[0])],
];

export function inline(text, deep = 0) {
  const out = [];
  let plain = "";
  let at = 0;
  const flush = () => {
    if (plain) out.push(plain);
    plain = "";
  };
  while (at < text.length) {
    SPECIAL.lastIndex = at;
    const next = SPECIAL.exec(text)?.index ?? text.length;
    plain += text.slice(at, next);
    at = next;
    if (at >= text.length) break;
    const [node, length] = special(text, at, deep);
    if (typeof node === "string") plain += node;
    else {
      flush();
      out.push(node);
    }
    at += length;
  }
  flush();
  return out;
}

function special(text, at, deep) {
  if (text[at] === "`") return code(text, at);
  if (deep < DEEPEST) {
    for (const [rule, make] of RULES) {
      rule.lastIndex = at;
      const match = rule.exec(text);
      if (match) return [make(match, deep), match[0].length];
    }
  }
  return [text[at], 1];
}

// By hand and not by a rule: a run of backticks that nothing closes must not be searched for
// again from each of its own characters.
function code(text, at) {
  const run = /`+/y;
  run.lastIndex = at;
  const ticks = run.exec(text)[0];
  const inner = at + ticks.length;
  for (const close of text.slice(inner).matchAll(/`+/g)) {
    if (close[0].length === ticks.length && close.index > 0) {
      const body = text.slice(inner, inner + close.index);
      return [h("code", {}, body.trim() || body), ticks.length * 2 + close.index];
    }
  }
  return [ticks, ticks.length];
}

const roleName = (id) =>
  state.guilds.flatMap((guild) => guild.roles).find((role) => role.id === id)?.name ?? "a role";

function userPill(id) {
  const kind = id === state.me ? "me" : id === state.bot?.id ? "bot" : "";
  return pill(`@${state.users.has(id) ? userName(id) : "unknown-user"}`, kind);
}

function channelPill(id) {
  const known = state.channels.get(id);
  const node = pill(`#${known ? channelName(known) : "unknown"}`);
  if (known) node.dataset.channel = id;
  return node;
}

function stamp(seconds) {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? pill("some time") : pill(date.toLocaleString());
}

function spoiler(children) {
  const node = h("button", { type: "button", class: "spoiler", "aria-label": "Spoiler" }, children);
  node.addEventListener("click", () => node.classList.add("open"));
  return node;
}

const LINES = [
  [/^(#{1,3}) +(.+)$/, (match) => h("p", { class: `h${match[1].length}` }, inline(match[2]))],
  [/^-# +(.+)$/, (match) => h("p", { class: "small" }, inline(match[1]))],
  [/^>(?: (.*)|)$/, (match) => h("blockquote", {}, inline(match[1] ?? ""))],
  [/^(\s*)(?:[-*]) +(.+)$/, (match) => bullet("•", match[1], match[2])],
  [/^(\s*)(\d+)\. +(.+)$/, (match) => bullet(`${match[2]}.`, match[1], match[3])],
];

function bullet(mark, indent, text) {
  const deep = indent.length > 1 ? " deep" : "";
  return h("p", { class: `item${deep}` }, h("span", {}, mark), h("span", {}, inline(text)));
}

/** Draw a whole message: fenced code, lines with a meaning of their own, and prose between. */
export function markdown(text) {
  const out = [];
  const fence = /```(?:([\w+#.-]+)\n)?([^]*?)```/g;
  let at = 0;
  for (const match of text.matchAll(fence)) {
    if (!match[2].trim()) continue;
    out.push(...blocks(text.slice(at, match.index)));
    const body = match[2].replace(/^\n|\n$/g, "");
    out.push(h("pre", { "data-lang": match[1] }, h("code", {}, body)));
    at = match.index + match[0].length;
  }
  out.push(...blocks(text.slice(at)));
  return out;
}

function blocks(text) {
  const out = [];
  let prose = [];
  const flush = () => {
    const joined = prose.join("\n").replace(/^\n+|\n+$/g, "");
    if (joined) out.push(h("p", {}, inline(joined)));
    prose = [];
  };
  for (const line of text.split("\n")) {
    const found = LINES.map(([rule, make]) => [rule.exec(line), make]).find(([match]) => match);
    if (!found) {
      prose.push(line);
      continue;
    }
    flush();
    out.push(found[1](found[0]));
  }
  flush();
  return out;
}

/** One line of plain words, for reply lines and event cards. */
export function excerpt(message) {
  if (!message) return "";
  const text = message.content
    .replace(/<@!?(\d+)>/g, (_, id) => `@${state.users.has(id) ? userName(id) : "somebody"}`)
    .replace(/<@&(\d+)>/g, (_, id) => `@${roleName(id)}`)
    .replace(/<#(\d+)>/g, (_, id) => `#${state.channels.get(id)?.name ?? "unknown"}`)
    .replace(/```(?:\w+\n)?|[*_~`|]{2,}|`/g, "")
    .replace(/\s+/g, " ")
    .trim();
  if (text) return text;
  if (message.embeds?.length) return message.embeds[0].title ?? "an embed";
  return message.attachments?.length ? "an attachment" : "a message without text";
}
