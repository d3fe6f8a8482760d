"""What an App Server does to a question: who counts it, and how it ends.

`test_misbehaving` and `test_lost_connections` show what people see when agents and lines
misbehave. Here stands what the ledger and the breakers make of each fault at the door: the
attempts and misses of an event, and whom a failure counts against.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from aurora.model import State
from aurora.reasons import REASONS, Reason
from doubles.quick_app_server import Plan
from tests.support.e2e.ledgers import (
    ANSWER,
    Blame,
    Kept,
    answered,
    ask_in_room,
    blame,
    event_of,
    kept,
)
from tests.support.e2e.quick import QuickTown, open_quick_town
from tests.support.e2e.seen import hasten, mention, outlive, owner_mail, reached

pytestmark = pytest.mark.asyncio(loop_scope="module")

_SHORT = 0.3


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app_town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[QuickTown]:
    """A town before a double of the App Server."""
    async with open_quick_town(tmp_path_factory.mktemp("app")) as town:
        limits = town.cog.services.agents.backend._link
        limits.limits = limits.limits._replace(request=_SHORT, reconnect=1.0)
        town.quick.script = lambda _text: Plan(ANSWER)
        yield town


@pytest_asyncio.fixture(loop_scope="module")
async def town(app_town: QuickTown) -> AsyncIterator[QuickTown]:
    """The town as it was, before and after."""
    app_town.cog.services.breakers.reset()
    app_town.changes.clear()
    yield app_town
    app_town.quick.script = lambda _text: Plan(ANSWER)
    app_town.quick.refusal, app_town.quick.mute = None, False


# -- the App Server's door


def refusing(status: int) -> Callable[[QuickTown], None]:
    """Return what makes the door answer with a status."""

    def refuse(town: QuickTown) -> None:
        town.quick.refusal = status
        town.quick.cut()

    return refuse


def fall_silent(town: QuickTown) -> None:
    """Let the server hear and say nothing."""
    town.quick.mute = True


def open_up(town: QuickTown) -> None:
    """Let the server answer again."""
    town.quick.refusal, town.quick.mute = None, False


DOORS = [
    pytest.param(refusing(500), 1, id="500"),
    pytest.param(refusing(503), 1, id="503"),
    pytest.param(refusing(429), 0, id="429"),
    pytest.param(fall_silent, 1, id="hang"),
]


@pytest.mark.parametrize(("close", "counted"), DOORS)
async def test_a_closed_door_costs_no_attempt(
    town: QuickTown, close: Callable[[QuickTown], None], counted: int
) -> None:
    """It is a miss, and the server's failure; asked for patience, it is nobody's."""
    close(town)
    message = ask_in_room(town)
    await reached(town, message, "retrying")
    assert blame(town) == Blame(counted, 0)
    open_up(town)
    found = await kept(town, message)
    assert (found.state, found.attempts, found.answers) == (State.ANSWERED, 1, 1)
    assert found.misses >= 1
    assert blame(town) == Blame(0, 0)


async def test_a_refused_connection_costs_no_attempt(town: QuickTown) -> None:
    """Nobody listens: the same."""
    await town.quick.stop()
    message = ask_in_room(town)
    await reached(town, message, "retrying")
    assert blame(town) == Blame(1, 0)
    await town.quick.start()
    found = await kept(town, message)
    assert (found.state, found.attempts, found.answers) == (State.ANSWERED, 1, 1)


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_door_that_takes_a_mistake_for_granted_is_asked_once(
    town: QuickTown, status: int
) -> None:
    """No retry mends it, and no breaker learns from it."""
    refusing(status)(town)
    await asyncio.sleep(0.05)
    found = await kept(town, ask_in_room(town))
    assert found == Kept(State.FAILED, "config", 1, 0, 0, found.notices)
    assert blame(town) == Blame(0, 0)


async def test_five_refusals_open_the_breaker_and_nobody_is_lost(town: QuickTown) -> None:
    """It stops asking; those who wait are answered when it asks again."""
    await town.quick.stop()
    messages = [ask_in_room(town) for _ in range(5)]
    server = town.cog.services.breakers.server
    await town.discord.wait_for(lambda: server.retry_in() > 1, 30)
    inputs = town.quick.inputs
    await town.quick.start()
    late = ask_in_room(town)
    await reached(town, late, "queued")
    await asyncio.sleep(0.3)
    assert town.quick.inputs == inputs, "an open breaker let something through"
    town.cog.services.breakers.reset()
    for message in [*messages, late]:
        found = await kept(town, message)
        assert (found.state, found.attempts, found.answers) == (State.ANSWERED, 1, 1)


async def test_a_door_that_stays_closed_is_the_end_after_a_while(town: QuickTown) -> None:
    """Expired, with a notice, and no attempt was used."""
    await town.quick.stop()
    message = ask_in_room(town)
    await reached(town, message, "retrying")
    await outlive(town, message, 0.0)
    found = await kept(town, message)
    await town.quick.start()
    assert (found.state, found.attempts, found.answers) == (State.EXPIRED, 0, 0)
    assert found.reason
    assert found.notices >= 1


# -- the App Server's turns


def failing(*plans: Plan) -> Callable[[str], Plan]:
    """Return a script that fails in these ways first, and then answers."""
    left = list(plans)
    return lambda _text: left.pop(0) if left else Plan(ANSWER)


async def test_a_turn_that_fails_costs_an_attempt_and_is_tried_again(town: QuickTown) -> None:
    """Once it is answered nothing is held against the agent."""
    town.quick.script = failing(Plan(error="500: {}"))
    assert await kept(town, ask_in_room(town)) == answered(2, 0)
    assert blame(town) == Blame(0, 0)


async def test_a_turn_that_keeps_failing_counts_once_against_the_agent(town: QuickTown) -> None:
    """Three attempts are one failure: one bad message must not stop an agent for all."""
    town.quick.script = failing(*[Plan(error="503: {}")] * 3)
    found = await kept(town, ask_in_room(town))
    assert found == Kept(State.FAILED, "failed", 3, 0, 0, 1)
    assert blame(town) == Blame(0, 1)


async def test_an_overloaded_model_costs_no_attempt_and_counts_against_nobody(
    town: QuickTown,
) -> None:
    """429 four times is more than there are attempts."""
    town.quick.script = failing(*[Plan(error="429: {}")] * 4)
    found = await kept(town, ask_in_room(town))
    assert (found.state, found.answers, found.notices) == (State.ANSWERED, 1, 0)
    assert blame(town) == Blame(0, 0)


CONTENT = '400: {"error":{"message":"filtered","code":"content_filter"}}'
IMAGE = '400: {"error":{"message":"Could not process image"}}'
FULL = '400: {"error":{"message":"prompt is too long: 9001 tokens > 8192 maximum"}}'


@pytest.mark.parametrize(
    ("error", "reason"), [(CONTENT, "content_refused"), (IMAGE, "image_refused")]
)
async def test_what_the_model_refuses_is_a_matter_of_who_asked(
    town: QuickTown, error: str, reason: str
) -> None:
    """Told once, in words of its own; nobody looks for a wrong token, and no breaker counts."""
    before = len(owner_mail(town))
    town.quick.script = failing(Plan(error=error))
    message = ask_in_room(town)
    assert await kept(town, message) == Kept(State.FAILED, reason, 1, 0, 0, 1)
    (notice,) = town.bot_messages(message.channel)
    assert notice.content == str(REASONS[Reason(reason)].user)
    assert len(owner_mail(town)) == before
    assert blame(town) == Blame(0, 0)


async def test_a_conversation_that_is_too_long_is_shortened_and_the_turn_runs_again(
    town: QuickTown,
) -> None:
    """Nobody sees anything of it."""
    before = town.quick.compacted
    town.quick.script = failing(Plan(error=FULL))
    assert await kept(town, ask_in_room(town)) == answered(2, 0)
    assert town.quick.compacted == before + 1


async def test_what_stays_too_long_is_said_as_it_is_and_told_to_the_owner(
    town: QuickTown,
) -> None:
    """It is shortened once for a turn; then somebody must look."""
    before, mail = town.quick.compacted, len(owner_mail(town))
    town.quick.script = failing(*[Plan(error=FULL)] * 3)
    found = await kept(town, ask_in_room(town))
    assert found == Kept(State.FAILED, "context_full", 2, 0, 0, 1)
    assert town.quick.compacted == before + 1
    assert "longer than the agent's model can take" in owner_mail(town)[mail]
    assert blame(town) == Blame(0, 0)


async def test_an_agent_that_is_deleted_after_it_has_answered_is_asked_once(
    town: QuickTown,
) -> None:
    """Its turns fail like any other's, but no second try mends that."""
    room, mail = town.discord.add_channel(town.guild, "room"), len(owner_mail(town))
    settings, doomed = town.cog.services.settings, await town.quick.create_agent("doomed")
    await settings.set_guild(town.guild.id, agent_id=doomed)
    assert (await kept(town, mention(town, "hello", room))).state is State.ANSWERED
    await town.quick.delete_agent(doomed)
    message = mention(town, "hello?", room)
    await town.ended(message, 20)
    await settings.set_guild(town.guild.id, agent_id=town.agent_id)
    event = await event_of(town, message)
    turn = await town.cog.services.store.turn(event.turn_id or "")
    assert (event.reason, turn.attempts) == ("config", 1)
    assert doomed in owner_mail(town)[mail]
    assert blame(town) == Blame(0, 0)


async def test_a_turn_that_is_cut_off_runs_again(town: QuickTown) -> None:
    """Nothing was to be seen of it, and to be cut off once counts against nobody."""
    hasten(town)
    town.quick.script = lambda _text: Plan(ANSWER, delay=0.5)
    message = ask_in_room(town)
    await town.discord.wait_for(lambda: town.quick.busy, 20)
    town.quick.cut()
    found = await kept(town, message)
    assert (found.state, found.answers, found.notices) == (State.ANSWERED, 1, 0)
    assert blame(town) == Blame(0, 0)


async def test_a_turn_that_is_cut_off_each_time_is_lost_and_counts_against_the_agent(
    town: QuickTown,
) -> None:
    """The input was taken each time, so the server is well."""
    hasten(town)
    town.quick.script = lambda _text: Plan(ANSWER, delay=2.0)
    cutting = asyncio.create_task(town.cut_turns(3))
    message = ask_in_room(town)
    await asyncio.wait_for(cutting, 20)
    assert await kept(town, message) == Kept(State.FAILED, "lost", 3, 0, 0, 1)
    assert blame(town) == Blame(0, 1)
