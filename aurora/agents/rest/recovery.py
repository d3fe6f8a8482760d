"""What became of a run whose stream broke.

A background run is taken up where its stream broke. Of a foreground run the record tells when it
is over, and the conversation's tail what it said: the user's message there carries our otid, the
answer to tool calls the ids of the calls. What the server does not know was never accepted.

A server that was killed says "running" of its dead runs for ever, and only pings on their streams.
So a run that shows nothing more after the server was gone is taken for dead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress

from ...clock import Clock
from ..frames import (
    Frame,
    items,
    part,
    text_of,
    word,
)
from ..protocol import AgentError, Outcome
from .api import Api, CutError
from .outcomes import (
    REQUIRES_APPROVAL,
    Ending,
    RefusedError,
    failed,
    refused,
    stopped,
)
from .step import (
    Place,
    Step,
    has_ended,
    pending_request,
)

TAIL = 30
_PAUSES_SECONDS = (0.1, 0.25, 0.5, 1.0)
_POLL_SECONDS = 0.5
_NEVER_ARRIVED = "the connection was lost before the input arrived"
_DEAD = "the agent server was restarted in mid-turn, and the turn with it"


class Recovery:
    """Follows a step's run to its end without the stream that was lost."""

    def __init__(
        self, api: Api, clock: Clock, place: Place, step: Step, feed: Callable[[Frame], None]
    ) -> None:
        self._api = api
        self._clock = clock
        self._place = place
        self._step = step
        self._feed = feed
        self._never = asyncio.Event()
        self._heard = False

    async def follow(self) -> Ending:
        """Return how the run ended.

        Raises:
            AgentError: UNREACHABLE if the input never arrived, LOST if nobody can tell.

        """
        deadline = self._clock.monotonic() + self._api.limits.reconnect
        tries = 0
        while True:
            await self._pause(_PAUSES_SECONDS[min(tries, len(_PAUSES_SECONDS) - 1)])
            tries, self._heard = tries + 1, False
            try:
                return await self._once()
            except CutError as cut:
                self._step.down |= not cut.sent
            except RefusedError as error:
                if error.status < 500:
                    outcome = Outcome.LOST if self._step.accepted else refused(error).outcome
                    raise AgentError(outcome, refused(error).detail) from None
            if self._heard:
                deadline, tries = self._clock.monotonic() + self._api.limits.reconnect, 0
            if self._clock.monotonic() >= deadline:
                detail = "the agent server was lost in mid-turn and did not come back"
                raise AgentError(Outcome.LOST, detail)

    async def _once(self) -> Ending:
        step = self._step
        step.patchy = True
        if step.background:
            try:
                await self._resume()
            except RefusedError as error:
                if error.status == 200:
                    return failed(error.body)
                if error.status == 404 and not step.accepted:
                    raise AgentError(Outcome.UNREACHABLE, _NEVER_ARRIVED) from None
                if error.status >= 500 and not error.says_no_background:
                    raise
                # It has no stream, or is too old for it: its record is left.
            if step.stop_reason:
                return await self._read_back(step.stop_reason)
        return await self._watch()

    async def _resume(self) -> None:
        """Read the rest of the stream; raise AgentError if the run turns out to be dead."""
        step, stall = self._step, self._api.limits.stall
        loop = asyncio.get_running_loop()
        frames = self._api.resume(self._place, step.run_id, step.otid, step.seq)
        try:
            async with asyncio.timeout(stall if step.down else None) as limit:
                async with aclosing(frames):
                    async for frame in frames:
                        if step.down and word(frame, "message_type") != "ping":
                            limit.reschedule(loop.time() + stall)
                        self._heard = True
                        self._feed(frame)
        except TimeoutError:
            await self._bury()

    async def _watch(self) -> Ending:
        """Wait for the end of a run that has no stream."""
        step, since = self._step, self._clock.monotonic()
        if not step.run_id:
            step.run_id = await self._find()
        while True:
            run = await self._api.retrieve_run(step.run_id)
            self._heard = True
            if has_ended(run):
                break
            if step.down and self._clock.monotonic() - since >= self._api.limits.stall:
                await self._bury()
            await self._pause(_POLL_SECONDS)
        if word(run, "status") == "completed":
            return await self._read_back(word(run, "stop_reason"))
        return ending_of(run)

    async def _find(self) -> str:
        """Return the id of a run whose start was missed; raise AgentError if there is none."""
        since = self._clock.monotonic()
        while True:
            # In this order: a run that ends in between is in the tail.
            active = await self._api.active_runs(self._place)
            for one in await self._api.tail(self._place, TAIL):
                if self._is_ours(one):
                    return word(one, "run_id")
            # A run stores nothing before its first step is over. Whether it is ours shows then.
            if not active:
                raise AgentError(Outcome.UNREACHABLE, _NEVER_ARRIVED)
            if self._step.down and self._clock.monotonic() - since >= self._api.limits.stall:
                await self._bury()
            await self._pause(_POLL_SECONDS)

    def _is_ours(self, message: Frame) -> bool:
        calls = {word(one, "tool_call_id") for one in items(self._step.message, "approvals")}
        answered = {word(one, "tool_call_id") for one in items(message, "approvals")}
        return word(message, "otid") == self._step.otid or (bool(calls) and answered == calls)

    async def _read_back(self, stop_reason: str) -> Ending:
        """Read from the tail what the stream did not bring, and classify the end."""
        step = self._step
        step.stop_reason = stop_reason
        mine = [
            one
            for one in await self._api.tail(self._place, TAIL)
            if word(one, "run_id") == step.run_id
        ]
        if stop_reason == REQUIRES_APPROVAL and (request := pending_request(mine)) is not None:
            step.read_request(request)
        step.text = last_text(mine)
        return stopped(stop_reason)

    async def _bury(self) -> None:
        """Cancel a dead run, which would hold its conversation for ever; raises AgentError."""
        with suppress(RefusedError):
            await self._api.cancel(self._place)
        raise AgentError(Outcome.LOST, _DEAD)

    async def _pause(self, seconds: float) -> None:
        await self._clock.wait(self._never, seconds)


def ending_of(run: Frame) -> Ending:
    """Classify the record of a run that is over."""
    error = part(part(run, "metadata"), "error")
    if word(run, "status") == "failed" and error:
        return failed(error)
    reason = "cancelled" if word(run, "status") == "cancelled" else word(run, "stop_reason")
    return stopped(reason or "error")


def last_text(messages: list[Frame]) -> str | None:
    """Return what a run said last, an empty text if that was no text, None if nothing is known."""
    for one in messages:
        match word(one, "message_type"):
            case "assistant_message":
                return text_of(one)
            case "user_message" | "system_message" | "summary_message":
                # Compaction leaves notes of its own behind the answer.
                continue
        return ""
    return None
