// The left side: where one can go, and who one is.

import { avatar, h, icon } from "./dom.js";
import { canSee, channelName, myDm, nameOf, state, userName } from "./store.js";

const [TEXT, DM, VOICE, CATEGORY, NEWS, FORUM] = [0, 1, 2, 4, 5, 15];
const KIND = { [TEXT]: "hash", [DM]: "dm", [VOICE]: "voice", [NEWS]: "hash", 10: "thread", 11: "thread", 12: "lock", 13: "voice", [FORUM]: "forum" };

export const kindOf = (channel) => KIND[channel?.type] ?? "hash";
export const isForum = (channel) => channel?.type === FORUM;

export function drawPlaces(node, act) {
  const dm = myDm();
  node.replaceChildren(
    ...state.guilds
      .filter((guild) => guild.channels.some(canSee))
      .map((guild) => guildSection(guild, act)),
    h(
      "section",
      {},
      h("h2", {}, "Direct messages"),
      state.bot && place({ id: dm?.id, type: DM, name: nameOf(state.bot) }, act, () => act.dm()),
    ),
  );
}

function guildSection(guild, act) {
  const seen = guild.channels.filter(canSee);
  const under = (parent) => seen
    .filter((one) => one.parent_id === parent && one.type !== CATEGORY)
    .flatMap((one) => [place(one, act), ...under(one.id)]);
  const categories = seen.filter((one) => one.type === CATEGORY && under(one.id).length);
  return h(
    "section",
    {},
    h("h2", {}, guild.name),
    under(null),
    categories.map((one) => [h("h3", {}, one.name), ...under(one.id)]),
  );
}

function place(channel, act, onclick) {
  const classes = ["place"];
  const thread = channel.type >= 10 && channel.type <= 12;
  if (thread) classes.push("thread");
  if (channel.id && channel.id === state.open) classes.push("here");
  if (state.unread.has(channel.id)) classes.push("unread");
  return h(
    "button",
    {
      type: "button", class: classes.join(" "), "data-place": channel.id,
      "aria-current": channel.id === state.open ? "page" : null,
      onclick: onclick ?? (() => act.open(channel.id)),
    },
    icon(kindOf(channel)),
    h("span", {}, channel.name),
  );
}

export function drawWho(node, act) {
  const me = state.users.get(state.me);
  node.replaceChildren(
    h("h2", {}, "You are"),
    h(
      "div",
      { class: "people", role: "radiogroup", "aria-label": "You are" },
      (state.people ?? []).map((id) => {
        const user = state.users.get(id);
        return h(
          "button",
          {
            type: "button", role: "radio", "aria-checked": String(id === state.me), "data-person": user.username,
            title: nameOf(user), class: id === state.me ? "here" : "", onclick: () => act.become(id),
          },
          avatar(user, state.bot),
        );
      }),
    ),
    me && h("p", {}, h("b", {}, nameOf(me)), h("span", {}, `@${me.username}`)),
  );
}

export function drawTitle(node) {
  const channel = state.channels.get(state.open);
  if (!channel) return node.replaceChildren();
  const parent = state.channels.get(channel.parent_id);
  const name = channel.type === DM ? nameOf(state.bot) : channelName(channel);
  const about = channel.type === DM
    ? `${userName(state.me)} and ${nameOf(state.bot)}, in private`
    : channel.topic ?? (parent && parent.type !== CATEGORY ? `in #${parent.name}` : "");
  return node.replaceChildren(icon(kindOf(channel)), h("h1", {}, name), about && h("p", {}, about));
}
