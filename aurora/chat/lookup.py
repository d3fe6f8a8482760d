"""Finds out what became of a send that was begun and never confirmed: it is looked for."""

from __future__ import annotations

from collections.abc import Collection, Set
from typing import NamedTuple

import discord

from ..ledger import Store
from ..model import Event, Send, Turn
from ..reasons import Reason
from .failures import FAILURES, PATIENCE, Patience, SendFailed, explain, insist
from .fingerprints import Fingerprints
from .long_texts import said_in
from .places import Place, find_place

LOOK_BACK = 500
"""How many messages are searched for one whose fate is unknown."""
_TOO_MANY = "An earlier message may be there or not: too many have followed to tell."
_KEY_LOST = "An earlier message may be there or not: the key to recognise it by is lost."


class LookUp:
    """Looks in Discord for what the record leaves in doubt."""

    def __init__(
        self,
        bot: discord.Client,
        store: Store,
        fingerprints: Fingerprints,
        patience: Patience = PATIENCE,
    ) -> None:
        self._bot = bot
        self._store = store
        self._fingerprints = fingerprints
        self.patience = patience

    async def sends(self, turn: Turn) -> list[Send]:
        """Return what was sent for a turn, but for what is aside; raise SendFailed.

        Sends that were begun and never confirmed are looked for in their channels. Where the bot
        may not look, or finds no end of messages, the send is in doubt, which is a SendFailed.
        """
        event = turn.speaker
        sends = await self._store.sends(event.id)
        return [await self.look_up(event, one) for one in sends if not one.aside]

    async def look_up(self, event: Event, send: Send) -> Send:
        """Return a send with what is found of it in its channel; raise SendFailed.

        What is owed is looked for when it is paid.
        """
        if send.message_ids or send.owed:
            return send
        found: int | None = None
        self.ensure_connected()
        try:
            channel = await find_place(self._bot, event, send.channel_id, self.patience)
            if channel is not None:
                found = await self.find(event, channel, send)
        except discord.NotFound:
            return send
        except FAILURES as error:
            raise explain(error) from error
        if found is not None:
            send = send._replace(message_ids=(found,))
            await self._store.record_send(event, send)
        return send

    def ensure_connected(self) -> None:
        """Raise SendFailed before the first session: an empty cache knows of no channel."""
        if not self._bot.is_ready():
            raise SendFailed(Reason.NOT_CONNECTED, "The bot is not connected to Discord yet.")

    async def find(
        self,
        event: Event,
        channel: Place | discord.DMChannel,
        send: Send,
        part: str | None = None,
    ) -> int | None:
        """Return the id of the next part of a send if it is in the channel after all."""
        if send.kind == "thread":
            return await self._find_thread(channel, send)
        if send.kind != "message":
            return await self._find_at_message(channel, send)
        _ensure_readable(channel)
        sends = await self._store.sends(event.id)
        taken = {known for one in (*sends, send) for known in one.message_ids}
        forms = self._fingerprints.forms
        wanted = frozenset((send.text_hash,) if part is None else forms(part))
        lost = part is None and not self._fingerprints.can_compare(send.text_hash)
        sought = _Sought(
            by=send.by,
            replied=None if send.message_ids else send.reply_to,
            wanted=wanted,
            # A notice replies to the same message, and its fate may be unknown as well.
            others={one.text_hash for one in sends if not one.message_ids} - wanted,
        )

        async def search() -> int | None:
            seen, mine, after = 0, 0, discord.Object(max((event.message_id, *send.message_ids)))
            # Newest first: what is in doubt is mostly what was sent a moment ago.
            async for message in channel.history(limit=LOOK_BACK, after=after, oldest_first=False):
                seen += 1
                if message.author != self._bot.user or message.id in taken:
                    continue
                mine += 1
                if sought.is_it(message, forms(said_in(message))):
                    return message.id
            if seen == LOOK_BACK or (lost and mine):
                raise SendFailed(Reason.UNKNOWN_FATE, _KEY_LOST if lost else _TOO_MANY, send)
            return None

        return await insist(search, self.patience)

    async def _find_thread(self, channel: Place | discord.DMChannel, send: Send) -> int | None:
        """Return the id of a thread that the bot began; it is that of its first message."""
        thread_id, me = send.reply_to or 0, self._bot.user
        try:
            found = await insist(lambda: self._bot.fetch_channel(thread_id), self.patience)
        except discord.NotFound:
            return None
        if not isinstance(found, discord.Thread) or found.parent_id != channel.id:
            return None
        return thread_id if me is not None and found.owner_id == me.id else None

    async def _find_at_message(self, channel: Place | discord.DMChannel, send: Send) -> int | None:
        """Return the id of a message that has the reaction, or the text that it was to get."""
        message_id = send.reply_to or 0
        message = await insist(lambda: channel.fetch_message(message_id), self.patience)
        mine = [message.content]
        if send.kind == "reaction":
            mine = [str(one.emoji) for one in message.reactions if one.me]
        if mine and not self._fingerprints.can_compare(send.text_hash):
            raise SendFailed(Reason.UNKNOWN_FATE, _KEY_LOST, send)
        found = any(send.text_hash in self._fingerprints.forms(one) for one in mine)
        return message_id if found else None


class _Sought(NamedTuple):
    """What a message is recognised by."""

    by: str
    replied: int | None
    wanted: Set[str]
    others: Set[str]

    def is_it(self, message: discord.Message, forms: Collection[str]) -> bool:
        """Tell whether it is a message of the bot's, by the fingerprints that it may have."""
        if message.reference is None:
            return not self.wanted.isdisjoint(forms)
        # What Aurora sent as a reply is one; a tool of the agent's own is free.
        if message.reference.message_id == self.replied:
            return self.others.isdisjoint(forms)
        return self.by == "mcp" and not self.wanted.isdisjoint(forms)


def _ensure_readable(channel: Place | discord.DMChannel) -> None:
    """Raise SendFailed where Discord would show the bot an empty history."""
    if isinstance(channel, discord.DMChannel):
        return
    if not channel.permissions_for(channel.guild.me).read_message_history:
        raise SendFailed(
            Reason.FORBIDDEN,
            "Whether an earlier message went out is unknown: the bot may not read the history.",
        )
