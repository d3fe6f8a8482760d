// The box to write in: Enter sends, @ offers names, Escape ends a reply.

import { avatar, h, icon } from "./dom.js";
import { excerpt } from "./markdown.js";
import { messagesOf, nameOf, state, userName } from "./store.js";

const MOST_CHOICES = 6;
const COMPOSING = 229; // the code of a key that an input method took; Safari says it in no other way

export function compose(form, act) {
  const [text, choices, replying] = ["text", "choices", "replying"].map((id) => form.querySelector(`#${id}`));
  const box = { editing: null, offered: [], at: 0 };
  form.querySelector("button[type=submit]").append(icon("send"));

  const grow = () => {
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight}px`;
    form.classList.toggle("filled", text.value.trim() !== "");
  };

  const send = async () => {
    const written = text.value.trim();
    if (!written) return;
    const [channel, editing, replyTo] = [state.open, box.editing, state.replyTo];
    const content = encode(written);
    const sending = editing ? act.change(editing, content) : act.say(content);
    // Emptied before the answer is there: whoever sends again meanwhile sends nothing twice.
    leave();
    text.value = "";
    grow();
    if (await sending) return;
    text.value = [written, text.value].filter(Boolean).join("\n");
    if (channel === state.open) [box.editing, state.replyTo] = [editing, replyTo];
    draw();
    grow();
  };

  const leave = () => {
    box.editing = null;
    state.replyTo = null;
    draw();
  };

  const offer = () => {
    const typed = /(?:^|\s)@([\w .-]{0,30})$/.exec(text.value.slice(0, text.selectionStart));
    box.offered = typed ? matching(typed[1]) : [];
    box.at = 0;
    drawChoices();
  };

  const drawChoices = () => {
    choices.hidden = box.offered.length === 0;
    choices.replaceChildren(...box.offered.map((user, index) => h(
      "li",
      {
        role: "option", "aria-selected": String(index === box.at),
        onmousedown: (event) => { event.preventDefault(); take(user); },
      },
      avatar(user, state.bot), h("b", {}, nameOf(user)), h("span", {}, `@${user.username}`),
    )));
  };

  const take = (user) => {
    const cursor = text.selectionStart;
    const before = text.value.slice(0, cursor).replace(/@[\w .-]*$/, `@${nameOf(user)} `);
    text.value = before + text.value.slice(cursor).replace(/^ /, "");
    text.setSelectionRange(before.length, before.length);
    box.offered = [];
    drawChoices();
    grow();
  };

  const choose = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) box.at = (box.at + step + box.offered.length) % box.offered.length;
    else if (event.key === "Enter" || event.key === "Tab") take(box.offered[box.at]);
    else if (event.key === "Escape") box.offered = [];
    else return false;
    event.preventDefault();
    drawChoices();
    return true;
  };

  text.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === COMPOSING) return;
    const enter = event.key === "Enter" && !event.shiftKey;
    if (enter) event.preventDefault();
    if (enter && event.repeat) return;
    if (box.offered.length && choose(event)) return;
    if (enter) send();
    else if (event.key === "Escape") leave();
    else if (event.key === "ArrowUp" && !text.value) editLast(event);
  });

  const editLast = (event) => {
    const mine = [...messagesOf(state.open).values()].filter((one) => one.author.id === state.me).pop();
    if (!mine) return;
    event.preventDefault();
    begin(mine);
  };

  const begin = (message) => {
    box.editing = message;
    state.replyTo = null;
    text.value = decode(message.content);
    draw();
    grow();
    text.focus();
  };

  const draw = () => {
    const channel = state.channels.get(state.open);
    const name = channel?.type === 1 ? nameOf(state.bot) : `#${channel?.name ?? ""}`;
    text.placeholder = `Message ${name} as ${userName(state.me)}`;
    const [label, message] = box.editing ? ["Editing", box.editing] : ["Replying to", state.replyTo];
    replying.hidden = !message;
    if (!message) return;
    replying.replaceChildren(
      h("span", {}, `${label} `, h("b", {}, box.editing ? "your message" : userName(message.author.id))),
      h("i", {}, excerpt(message)),
      h("button", { type: "button", "aria-label": "Cancel", onclick: leave }, icon("close")),
    );
  };

  text.addEventListener("input", () => { grow(); offer(); act.typing(); });
  text.addEventListener("blur", () => { box.offered = []; drawChoices(); });
  form.addEventListener("submit", (event) => { event.preventDefault(); send(); });
  return { draw, leave, edit: begin, focus: () => text.focus() };
}

function matching(typed) {
  const wanted = typed.toLowerCase();
  const everybody = [state.bot, ...(state.people ?? []).map((id) => state.users.get(id))].filter(Boolean);
  return everybody
    .filter((user) => user.id !== state.me)
    .filter((user) => [nameOf(user), user.username].some((name) => name.toLowerCase().startsWith(wanted)))
    .slice(0, MOST_CHOICES);
}

const escaped = (name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Turn the names a person typed into what Discord transmits. */
function encode(text) {
  const names = new Map();
  for (const user of state.users.values()) {
    for (const name of [user.username, nameOf(user)]) names.set(name.toLowerCase(), user.id);
  }
  if (state.bot) names.set(nameOf(state.bot).toLowerCase(), state.bot.id);
  const longest = [...names.keys()].sort((a, b) => b.length - a.length).map(escaped);
  const people = new RegExp(`(?<![\\w<])@(${longest.join("|")})(?!\\w)`, "gi");
  const places = new Map([...state.channels.values()].map((one) => [one.name, one.id]));
  return text
    .replace(people, (_, name) => `<@${names.get(name.toLowerCase())}>`)
    .replace(/(?<![\w<])#([\w-]+)/g, (whole, name) => (places.has(name) ? `<#${places.get(name)}>` : whole));
}

const decode = (text) => text
  .replace(/<@!?(\d+)>/g, (whole, id) => (state.users.has(id) ? `@${userName(id)}` : whole))
  .replace(/<#(\d+)>/g, (whole, id) => (state.channels.has(id) ? `#${state.channels.get(id).name}` : whole));
