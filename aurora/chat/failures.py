"""What can go wrong between Aurora and Discord, in names for the ledger and words for people."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

import aiohttp
import discord

from ..model import Send
from ..reasons import AuroraError, Reason

T = TypeVar("T")

FAILURES = (discord.DiscordException, aiohttp.ClientError, OSError)
"""All that a call to Discord may raise; a TimeoutError is an OSError."""

_PASSING = (discord.DiscordServerError, aiohttp.ClientError, OSError)
_ANSWER_TRIES = 12  # with the pauses between them that is most of a minute

WAITING = (Reason.DISCORD_ERROR, Reason.DISCORD_TIMEOUT, Reason.NOT_CONNECTED)
"""What did not get out by these is tried again: Discord is in trouble, or makes the bot wait."""

_CODES = {
    10003: (Reason.CHANNEL_GONE, "That channel no longer exists."),
    10008: (Reason.MESSAGE_GONE, "There is no such message in that channel."),
    10014: (Reason.UNKNOWN_EMOJI, "Discord knows no such emoji, or the bot cannot use it."),
    50007: (Reason.DM_CLOSED, "The person takes no direct messages from the bot."),
    50083: (Reason.THREAD_ARCHIVED, "That thread is archived."),
    160005: (Reason.THREAD_LOCKED, "That thread is locked."),
    30010: (
        Reason.TOO_MANY_REACTIONS,
        "That message has as many different reactions as it can have.",
    ),
    200000: (Reason.AUTOMOD, "The server's automatic moderation blocked the text."),
}


class GuildNotHereError(AuroraError, discord.DiscordException):
    """Discord has not told yet what is in a guild."""


class Patience(NamedTuple):
    """How long trouble is borne with, in seconds: each call with its tries, the pause between two.

    discord.py alone would repeat a 500 for 25 seconds. A guild that a new session has only named
    is waited for, `coming` seconds; most come within seconds of its start. At the end of a turn
    nobody waits for a tool: its `answer` has more time, in which discord.py also waits as long as
    Discord says that it must.
    """

    call: float = 15.0
    pause: float = 0.5
    coming: float = 30.0
    answer: float = 60.0
    tries: int = 3

    @property
    def for_answer(self) -> Patience:
        """Return the patience for what a turn still owes."""
        return self._replace(call=self.answer, tries=_ANSWER_TRIES)


PATIENCE = Patience()


class SendFailed(AuroraError):  # noqa: N818 - named like discord.py's Forbidden and NotFound
    """Discord did not take a message or a reaction.

    `reason` names it for the ledger, the text is for the agent. `sent` is what did get out: the
    first parts of a long text.
    """

    def __init__(self, reason: Reason, text: str, sent: Send | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.sent = sent


class NotAllowed(SendFailed):
    """The guard did not permit it, or permits it no more; it is no use to try again now."""


def explain(error: Exception, sent: Send | None = None) -> SendFailed:
    """Put one of FAILURES into a name and words."""
    if isinstance(error, GuildNotHereError):
        return SendFailed(
            Reason.NOT_CONNECTED, "Discord does not let the bot into that server now.", sent
        )
    if isinstance(error, TimeoutError):
        text = "Discord did not answer in time; whether it took effect is unknown."
        return SendFailed(Reason.DISCORD_TIMEOUT, text, sent)
    if isinstance(error, discord.HTTPException):
        if error.code in _CODES:
            return SendFailed(*_CODES[error.code], sent)
        if isinstance(error, discord.Forbidden):
            return SendFailed(
                Reason.FORBIDDEN, "The bot lacks the permission to do that there.", sent
            )
        if isinstance(error, discord.NotFound):
            return SendFailed(Reason.NOT_FOUND, "Discord does not know that id.", sent)
        if error.status < 500 and error.status != 429:
            return SendFailed(Reason.REFUSED_BY_DISCORD, f"Discord refused it: {error.text}", sent)
    text = "Discord is in trouble at the moment; whether it took effect is unknown."
    return SendFailed(Reason.DISCORD_ERROR, text, sent)


async def insist(call: Callable[[], Awaitable[T]], patience: Patience = PATIENCE) -> T:
    """Make a call that may be repeated safely, and repeat it while the trouble looks passing.

    discord.py repeats 500, 502 and 504 by itself, but neither 503 nor, on Linux, a cut line.
    Raise one of FAILURES when the patience is at its end, or after the last of its tries.
    """
    async with asyncio.timeout(patience.call):
        for tried in range(1, patience.tries):
            try:
                return await call()
            except _PASSING:
                await asyncio.sleep(patience.pause * tried)
        return await call()
