"""Whether a model sees: known of its provider, or tried once; and how pictures are worded."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from typing import Any

import pytest

from aurora.agents.frames import content
from aurora.agents.protocol import Accepted, AgentModel, Finished
from aurora.agents.sight import TITLE, Sight
from aurora.files import Picture
from aurora.reasons import AgentError, Outcome
from doubles import recordings
from doubles.llm.sight import colour_of
from tests.support.scripts import NEVER, ScriptedBackend


class Looker(ScriptedBackend):
    """A server whose agents say what they see, or `says`."""

    def __init__(self, says: str = "", ends: Outcome = Outcome.COMPLETED) -> None:
        super().__init__()
        self.sees = None
        self.says = says
        self.ends = ends
        self.name = "a model"
        self.put_away: list[Any] = []

    async def model(self, _agent_id: str) -> AgentModel:
        return AgentModel(self.name, self.sees)

    def default(self) -> Sequence[Any]:
        (picture,) = self.seen[-1].pictures
        return [Accepted(), Finished(self.ends, self.says or f"{colour_of(picture.data)}.")]

    async def forget_conversation(self, key: Any) -> None:
        self.put_away.append(key.conversation_id)


@pytest.mark.parametrize("known", [True, False])
async def test_what_is_known_of_a_provider_is_not_tried(known: bool) -> None:
    """It would cost a call of the model."""
    backend = Looker()
    backend.sees = known
    assert await Sight().sees(backend, "a") is known
    assert backend.seen == []


async def test_a_model_is_tried_once_and_again_when_it_is_another() -> None:
    """In a conversation of its own, which is put away; without tools, and for one step."""
    backend, sight = Looker(), Sight()
    assert await asyncio.gather(*[sight.sees(backend, "a") for _ in range(3)]) == [True] * 3
    (tried,) = backend.seen
    assert (tried.title, tried.own_tools, tried.max_steps) == (TITLE, frozenset(), 1)
    assert backend.put_away == [tried.conversation_id]
    backend.name, backend.says = "another", "none"
    assert not await sight.sees(backend, "a")
    assert len(backend.seen) == 2


@pytest.mark.parametrize(
    ("says", "ends"),
    [
        ("none", Outcome.COMPLETED),
        ("I cannot see pictures, but red and blue are my favourites", Outcome.COMPLETED),
        ("", Outcome.FAILED),
        ("", Outcome.CONFIG),
        ("", Outcome.IMAGE_REFUSED),
    ],
)
async def test_who_names_no_colour_does_not_see(says: str, ends: Outcome) -> None:
    """Nor a model whose provider refuses the picture; nobody is asked a second time."""
    backend, sight = Looker(says or " ", ends), Sight()
    assert not await sight.sees(backend, "a")
    assert not await sight.sees(backend, "a")
    assert len(backend.seen) == 1


@pytest.mark.parametrize("ends", [Outcome.LOST, Outcome.OVERLOADED, Outcome.UNREACHABLE])
async def test_trouble_tells_nothing_of_a_model(ends: Outcome) -> None:
    """It is tried again the next time."""
    backend, sight = Looker(" ", ends), Sight()
    assert not await sight.sees(backend, "a")
    backend.says, backend.ends = "", Outcome.COMPLETED
    assert await sight.sees(backend, "a")


async def test_a_model_that_takes_for_ever_is_not_waited_for() -> None:
    """Nor a server that is away: that the turn is to know."""
    backend = Looker()
    backend.turns = [[NEVER]]
    assert not await Sight(0.01).sees(backend, "a")
    backend.open_errors = [AgentError(Outcome.UNREACHABLE, "refused")]
    with pytest.raises(AgentError):
        await Sight().sees(backend, "a")


def test_pictures_are_worded_as_real_servers_took_them() -> None:
    """Both kinds take the same form."""
    frames = recordings.load("app_server", "image_input")["frames"]
    (told,) = [
        one["frame"]["payload"]["messages"][0]["content"]
        for one in frames
        if one.get("frame", {}).get("type") == "input"
    ]
    exchange = recordings.load("rest", "image_base64")["exchanges"][0]
    assert exchange["request"]["json"]["messages"][0]["content"] == told
    picture = Picture("image/png", base64.b64decode(told[1]["source"]["data"]))
    assert content(told[0]["text"], (picture,)) == told
    assert content("hello", ()) == "hello"
