"""What people see of an event: everything the bot wrote and marked, and how the event ended."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

from doubles.local_discord import Channel, Message
from tests.support.e2e.town import Town

Said = tuple[str, bool, str]


@dataclass(frozen=True)
class Outcome:
    """All that people see of an event, and its end.

    `said` is what the bot wrote since: in which channel, whether in reply to the message, and
    the text; `marks` are its reactions.
    """

    state: str
    reason: str
    said: list[Said]
    marks: list[str]


def said_since(town: Town, message: Message) -> list[Said]:
    """Return what the bot wrote after a message, wherever it did."""
    bot = town.discord.bot_user
    return [
        (one.channel.name, one.reference == message.id, one.content)
        for one in town.discord.world.messages.values()
        if one.author is bot and one.id > message.id
    ]


async def outcome_of(town: Town, message: Message, timeout: float = 30.0) -> Outcome:
    """Wait for the end of a message's event and look at everything."""
    end = await town.ended(message, timeout)
    await town.discord.wait_for(lambda: not _lines(town) or None)
    return Outcome(end.step, end.detail, said_since(town, message), town.marks(message))


def _lines(town: Town) -> list[Message]:
    """Return the progress lines that stand; each is taken away a moment after its end."""
    return [
        one
        for one in town.discord.world.messages.values()
        if one.author is town.discord.bot_user and "aurora:stop:" in str(one.components)
    ]


async def end_of(town: Town, message: Message) -> tuple[str, str]:
    """Return how a message's event ended."""
    end = await town.ended(message)
    return end.step, end.detail


def mention(town: Town, text: str, channel: Channel | None = None) -> Message:
    """Let Ada ask, and return her message."""
    return town.discord.say(town.ada, channel or town.general, f"{town.mention} {text}")


async def provoke(town: Town, text: str, channel: Channel | None = None) -> Outcome:
    """Let Ada ask, and return what becomes of it."""
    return await outcome_of(town, mention(town, text, channel))


async def works(town: Town, channel: Channel | None = None) -> None:
    """See that the next message in the channel is answered."""
    seen = await provoke(town, "[[send:still here]]", channel)
    place = (channel or town.general).name
    assert seen == Outcome("answered", "sent", [(place, True, "still here")], []), seen


async def reached(town: Town, message: Message, step: str) -> None:
    """Wait until a message's event has come to a step."""
    await town.discord.wait_for(lambda: step in town.steps(message), 30)


async def thinking(town: Town, requests: int = 1) -> None:
    """Wait until the model was called so many times in this test."""
    await town.discord.wait_for(lambda: len(town.llm.requests) >= requests, 30)


def hasten(town: Town, base_delay: float = 0.01) -> None:
    """Let retries come soon; how long they wait is tested beside `retry_delay` and `Growth`."""
    services = town.cog.services
    pauses = type(services.breakers.limited_pauses)
    services.breakers.limited_pauses = pauses(base_delay, base_delay, 0.0)
    worker = services.worker
    retries = type(worker._retries)(base_delay=base_delay)
    worker._retries = worker._endings._retries = retries
    backend = town.cog.services.agents.backend
    wire = getattr(backend, "_link", None) or backend._api
    wire.limits = wire.limits._replace(patience=0.2)


async def outlive(town: Town, message: Message, seconds: float) -> None:
    """Let a message's event expire soon."""
    event = await town.discord.wait_for(lambda: town.cog.services.queue.find(message.id))
    event.deadline = monotonic() + seconds
    town.cog.services.queue.reconsider()


def tool_returns(town: Town) -> str:
    """Return what the model has read from its tools in its last turn."""
    messages = town.llm.requests[-1]["messages"]
    return "\n".join(str(one["content"]) for one in messages if one["role"] == "tool")


def owner_mail(town: Town) -> list[str]:
    """Return what the bot has written to its owner."""
    return [one.content for one in town.bot_messages(town.discord.open_dm(town.ada))]


async def owner_reads(town: Town) -> list[str]:
    """Return what the bot has written to its owner, once there is something."""
    return await town.discord.wait_for(lambda: owner_mail(town) or None)
