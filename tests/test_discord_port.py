"""The port and the wire are one Discord: the same calls bring the same answers and events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord

from doubles.local_discord import (
    Channel,
    LocalDiscord,
    Message,
    Overwrite,
    User,
    permissions,
)
from sandbox.pointing import pointed_at
from tests.support.discord_port import Port


class Ears(discord.Client):
    """A client that notes what it hears."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents.all(), guild_ready_timeout=0.02)
        self.heard: list[str] = []

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Note an event."""
        if event.startswith(("message", "reaction", "raw", "guild_channel", "thread", "typing")):
            self.heard.append(event)
        super().dispatch(event, *args, **kwargs)


class Script:
    """What is done in one Discord, and all that came of it."""

    def __init__(self, local: LocalDiscord, bot: Ears) -> None:
        self.local = local
        self.bot = bot
        self.lines: list[str] = []
        self.ann = local.add_user("ann")
        self.guild = local.add_guild("Tea house", owner=local.owner)
        local.add_member(self.guild, self.ann)
        self.general = local.add_channel(self.guild, "general")
        self.forum = local.add_channel(self.guild, "forum", type=15)

    async def act(self) -> None:
        """Do all that Aurora does, and be refused all that Discord refuses."""
        await self.local.wait_for(lambda: self.bot.get_channel(self.forum.id))
        asked = self.local.say(self.ann, self.general, "hello")
        await self._send(asked)
        await self._react(asked)
        await self._look(asked)
        await self._change(asked)
        await self._trouble()
        await self._without_rights(asked)
        await self._what_is_gone()
        await self.local.wait_for(lambda: self.bot.get_channel(self.general.id) is None)

    async def _send(self, asked: Message) -> None:
        place = self._place(self.general)
        await self._try("sends", lambda: place.send("first", nonce="a"))
        await self._try("sends with the same nonce", lambda: place.send("second", nonce="a"))
        await self._try("sends with another nonce", lambda: place.send("third", nonce="b"))
        await self._try("says too much", lambda: place.send("x" * 2001))
        await self._try("says nothing", lambda: place.send(" "))
        await self._try("has a long nonce", lambda: place.send("x", nonce="n" * 26))
        replied = place.get_partial_message(asked.id)
        quiet = discord.AllowedMentions.none()
        await self._try("replies", lambda: replied.reply(f"<@{self.ann.id}>"))
        await self._try(
            "replies quietly", lambda: replied.reply(f"<@{self.ann.id}>", allowed_mentions=quiet)
        )
        nothing = place.get_partial_message(5)
        lenient = nothing.to_reference(fail_if_not_exists=False)
        await self._try("replies to nothing", lambda: nothing.reply("x"))
        await self._try("perhaps replies", lambda: place.send("x", reference=lenient))
        forum = self.bot.get_partial_messageable(self.forum.id)
        await self._try("sends to a forum", lambda: forum.send("x"))
        await self._try("shows typing", place.typing)

    async def _react(self, asked: Message) -> None:
        message = self._place(self.general).get_partial_message(asked.id)
        await self._try("reacts", lambda: message.add_reaction("👍"))
        await self._try("reacts again", lambda: message.add_reaction("👍"))
        await self._try("reacts with a word", lambda: message.add_reaction("no:12345678"))
        for number in range(19):
            self.local.react(self.ann, asked, chr(0x1F600 + number))
        await self._try("reacts once too often", lambda: message.add_reaction("🎉"))

    async def _look(self, asked: Message) -> None:
        place = self._place(self.general)
        for number in range(103):
            self.local.say(self.ann, self.general, f"chatter {number}")
        after = discord.Object(asked.id)
        await self._try("reads back", lambda: _all(place.history(limit=105, after=after)))
        await self._try("reads the latest", lambda: _all(place.history(limit=3)))
        await self._try("fetches", lambda: place.fetch_message(asked.id))
        await self._try("fetches nothing", lambda: place.fetch_message(5))
        await self._try("fetches a channel", lambda: self.bot.fetch_channel(self.general.id))
        await self._try("fetches no channel", lambda: self.bot.fetch_channel(5))
        thread = self.local.start_thread(self.general, "secret", owner=self.ann, private=True)
        self.local.join_thread(thread, self.local.bot_user)
        await self.local.wait_for(lambda: self.bot.get_channel(thread.id))
        hidden: Any = self.bot.get_channel(thread.id)
        await self._try("asks for a guest", lambda: hidden.fetch_member(self.ann.id))
        await self._try("asks for a stranger", lambda: hidden.fetch_member(self.local.owner.id))
        await self._try("asks for no member", lambda: place.guild.fetch_member(5))

    async def _change(self, asked: Message) -> None:
        place = self._place(self.general)
        own = place.get_partial_message(self.local.messages(self.general)[1].id)
        await self._try("edits", lambda: own.edit(content="changed"))
        await self._try("edits too much", lambda: own.edit(content="x" * 2001))
        await self._try("deletes", own.delete)
        await self._try("deletes again", own.delete)
        theirs = place.get_partial_message(asked.id)
        await self._try("edits another's", lambda: theirs.edit(content="x"))
        await self._try("deletes another's", theirs.delete)

    async def _trouble(self) -> None:
        place, faults = self._place(self.general), self.local.faults
        for status, applied in ((503, False), (503, True), (0, False), (0, True)):
            faults.add("POST", r"/messages$", status=status, applied=applied)
            await self._try(f"meets {status}", lambda: place.send("once", nonce="t"))
        await self._try("asks again", lambda: place.send("once", nonce="t"))
        faults.add("POST", r"/messages$", status=502)
        await self._try("is asked to wait a second", lambda: place.send("late", nonce="u"))
        faults.rate_limit("POST", r"/messages$", retry_after=0.05)
        await self._try("is limited", lambda: place.send("limited", nonce="v"))

    async def _without_rights(self, asked: Message) -> None:
        place, me = self._place(self.general), self.local.bot_user
        message = place.get_partial_message(asked.id)
        self._deny(me, permissions.READ_MESSAGE_HISTORY)
        await self._try("may not reply", lambda: message.reply("x"))
        await self._try("may not fetch", lambda: place.fetch_message(asked.id))
        await self._try("reads nothing", lambda: _all(place.history(limit=3)))
        await self._try("may not react", lambda: message.add_reaction("👍"))
        self._deny(me, permissions.SEND_MESSAGES)
        await self._try("may not send", lambda: place.send("x"))
        self._deny(me, permissions.VIEW_CHANNEL)
        await self._try("may not see", lambda: place.send("x"))
        self._deny(me, 0)

    async def _what_is_gone(self) -> None:
        place = self._place(self.general)
        dm = self.local.open_dm(self.ann)
        self.local.say(self.ann, dm, "psst")
        await self._try("opens a DM", lambda: self.bot.fetch_channel(dm.id))
        self.ann.dms_open = False
        private: Any = await self.bot.fetch_channel(dm.id)
        await self._try("finds the DM closed", lambda: private.send("x"))
        self.lines.append(f"{len(self.local.messages(self.general))} messages in the end")
        self.local.delete_channel(self.general)
        await self._try("finds the channel gone", lambda: place.send("x"))

    def asked(self) -> list[str]:
        """Return the calls of the client; only who logs in asks who it is."""
        calls = [f"{call.method} {call.route} {call.status}" for call in self.local.calls]
        return [call for call in calls if "users/@me" not in call and "oauth2" not in call]

    def _place(self, channel: Channel) -> Any:
        return self.bot.get_channel(channel.id)

    def _deny(self, user: User, what: int) -> None:
        self.local.set_overwrites(self.general, (Overwrite.of(user, deny=what),))

    async def _try(self, what: str, call: Callable[[], Awaitable[Any]]) -> None:
        try:
            came = _shown(await call())
        except discord.HTTPException as error:
            came = f"{type(error).__name__} {error.status} {error.code} {error.text}"
        except (aiohttp.ClientError, OSError):
            came = "no answer"
        self.lines.append(f"{what}: {came}".replace(str(self.ann.id), "ann"))


async def _all(history: AsyncIterator[discord.Message]) -> list[discord.Message]:
    return [message async for message in history]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(one) for one in value)
    if isinstance(value, discord.Message):
        mentioned = [user.name for user in value.mentions]
        reactions = [(str(one.emoji), one.count, one.me) for one in value.reactions]
        replied = value.reference is not None
        return f"{value.author.name} {value.content!r} {replied} {mentioned} {reactions}"
    return f"{type(value).__name__} {getattr(value, 'name', '')}"


@asynccontextmanager
async def by_port() -> AsyncIterator[tuple[LocalDiscord, Ears]]:
    """Connect without a socket."""
    bot, port = Ears(), Port(LocalDiscord())
    await port.connect(bot)
    yield port.local, bot
    await bot.close()


@asynccontextmanager
async def by_wire() -> AsyncIterator[tuple[LocalDiscord, Ears]]:
    """Connect over HTTP and the gateway."""
    local, bot = LocalDiscord(), Ears()
    await local.start()
    with pointed_at(local):
        running = asyncio.create_task(bot.start(local.token))
        await asyncio.wait_for(bot.wait_until_ready(), 20)
        yield local, bot
        await bot.close()
        await running
    await local.stop()


async def test_the_port_is_the_discord_that_the_wire_leads_to() -> None:
    """Every call of Aurora's, done and refused, and every event of it, in the same order."""
    async with by_port() as (local, bot):
        inside = Script(local, bot)
        await inside.act()
    async with by_wire() as (local, bot):
        outside = Script(local, bot)
        await outside.act()
    assert inside.lines == outside.lines
    assert inside.bot.heard == outside.bot.heard
    assert inside.asked() == outside.asked()
