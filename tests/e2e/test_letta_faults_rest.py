"""What the REST API does to a question: who counts it, and how it ends.

Beside `test_rest_trouble`, as `test_letta_faults` is for the App Server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from aurora.agents.sdk import SdkFolder
from aurora.model import State
from aurora.reasons import REASONS, Reason
from doubles.letta_rest import Fault
from tests.support.e2e.ledgers import Blame, Kept, ask_in_room, blame, event_of, kept
from tests.support.e2e.seen import hasten, mention, outlive, owner_mail, reached
from tests.support.e2e.town import Town, open_town

pytestmark = pytest.mark.asyncio(loop_scope="module")

_SHORT = 0.3


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, sdk: SdkFolder) -> AsyncIterator[Town]:
    """A town before a double of the REST API."""
    assert sdk.place.is_dir()
    async with open_town(tmp_path_factory.mktemp("rest"), None) as town:
        await town.configure()
        hasten(town)
        api = town.cog.services.agents.backend._api
        api.limits = api.limits._replace(request=_SHORT, silence=_SHORT, reconnect=1.0, stall=0.5)
        yield town


@pytest_asyncio.fixture(loop_scope="module")
async def rest(house: Town) -> AsyncIterator[Town]:
    """The town as it was, before and after."""
    house.cog.services.breakers.reset()
    house.changes.clear()
    yield house
    house.rest.faults.clear()


def fault(**what: Any) -> Callable[[Town], None]:
    """Return what lets a message to an agent meet a fault."""
    return lambda town: town.rest.faults.append(Fault(**{"method": "POST"} | what))


def reply(status: int, **headers: str) -> tuple[int, dict[str, str], dict[str, str]]:
    """Return an answer in the server's place."""
    return status, {"detail": "trouble"}, headers


# Where a request that is met so came to nothing for certain, and what it counts for.
REFUSALS = [
    pytest.param({"path": "/v1/conversations", "answer": reply(500)}, id="500, opening"),
    pytest.param({"path": "/v1/conversations", "answer": reply(503)}, id="503, opening"),
    pytest.param({"path": "/v1/conversations", "hang_up": True}, id="cut, opening"),
    pytest.param({"path": "/v1/conversations", "delay": 2.0}, id="hang, opening"),
    pytest.param({"path": "/messages", "answer": reply(429, **{"Retry-After": "0"})}, id="429"),
]


@pytest.mark.parametrize("what", REFUSALS)
async def test_a_refusal_over_rest_is_tried_again_and_answered_once(
    rest: Town, what: dict[str, Any]
) -> None:
    """It was not taken, so it is sent again."""
    fault(**what)(rest)
    found = await kept(rest, ask_in_room(rest))
    assert (found.state, found.attempts, found.answers) == (State.ANSWERED, 1, 1)
    assert blame(rest) == Blame(0, 0)


# Where the input may have arrived: it is looked for before anything is done.
DOUBTS = [
    pytest.param({"path": "/messages", "answer": reply(500)}, id="500"),
    pytest.param({"path": "/messages", "answer": reply(503)}, id="503"),
    pytest.param({"path": "/messages", "hang_up": True}, id="cut"),
    pytest.param({"path": "/messages", "after": 3, "cut": True}, id="cut in mid-stream"),
]


@pytest.mark.parametrize("what", DOUBTS)
async def test_a_doubtful_input_over_rest_is_answered_once_or_told(
    rest: Town, what: dict[str, Any]
) -> None:
    """Never twice, never in silence."""
    fault(**what)(rest)
    found = await kept(rest, ask_in_room(rest))
    assert found.answers + found.notices == 1
    assert (found.state is State.ANSWERED) == (found.answers == 1)
    assert found.reason


async def test_a_refused_connection_over_rest_is_the_servers_failure(rest: Town) -> None:
    """Nothing was taken; when it is back, the question is answered."""
    await rest.rest.kill()
    message = ask_in_room(rest)
    await reached(rest, message, "retrying")
    assert blame(rest) == Blame(1, 0)
    await rest.rest.restart(startup=0.0)
    found = await kept(rest, message)
    assert (found.state, found.attempts, found.answers) == (State.ANSWERED, 1, 1)
    assert blame(rest) == Blame(0, 0)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ('{"error":{"message":"filtered","code":"content_filter"}}', "content_refused"),
        ('{"error":{"message":"Could not process image"}}', "image_refused"),
        ('{"error":{"message":"prompt is too long: 9001 tokens > 8192 maximum"}}', "context_full"),
    ],
)
async def test_what_the_model_refuses_over_rest_has_a_reason_of_its_own(
    rest: Town, error: str, reason: str
) -> None:
    """Told once, and no breaker counts; of a first message nothing can be shortened."""
    room, mail = rest.discord.add_channel(rest.guild, "room"), len(owner_mail(rest))
    message = mention(rest, f"[[err:400|{error}]]", room)
    assert await kept(rest, message) == Kept(State.FAILED, reason, 1, 0, 0, 1)
    (notice,) = rest.bot_messages(room)
    assert notice.content == str(REASONS[Reason(reason)].user)
    assert len(owner_mail(rest)) - mail == (reason == "context_full")
    assert blame(rest) == Blame(0, 0)


async def test_an_agent_that_is_deleted_after_it_has_answered_over_rest_is_asked_once(
    rest: Town,
) -> None:
    """The owner reads which it was."""
    room, mail = rest.discord.add_channel(rest.guild, "room"), len(owner_mail(rest))
    settings, doomed = rest.cog.services.settings, rest.rest.create_agent("doomed")
    await settings.set_guild(rest.guild.id, agent_id=doomed)
    assert (await kept(rest, mention(rest, "[[say:Hello.]]", room))).state is State.ANSWERED
    headers = {"Authorization": f"Bearer {rest.rest.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        await session.delete(f"{rest.rest.url}/v1/agents/{doomed}")
    message = mention(rest, "hello?", room)
    await rest.ended(message, 20)
    await settings.set_guild(rest.guild.id, agent_id=rest.agent_id)
    event = await event_of(rest, message)
    turn = await rest.cog.services.store.turn(event.turn_id or "")
    assert (event.reason, turn.attempts) == ("config", 1)
    assert doomed in owner_mail(rest)[mail]


async def test_an_expired_question_over_rest_is_told(rest: Town) -> None:
    """The server never comes back in time."""
    await rest.rest.kill()
    message = ask_in_room(rest)
    await reached(rest, message, "retrying")
    await outlive(rest, message, 0.0)
    found = await kept(rest, message)
    await rest.rest.restart(startup=0.0)
    assert (found.state, found.attempts, found.answers) == (State.EXPIRED, 0, 0)
    assert found.notices >= 1
