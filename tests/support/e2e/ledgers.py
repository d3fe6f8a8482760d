"""What the ledger and the breakers make of a question, beside what people see of it."""

from __future__ import annotations

from dataclasses import dataclass

from aurora.model import Event, State, Turn
from doubles.local_discord import Message
from tests.support.e2e.seen import mention
from tests.support.e2e.town import Town

ANSWER = "Here you are."


@dataclass(frozen=True)
class Kept:
    """What is left of a question: its end, its tries, and what people saw of it."""

    state: State
    reason: str
    attempts: int
    misses: int
    answers: int
    notices: int


@dataclass(frozen=True)
class Blame:
    """Consecutive failures that a breaker has counted: the server's, and the agent's."""

    server: int
    agent: int


def ask_in_room(town: Town) -> Message:
    """Ask something in a channel of its own."""
    return mention(town, f"[[say:{ANSWER}]]", town.discord.add_channel(town.guild, "room"))


async def event_of(town: Town, message: Message) -> Event:
    """Return the event of a message as the ledger has it."""
    event: Event | None = await town.cog.services.store.find(message.id)
    assert event is not None, "the ledger does not know this message"
    return event


async def kept(town: Town, message: Message) -> Kept:
    """Wait for the end of a question and look at everything."""
    await town.ended(message, 20)
    event = await event_of(town, message)
    said = [one.content for one in town.bot_messages(message.channel)]
    answers = said.count(ANSWER)
    turn: Turn | None = await town.cog.services.store.turn(event.turn_id or "")
    attempts, misses = (turn.attempts, turn.misses) if turn is not None else (0, 0)
    return Kept(event.state, event.reason, attempts, misses, answers, len(said) - answers)


def blame(town: Town) -> Blame:
    """Return what the breakers have counted."""
    breakers = town.cog.services.breakers
    return Blame(
        breakers.server.snapshot().failures, breakers.agent(town.agent_id).snapshot().failures
    )


def answered(attempts: int, misses: int) -> Kept:
    """Return what is kept of a question that was answered in the end."""
    return Kept(State.ANSWERED, "delivered", attempts, misses, 1, 0)
