"""Bring one input through: into the conversation, over lost sockets, out of a wedge, to an abort.

What becomes of an input when the socket is lost, after reconnecting and `runtime_start`:

======================================= ======================================================
what the server shows                   what it means, what follows
======================================= ======================================================
our input in its queue                  it was restarted and runs the input again by itself:
                                        never resend, wait for that `turn_finished`
a turn is running                       it never saw the socket go: the turn lives on, wait;
                                        its text is read from the history in the end
the turn's end, "cancelled"             it died with its socket: LOST, and a fork
idle, input accepted or in the history  the same
idle, input unknown                     never accepted: UNREACHABLE, may be tried again
no server within the limit              LOST if the input may have been accepted
======================================= ======================================================

A turn that died leaves its conversation wedged: further inputs wait for its model, then end with
"already has an active run", and have not run. Then, and when an aborted or unknown turn keeps the
conversation, it is forked (history kept), ConversationMoved is told, and the input is sent there
under an id of its own. A second connection that keeps a turn alive was tried and left out: what
cuts one socket mostly cuts both, and tools stay with the connection that registered them, so that
the turn would go on unable to send.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable

from ...reasons import AgentError, Outcome
from ...words import servers as w
from ..frames import content, items, text_of, word
from ..outcomes import Ending
from ..protocol import ConversationKey, ConversationMoved
from . import requests
from .aftermath import aftermath
from .connection import Connection, ConnectionLostError
from .conversation import Conversation
from .link import Link
from .outcomes import WEDGED, conversation_gone
from .run import AppServerRun

_log = logging.getLogger("red.aurora.agents")

_HISTORY_DEPTH = 20
_ABORTS, _ABORT_PAUSE_SECONDS = 3, 0.1
_DRAIN_SECONDS = 330.0  # the server's own limit for its model is 300


class Driver:
    """The life of one run, from the wait for its conversation until the server lets go of it."""

    def __init__(
        self,
        link: Link,
        conversation_of: Callable[[ConversationKey], Conversation],
        run: AppServerRun,
    ) -> None:
        self._link = link
        self._conversation_of = conversation_of
        self._run = run
        self._conversation = conversation_of(run.given.conversation)
        self._connection: Connection | None = None

    async def drive(self) -> None:
        """See the run through, until the server lets go of the conversation."""
        try:
            await self._enter()
            await self._input_until_it_runs()
        except AgentError as error:
            outcome = Outcome.LOST if self._run.accepted else error.outcome
            self._run.finish(Ending(outcome, error.detail))
        finally:
            self._conversation.release(self._run)

    async def _enter(self) -> None:
        """Get hold of the conversation, or of a fork if an aborted turn does not let go."""
        link = self._link
        while not await self._conversation.take(self._run, link.clock, link.limits.patience):
            await self._move()

    async def _input_until_it_runs(self) -> None:
        run = self._run
        for input_id in (run.given.input_id, f"{run.given.input_id}-fork"):
            await self._input(input_id)
            await self._follow()
            if run.ending is not WEDGED or run.left.is_set():
                break
            run.accepted = False
            await self._move()
        if run.ending is None:
            return
        if run.patchy and run.ending.outcome is Outcome.CANCELLED and not run.left.is_set():
            # Nobody aborted it: this is how the server says that a turn died with its socket.
            await self._lose()
        else:
            await self._report(run.ending)

    async def _input(self, input_id: str) -> None:
        """Send the input; on return it was accepted, or the connection is lost."""
        run, specs = self._run, self._run.tools.specs
        if run.left.is_set():
            return
        connection = await self._ready()
        if self._conversation.stirs:
            connection = await self._still(connection)
        if run.given.model is not None:
            await self._link.use_model(self._conversation, run.given.model, connection)
        if run.left.is_set():
            return
        self._connection = connection
        run.begin(input_id)
        names = [spec.name for spec in specs]
        said = content(run.given.text, run.given.pictures)
        frame = requests.message(self._conversation.key, said, input_id, names)
        try:
            answer = await connection.request(frame, timeout=self._link.limits.request)
        except ConnectionLostError:
            run.news.set()
        except TimeoutError:
            if not await self._in_history(connection):
                raise AgentError(Outcome.UNREACHABLE, w.INPUT_NOT_ANSWERED) from None
            run.accept()
        else:
            if answer.get("accepted") is False:
                raise AgentError(Outcome.UNREACHABLE, w.INPUT_REFUSED)
            run.accept(queued=answer.get("disposition") == "queued")
            await self._wait_in_queue(connection)

    async def _ready(self) -> Connection:
        """Start the runtime; a conversation deleted on the server is replaced by a new one."""
        try:
            return await self._link.ready(self._conversation, self._run.tools.specs)
        except AgentError as error:
            if not conversation_gone(error):
                raise
        key = await self._link.create(self._run.given.agent_id, self._run.given.title)
        self._go_on_in(self._conversation_of(key))
        return await self._link.ready(self._conversation, self._run.tools.specs)

    async def _wait_in_queue(self, connection: Connection) -> None:
        """Give up on a conversation that an unseen turn holds, such as one of a dead Aurora."""
        run, link = self._run, self._link
        await link.clock.wait(run.begun, link.limits.patience)
        if not run.begun.is_set() and not connection.lost and await self._take_back(connection):
            run.ending = WEDGED

    async def _follow(self) -> None:
        """Wait for the end of the turn through all that may happen to it."""
        run, aborted = self._run, False
        while run.ending is None and self._connection is not None:
            left = run.left.is_set()
            await self._link.clock.wait(run.news, _DRAIN_SECONDS if left else None)
            if left and not run.news.is_set():
                return
            run.news.clear()
            if run.ending is None and self._connection.lost:
                if run.left.is_set() or not await self._recover():
                    return
            elif run.ending is None and run.left.is_set() and not aborted:
                aborted = True
                await self._abort(self._connection)

    async def _recover(self) -> bool:
        """Find out, on a new connection, what became of the input; False if it is over."""
        run, conversation = self._run, self._conversation
        run.lose_server()
        try:
            connection = await self._link.again(conversation, run.tools.specs, run.left)
        except AgentError as error:
            run.finish(Ending(Outcome.LOST, w.LOST_IN_MID_TURN(detail=error.detail)))
            return False
        run.find_server()
        if conversation.stirs or run.ending is not None:
            self._connection = connection
            run.patchy = True
            run.accept()
            return True
        if run.accepted or await self._in_history(connection):
            await self._lose()
        else:
            run.finish(Ending(Outcome.UNREACHABLE, w.LOST_BEFORE_INPUT))
        return False

    async def _lose(self) -> None:
        """Tell that the turn died; its conversation is wedged, so the next run gets a fork."""
        with contextlib.suppress(AgentError):
            await self._move()
        self._run.finish(Ending(Outcome.LOST, w.LOST_WITH_TURN))

    async def _abort(self, connection: Connection) -> None:
        """Ask the server to end the turn; it lets go when its model or tool does."""
        run, key = self._run, self._conversation.key
        try:
            limit = self._link.limits.request
            answer = await connection.request(requests.abort(key), timeout=limit)
            if answer.get("aborted") is not True:
                await self._take_back(connection)
                run.ending = run.ending or Ending(Outcome.CANCELLED)
        except (ConnectionLostError, TimeoutError, AgentError):
            if connection.lost:
                run.news.set()

    async def _take_back(self, connection: Connection) -> bool:
        """Take the input out of the server's queue; False if it is not in there."""
        conversation = self._conversation
        for item in conversation.queue:
            if word(item, "client_message_id") == self._run.input_id:
                frame = requests.remove_queued(conversation.key, word(item, "id"))
                answer = await self._link.collect(frame, connection)
                return answer[-1].get("success") is True
        return False

    async def _still(self, connection: Connection) -> Connection:
        """End a turn that nobody waits for, such as one from before a restart of both sides."""
        conversation, link = self._conversation, self._link
        for _ in range(_ABORTS):
            conversation.settled.clear()
            answer = await link.ask(requests.abort(conversation.key), connection)
            if answer.get("aborted") is True:
                await link.clock.wait(conversation.settled, link.limits.patience)
                break
            # A restarted server queues its unfinished inputs a moment before it runs them.
            conversation.stirs = bool(conversation.queue)
            if not conversation.stirs:
                return connection
            await link.clock.wait(conversation.settled, _ABORT_PAUSE_SECONDS)
        if conversation.stirs or conversation.queue:
            # What stays queued would be run together with the next input.
            await self._move()
            return await self._ready()
        return connection

    async def _move(self) -> None:
        """Go on in a fork of the conversation."""
        fork = await self._link.fork(self._conversation.key)
        self._go_on_in(self._conversation_of(fork))

    def _go_on_in(self, conversation: Conversation) -> None:
        run, old = self._run, self._conversation
        if old.run is run:
            old.run = None
        conversation.run = run
        self._conversation = conversation
        run.emit(ConversationMoved(conversation.key.conversation_id))

    async def _in_history(self, connection: Connection) -> bool:
        """Ask whether the server has stored the input; raise AgentError (LOST) if it won't say."""
        frame = requests.history(self._conversation.key, _HISTORY_DEPTH)
        try:
            answer = await self._link.ask(frame, connection)
        except AgentError as error:
            raise AgentError(Outcome.LOST, error.detail) from None
        return any(word(one, "otid") == self._run.input_id for one in items(answer, "messages"))

    async def _report(self, ending: Ending) -> None:
        run, text = self._run, ""
        if ending.outcome is Outcome.COMPLETED:
            text = await self._text_in_history() if run.patchy else run.text
            _log.debug("The agent's text: %s", text)
        elif not run.left.is_set():
            key = self._conversation.key
            ending, goes_on = await aftermath(self._link, run, key, ending)
            if goes_on != key:
                self._go_on_in(self._conversation_of(goes_on))
        run.finish(ending, text)

    async def _text_in_history(self) -> str:
        """Read the turn's last message back: pieces of it were missed with the socket."""
        answer = await self._link.ask(
            requests.history(self._conversation.key, 1), self._connection
        )
        newest = items(answer, "messages")[:1]
        if newest and word(newest[0], "message_type") == "assistant_message":
            return text_of(newest[0])
        return ""
