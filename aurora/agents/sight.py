"""Whether an agent's model sees pictures: known of its provider, or tried once with one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
import struct
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any

from ..files import Picture
from ..ids import new_input_id
from ..reasons import AgentError, Outcome
from .protocol import (
    AgentBackend,
    ConversationKey,
    Finished,
    Forgetter,
    Input,
    ToolResult,
    ToolSpec,
)

_log = logging.getLogger("red.aurora.agents")

TRY_SECONDS = 30.0
"""How long a model may look at the picture that it is tried with."""

TITLE = "Aurora: does the model see?"
QUESTION = (
    "This is a check by Aurora, and from nobody on Discord. What colour is the picture that is "
    "attached? Answer with the colour's name in English and nothing else. If there is no picture, "
    "or you cannot see it, answer: none."
)
_COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 160, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
}
_SIDE = 64
# What a server or a provider says no to is an answer; trouble on the way there is none.
_ANSWERS = (Outcome.COMPLETED, Outcome.FAILED, Outcome.CONFIG, Outcome.IMAGE_REFUSED)


class Sight:
    """What is known of the models of agents, until Aurora is loaded anew or a model is changed."""

    def __init__(self, seconds: float = TRY_SECONDS) -> None:
        self._seconds = seconds
        self._known: dict[tuple[str, str, str], bool] = {}
        self._trying: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def sees(self, backend: AgentBackend, agent_id: str) -> bool:
        """Tell whether an agent gets to see pictures; raise AgentError.

        It takes a call of its model, the first time. Where that came to nothing it does not, for
        now.
        """
        model = await backend.model(agent_id)
        if model.sees is not None:
            return model.sees
        key = (backend.url, agent_id, model.name)
        async with self._trying[agent_id]:
            if key not in self._known:
                found = await self._try(backend, agent_id)
                if found is None:
                    return False
                self._known[key] = found
        return self._known[key]

    async def _try(self, backend: AgentBackend, agent_id: str) -> bool | None:
        """Show a model a picture; None if it can't be told what it made of it."""
        colour = secrets.choice(list(_COLOURS))
        picture = Picture("image/png", plain_png(_COLOURS[colour]))
        conversation = await backend.open_conversation(agent_id, TITLE)
        given = Input(
            agent_id,
            conversation,
            QUESTION,
            new_input_id(),
            TITLE,
            frozenset(),
            max_steps=1,
            pictures=(picture,),
        )
        try:
            async with asyncio.timeout(self._seconds):
                finished = await _end(backend, given)
        except TimeoutError:
            return None
        finally:
            await _put_away(backend, given.conversation)
        if finished.outcome not in _ANSWERS:
            return None
        words = re.findall("[a-z]+", finished.text.lower())
        seen = finished.outcome is Outcome.COMPLETED and words[-1:] == [colour]
        _log.info("Agent %s %s pictures.", agent_id, "sees" if seen else "does not see")
        return seen


async def _end(backend: AgentBackend, given: Input) -> Finished:
    async with aclosing(backend.run(given, _NoTools())) as run:
        async for step in run:
            if isinstance(step, Finished):
                return step
    return Finished(Outcome.LOST)


async def _put_away(backend: AgentBackend, key: ConversationKey) -> None:
    """Leave nothing of the try in the agent's list of conversations."""
    if isinstance(backend, Forgetter):
        with contextlib.suppress(AgentError):
            await backend.forget_conversation(key)


class _NoTools:
    """The ToolHost of a try."""

    specs: Sequence[ToolSpec] = ()

    async def call(self, _name: str, _arguments: Mapping[str, Any]) -> ToolResult:
        return ToolResult("There are no tools here.", is_error=True)


def plain_png(colour: tuple[int, int, int]) -> bytes:
    """Draw a small picture of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = (b"\x00" + bytes(colour) * _SIDE) * _SIDE
    head = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
