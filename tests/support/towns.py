"""A Discord that is a list, and what Aurora shows in it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from aurora.agents.protocol import ToolResult, ToolSpec
from aurora.chat.failures import SendFailed
from aurora.ledger import Store
from aurora.model import Event, Send, Trace, Turn
from aurora.reasons import REASONS, Reason
from aurora.words import Phrase
from tests.support.lives import Life


@dataclass(frozen=True)
class Post:
    """A message, reaction or mark of the bot's in Discord."""

    by: str
    event_id: str
    key: str
    channel_id: int
    text: str


@dataclass
class Town:
    """What people see; it is still there when Aurora dies."""

    posts: list[Post] = field(default_factory=list)

    def post(self, post: Post) -> int:
        """Show something, and return its id."""
        self.posts.append(post)
        return len(self.posts)

    def find(self, event_id: str, key: str) -> int | None:
        """Return the id of what was sent under a key."""
        return next(
            (
                number
                for number, post in enumerate(self.posts, 1)
                if (post.event_id, post.key) == (event_id, key)
            ),
            None,
        )

    def of(self, *by: str) -> list[str]:
        """Return the texts of one kind."""
        return [post.text for post in self.posts if post.by in by]


class Sender:
    """Records, sends and records again, as the real one does; finds what was in doubt."""

    def __init__(self, store: Store, town: Town, life: Life) -> None:
        self._store = store
        self._town = town
        self._life = life

    async def send(self, event: Event, by: Any, key: str, text: str, channel: int) -> None:
        known = next((one for one in await self._store.sends(event.id) if one.key == key), None)
        if known is not None and known.message_ids:
            return
        found = None if known is None else await self._find(event, key)
        new = Send(key, "message", by, channel, "hash", event.message_id)
        await self._store.record_send(event, new)
        if found is None:
            found = await self.post(Post(by, event.id, key, channel, text))
        await self._store.record_send(event, replace(new, message_ids=(found,)))

    async def sends(self, event: Event) -> list[Send]:
        """Return all that arrived, notices included."""
        found = []
        for one in await self._store.sends(event.id):
            message_id = next(iter(one.message_ids), None) or await self._find(event, one.key)
            if message_id is not None:
                found.append(replace(one, message_ids=(message_id,)))
        return found

    async def look_for(self, event: Event, key: str) -> None:
        """Record what was sent past Aurora, if it is there."""
        message_id = await self._find(event, key)
        if message_id is not None:
            ids = (message_id,)
            found = Send(key, "message", "mcp", event.channel_id, "", event.message_id, ids)
            await self._store.record_send(event, found)

    async def post(self, post: Post) -> int:
        await self._life.point("Discord is asked", SendFailed(Reason.DISCORD_ERROR, "trouble"))
        message_id = self._town.post(post)
        await self._life.point("Discord has done it", SendFailed(Reason.DISCORD_ERROR, "trouble"))
        return message_id

    async def _find(self, event: Event, key: str) -> int | None:
        await self._life.point("Discord is searched", SendFailed(Reason.DISCORD_ERROR, "trouble"))
        return self._town.find(event.id, key)


class Tools:
    """The run's tools: `call` is a send to the event's place."""

    watched = False

    def __init__(self, sender: Sender, event: Event) -> None:
        self._sender = sender
        self._event = event
        self.closed: str | None = None
        self._sending = asyncio.Lock()

    @property
    def specs(self) -> Sequence[ToolSpec]:
        return [ToolSpec("discord_send", "", {})]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        if self.closed:
            return ToolResult(self.closed, is_error=True)
        channel = int(arguments.get("channelId", self._event.channel_id))
        text = arguments["message"]
        async with self._sending:
            await self._sender.send(self._event, "tool", f"{name}:{text}", text, channel)
        return ToolResult("sent")

    async def close(self, reason: str) -> None:
        """Refuse later calls, and wait for those under way."""
        self.closed = self.closed or reason
        async with self._sending:
            pass


class WatchedTools(Tools):
    """The tools of a run whose agent writes by itself: closing looks for a reply of its own."""

    watched = True

    async def close(self, reason: str) -> None:
        await super().close(reason)
        await self._sender.look_for(self._event, "mcp:reply")


class Delivery:
    """Delivery into a Town."""

    def __init__(self, store: Store, town: Town, life: Life) -> None:
        self._town = town
        self.sender = Sender(store, town, life)
        self.gate = asyncio.Event()
        self.gate.set()
        self.mute = False
        """A bug: every notice raises."""
        self.blind = False
        """A bug: every look at what was sent raises."""
        self.in_doubt = False

    async def settle(self, turn: Turn, text: str, *, fallback: bool) -> Reason:
        event = turn.speaker
        await self.gate.wait()
        try:
            sends = await self.sender.sends(event)
            by = [one.by for one in sends if one.channel_id == event.channel_id]
            if "tool" in by or "mcp" in by:
                return Reason.SENT
            if text and fallback:
                await self.sender.send(event, "delivery", "delivery", text, event.channel_id)
                return Reason.DELIVERED
        except SendFailed as failure:
            await self._mark(event, "⚠️")
            return failure.reason
        await self._mark(event, "💤")
        return Reason.NO_ANSWER

    async def trace(self, turn: Turn) -> Trace:
        event = turn.speaker
        if self.blind:
            raise KeyError("a bug")
        try:
            sends = await self.sender.sends(event)
        except SendFailed:
            return Trace.DOUBT
        if self.in_doubt:
            return Trace.DOUBT
        real = [one.channel_id for one in sends if one.by != "notice"]
        if event.channel_id in real:
            return Trace.ANSWER
        if real:
            return Trace.ELSEWHERE
        told = any(one.key == "notice:end" for one in sends)
        return Trace.END if told else Trace.NOTHING

    async def late(self, event: Event, words: Phrase) -> None:
        await self.notice(event, str(words), kind="outage")

    async def notice(
        self, event: Event, text: str, *, kind: Literal["outage", "end"] = "end"
    ) -> None:
        if self.mute:
            raise KeyError("a bug")
        try:
            await self.sender.send(event, "notice", f"notice:{kind}", text, event.channel_id)
        except Exception:
            if kind == "end":
                await self._mark(event, "⚠️")

    async def show_end(self, event: Event, reason: Reason) -> None:
        entry = REASONS[reason]
        if entry.mark:
            await self._mark(event, entry.mark)
        elif entry.user is not None:
            await self.notice(event, str(entry.user))

    async def call_off(self, event: Event) -> None:
        await self._mark(event, "⏹️")

    async def _mark(self, event: Event, emoji: str) -> None:
        if self._town.find(event.id, emoji) is None:
            with suppress(SendFailed):
                await self.sender.post(Post("mark", event.id, emoji, event.channel_id, emoji))

    def typing(self, _event: Event) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    @property
    def delivered(self) -> list[str]:
        return self._town.of("delivery")

    @property
    def notices(self) -> list[str]:
        return self._town.of("notice")

    @property
    def called_off(self) -> list[str]:
        return [post.event_id for post in self._town.posts if post.text == "⏹️"]
