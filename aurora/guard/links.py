"""Links in what an agent says: which may be previewed, and where a masked one leads.

A preview is fetched by Discord as soon as the message is there: an address that the agent made up
carries what stands in it to whoever owns the host. In `<…>` Discord previews nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

LONGEST = 1500
"""Longest address that is kept, in characters: one in two messages would be in no brackets."""
TOO_LONG = "[long address removed]"
UNCLEAR = "unclear address"
"""Stands for the host of an address that browsers may read differently."""

_LONGEST_HOST = 253

# What Discord takes for an address, and what it leaves out at its end.
_ADDRESS = re.compile(r"https?://[^\s<\]]+", re.IGNORECASE)
_BEHIND = frozenset(".,:;\"']")
# An address ends, in brackets, before what could open or close markup around it.
_PLAIN = re.compile(r"https?://(?:[^\s<>|`\"*~\]]|\*(?!\*)|~(?!~))+", re.IGNORECASE)
_AROUND = re.compile(r"[*_~|]{1,5}$")
_END = re.compile(r"[*_~|`\"'>]{0,5}(?=[\s<]|$|\](?:[\s(<\]]|$))")
_MASKED = re.compile(
    r"\]\(\s{0,9}+<?+(?P<target>https?://(?:[^\s<>()]++|\([^\s<>()]*+\))++)>?+"
    r"(?:\s++(?:\"[^\"\n]{0,100}+\"|'[^'\n]{0,100}+'))?+\s{0,9}+\)",
    re.IGNORECASE,
)
_WRAPPED = re.compile(r"(?<!\\)<https?://[^\s<>]+>", re.IGNORECASE)
_LINK = re.compile(rf"{_MASKED.pattern}|{_WRAPPED.pattern}|(?P<bare>https?://(?=[^\s<\]]))", re.I)
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\]")
_ESCAPED = {"|": "%7C", "`": "%60", '"': "%22", "*": "%2A", "~": "%7E"}
# Discord shows these by itself, and asks nobody for them.
_OF_DISCORD = re.compile(
    r"https://(?:(?:ptb|canary)\.)?discord(?:app)?\.com/channels/(?:@me|\d+)(?:/\d+){0,2}"
)


def urls_in(text: str) -> Iterator[str]:
    """Yield the addresses that stand in a text, each whole."""
    for found in _ADDRESS.finditer(text):
        whole = _whole(found[0])
        yield whole
        # In brackets, in markup, before an exclamation mark.
        yield _whole(whole.rstrip("!?*_~|`>"))


def host_of(url: str) -> str:
    """Return the host that an address leads to, non-ASCII letters as punycode, or UNCLEAR."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return UNCLEAR
    if len(host) > _LONGEST_HOST:
        return UNCLEAR
    host = ".".join(_ascii(label) for label in host.split("."))
    if (
        "\\" in url
        or len(host) > _LONGEST_HOST
        or not _HOST.fullmatch(f"[{host}]" if ":" in host else host)
    ):
        return UNCLEAR
    return host


def host_in(text: str) -> str | None:
    """Read a host as people type it, alone or in an address; None if that is none."""
    bare = text.strip().strip("<>`").removeprefix("*.").lower()
    host = host_of(bare if "://" in bare else f"https://{bare}")
    return host if "." in host.strip(".") and not host.startswith(".") else None


def _ascii(label: str) -> str:
    return label if label.isascii() else f"xn--{label.encode('punycode').decode()}"


class Previews(NamedTuple):
    """Which addresses may be previewed: those that were heard, and all of some hosts."""

    heard: Collection[str] = ()
    hosts: Collection[str] = ()
    also: Callable[[str], bool] = lambda _url: False

    def allow(self, url: str) -> bool:
        """Tell whether an address may stand without brackets."""
        if url in self.heard or self.also(url) or ("/channels/" in url and _is_discords(url)):
            return True
        host = host_of(url) if self.hosts else UNCLEAR
        if host == UNCLEAR:
            return False
        # With a name, a password or a port it is another address than the one that was listed.
        if urlsplit(url).netloc.lower() != host:
            return False
        return any(host == one or host.endswith(f".{one}") for one in self.hosts)

    def bracket(self, text: str) -> str:
        """Put all other addresses of a text without code into `<…>`, and show masked hosts."""
        pieces, at = [], 0
        while (found := _LINK.search(text, at)) is not None:
            start = found.start()
            pieces.append(text[at:start])
            if found["target"] is not None:
                piece, at = self._masked(text, found["target"], found.end())
            elif found["bare"] is not None:
                piece, at = self._bare(text, start, found["bare"])
            else:
                piece, at = _shortened(found[0]), found.end()
            pieces.append(piece)
        pieces.append(text[at:])
        return "".join(pieces)

    def hold_back(self, message: str) -> bool:
        """Tell whether a message is to have no previews at all.

        Something in it, as it stands in code, must have none, and stands in no brackets.
        """
        rest = _WRAPPED.sub(" ", message)
        return any(
            self._allowed(rest, found.start(), _PLAIN.match(rest, found.start())) is None
            for found in _ADDRESS.finditer(rest)
        )

    def _masked(self, text: str, url: str, end: int) -> tuple[str, int]:
        if len(url) > LONGEST:
            return f"] {TOO_LONG}", end
        shown = f" ({host_of(url)})"
        there = text.startswith(shown, end)
        if not self.allow(url):
            url = f"<{''.join(_ESCAPED.get(one, one) for one in url)}>"
        return f"]({url}){shown}", end + len(shown) if there else end

    def _bare(self, text: str, start: int, scheme: str) -> tuple[str, int]:
        plain = _PLAIN.match(text, start)
        allowed = self._allowed(text, start, plain)
        if allowed is not None:
            return allowed, start + len(allowed)
        # A backslash belongs to what comes behind it.
        url = _whole(plain[0]).rstrip("\\") if plain is not None else ""
        if len(url) <= len(scheme):
            return scheme, start + len(scheme)
        before = text[max(0, start - 1) : start]
        if before == "_":
            url = url.rstrip("_")
        end = start + len(url)
        if len(url) > LONGEST:
            return TOO_LONG, end
        # Behind a backslash the bracket would be one to be read, and no more.
        return f"{' ' if before == chr(92) else ''}<{url}>", end

    def _allowed(self, text: str, start: int, plain: re.Match[str] | None) -> str | None:
        """Return the address that stands there if it may be previewed."""
        end = _END.match(text, plain.end()) if plain is not None else None
        if end is None:
            return None
        whole = _whole(text[start : end.end()])
        if self.allow(whole):
            return whole
        around = _AROUND.search(text[max(0, start - 5) : start])
        inside = whole.removesuffix(around[0][::-1]) if around else whole
        return inside if around and self.allow(inside) else None


def _is_discords(url: str) -> bool:
    return _OF_DISCORD.fullmatch(url) is not None


def _whole(found: str) -> str:
    """Return an address without what Discord leaves out at its end."""
    end, excess = len(found), found.count(")") - found.count("(")
    while found[end - 1] in _BEHIND or (found[end - 1] == ")" and excess > 0):
        excess -= found[end - 1] == ")"
        end -= 1
    return found[:end]


def _shortened(wrapped: str) -> str:
    return wrapped if len(wrapped) <= LONGEST + 2 else TOO_LONG
