"""Every way an event can end: it is provoked, and `[p]aurora queue list` shows it by its reason.

What is missing here needs another process: `sent_before_crash`, `crashed` and `poison` are in the
soak, `sent_before_unloaded` is in `test_reload`. Of who was forgotten no row is left to show.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from aurora.reasons import Reason
from aurora.runs.cancelling import messages
from doubles.local_discord import (
    Channel,
    Message,
    Overwrite,
    permissions,
)
from doubles.quick_app_server import Plan, channel_of
from tests.support.e2e.ledgers import event_of
from tests.support.e2e.pages import page
from tests.support.e2e.quick import QuickTown, open_quick_town
from tests.support.e2e.seen import hasten, mention, outlive, reached

pytestmark = pytest.mark.asyncio(loop_scope="module")

Provoke = Callable[[QuickTown, Channel], Awaitable[Message]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[QuickTown]:
    """One town for all, as each question has a channel of its own."""
    async with open_quick_town(tmp_path_factory.mktemp("town")) as town:
        wire = town.cog.services.agents.backend._link
        wire.limits = wire.limits._replace(request=0.3, reconnect=0.5)
        yield town


@pytest_asyncio.fixture(loop_scope="module")
async def town(house: QuickTown) -> AsyncIterator[QuickTown]:
    """The town as it was, before and after."""
    await usual(house)
    yield house
    await usual(house)


async def usual(town: QuickTown) -> None:
    """Put everything back."""
    services = town.cog.services
    town.discord.faults.waiting.clear()
    town.quick.script, town.quick.refusal = (lambda _text: Plan("Hello.")), None
    services.breakers.reset()
    known = {"agent_id": town.agent_id, "enabled": True, "deliver_text": True, "agent_timeout": 60}
    await services.settings.set_guild(town.guild.id, **known)


def agent(plan: Callable[[str], Plan]) -> Provoke:
    """Provoke by what the agent does."""

    async def ask(town: QuickTown, room: Channel) -> Message:
        town.quick.script = plan
        return mention(town, "please", room)

    return ask


def send(prompt: str) -> Plan:
    """Send by tool."""
    return Plan(calls=(("discord_send", {"channelId": channel_of(prompt), "message": "Hi."}),))


def send_and(prompt: str, **more: object) -> Plan:
    """Send by tool, and then go on."""
    return Plan(calls=send(prompt).calls, **more)  # type: ignore[arg-type]  # fields of a Plan


def react(prompt: str) -> Plan:
    """React to the message."""
    (message_id,) = [
        line.split('"')[1] for line in prompt.splitlines() if line.startswith("Message ID:")
    ]
    where = {"channelId": channel_of(prompt), "messageId": message_id, "emoji": "👍"}
    return Plan(calls=(("discord_add_reaction", where),))


def read(prompt: str, times: int = 9) -> Plan:
    """Read the same again and again."""
    return Plan(calls=(("discord_read_messages", {"channelId": channel_of(prompt)}),) * times)


async def elsewhere(town: QuickTown, room: Channel) -> Message:
    """Let the agent send its answer to another channel, and say no more."""
    there = {"channelId": str(town.general.id), "message": "Hi."}
    town.quick.script = lambda _text: Plan(calls=(("discord_send", there),))
    return mention(town, "please", room)


async def without_fallback(town: QuickTown, room: Channel) -> Message:
    """Let the admins want no text."""
    await town.cog.services.settings.set_guild(town.guild.id, deliver_text=False)
    return mention(town, "please", room)


async def cut_off(town: QuickTown, room: Channel) -> Message:
    """Cut the line in the middle of a turn, each time."""
    town.quick.script = lambda _text: Plan("late", delay=2.0)
    hasten(town)
    cutting = asyncio.create_task(town.cut_turns(3))
    message = mention(town, "please", room)
    await asyncio.wait_for(cutting, 20)
    return message


async def took(town: QuickTown, inputs: int) -> None:
    """Wait until the server has taken so many inputs in all."""
    await town.discord.wait_for(lambda: town.quick.inputs >= inputs, 20)


async def too_slow(town: QuickTown, room: Channel) -> Message:
    """Let the agent think for longer than it may."""
    await town.cog.services.settings.set_guild(town.guild.id, agent_timeout=0.2)
    town.quick.script = lambda _text: Plan("late", delay=0.6)
    return mention(town, "please", room)


def refused(status: int, code: int) -> Provoke:
    """Let Discord refuse every message in the room."""

    async def ask(town: QuickTown, room: Channel) -> Message:
        route = f"/channels/{room.id}/messages$"
        town.discord.faults.add("POST", route, status=status, code=code, times=99)
        return mention(town, "please", room)

    return ask


def send_refused(status: int, code: int) -> Provoke:
    """Let Discord refuse what the agent sends by tool; it writes nothing."""

    async def ask(town: QuickTown, room: Channel) -> Message:
        town.quick.script = send
        return await refused(status, code)(town, room)

    return ask


async def stopped(town: QuickTown, room: Channel) -> Message:
    """Refuse the token."""
    town.quick.refusal = 401
    town.quick.cut()
    return mention(town, "please", room)


def retrying(change: Callable[[QuickTown], None]) -> Provoke:
    """Let a question be tried again until its time is over."""

    async def ask(town: QuickTown, room: Channel) -> Message:
        change(town)
        message = mention(town, "please", room)
        await reached(town, message, "retrying")
        await outlive(town, message, 0.0)
        return message

    return ask


def overload(town: QuickTown) -> None:
    """Let the model ask for patience."""
    town.quick.script = lambda _text: Plan(error="429: {}")


def close_the_door(town: QuickTown) -> None:
    """Let the server be in trouble."""
    town.quick.refusal = 503
    town.quick.cut()


def waiting(act: Callable[[QuickTown, Message], Awaitable[None]]) -> Provoke:
    """Do something while a message waits behind another."""

    async def ask(town: QuickTown, room: Channel) -> Message:
        town.quick.script = lambda _text: Plan("there", delay=0.4)
        first = mention(town, "first", room)
        await reached(town, first, "running")
        message = mention(town, "second", room)
        await reached(town, message, "queued")
        await act(town, message)
        return message

    return ask


async def delete(town: QuickTown, message: Message) -> None:
    """Delete it."""
    town.discord.delete(message)


async def edit(town: QuickTown, message: Message) -> None:
    """Take the mention out of it."""
    town.discord.edit(message, "never mind")


async def close_channel(town: QuickTown, message: Message) -> None:
    """Delete its channel."""
    town.discord.delete_channel(message.channel)


async def hide_channel(town: QuickTown, message: Message) -> None:
    """Let the bot write there no more."""
    deny = Overwrite.of(town.guild.everyone, deny=permissions.SEND_MESSAGES)
    town.discord.set_overwrites(message.channel, (deny,))


async def disable(town: QuickTown, _message: Message) -> None:
    """Switch Aurora off in this server."""
    await town.cog.services.settings.set_guild(town.guild.id, enabled=False)


async def clear(town: QuickTown, message: Message) -> None:
    """Clear the queue, as the command does once it was confirmed."""
    await town.cog.services.cancelling.cancel(messages({message.id}), Reason.CLEARED)


async def stop(town: QuickTown, message: Message) -> None:
    """Have it stopped, as the one who asked does."""
    town.discord.react(town.ada, message, "🛑")


async def outlived(town: QuickTown, message: Message) -> None:
    """Let its time be over."""
    await outlive(town, message, 0.0)


ENDS = [
    ("answered", "sent", agent(send)),
    ("answered", "delivered", agent(lambda _text: Plan("Hello."))),
    ("answered", "reacted", agent(react)),
    ("answered", "sent_before_failed", agent(lambda text: send_and(text, error="500: {}"))),
    ("answered", "sent_before_overloaded", agent(lambda text: send_and(text, error="429: {}"))),
    (
        "answered",
        "sent_before_stuck",
        agent(lambda text: Plan(calls=send(text).calls + react(text).calls * 9)),
    ),
    ("answered", "sent_before_config", agent(lambda text: send_and(text, error="401: {}"))),
    ("declined", "no_answer", agent(lambda _text: Plan(""))),
    ("declined", "answered_elsewhere", elsewhere),
    ("declined", "text_not_delivered", without_fallback),
    ("failed", "failed", agent(lambda _text: Plan(error="500: {}"))),
    ("failed", "config", agent(lambda _text: Plan(error="401: {}"))),
    ("failed", "config", stopped),
    ("failed", "content_refused", agent(lambda _text: Plan(error="Prompt blocked"))),
    ("failed", "image_refused", agent(lambda _text: Plan(error="400: invalid image"))),
    ("failed", "context_full", agent(lambda _text: Plan(error="400: prompt is too long"))),
    ("failed", "lost", cut_off),
    ("failed", "timeout", too_slow),
    ("failed", "stuck", agent(read)),
    ("failed", "automod", refused(400, 200000)),
    ("failed", "forbidden", refused(403, 50013)),
    ("failed", "channel_gone", refused(404, 10003)),
    ("failed", "refused_by_discord", refused(400, 50035)),
    ("failed", "discord_error", refused(503, 0)),
    ("failed", "forbidden", send_refused(403, 50013)),
    ("failed", "automod", send_refused(400, 200000)),
    ("failed", "channel_gone", send_refused(404, 10003)),
    ("expired", "waited_too_long", retrying(overload)),
    ("expired", "waited_too_long", retrying(close_the_door)),
    ("expired", "waited_too_long", waiting(outlived)),
    ("cancelled", "message_deleted", waiting(delete)),
    ("cancelled", "mention_removed", waiting(edit)),
    ("cancelled", "channel_deleted", waiting(close_channel)),
    ("cancelled", "cannot_send", waiting(hide_channel)),
    ("cancelled", "not_enabled", waiting(disable)),
    ("cancelled", "cleared", waiting(clear)),
    ("cancelled", "stopped", waiting(stop)),
]


async def test_what_is_provoked_is_known() -> None:
    """Every end that is brought about here, by its code."""
    assert {reason for _, reason, _ in ENDS} <= set(Reason)


@pytest.mark.parametrize(
    ("state", "reason", "provoke"),
    ENDS,
    ids=[f"{state} {reason} {number}" for number, (state, reason, _) in enumerate(ENDS)],
)
async def test_each_end_is_kept_and_listed_with_its_reason(
    town: QuickTown, state: str, reason: str, provoke: Provoke
) -> None:
    """In the ledger, in what is told of it, and in `queue list`."""
    room = town.discord.add_channel(town.guild, "room")
    message = await provoke(town, room)
    end = await town.ended(message)
    assert (end.step, end.detail) == (state, reason)
    event = await event_of(town, message)
    assert (event.state, event.reason) == (state, reason)
    assert town.steps(message).count(state) == 1
    said = await page(town, f"aurora queue list {state}")
    (line,) = [line for line in said.splitlines() if str(message.id) in line]
    assert f"{state} (`{reason}`)" in line


async def test_no_event_is_left_without_an_end(town: QuickTown) -> None:
    """After all that was done above, every row is final and has a reason."""
    await town.discord.wait_for(lambda: not town.cog.services.queue.get_stats()["running"], 30)
    for _ in range(100):
        listed = await town.cog.services.store.recent("everywhere", limit=1000)
        events = [one.event for one in listed]
        if all(event.state.final for event in events):
            break
        await asyncio.sleep(0.05)
    assert [event for event in events if not event.state.final or not event.reason] == []
