"""What the REST API does to a question: who counts it, and how it ends.

Beside `test_rest_trouble`, as `test_letta_faults` is for the App Server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from aurora.agents.sdk import SdkFolder
from aurora.model import State
from doubles.letta_rest import Fault
from tests.support.e2e.ledgers import Blame, ask_in_room, blame, kept
from tests.support.e2e.seen import hasten, outlive, reached
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
