// Building nodes. Text always arrives as text nodes: nothing a user wrote is ever parsed as HTML.

export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false));
  return node;
}

const PATHS = {
  reply: "M9 7 4 12l5 5M4.5 12H14a6 6 0 0 1 6 6v1",
  send: "M12 19V5M6 11l6-6 6 6",
  edit: "M4 20l1-4L16 5l3 3L8 19l-4 1Z",
  bin: "M5 7h14M10 4h4M7 7l1 13h8l1-13",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8.5 14.5c2 2.3 5 2.3 7 0M9 9.5v.5M15 9.5v.5",
  close: "M6 6l12 12M18 6 6 18",
  hash: "M5 9h15M4 15h15M10 4 8 20M16 4l-2 16",
  thread: "M5 4v9a4 4 0 0 0 4 4h10M15 13l4 4-4 4",
  forum: "M4 5h16v11H9l-5 4V5Z",
  voice: "M5 9v6h3l5 4V5L8 9H5ZM16.5 9a4 4 0 0 1 0 6",
  dm: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM5 20c1-4 4-5 7-5s6 1 7 5",
  lock: "M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  places: "M4 7h16M4 12h16M4 17h16",
  events: "M3 12h4l3-7 4 14 3-7h4",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

const HUES = 8;
const hues = new Map(); // by user id, in order of appearance: the first eight people all differ

function hueOf(user) {
  if (!hues.has(user?.id)) hues.set(user?.id, hues.size % HUES);
  return hues.get(user?.id);
}

/** A person's round picture: an initial on a colour of their own; the bot wears the icon. */
export function avatar(user, bot) {
  if (user && bot && user.id === bot.id) {
    return h("img", { class: "avatar", src: "icon.svg", alt: "" });
  }
  const name = user?.global_name ?? user?.username ?? "?";
  return h("span", { class: `avatar hue${hueOf(user)}`, "aria-hidden": "true" }, [...name][0].toUpperCase());
}

/** Make a parent show exactly these keyed children; what has not changed keeps its node. */
export function reconcile(parent, items, draw) {
  const known = (parent.known ??= new Map());
  const next = new Map();
  const nodes = items.map(([key, sign, item]) => {
    const old = known.get(key);
    const kept = old && old.sign === sign ? old : { sign, node: draw(item, old?.node) };
    next.set(key, kept);
    return kept.node;
  });
  parent.known = next;
  let at = parent.firstChild;
  for (const node of nodes) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}
