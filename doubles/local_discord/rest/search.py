"""The search through a guild's messages, by Discord's own index of their words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import permissions
from ..errors import Payload, bad_length, invalid
from ..message import Message
from ..model import Channel, Guild
from .messages import shown
from .routing import Request, Routes, as_id

routes = Routes()

_CONTENT, _CHANNELS, _AUTHORS, _OFFSET = 1024, 500, 100, 9975
_WORD = re.compile(r"\w+")


@routes.add("GET", "/guilds/{guild_id}/messages/search")
async def search(request: Request) -> Payload:
    """Return a page of what matches, newest first; `Faults.unindexed` is for want of an index."""
    guild, wanted = request.guild(), _Wanted(request)
    request.need_in_guild(guild, permissions.READ_MESSAGE_HISTORY)
    found = sorted(
        (one for place in _places(request, guild) for one in place.messages if wanted.is_it(one)),
        key=lambda one: one.id,
        reverse=True,
    )
    page = found[wanted.offset : wanted.offset + wanted.limit]
    threads = {one.channel.id: one.channel for one in page if one.channel.thread is not None}
    me = request.bot.id
    body: Payload = {
        "doing_deep_historical_index": False,
        "total_results": len(found),
        "messages": [[shown(request, one)] for one in page],
    }
    if threads:
        body["threads"] = [one.payload(me) for one in threads.values()]
    return body


class _Wanted:
    """What a search is for; refuses what Discord refuses."""

    def __init__(self, request: Request) -> None:
        content = request.query.get("content", "")
        if len(content) > _CONTENT:
            raise bad_length("content", 0, _CONTENT)
        self._words = [one.lower() for one in _WORD.findall(content)]
        self._channels = _ids(request, "channel_id", _CHANNELS)
        self._authors = _ids(request, "author_id", _AUTHORS)
        self._after, self._before = request.cursor("min_id"), request.cursor("max_id")
        self.limit = request.whole("limit", 25, 1, 25)
        self.offset = request.whole("offset", 0, 0, _OFFSET)

    def is_it(self, message: Message) -> bool:
        """Tell whether a message matches; a thread's belong to the thread and to no channel."""
        if message.ephemeral or (self._channels and message.channel.id not in self._channels):
            return False
        if self._authors and message.author.id not in self._authors:
            return False
        if self._after is not None and message.id <= self._after:
            return False
        if self._before is not None and message.id >= self._before:
            return False
        words = {one.lower() for one in _WORD.findall(message.content)}
        return words.issuperset(self._words)


def _ids(request: Request, name: str, most: int) -> set[int]:
    given = request.query.getall(name, [])
    if len(given) > most:
        raise bad_length(name, 0, most)
    return {as_id(one, name) for one in given}


def _places(request: Request, guild: Guild) -> Iterator[Channel]:
    """Yield where the bot may read; of age-restricted channels only if they are asked for."""
    needed = permissions.VIEW_CHANNEL | permissions.READ_MESSAGE_HISTORY
    adults = request.query.get("include_nsfw", "false")
    if adults not in ("true", "false"):
        raise invalid("include_nsfw", "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
    for place in (*guild.channels.values(), *guild.threads.values()):
        restricted = place.nsfw or (place.parent is not None and place.parent.nsfw)
        if restricted and adults != "true":
            continue
        if place.holds_messages and request.world.may(request.bot, place, needed):
            yield place
