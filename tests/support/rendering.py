"""What people see of a text: Discord's markdown, read rule by rule as Discord's client does.

Slow and simple, and nothing of it is Aurora's: each rule takes what its pattern finds at the
beginning of what is left, and reads that again by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Shown(NamedTuple):
    """One character, or one thing that is shown whole, and how it is shown."""

    text: str
    styles: frozenset[str]


class _State(NamedTuple):
    styles: frozenset[str] = frozenset()
    before: str = ""
    quoted: bool = False
    listed: bool = False
    depth: int = 0


_ESCAPE = re.compile(r"\\([^0-9A-Za-z\s])")
_FENCE = re.compile(r"```(?:([a-z0-9_+\-.#]+?)\n)?\n*([^\n][\s\S]*?)\n*```", re.IGNORECASE)
_SPAN = re.compile(r"(`+)([\s\S]*?[^`])\1(?!`)")
_QUOTE = re.compile(r"( *>>> +([\s\S]*))|( *>(?!>>) +[^\n]*(\n *>(?!>>) +[^\n]*)*\n?)")
_HEADING = re.compile(r" *(?:#{1,3}\s+(?!#)|-#\s+(?!-#))([^\n]+)(?:\n|$)")
_BULLET = r"(?:[*-]|\d{1,9}\.)"
_LIST = re.compile(rf"( *){_BULLET} +[^\n]+[\s\S]*?(?:\n(?! )(?!\1{_BULLET} )|$)")
_ITEM = re.compile(rf"( *)({_BULLET} +)([^\n]*(?:\n(?!\1{_BULLET} )[^\n]*)*)(?:\n|$)")
_WHOLE = re.compile(
    r"<(?:@[!&]?\d+|#\d+|a?:\w+:\d+|t:-?\d+(?::\w)?|/[^\n<>:]{1,100}:\d+|id:[\w:-]+|sound:\d+"
    r"|https?://[^\s<>]+)>|https?://[^\s<]*[^\s<.,:;\"'\]]"
)
_LINK = re.compile(
    r"\[((?:\[[^\]\[]*\]|[^\[\]\\]|\\[\s\S])+)\]\(\s*<?(https?://(?:\([^)\s]*\)|[^\s()])+?)>?"
    r"(?:\s+['\"][^\n\"']*['\"])?\s*\)"
)
_INLINE = (
    ("bold", 0.1, re.compile(r"\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)")),
    ("underline", 0.0, re.compile(r"__((?:\\[\s\S]|[^\\])+?)__(?!_)")),
    (
        "italic",
        0.2,
        re.compile(
            r"\*(?=\S)((?:\*\*|\\[\s\S]|\s+(?:\\[\s\S]|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)"
        ),
    ),
    ("italic", 0.2, re.compile(r"_((?:__|\\[\s\S]|[^\\_])+?)_(?![A-Za-z0-9_])")),
    ("strike", 0.0, re.compile(r"~~([\s\S]+?)~~(?!_)")),
    ("spoiler", 0.0, re.compile(r"\|\|([\s\S]+?)\|\|")),
)


def rendered(text: str) -> list[Shown]:
    """Return what is shown of a text, without white space."""
    return [one for one in _read(text, _State()) if not one.text.isspace()]


def _read(source: str, state: _State) -> Iterator[Shown]:
    before = state.before
    while source:
        length, shown = _first(source, state._replace(before=before))
        yield from shown
        before, source = before + source[:length], source[length:]


def _first(source: str, state: _State) -> tuple[int, Iterator[Shown]]:
    """Return how much the first rule takes that fits, and what it shows."""
    if found := _ESCAPE.match(source):
        return 2, iter([Shown(found[1], state.styles)])
    if found := _FENCE.match(source):
        return found.end(), _text(found[2], state, f"block {found[1] or ''}")
    if re.search(r"(?:^|\n) *$", state.before) and (taken := _line(source, state)):
        return taken
    if found := _WHOLE.match(source):
        return found.end(), iter([Shown(found[0], state.styles)])
    if found := _LINK.match(source):
        return found.end(), _within(found[1], state, f"link {found[2]}")
    matches = [
        (name, found, bonus) for name, bonus, one in _INLINE if (found := one.match(source))
    ]
    if matches and state.depth < 12:
        name, found, _ = max(matches, key=lambda one: one[1].end() + one[2])
        return found.end(), _within(found[1], state, name)
    if found := _SPAN.match(source):
        return found.end(), _text(found[2], state, "code")
    return 1, iter([Shown(source[0], state.styles)])


def _line(source: str, state: _State) -> tuple[int, Iterator[Shown]] | None:
    if not state.quoted and (found := _QUOTE.match(source)):
        pattern = r"^ *>>> ?" if found[1] else r"(?m)^ *> ?"
        inner = re.sub(pattern, "", found[0])
        return found.end(), _within(inner, state._replace(quoted=True), "quote")
    if not state.listed and (found := _HEADING.match(source)):
        return found.end(), _within(found[1], state, "heading")
    if found := _LIST.match(source):
        return found.end(), _items(found[0], state)
    return None


def _items(block: str, state: _State) -> Iterator[Shown]:
    for item in _ITEM.finditer(block):
        yield from _within(item[3], state._replace(listed=True), "list")


def _within(source: str, state: _State, style: str) -> Iterator[Shown]:
    inner = state._replace(styles=state.styles | {style}, depth=state.depth + 1)
    return _read(source, inner)


def _text(text: str, state: _State, style: str) -> Iterator[Shown]:
    return (Shown(one, state.styles | {style}) for one in text)
