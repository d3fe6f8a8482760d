// In a narrow window places and events come over the conversation, one at a time.

import { icon } from "./dom.js";
import { state } from "./store.js";

export function drawers(body) {
  const openers = [...body.querySelectorAll("button[data-drawer]")];
  const [places] = openers;
  const shade = body.querySelector("#shade");
  for (const opener of openers) opener.append(icon(opener.dataset.drawer));

  const show = (name) => {
    body.dataset.open = name;
    shade.hidden = !name;
    for (const opener of openers) opener.setAttribute("aria-expanded", String(opener.dataset.drawer === name));
  };
  const close = () => show("");

  for (const opener of openers) opener.addEventListener("click", () => show(opener.dataset.drawer));
  shade.addEventListener("click", close);
  body.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  return { close, draw: () => places.classList.toggle("unread", state.unread.size > 0) };
}
