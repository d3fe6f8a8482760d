"""Whatever order a gateway says things in: each question is taken in once, and in its order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import discord
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from doubles.local_discord import Channel, Message
from tests.support.orders import Harbour
from tests.support.virtual import VirtualLoop

PLACES = st.integers(0, 4)
GUILDS = st.integers(0, 1)
PICKS = st.integers(0, 50)

STEPS = st.one_of(
    st.tuples(st.just("ask"), PLACES),
    st.tuples(st.just("ask"), PLACES),
    st.tuples(st.just("ask"), PLACES),
    st.tuples(st.just("talk"), PLACES),
    st.tuples(st.just("early"), PLACES),
    st.tuples(st.just("unmention"), PICKS),
    st.tuples(st.just("mention"), PICKS),
    st.tuples(st.just("reword"), PICKS),
    st.tuples(st.just("delete"), PICKS),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.0, 0.01, 0.5, 1.5, 3.0, 15.0, 70.0])),
    st.tuples(st.just("drop"), st.just(0)),
    st.tuples(st.just("resume"), st.just(0)),
    st.tuples(st.just("identify"), st.just(0)),
    st.tuples(st.just("identify"), st.just(0)),
    st.tuples(st.just("withdraw"), GUILDS),
    st.tuples(st.just("bring"), GUILDS),
    st.tuples(st.just("kill"), st.just(0)),
    st.tuples(st.just("reload"), st.just(0)),
    st.tuples(st.just("slow"), st.sampled_from([0.0, 0.3, 2.0, 20.0])),
)
HISTORIES = st.lists(STEPS, min_size=4, max_size=24)
PAUSES = st.sampled_from([0.0, 0.0, 0.4, 2.5, 12.0])


@dataclass
class History:
    """One history of a harbour, and what may be expected of it."""

    harbour: Harbour = field(default_factory=Harbour)
    asked: list[Message] = field(default_factory=list)
    talked: list[Message] = field(default_factory=list)
    changed: set[int] = field(default_factory=set)
    heard_deleted: set[int] = field(default_factory=set)
    connected: bool = False
    died: bool = False

    async def run(self, steps: list[tuple[str, Any]]) -> None:
        """Live through it, to an end at which all is well again."""
        harbour = self.harbour
        await harbour.configure()
        await self._born()
        # Where people wrote in private Aurora knows from the ledger alone.
        await self._ask(4)
        await asyncio.sleep(15)
        for name, value in steps:
            await getattr(self, f"_{name}")(value)
            await asyncio.sleep(0)
        harbour.wire.delay = 0.0
        if not self.connected:
            await self._identify(0)
        for index in range(len(harbour.guilds)):
            await self._bring(index)
        await asyncio.sleep(200)
        self._check()
        await harbour.stop()

    def _check(self) -> None:
        accepted = {one.message_id: one for one in self.harbour.store.accepted}
        for message in self.asked:
            if message.id not in accepted and message.id not in self.changed:
                assert self._told(message), f"{message.content} was lost"
        # A process that dies between hearing of it and calling it off leaves it to its run.
        for message_id in () if self.died else self.heard_deleted:
            assert self.harbour.queue.find(message_id) is None, "a deleted message waits"
        ids = [one.message_id for one in self.harbour.store.accepted]
        assert len(ids) == len(set(ids))
        talked = {one.id for one in self.talked}
        # What addresses the bot after all is asked when it is edited; of what is deleted REST
        # knows nothing any more while the gateway still brings it, and then calls it off.
        apart = talked | {one.id for one in self.asked if one.deleted}
        for channel in [*self.harbour.channels, self.harbour.dm]:
            taken = [one for one in self.harbour.taken_in(channel) if one not in apart]
            # What a slow Red has in hand as a session is lost may come after what was missed.
            ordered = taken == sorted(taken)
            assert ordered or self.harbour.pause, f"the order in {channel.name}"
        assert not talked & set(ids) - self.changed

    def _told(self, message: Message) -> bool:
        at = discord.utils.snowflake_time(message.id).timestamp()
        return any(
            one.channel_id == message.channel.id and one.since - 1 <= at <= one.until + 1
            for one in self.harbour.unread
        )

    def _place(self, index: int) -> Channel:
        return [*self.harbour.channels, self.harbour.dm][index]

    def _say(self, index: int, text: str) -> Message:
        return self.harbour.local.say(self.harbour.ada, self._place(index), text)

    async def _born(self) -> None:
        await self.harbour.start()
        self.harbour.wire.identify()
        self.connected = True

    async def _ask(self, index: int) -> None:
        place = self._place(index)
        if place is self.harbour.dm and sum(one.channel is place for one in self.asked) == 5:
            return  # No more of one person's may wait there, and nothing runs here.
        text = f"{self.harbour.mention} question {len(self.asked)}"
        self.asked.append(self._say(index, text))

    async def _talk(self, index: int) -> None:
        # What is said in private is always for the agent.
        self.talked.append(self._say(index % 4, "just talking"))

    async def _early(self, index: int) -> None:
        channel = self._place(index)
        absent = (
            channel.guild is not None and channel.guild.id in self.harbour.local.gateway.absent
        )
        await self._ask(index)
        if absent:
            self.harbour.early(channel, self.asked[-1])

    async def _unmention(self, pick: int) -> None:
        self._edit(self.asked, pick, "never mind")

    async def _mention(self, pick: int) -> None:
        self._edit(self.talked, pick, f"{self.harbour.mention} after all")

    async def _reword(self, pick: int) -> None:
        one = self.asked[pick % len(self.asked)]
        if not one.deleted and self.harbour.mention in one.content:
            self.harbour.local.edit(one, f"{one.content} please")

    def _edit(self, among: list[Message], pick: int, text: str) -> None:
        if among and not (one := among[pick % len(among)]).deleted:
            self.changed.add(one.id)
            self.harbour.local.edit(one, text)

    async def _delete(self, pick: int) -> None:
        if self.asked and not (one := self.asked[pick % len(self.asked)]).deleted:
            self.changed.add(one.id)
            guild = one.channel.guild
            absent = guild is not None and guild.id in self.harbour.local.gateway.absent
            if self.connected and not absent:
                self.heard_deleted.add(one.id)
            self.harbour.local.delete(one)

    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _drop(self, _: int) -> None:
        if self.connected:
            self.harbour.wire.drop()
            self.connected = False
            await asyncio.sleep(0)

    async def _resume(self, _: int) -> None:
        await self._drop(0)
        self.harbour.wire.resume()
        self.connected = True

    async def _identify(self, _: int) -> None:
        await self._drop(0)
        self.harbour.wire.identify()
        self.connected = True

    async def _withdraw(self, index: int) -> None:
        guild = self.harbour.guilds[index]
        if guild.id not in self.harbour.local.gateway.absent:
            self.harbour.local.gateway.withdraw(guild)

    async def _bring(self, index: int) -> None:
        self.harbour.local.gateway.bring(self.harbour.guilds[index])

    async def _kill(self, _: int) -> None:
        await self.harbour.die()
        self.connected, self.died = False, True
        await self._born()

    async def _reload(self, _: int) -> None:
        await self.harbour.stop()
        self.connected, self.died = False, True
        await self._born()

    async def _slow(self, seconds: float) -> None:
        self.harbour.wire.delay = seconds


def check_orders(steps: list[tuple[str, Any]], pause: float) -> None:
    """Live through one history, in a time that is not the machine's.

    Red takes `pause` seconds over each message.
    """

    async def live() -> None:
        history = History()
        history.harbour.pause = pause
        await history.run(steps)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(live())


@given(HISTORIES, PAUSES)
@settings(max_examples=40)
def test_every_question_is_taken_in_once_and_in_order(
    steps: list[tuple[str, Any]], pause: float
) -> None:
    """Late and absent guilds, outages, new sessions, resumes, kills: nobody waits in vain."""
    check_orders(steps, pause)


@pytest.mark.long
@given(HISTORIES, PAUSES)
@settings(max_examples=500, phases=[Phase.generate, Phase.shrink])
def test_five_hundred_histories(steps: list[tuple[str, Any]], pause: float) -> None:
    """The same, at length."""
    check_orders(steps, pause)
