"""Lines: live messages that wait behind what was missed in their channel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import discord

from .addressing import unplaced
from .gaps import DMS, Written


def home(message: discord.Message) -> int:
    """Return the id of a message's guild, which discord.py may not know yet; DMS if none."""
    if message.guild is not None:
        return message.guild.id
    return getattr(message.channel, "guild_id", None) or DMS


def place_anew(message: discord.Message, bot: discord.Client) -> discord.Message:
    """Bind a message to its guild and channel, which a new session has replaced."""
    guild_id = home(message)
    if guild_id != DMS and (guild := bot.get_guild(guild_id)) is not None:
        channel = guild.get_channel_or_thread(message.channel.id)
        if isinstance(channel, Written):
            message.guild, message.channel = guild, channel
    return message


@dataclass(frozen=True, slots=True)
class Line:
    """What came to a channel while it waited: messages, and the latest edits, by message id."""

    messages: Mapping[int, discord.Message] = field(default_factory=dict)
    edits: Mapping[int, discord.Message] = field(default_factory=dict)


class Lines:
    """The lines of all channels; from a new session on a guild's messages wait, until it is read.

    `first` is called when a message begins to wait, as then its guild is there.
    """

    def __init__(self) -> None:
        self.first: Callable[[], None] = lambda: None
        # Guilds of which it is not known yet where messages were missed: all wait.
        self._shut: set[int] = set()
        # Of the others, the channels that wait.
        self._waiting: dict[int, set[int]] = {}
        self._held: dict[int, dict[int, discord.Message]] = {}
        self._edits: dict[int, dict[int, discord.Message]] = {}
        self._gone: set[int] = set()
        # What came before its guild, and has to be read with what was missed.
        self._early: dict[int, set[int]] = {}
        self._returned: dict[int, int] = {}
        self._strangers: set[int] = set()

    def shut(self, guild_id: int) -> None:
        """Let all messages of a guild wait that come from now on."""
        self._shut.add(guild_id)
        self._waiting.pop(guild_id, None)

    def narrow(self, guild_id: int, channels: Collection[int]) -> None:
        """Let only these channels of a guild wait from now on."""
        self._shut.discard(guild_id)
        self._waiting[guild_id] = set(channels)

    def open(self, guild_id: int) -> None:
        """Let nothing of a guild wait from now on."""
        self._shut.discard(guild_id)
        self._waiting.pop(guild_id, None)
        if not self._shut and not self._waiting:
            self._edits.clear()
            self._gone.clear()

    def drop(self, guild_id: int) -> None:
        """Let go of a guild that is gone, and of what waits in it."""
        for channel_id in self.besides(guild_id, ()):
            del self._held[channel_id]
        kept = {one: home_id for one, home_id in self._returned.items() if home_id != guild_id}
        self._returned = kept
        self.open(guild_id)

    def close(self, guild_id: int, channel_id: int, ceiling: int) -> Line:
        """End a channel's line, which was read up to `ceiling`, and return what is in it."""
        self._waiting.get(guild_id, set()).discard(channel_id)
        early = self._early.pop(channel_id, set())
        if later := {one for one in early if one > ceiling}:
            self._early[channel_id] = later
        for message_id in early:
            if message_id <= ceiling:
                self._returned.pop(message_id, None)
        held = self._held.pop(channel_id, {})
        return Line(held, self._edits.pop(channel_id, {}))

    def hold(self, message: discord.Message) -> bool:
        """Take a message in, if it has to wait."""
        guild_id, channel_id = home(message), message.channel.id
        if message.guild is None and guild_id != DMS:
            self._strangers.add(guild_id)
        elif not self._waits(guild_id, channel_id):
            return False
        if unplaced(message):
            # Nothing can be made of it; it is read when its guild is here.
            self._early.setdefault(channel_id, set()).add(message.id)
        else:
            self._held.setdefault(channel_id, {})[message.id] = message
        self.first()
        return True

    @property
    def held(self) -> dict[int, int]:
        """Return the messages that wait or were put back, each with its guild."""
        waiting = [one for held in self._held.values() for one in held.values()]
        return {**self._returned, **{message.id: home(message) for message in waiting}}

    def put_back(self, message: discord.Message) -> None:
        """Let a message be read again that a new session made unreadable on its way in."""
        self._early.setdefault(message.channel.id, set()).add(message.id)
        self._returned[message.id] = home(message)

    def edited(self, message: discord.Message) -> None:
        """Keep the edit of a message that waits, or may be among the missed ones."""
        if self._waits(home(message), message.channel.id):
            self._edits.setdefault(message.channel.id, {})[message.id] = message

    def gone(self, message_ids: Collection[int]) -> None:
        """Take deleted messages out; those that are read later are none any more."""
        for held in self._held.values():
            for message_id in message_ids & held.keys():
                del held[message_id]
        if self._shut or self._waiting:
            self._gone.update(message_ids)

    def deleted(self, message_id: int) -> bool:
        """Tell whether a message was deleted while anything waited."""
        return message_id in self._gone

    def first_early(self, channel_id: int) -> int | None:
        """Return the first message of a channel that came before its guild."""
        return min(self._early.get(channel_id, ()), default=None)

    def unheard(self, channel_id: int) -> set[int]:
        """Return the messages of a channel that came, and were not taken in yet."""
        return {*self._held.get(channel_id, ()), *self._early.get(channel_id, ())}

    def besides(self, guild_id: int, channels: Collection[int]) -> list[int]:
        """Return the channels of a guild in which something waits, but for these."""
        return [
            channel_id
            for channel_id, held in self._held.items()
            if channel_id not in channels and any(home(one) == guild_id for one in held.values())
        ]

    def strangers(self) -> set[int]:
        """Return, once, the guilds of which something came before discord.py knew them."""
        found, self._strangers = self._strangers, set()
        return found

    def _waits(self, guild_id: int, channel_id: int) -> bool:
        return guild_id in self._shut or channel_id in self._waiting.get(guild_id, ())
