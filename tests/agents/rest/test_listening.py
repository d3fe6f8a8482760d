"""A stream that falls silent, and the look at what else tells of its run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import pytest

from aurora.agents.frames import Frame
from aurora.agents.rest.listening import listen

WORD: Frame = {"message_type": "assistant_message"}
PING: Frame = {"message_type": "ping"}
QUIET = 0.05


class Source:
    """A stream that says what it is told, then nothing for ever, and counts the looks."""

    def __init__(self, *frames: Frame, over_at: int = 2) -> None:
        self.frames: Sequence[Frame] = frames
        self.looks = 0
        self.closed = False
        self._over_at = over_at

    async def stream(self) -> AsyncGenerator[Frame, None]:
        try:
            for frame in self.frames:
                yield frame
            await asyncio.Event().wait()
        finally:
            self.closed = True

    async def is_over(self) -> bool:
        self.looks += 1
        return self.looks >= self._over_at

    async def heard(self) -> list[Frame]:
        frames = listen(self.stream(), QUIET, self.is_over)
        async with asyncio.timeout(20), aclosing(frames):
            return [one async for one in frames]


async def test_silence_is_looked_into_until_the_run_is_over() -> None:
    """What was said before it comes first; the stream is closed."""
    source = Source(WORD, WORD)
    assert await source.heard() == [WORD, WORD]
    assert (source.looks, source.closed) == (2, True)


async def test_pings_are_silence() -> None:
    """They come for runs that are dead, too."""

    class Pinging(Source):
        async def stream(self) -> AsyncGenerator[Frame, None]:
            while True:
                await asyncio.sleep(0.01)
                yield PING

    source = Pinging()
    assert set(map(str, await source.heard())) == {str(PING)}
    assert source.looks == 2


async def test_a_stream_that_ends_is_not_looked_into() -> None:
    """It has said how its run ended."""

    class Ending(Source):
        async def stream(self) -> AsyncGenerator[Frame, None]:
            yield WORD

    source = Ending()
    assert (await source.heard(), source.looks) == ([WORD], 0)


async def test_what_a_stream_raises_is_passed_on() -> None:
    """A line that broke is for somebody else to mend."""

    class Broken(Source):
        async def stream(self) -> AsyncGenerator[Frame, None]:
            yield WORD
            raise RuntimeError("cut")

    with pytest.raises(RuntimeError, match="cut"):
        await Broken().heard()


async def test_who_stops_listening_closes_the_stream() -> None:
    """No socket stays open, and no task."""
    source = Source(WORD)
    before = asyncio.all_tasks()
    frames = listen(source.stream(), 60.0, source.is_over)
    async with aclosing(frames):
        async for _ in frames:
            break
    assert source.closed
    waiting = asyncio.create_task(source.heard())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert asyncio.all_tasks() == before
