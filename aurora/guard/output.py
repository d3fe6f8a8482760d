"""The output filter: what an agent says goes through it once, before it is split and sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from ..model import Quote, Turn
from ..prompts.fence import clean
from ..settings import GuildSettings
from .links import Previews, urls_in
from .masking import masked, without_paths, without_secrets

INVITE = "[invite removed]"

_TICKS = re.compile("`+")
_FENCE = 3
_ROLE = re.compile(r"<@&(\d{15,20})>")
_NOT_IN_A_NAME = re.compile(r"[<>@`\[\]()/:|*_~\\]")
_EVERYBODY = re.compile("@(?=everyone|here)", re.IGNORECASE)
_DEFUSED = "@\u200b"
_SLASH = r"\\?/+"
_INVITING = ("discord", "dsc", "invite")
_INVITE = re.compile(
    r"(?:https?://)?(?:(?:www|ptb|canary)\.)?"
    rf"(?:discord(?:app)?\\?\.com{_SLASH}(?:invite|servers)"
    r"|discord\\?\.(?:gg|me|io|link)|dsc\\?\.gg|invite\\?\.gg)"
    rf"{_SLASH}(?:invite{_SLASH})?[\w%\\-]+",
    re.IGNORECASE,
)


class Filtered(NamedTuple):
    """A text as it may be sent, in words what was changed, and what may be previewed."""

    text: str
    changes: tuple[str, ...] = ()
    previews: Previews = Previews()


class Output:
    """Filters what is sent for an agent.

    `settings` are those of a guild, or of direct messages; `secrets` are known ones, `folders`
    those of the agent's host, and `role` is what a role of a guild is called. All of them are
    asked at each text.
    """

    def __init__(
        self,
        settings: Callable[[int | None], GuildSettings] = lambda _guild: GuildSettings(),
        *,
        secrets: Callable[[], Collection[str]] = tuple,
        folders: Callable[[], Collection[str]] = tuple,
        role: Callable[[int | None, int], str | None] = lambda _guild, _role: None,
    ) -> None:
        self._settings = settings
        self._secrets = secrets
        self._folders = folders
        self._role = role

    def filter(self, turn: Turn, text: str, room: int) -> Filtered:
        """Return a text of a turn as it may be sent; filtering that again changes nothing.

        Code stays as it is, but for secrets and paths. `room` is how much fits into one message:
        of a longer text the rest may be sent after a crash, when nobody knows any more what the
        agent's tools returned, and it must be the same rest.
        """
        text, changes = clean(text), []
        settings, previews = self._settings(turn.speaker.guild_id), Previews()

        def change(after: str, what: str) -> None:
            nonlocal text
            if after != text:
                changes.append(what)
                # What is removed may leave a joiner where none belongs.
                text = clean(after)

        # Names of roles come first: they are looked through as all else is.
        if "<@&" in text:
            change(self._without_roles(turn, text), "a role was named without a mention")
        change(without_secrets(text, self._secrets()), "a secret was removed")
        if not settings.allow_invites and any(one in text.lower() for one in _INVITING):
            change(_outside_code(text, _without_invites), "an invite was removed")
        change(without_paths(text, self._folders()), "a path of your host was cut")
        if "://" in text:
            heard = _heard(turn) | (turn.heard if len(text) <= room else frozenset())
            also = _is_invite if settings.allow_invites else _never
            previews = Previews(heard, settings.embed_hosts, also)
            change(_outside_code(text, previews.bracket), "links were set without a preview")
        # Last, for it is done with a mark that is cleaned away.
        after = _outside_code(text, _without_calls) if "@" in text else text
        if after != text:
            changes.append("@everyone or @here was defused")
        return Filtered(after, tuple(changes), previews)

    async def in_file(self, text: str) -> str:
        """Return what may stand in a file: of all that is filtered, secrets and paths."""
        return await masked(text, self._secrets(), self._folders())

    def _without_roles(self, turn: Turn, text: str) -> str:
        def named(found: re.Match[str]) -> str:
            name = clean(self._role(turn.speaker.guild_id, int(found[1])) or "")
            return f"@{' '.join(_NOT_IN_A_NAME.sub('', name).split()) or 'role'}"

        return _outside_code(text, lambda prose: _ROLE.sub(named, prose))


def heard_in(quotes: Iterable[Quote]) -> frozenset[str]:
    """Return the addresses that people wrote: not the agent, nor a bot that repeats it."""
    return frozenset(
        url
        for quote in quotes
        if not quote["author"]["bot"]
        for text in (quote["content"], *quote["extras"])
        for url in urls_in(text)
    )


def _heard(turn: Turn) -> frozenset[str]:
    contexts = [event.context for event in turn.events if event.context]
    return heard_in(quote for one in contexts for quote in (one["message"], *one["chain"]))


def _without_calls(prose: str) -> str:
    return _EVERYBODY.sub(_DEFUSED, prose)


def _without_invites(prose: str) -> str:
    return _INVITE.sub(INVITE, prose)


def _is_invite(url: str) -> bool:
    return _INVITE.fullmatch(url) is not None


def _never(_url: str) -> bool:
    return False


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """Change a text where it is no code."""
    if "`" not in text:
        return change(text)
    ends = [0, *(end for code in _code(text) for end in code), len(text)]
    return "".join(
        text[start:end] if index % 2 else change(text[start:end])
        for index, (start, end) in enumerate(pairwise(ends))
    )


def _code(text: str) -> Iterator[tuple[int, int]]:
    """Yield where code stands in a text, as Discord reads it: blocks, and spans in a line."""
    runs = [(found.start(), found.end()) for found in _TICKS.finditer(text)]
    # Behind each run, the next one of each size: what could close it.
    following: list[tuple[int, ...]] = []
    latest = [0] * (_FENCE + 1)
    for index in range(len(runs) - 1, -1, -1):
        following.append(tuple(latest))
        start, end = runs[index]
        latest[_size(end - start)] = index
    following.reverse()
    index = 0
    while index < len(runs):
        start, end = runs[index]
        start += _is_escaped(text, start)
        found = following[index][_size(end - start)] if start < end else 0
        if not found:
            index += 1
            continue
        yield start, runs[found][1]
        index = found + 1


def _size(ticks: int) -> int:
    """Return what a run of backticks can open and close; three and more are a block."""
    return min(ticks, _FENCE)


def _is_escaped(text: str, at: int) -> bool:
    start = at
    while start and text[start - 1] == "\\":
        start -= 1
    return (at - start) % 2 == 1
