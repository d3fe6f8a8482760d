"""What is done for an agent beside sending: once, and recorded before and after, as a send is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import discord

from ..guard.policy import Act, Allowed
from ..ledger import Store
from ..model import Send, Turn
from .failures import FAILURES, explain, insist
from .places import Place
from .sender import Sender

_HAS_THREAD = 160004

Deed = Callable[[Allowed], Awaitable[int]]
"""Does it, and returns the id of what there is then."""


class Deeds:
    """Reacts, edits messages and starts threads; a repeated call takes no effect twice."""

    def __init__(self, store: Store, sender: Sender) -> None:
        self._store = store
        self._sender = sender

    async def react(
        self,
        turn: Turn,
        channel: Place | discord.DMChannel,
        message_id: int,
        emoji: discord.PartialEmoji,
    ) -> Send:
        """React to a message; raise SendFailed."""
        print_ = self._sender.fingerprints.of(str(emoji))
        # What a model writes there may be no emoji at all, and is kept nowhere.
        key = f"react:{message_id}:{print_}"
        send = Send(key, "reaction", "tool", channel.id, print_, message_id)

        async def react(_allowed: Allowed) -> int:
            await channel.get_partial_message(message_id).add_reaction(emoji)
            return message_id

        return await self._do(turn, Act.REACT, send, react)

    async def edit(
        self, turn: Turn, channel: Place | discord.DMChannel, message_id: int, text: str
    ) -> Send:
        """Give a message of the agent's another text; raise SendFailed.

        What it was sent for is to keep in mind what it says now.
        """
        said = self._sender.filtered(turn, text)
        print_ = self._sender.fingerprints.of(said.text)
        sends = await self._store.sends(turn.speaker.id)
        edits = [one for one in sends if one.kind == "edit" and one.reply_to == message_id]
        # Only the last one is repeated by the same text: what an earlier one said is gone.
        repeated = bool(edits) and edits[-1].text_hash == print_
        key = edits[-1].key if repeated else f"edit:{message_id}:{len(edits)}"
        send = Send(key, "edit", "tool", channel.id, print_, message_id, length=len(said.text))

        async def edit(allowed: Allowed) -> int:
            message = await channel.fetch_message(message_id)
            bare = not allowed.embeds or said.previews.hold_back(said.text)
            nobody = discord.AllowedMentions.none()
            await message.edit(content=said.text, suppress=bare, allowed_mentions=nobody)
            return message_id

        if not repeated:
            await self._sender.edits.turn(channel.id, first=True)
        done = await self._do(turn, Act.EDIT, send, edit)
        await self._rewrite(message_id, print_)
        return done

    async def start_thread(
        self, turn: Turn, channel: discord.TextChannel, message_id: int, name: str
    ) -> Send:
        """Start a thread from a message, whose id it then has; raise SendFailed.

        A message starts one thread at most, so that this may be tried again.
        """
        print_ = self._sender.fingerprints.of(name)
        send = Send(f"thread:{message_id}", "thread", "tool", channel.id, print_, message_id)

        async def start(_allowed: Allowed) -> int:
            message = channel.get_partial_message(message_id)
            try:
                return (await message.create_thread(name=name)).id
            except discord.HTTPException as error:
                if error.code != _HAS_THREAD:
                    raise
                found = await self._sender.lookup.find(turn.speaker, channel, send)
                if found is None:
                    raise
                return found

        done = await self._do(turn, Act.START_THREAD, send, start)
        self._sender.guard.sent(turn, channel.id)
        return done

    async def _do(self, turn: Turn, act: Act, send: Send, deed: Deed) -> Send:
        event = turn.speaker
        sends = await self._store.sends(event.id)
        known = next((one for one in sends if one.key == send.key and one.message_ids), None)
        if known is not None:
            return known
        await self._sender.begin(event, send)

        async def once() -> int:
            return await deed(await self._sender.permit(turn, act, send))

        try:
            found = await insist(once, self._sender.patience)
        except FAILURES as error:
            raise explain(error) from error
        send = send._replace(message_ids=(found,))
        await self._store.record_send(event, send)
        return send

    async def _rewrite(self, message_id: int, print_: str) -> None:
        """Let the record of a message's send recognise the text that it has now."""
        sent = await self._store.sent(message_id)
        event = await self._store.get(sent.event_id) if sent is not None else None
        for one in await self._store.sends(event.id) if event is not None else ():
            if event is not None and one.kind == "message" and one.message_ids == (message_id,):
                await self._store.record_send(event, one._replace(text_hash=print_))
