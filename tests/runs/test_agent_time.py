"""The time limit of an attempt counts the agent's time, and nobody else's."""

from __future__ import annotations

import asyncio

from aurora.agents.protocol import (
    Accepted,
    ConversationMoved,
    Reasoning,
    ServerFound,
    ServerLost,
)
from aurora.clock import sleep
from aurora.reasons import AgentError, Outcome
from aurora.runs.agent_time import AWAKE_SECONDS, AgentTime
from tests.support.clocks import FakeClock


class Watch:
    """A stopwatch of 10 s for the agent and 30 s without a server, on a clock by hand."""

    def __init__(self, *, slow: float = 0.0, refusal: AgentError | None = None) -> None:
        self.clock = FakeClock()
        self.pings = 0
        self._slow, self._refusal = slow, refusal
        self.time = AgentTime(self.clock, 10, self._ping, 30)
        self.waiting = asyncio.create_task(self.time.wait())

    async def _ping(self) -> None:
        self.pings += 1
        await sleep(self.clock, self._slow)
        if self._refusal is not None:
            raise self._refusal

    async def up_after(self, seconds: float) -> bool:
        """Let time pass and tell whether it is up; a moment before it was not."""
        await self.clock.advance(seconds - 0.1)
        assert not self.waiting.done()
        await self.clock.advance(0.2)
        return self.waiting.done()


async def test_the_agents_time_begins_when_its_server_has_the_input() -> None:
    """To connect, and to open a conversation, is not the agent's work."""
    watch = Watch()
    await watch.clock.advance(20)
    watch.time.saw(Accepted())
    assert await watch.up_after(10)
    assert not watch.time.is_away


async def test_the_agents_time_stands_still_while_its_server_is_lost() -> None:
    """A server takes longer to start than some agents may take to answer."""
    watch = Watch()
    watch.time.saw(Accepted())
    await watch.clock.advance(7)
    watch.time.saw(ServerLost())
    await watch.clock.advance(25)
    watch.time.saw(ServerFound())
    assert await watch.up_after(3)
    assert not watch.time.is_away


async def test_an_agent_that_begins_again_has_its_whole_time() -> None:
    """What it had done is lost with its server."""
    watch = Watch()
    watch.time.saw(Accepted())
    await watch.clock.advance(7)
    watch.time.saw(ServerLost())
    watch.time.saw(ServerFound(anew=True))
    assert await watch.up_after(10)


async def test_a_server_that_comes_and_goes_is_waited_for_so_long_in_all() -> None:
    """An attempt has an end, whatever its server does."""
    watch = Watch()
    watch.time.saw(Accepted())
    for _ in range(2):
        watch.time.saw(ServerLost())
        await watch.clock.advance(12)
        watch.time.saw(ServerFound())
        await watch.clock.advance(1)
    watch.time.saw(ServerLost())
    assert await watch.up_after(6)
    assert watch.time.is_away


async def test_an_input_that_is_never_taken_is_waited_for_so_long() -> None:
    """Nobody else's turn runs meanwhile in that conversation."""
    watch = Watch()
    assert await watch.up_after(30)
    assert watch.time.is_away


async def test_a_conversation_may_move_before_its_server_has_the_input() -> None:
    """That is on the way there."""
    watch = Watch()
    watch.time.saw(ConversationMoved("fork"))
    assert watch.time.is_away


async def test_a_server_that_froze_was_away() -> None:
    """It gives its sign of life late, and its agent has the whole time again, once."""
    watch = Watch(slow=AWAKE_SECONDS + 1)
    watch.time.saw(Accepted())
    await watch.clock.advance(10 + AWAKE_SECONDS)
    assert await watch.up_after(11)
    assert (watch.time.is_away, watch.pings) == (False, 1)


async def test_a_server_that_gives_no_sign_of_life_is_away() -> None:
    """Until something is heard of the run."""
    watch = Watch(refusal=AgentError(Outcome.UNREACHABLE, "no answer"))
    watch.time.saw(Accepted())
    await watch.clock.advance(10 + 20)
    assert watch.time.is_away
    watch.time.saw(Reasoning("hm"))
    assert await watch.up_after(10)
    assert not watch.time.is_away


async def test_a_server_that_gives_no_sign_of_life_is_given_up() -> None:
    """As one that is away from the start."""
    watch = Watch(refusal=AgentError(Outcome.UNREACHABLE, "no answer"))
    watch.time.saw(Accepted())
    await watch.clock.advance(10)
    assert await watch.up_after(30)
    assert watch.time.is_away


async def test_a_server_that_refuses_to_tell_is_there() -> None:
    """Its token was changed meanwhile; the agent was slow all the same."""
    watch = Watch(refusal=AgentError(Outcome.CONFIG, "401"))
    watch.time.saw(Accepted())
    assert await watch.up_after(10)
    assert not watch.time.is_away
