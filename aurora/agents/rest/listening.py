"""Listen to the stream of a run, and look elsewhere for its end where it falls silent.

A server that has lost what its streams come from (its Redis) keeps them open and says nothing,
while the run goes on and its record is written. Pings are no sign of life either: they come for
runs that are dead, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from ..frames import Frame, word

LONGEST_SILENCE = 20.0
"""Seconds between one look and the next, at most."""


def is_ping(frame: Frame) -> bool:
    """Tell whether a frame says no more than that the connection is open."""
    return word(frame, "message_type") == "ping"


async def listen(
    frames: AsyncGenerator[Frame, None], quiet: float, is_over: Callable[[], Awaitable[bool]]
) -> AsyncGenerator[Frame, None]:
    """Yield the frames of a stream, up to its end, or until it is silent and `is_over` says so.

    Args:
        frames: the stream; it is closed with this.
        quiet: seconds of silence before `is_over` is asked; then twice that, and so on.
        is_over: whether there is nothing more to wait for.

    Raises what the stream raises.

    """
    loop = asyncio.get_running_loop()
    pause, coming = quiet, None
    due = loop.time() + pause
    try:
        while True:
            if coming is None:
                coming = asyncio.create_task(_next(frames))
            await asyncio.wait({coming}, timeout=max(0.0, due - loop.time()))
            if not coming.done():
                if await is_over():
                    return
                pause = min(2 * pause, max(quiet, LONGEST_SILENCE))
                due = loop.time() + pause
                continue
            frame, coming = coming.result(), None
            if frame is None:
                return
            if not is_ping(frame):
                pause = quiet
                due = loop.time() + pause
            yield frame
    finally:
        if coming is not None:
            coming.cancel()
            # What it met while it was stopped is nobody's concern any more.
            await asyncio.gather(coming, return_exceptions=True)
        await frames.aclose()


async def _next(frames: AsyncGenerator[Frame, None]) -> Frame | None:
    return await anext(frames, None)
