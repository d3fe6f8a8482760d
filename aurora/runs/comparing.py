"""Comparing: several agents answer the same question, and one puts together what they say.

All of it is one attempt of one turn: in its time, and in its budget. Each is asked in a
conversation of its own that holds nothing but the question, and is thrown away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from ..agents.protocol import ConversationKey, Finished
from ..clock import Clock
from ..errors import Breakers
from ..model import Said, Turn
from ..prompts import build_prompt
from ..prompts.comparing import build_comparison
from ..reasons import AgentError, Outcome, Reason, StuckError
from ..settings import GuildSettings
from ..words import servers as w
from .admission import Admitted
from .asides import Asides
from .attempt import Attempted

_TITLE = "discord: compared"


@dataclass(frozen=True, slots=True)
class Comparing:
    """Has a turn's question answered by several roles, and their answers put together."""

    breakers: Breakers
    clock: Clock
    asides: Asides

    async def run(
        self,
        turn: Turn,
        admitted: Admitted,
        names: Sequence[str],
        settings: GuildSettings,
        typing: AbstractAsyncContextManager[object],
    ) -> Attempted:
        """Compare what they say; the time and the budget are those of one run."""
        turn.attempts += 1
        turn.agent_id = admitted.agent_id
        agents = {
            name: settings.roles[name][0] if name in settings.roles else admitted.agent_id
            for name in names
        }
        async with typing:
            return await self._in_time(self._compare(turn, admitted, agents), settings)

    async def _in_time(
        self, comparing: Coroutine[Any, Any, Attempted], settings: GuildSettings
    ) -> Attempted:
        work, done = asyncio.create_task(comparing, name="aurora compares"), asyncio.Event()
        work.add_done_callback(lambda _: done.set())
        try:
            await self.clock.wait(done, settings.agent_timeout)
            if work.done():
                return work.result()
        except StuckError as stuck:
            return _ended(Reason.STUCK, Finished(Outcome.CANCELLED, detail=stuck.phrase))
        finally:
            work.cancel()
            await asyncio.wait({work})
        finished = Finished(Outcome.CANCELLED, detail=w.NO_ANSWER_IN_TIME)
        return _ended(Reason.TIMEOUT, finished)

    async def _compare(self, turn: Turn, admitted: Admitted, agents: dict[str, str]) -> Attempted:
        question = build_prompt(
            turn.speaker.context, now=self.clock.time(), guidance=True, tools=(), by_text=True
        )
        asked = {name: self._ask(turn, admitted, one, question) for name, one in agents.items()}
        ends = dict(zip(asked, await _together(asked.values()), strict=True))
        answers = {name: end.text for name, end in ends.items() if end.text.strip()}
        if len(answers) > 1:
            comparison = build_comparison(question, answers)
            last = await self._ask(turn, admitted, admitted.agent_id, comparison)
        else:
            # Of one there is nothing to compare, and of none there is something to tell.
            last = next((ends[name] for name in answers), [*ends.values()][-1])
        return _ended(last.outcome.reason, last)

    async def _ask(self, turn: Turn, admitted: Admitted, agent_id: str, text: str) -> Finished:
        """Return what an agent says to it, or why it says nothing."""
        mine = agent_id == admitted.agent_id
        permits = None if mine else self.breakers.acquire(agent_id)
        if permits is None and not mine:
            return Finished(Outcome.UNREACHABLE)
        finished = Finished(Outcome.CANCELLED)
        try:
            backend = admitted.backend
            key = ConversationKey(agent_id, await backend.open_conversation(agent_id, _TITLE))
            said = await self.asides.ask(turn, backend, key, text, turn.using)
            finished = Finished(Outcome.COMPLETED, said)
        except AgentError as error:
            finished = Finished(error.outcome, detail=error.detail)
        finally:
            if permits is not None:
                permits.settle(finished.outcome.reason)
        return finished


async def _together(asked: Iterable[Coroutine[Any, Any, Finished]]) -> list[Finished]:
    """Return all answers; where one ends the run, the others end with it."""
    tasks = [asyncio.create_task(one, name="aurora compares") for one in asked]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _ended(reason: Reason, finished: Finished) -> Attempted:
    return Attempted(reason, finished, said=Said((finished.text,)))
