// What the page knows, and how each thing that happens changes it. No drawing in here.

export const state = {
  mode: "local",
  bot: null,
  real: null,
  guilds: [],
  dms: [],
  users: new Map(),
  people: [], // ids of those one can be
  sees: new Map(), // person's id -> Set(channel id)
  channels: new Map(),
  messages: new Map(), // channel id -> Map(message id -> message)
  events: new Map(), // event id -> {id, message_id, channel_id, steps: [...]}
  typing: new Map(), // channel id -> Map(user id -> until, in ms)
  unread: new Set(),
  me: null,
  open: null,
  replyTo: null,
  skew: 0, // the server's clock minus ours, in seconds
};

const FINAL = new Set(["answered", "declined", "failed", "cancelled", "expired"]);
const TYPING_MS = 10_000; // how long Discord shows one typing signal

export const now = () => Date.now() / 1000 + state.skew;
export const isFinal = (step) => FINAL.has(step);
export const messagesOf = (channel) => state.messages.get(channel) ?? new Map();

/** Replace everything with a snapshot; the person keeps place and identity. */
export function load(full) {
  state.mode = full.mode;
  state.bot = full.bot;
  state.real = full.real;
  state.guilds = full.guilds;
  state.dms = full.dms;
  state.skew = full.now - Date.now() / 1000;
  state.users = new Map(full.users.map((one) => [one.id, one]));
  state.channels = new Map();
  for (const guild of full.guilds) {
    for (const one of guild.channels) state.channels.set(one.id, { ...one, guild_id: guild.id });
  }
  for (const one of full.dms) state.channels.set(one.id, { ...one, guild_id: null });
  state.messages = new Map();
  for (const [channel, list] of Object.entries(full.messages)) {
    state.messages.set(channel, new Map(list.map((one) => [one.id, withPeople(one)])));
  }
  state.events = new Map();
  for (const change of full.changes) addChange(change);
  state.people = full.people;
  state.sees = new Map(Object.entries(full.sees ?? {}).map(([id, seen]) => [id, new Set(seen)]));
  if (!state.people.includes(state.me)) state.me = state.people[0] ?? null;
  settle();
}

const TEXT = 0;

/** Say whether the person we are sees a channel; a DM only belongs to its two people. */
export function canSee(channel) {
  if (channel.recipient_id) return channel.recipient_id === state.me;
  return state.sees.get(state.me)?.has(channel.id) ?? false;
}

/** Stand in a channel that is there and that we see. */
export function settle() {
  const open = state.channels.get(state.open);
  if (open && canSee(open)) return;
  const first = [...state.channels.values()].find((one) => one.type === TEXT && canSee(one));
  state.open = first?.id ?? null;
}

// Discord counts reactions; to let each person take back their own, the page needs to know whose.
function withPeople(message) {
  const reactors = new Map();
  for (const [emoji, users] of Object.entries(message.reactors ?? {})) {
    reactors.set(emoji, new Set(users));
  }
  return { ...message, reactors };
}

export function addChange(change) {
  let event = state.events.get(change.event_id);
  if (!event) {
    const { event_id: id, message_id, channel_id, guild_id } = change;
    event = { id, message_id: String(message_id), channel_id: String(channel_id), guild_id, steps: [] };
    state.events.set(id, event);
  }
  event.steps.push({ step: change.step, at: change.at, detail: change.detail });
}

/** Apply one gateway event; return false if the page should ask for a fresh snapshot. */
export function apply(type, data) {
  const handler = HANDLERS[type];
  if (handler) return handler(data) !== false;
  return !/^(GUILD|CHANNEL|THREAD)_/.test(type) || type.startsWith("THREAD_MEMBER");
}

const HANDLERS = {
  MESSAGE_CREATE(data) {
    if (!state.channels.has(data.channel_id)) return false;
    if (!state.messages.has(data.channel_id)) state.messages.set(data.channel_id, new Map());
    remember(data.author);
    state.messages.get(data.channel_id).set(data.id, withPeople(data));
    state.typing.get(data.channel_id)?.delete(data.author.id);
    if (data.channel_id !== state.open) state.unread.add(data.channel_id);
    return true;
  },
  MESSAGE_UPDATE(data) {
    const known = messagesOf(data.channel_id).get(data.id);
    if (known) messagesOf(data.channel_id).set(data.id, { ...known, ...data, reactors: known.reactors });
  },
  MESSAGE_DELETE(data) {
    messagesOf(data.channel_id).delete(data.id);
  },
  MESSAGE_DELETE_BULK(data) {
    for (const id of data.ids) messagesOf(data.channel_id).delete(id);
  },
  MESSAGE_REACTION_ADD(data) {
    const message = messagesOf(data.channel_id).get(data.message_id);
    if (!message) return;
    const key = emojiKey(data.emoji);
    if (!message.reactors.has(key)) message.reactors.set(key, new Set());
    message.reactors.get(key).add(data.user_id);
  },
  MESSAGE_REACTION_REMOVE(data) {
    const message = messagesOf(data.channel_id).get(data.message_id);
    const users = message?.reactors.get(emojiKey(data.emoji));
    users?.delete(data.user_id);
    if (users?.size === 0) message.reactors.delete(emojiKey(data.emoji));
  },
  MESSAGE_REACTION_REMOVE_ALL(data) {
    messagesOf(data.channel_id).get(data.message_id)?.reactors.clear();
  },
  TYPING_START(data) {
    if (!state.typing.has(data.channel_id)) state.typing.set(data.channel_id, new Map());
    state.typing.get(data.channel_id).set(data.user_id, Date.now() + TYPING_MS);
  },
};

function remember(user) {
  if (user && !state.users.has(user.id)) state.users.set(user.id, user);
}

export const emojiKey = (emoji) => (emoji.id ? `${emoji.name}:${emoji.id}` : emoji.name);

export function typingNow(channel) {
  const people = state.typing.get(channel) ?? new Map();
  return [...people].filter(([, until]) => until > Date.now()).map(([id]) => id);
}

export const nameOf = (user) => user?.nick ?? user?.global_name ?? user?.username ?? "somebody";
export const userName = (id) => nameOf(state.users.get(id));

export function channelName(channel) {
  if (!channel) return "an unknown place";
  if (channel.type === 1) return userName(channel.recipients?.[0]?.id ?? channel.recipient_id);
  return channel.name;
}

/** The DM channel of the person we are, if it is open. */
export const myDm = () => state.dms.find((one) => one.recipient_id === state.me) ?? null;
