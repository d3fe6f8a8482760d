"""Follow a run to its end whose stream broke.

A background run is taken up where its stream broke. Of a foreground run the record tells when it
is over, and the conversation's tail what it said: the user's message there carries our otid, the
answer to tool calls the ids of the calls. What the server does not know was never accepted.

A server that was killed says "running" of its dead runs for ever, and only pings on their streams.
So a run that shows nothing more after the server was gone is taken for dead.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress

from ...clock import Clock, sleep
from ...reasons import AgentError, Outcome
from ...words import servers as w
from ..frames import Frame, items, word
from ..outcomes import Ending, stopped
from ..protocol import ConversationKey
from ..reconnecting import Search
from .api import Api, CutError
from .listening import is_ping, listen
from .messages import has_ended, last_text, pending_request
from .outcomes import REQUIRES_APPROVAL, RefusedError, ending_of, failed, refused
from .run import RestRun
from .step import Step

POLL_SECONDS = 0.25
"""How often a run's record is read while its end is waited for."""


class Recovery:
    """Follows a step's run to its end without the stream that was lost."""

    def __init__(
        self, api: Api, clock: Clock, key: ConversationKey, run: RestRun, step: Step
    ) -> None:
        self._api = api
        self._clock = clock
        self._key = key
        self._run = run
        self._step = step
        self._heard = False

    async def follow(self) -> Ending:
        """Return how the run ended.

        Raises:
            AgentError: UNREACHABLE if the input never arrived, LOST if nobody can tell.

        """
        search = Search(self._clock, self._api.limits.reconnect)
        self._run.lose_server()
        while True:
            await search.pause()
            self._heard = False
            try:
                return await self._once()
            except CutError as cut:
                # Who is cut off in mid-sentence may live on; who does not answer at all was gone.
                self._step.down |= not cut.sent or not self._heard
            except RefusedError as error:
                if error.status < 500:
                    outcome = Outcome.LOST if self._step.accepted else refused(error).outcome
                    raise AgentError(outcome, refused(error).detail) from None
                # What answers may be a proxy before a server that is gone.
                self._step.down = True
            if self._heard:
                search.restart()
            if search.over:
                raise AgentError(Outcome.LOST, w.LOST_FOR_GOOD)

    async def is_over(self) -> bool:
        """Tell whether a stream that is silent is worth no more waiting.

        The run has ended, by its record or by what it left in its conversation, or its server is
        gone.
        """
        step = self._step
        if not step.run_id:
            return False
        try:
            if has_ended(await self._api.retrieve_run(step.run_id)):
                step.background = False
                return True
            return await self._is_stored()
        except CutError as cut:
            step.down |= not cut.sent
            return True
        except RefusedError:
            return False

    async def _is_stored(self) -> bool:
        """Look in the conversation for the end of a run whose record does not tell of it.

        A server without its Redis may not get as far. Text is stored before its step's end is
        told, and no step follows it.
        """
        step, mine = self._step, await self._mine()
        if last_text(mine):
            reason = "end_turn"
        elif pending_request(mine) is not None:
            reason = REQUIRES_APPROVAL
        else:
            return False
        self._take_stored(mine, reason)
        step.patchy = step.unended = True
        return True

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
                    raise AgentError(Outcome.UNREACHABLE, w.LOST_BEFORE_INPUT) from None
                # It has no stream, is too old for it, or is in trouble: its record is left.
            if step.stop_reason:
                return await self._read_back(step.stop_reason)
        return await self._watch()

    async def _resume(self) -> None:
        """Read the rest of the stream; raise AgentError if the run turns out to be dead."""
        step, limits = self._step, self._api.limits
        loop = asyncio.get_running_loop()
        resumed = self._api.resume(self._key, step.run_id, step.otid, step.seq)
        frames = listen(resumed, limits.quiet, self.is_over)
        try:
            async with asyncio.timeout(limits.stall if step.down else None) as limit:
                async with aclosing(frames):
                    async for frame in frames:
                        self._heard = True
                        if not step.down:
                            self._run.find_server()
                        elif not is_ping(frame):
                            self._run.find_server()
                            limit.reschedule(loop.time() + limits.stall)
                        self._run.feed(step, frame)
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
            if not step.down:
                self._run.find_server()
            if step.down and self._clock.monotonic() - since >= self._api.limits.stall:
                await self._bury()
            await sleep(self._clock, POLL_SECONDS)
        if word(run, "status") == "completed":
            return await self._read_back(word(run, "stop_reason"))
        return ending_of(run)

    async def _find(self) -> str:
        """Return the id of a run whose start was missed; raise AgentError if there is none."""
        since = self._clock.monotonic()
        while True:
            # In this order: a run that ends in between is in the tail.
            active = await self._api.active_runs(self._key)
            for one in await self._api.tail(self._key):
                if self._is_ours(one):
                    return word(one, "run_id")
            self._heard = True
            # A run stores nothing before its first step is over. Whether it is ours shows then.
            if not active:
                raise AgentError(Outcome.UNREACHABLE, w.LOST_BEFORE_INPUT)
            if self._step.down and self._clock.monotonic() - since >= self._api.limits.stall:
                await self._bury()
            await sleep(self._clock, POLL_SECONDS)

    def _is_ours(self, message: Frame) -> bool:
        calls = {word(one, "tool_call_id") for one in items(self._step.message, "approvals")}
        answered = {word(one, "tool_call_id") for one in items(message, "approvals")}
        return word(message, "otid") == self._step.otid or (bool(calls) and answered == calls)

    async def _read_back(self, stop_reason: str) -> Ending:
        """Read from the tail what the stream did not bring, and classify the end."""
        mine = await self._mine()
        self._take_stored(mine, stop_reason)
        ending = stopped(stop_reason)
        if not mine and (ending.outcome is Outcome.COMPLETED or stop_reason == REQUIRES_APPROVAL):
            # A conversation that was deleted reads like one without messages.
            raise AgentError(Outcome.LOST, w.LOST_WITH_CONVERSATION)
        return ending

    async def _mine(self) -> list[Frame]:
        """Return the newest messages of the run, newest first."""
        tail = await self._api.tail(self._key)
        return [one for one in tail if word(one, "run_id") == self._step.run_id]

    def _take_stored(self, mine: list[Frame], stop_reason: str) -> None:
        step = self._step
        step.stop_reason = stop_reason
        if stop_reason == REQUIRES_APPROVAL and (request := pending_request(mine)) is not None:
            step.read_request(request)
        step.text = last_text(mine)

    async def _bury(self) -> None:
        """Cancel a dead run, which would hold its conversation for ever; raises AgentError."""
        with suppress(RefusedError):
            await self._api.cancel(self._key)
        self._run.find_server()
        raise AgentError(Outcome.LOST, w.RESTARTED)
