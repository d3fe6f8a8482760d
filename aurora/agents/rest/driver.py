"""Bring one turn through: into its conversation, over tool calls, busy runs and lost streams."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Mapping
from contextlib import aclosing
from typing import Any, Protocol

from ...clock import Clock, sleep
from ...reasons import AgentError, Outcome
from ...words import servers as w
from ..frames import Frame, word
from ..outcomes import Ending, stopped
from ..protocol import ConversationKey, ConversationMoved
from ..reconnecting import Search
from ..runs import NOT_OFFERED
from .api import Api, CutError, about_agent, explain
from .listening import listen
from .messages import (
    approval,
    calls_in,
    denied,
    has_ended,
    otid_of,
    pending_request,
    returned,
    user_message,
)
from .outcomes import REQUIRES_APPROVAL, RefusedError, refused
from .recovery import POLL_SECONDS, Recovery
from .run import RestRun
from .step import Step
from .undertaking import Undertaking

_log = logging.getLogger("red.aurora.agents")

_MOST_ROUNDS = 50
_DENIALS = 3
_GONE = "Nobody waits for this call any more. It may or may not have been carried out."


class Shared(Protocol):
    """What the runs of one server have in common."""

    background: bool
    undertaking: Undertaking

    def lock(self, key: ConversationKey) -> asyncio.Lock:
        """Return the lock of a conversation."""
        ...


class Driver:
    """The life of one run, from the wait for its conversation until the server lets go of it."""

    def __init__(self, api: Api, clock: Clock, shared: Shared, run: RestRun) -> None:
        self._api = api
        self._clock = clock
        self._shared = shared
        self._run = run
        self._key = run.given.conversation
        self._step: Step | None = None
        self._left_behind = False
        self._sent = 0
        self._round = 0

    async def drive(self) -> None:
        """See the run through, until the server lets go of the conversation."""
        lock = self._shared.lock(self._key)
        if not await self._until_left(lock.acquire()):
            return
        try:
            if not await self._until_left(self._turn()):
                await self._abandon()
        finally:
            lock.release()

    async def _until_left(self, work: Coroutine[Any, Any, Any]) -> bool:
        """Do the work unless the caller goes away first; tell whether it was done."""
        task = asyncio.create_task(work)
        left = asyncio.create_task(self._run.left.wait())
        try:
            await asyncio.wait({task, left}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            left.cancel()
            task.cancel()
            await asyncio.wait({task})
        return not task.cancelled() and (task.result() is not False)

    async def _turn(self) -> None:
        run = self._run
        try:
            await self._shared.undertaking.clear(self._key)
            ending = await self._rounds()
        except CutError:
            ending = Ending(Outcome.UNREACHABLE, w.NOT_REACHED)
        except AgentError as error:
            ending = Ending(error.outcome, error.detail)
        if ending.outcome is Outcome.CONTEXT_FULL and not run.given.compacted:
            ending = await self._compact(ending)
        if ending.outcome is Outcome.UNREACHABLE and self._committed:
            ending = ending._replace(outcome=Outcome.LOST)
        if self._left_behind or (ending.outcome is Outcome.LOST and run.is_away):
            self._shared.undertaking.leave(self._key)
        text = ""
        if ending.outcome is Outcome.COMPLETED:
            stored = self._step.text if self._step is not None else None
            text = run.text if stored is None else stored
            _log.debug("The agent's text: %s", text)
        run.finish(ending, text)

    async def _compact(self, ending: Ending) -> Ending:
        """Have the conversation shortened, so that the turn may run again."""
        try:
            await self._api.compact(self._key)
        except (AgentError, CutError, RefusedError):
            return ending
        return Ending(Outcome.COMPACTED, w.COMPACTED)

    @property
    def _committed(self) -> bool:
        """Whether the server took the input, so that sending it again could do things twice."""
        return self._round > 0 or (self._step is not None and self._step.accepted)

    @property
    def _most_steps(self) -> int | None:
        """Bound the calls of the model that the server makes before its client could stop it."""
        left = self._run.steps_left
        # To carry out a reply is a step itself.
        return left + 1 if left is not None and self._round > 0 else left

    async def _rounds(self) -> Ending:
        message = user_message(self._run.given)
        while True:
            ending = await self._send(message)
            step = self._step
            if step is None or step.stop_reason != REQUIRES_APPROVAL or not step.open:
                return ending
            self._round += 1
            if self._round > _MOST_ROUNDS:
                with contextlib.suppress(CutError, RefusedError):
                    await self._settle({})
                return Ending(Outcome.FAILED, w.CALLS_WITHOUT_END)
            message = await self._answer(step)

    async def _send(self, message: Frame) -> Ending:
        """Send a message until the server takes it or there is nothing more to try."""
        tried: set[str] = set()
        search = Search(self._clock, self._api.limits.reconnect)
        while True:
            step = self._step = self._new_step(message)
            try:
                return await self._post(step)
            except RefusedError as error:
                step.open = False
                ending = refused(error)
                remedy = self._remedy(step, error, ending)
                if remedy not in tried and await self._mended(remedy, error.holder):
                    tried.add(remedy)
                elif ending.outcome is not Outcome.UNREACHABLE or not await self._looked(search):
                    return ending
            except CutError as cut:
                step.open = False
                if not await self._looked(search):
                    raise explain(cut) from None

    async def _looked(self, search: Search) -> bool:
        """Wait a moment for a server that is gone; False if it is not worth it any more."""
        # Only an answer to tool calls is: the turn hangs on it.
        if self._round == 0 or search.over:
            return False
        self._run.lose_server()
        await search.pause()
        return True

    async def _post(self, step: Step) -> Ending:
        """Send a step once, and follow its run to the end."""
        run, key, api = self._run, self._key, self._api
        recovery = Recovery(api, self._clock, key, run, step)
        frames = listen(
            api.send(
                key,
                step.message,
                run.tools.specs,
                background=step.background,
                max_steps=self._most_steps,
                model=run.given.model,
            ),
            api.limits.quiet,
            recovery.is_over,
        )
        step.open = True
        try:
            async with aclosing(frames):
                async for frame in frames:
                    run.find_server()
                    run.feed(step, frame)
        except CutError as cut:
            if not cut.sent:
                raise
        ending = stopped(step.stop_reason) if step.stop_reason else await recovery.follow()
        self._left_behind |= step.unended
        return ending

    def _remedy(self, step: Step, error: RefusedError, ending: Ending) -> str:
        """Name what may help against a refusal."""
        if step.background and error.says_no_background:
            return "foreground"
        if error.says_call_waits:
            return "settle"
        if ending.outcome is Outcome.BUSY:
            return "wait"
        if error.status == 404 and self._round == 0:
            return "move"
        return ""

    async def _mended(self, remedy: str, holder: str) -> bool:
        try:
            match remedy:
                case "foreground":
                    _log.info("The agent server has no background runs; going on without.")
                    self._shared.background = False
                case "settle":
                    await self._settle({})
                case "wait":
                    await self._free(holder)
                case "move":
                    await self._move()
                case _:
                    return False
        except (CutError, RefusedError):
            return False
        return True

    async def _free(self, holder: str) -> None:
        """Give a run that nobody here waits for a moment to end, then cancel it.

        It is one of an Aurora that died, or of a server that did: conversations are not shared.
        """
        until = self._clock.monotonic() + self._api.limits.patience
        while self._clock.monotonic() < until:
            with contextlib.suppress(RefusedError):
                if holder and has_ended(await self._api.retrieve_run(holder)):
                    return
            await sleep(self._clock, POLL_SECONDS)
        with contextlib.suppress(RefusedError):
            await self._api.cancel(self._key)

    async def _move(self) -> None:
        """Replace a conversation that was deleted on the server; raise AgentError."""
        agent_id, title = self._key.agent_id, self._run.given.title
        try:
            await self._api.agent(agent_id)
            created = await self._api.create_conversation(agent_id, title)
        except (CutError, RefusedError) as error:
            raise about_agent(error, agent_id) from None
        conversation_id = word(created, "id")
        self._key = ConversationKey(agent_id, conversation_id)
        self._run.emit(ConversationMoved(conversation_id))

    async def _answer(self, step: Step) -> Frame:
        """Run the tools of a step and return the message that answers it; raises AgentError."""
        if step.patchy or len(step.calls) != 1:
            # The stream shows calls that the server then drops; those must not be made.
            await self._read_calls(step)
        for call in list(step.calls.values()):
            if self._run.offers(call.name):
                result = await self._run.call(call)
                step.replies[call.id] = returned(call.id, result.text, is_error=result.is_error)
            else:
                _log.warning("Denied the agent a tool that is not Aurora's.")
                step.replies[call.id] = denied(call.id, NOT_OFFERED)
        return approval(step.request_id, step.replies.values())

    async def _read_calls(self, step: Step) -> None:
        try:
            request = pending_request(await self._api.tail(self._key))
        except (CutError, RefusedError) as error:
            raise AgentError(Outcome.LOST, explain(error).detail) from None
        if request is None:
            raise AgentError(Outcome.FAILED, w.CALL_NOT_STORED)
        step.read_request(request)

    async def _settle(self, replies: Mapping[str, Frame]) -> None:
        """Answer the calls that wait in the conversation: as far as known, else by a denial."""
        for _ in range(_DENIALS):
            request = pending_request(await self._api.tail(self._key))
            if request is None:
                return
            ids = [word(one, "tool_call_id") for one in calls_in(request)]
            answers = [replies.get(one) or denied(one, _GONE) for one in ids]
            step = self._new_step(approval(word(request, "id"), answers))
            # That is one step: the model is not asked what it says to that.
            frames = self._api.send(
                self._key, step.message, (), background=step.background, max_steps=1
            )
            async with aclosing(frames):
                async for frame in frames:
                    for _event in step.take(frame):
                        pass
            if step.stop_reason != REQUIRES_APPROVAL:
                return
            replies = {}

    async def _abandon(self) -> None:
        """End the turn of a caller who left; the conversation is kept until the server let go."""
        step = self._step
        if step is None or not step.open:
            return
        try:
            async with asyncio.timeout(self._api.limits.drain):
                if step.stop_reason == REQUIRES_APPROVAL:
                    await self._settle(step.replies)
                elif not step.stop_reason:
                    await self._cancel(step)
        except (AgentError, CutError, RefusedError, TimeoutError) as error:
            _log.info("A turn could not be ended cleanly: %s.", type(error).__name__)
            self._shared.undertaking.leave(self._key)

    async def _cancel(self, step: Step) -> None:
        until = self._clock.monotonic() + self._api.limits.patience
        while True:
            try:
                await self._api.cancel(self._key)
                break
            except RefusedError:
                # Nothing runs: it is over, or was sent a moment ago and has not begun.
                if step.run_id or self._clock.monotonic() >= until:
                    return
            await sleep(self._clock, POLL_SECONDS)
        while step.run_id and not has_ended(await self._api.retrieve_run(step.run_id)):
            await sleep(self._clock, POLL_SECONDS)

    def _new_step(self, message: Frame) -> Step:
        """Give a message an otid of its own; the map of otids is one for the whole server."""
        otid = otid_of(self._key, self._run.given.input_id, self._sent)
        self._sent += 1
        background = self._shared.background
        run, sent = self._run, {**message, "otid": otid}
        return Step(otid, sent, background, coming=run.coming, seen=run.seen)
