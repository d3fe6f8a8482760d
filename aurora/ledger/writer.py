"""The one thread that touches the ledger's file."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

import apsw

from ..clock import Clock
from ..words import Phrase
from ..words import ledger as w
from . import DEDUPE_SECONDS, Backlog, LedgerError
from .batches import Operation, Outcome, carry_out
from .guarding import Guard
from .sweep import Sweep
from .tables import Tables

log = logging.getLogger("red.aurora.ledger")

_BATCH = 128
_MOMENT = 0.05
"""Seconds without work after which there is time to tidy up."""
_ERASE_SECONDS = 2.0
_LAZY_SECONDS = 0.05
"""How long what was asked for lazily waits for something else to be written with."""
_SWEEP_SECONDS = 60.0
_BREATH = 0.02
"""Seconds without work after which the sweep goes on, and..."""
_BITES_TO_MOVE = 8
_SWEEP_LATEST = 0.1
"""...after which it does whatever there is to do."""


class Writer:
    """Carries out operations in the order they are given, many to a commit.

    A batch is one transaction, and all are told together, after the commit. Reads stand in the
    same line, so that they see what their caller wrote before. `hear` is told, in the event loop,
    what happens to the file.
    """

    def __init__(
        self,
        opener: Callable[[], tuple[Tables, Backlog]],
        clock: Clock,
        retention: Callable[[], float],
        hear: Callable[[Phrase], None],
    ) -> None:
        self._opener = opener
        self._clock = clock
        self._retention = retention
        self._hear = hear
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[Backlog] = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._gathered: list[Operation] = []
        self._handing_over = False
        self._alarm: asyncio.TimerHandle | None = None
        # None asks the thread to end.
        self._queue: SimpleQueue[list[Operation] | None] = SimpleQueue()
        self._stopping = False
        # A daemon, so that a bot that never closes its ledger can still exit; commits hold anyway.
        self._thread = threading.Thread(target=self._run, name="aurora-ledger", daemon=True)
        self._swept_at = 0.0
        self._bites = 0
        self._sweep = Sweep()
        self._sweep_at = self._erase_at = 0.0
        self._patience = _MOMENT

    async def start(self) -> Backlog:
        """Open the ledger in the thread. Raises LedgerError; then the thread is gone."""
        self._thread.start()
        try:
            return await self._opened
        except BaseException:
            await self.stop()
            raise

    def submit(
        self, operation: Callable[..., Any], *args: Any, lazily: bool = False
    ) -> asyncio.Future[Any]:
        """Line an operation up; the future is done when its changes are kept.

        What is asked for `lazily` keeps its place in the line, but waits a moment for others to
        share a commit with.
        """
        if self._stopping:
            raise LedgerError(w.CLOSED)
        future = self._loop.create_future()
        self._gathered.append((future, operation, args))
        if lazily:
            self._alarm = self._alarm or self._loop.call_later(_LAZY_SECONDS, self._hand_over)
        elif not self._handing_over:
            # Handed over when all tasks that can run have run: the thread then finds the
            # interpreter idle. Woken by each operation it would fight for the lock with the loop,
            # and both would lose a third of their speed.
            self._handing_over = True
            self._loop.call_soon(self._hand_over)
        return future

    async def stop(self) -> None:
        """Carry out what is lined up, close the file and end the thread."""
        if not self._stopping:
            self._stopping = True
            self._hand_over()
            self._queue.put(None)
        # Shielded, since every caller of a second close() waits for the same end.
        await asyncio.shield(self._ended)
        self._thread.join()

    def _hand_over(self) -> None:
        self._handing_over = False
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        gathered, self._gathered = self._gathered, []
        for first in range(0, len(gathered), _BATCH):
            self._queue.put(gathered[first : first + _BATCH])

    # -- the thread

    def _run(self) -> None:
        try:
            tables, backlog = self._opener()
        except Exception as error:
            self._tell([(self._opened, None, error)])
        else:
            self._tell([(self._opened, backlog, None)])
            self._serve(tables)
        finally:
            self._tell([(self._ended, None, None)])

    def _serve(self, tables: Tables) -> None:
        try:
            guard = Guard(tables, self._clock, self._report)
            # An empty batch wakes the thread.
            guard.begin(lambda: self._queue.put([]))
            while self._step(tables, guard):
                pass
            # What was deleted just now would be gone with the connection.
            guard.look()
        except Exception:
            log.exception("The ledger's thread broke off; the ledger is closed")
        finally:
            self._stopping = True
            tables.close()
            self._refuse_the_rest()

    def _step(self, tables: Tables, guard: Guard) -> bool:
        """Do one batch, or tidy up if there is none; False when it is time to end."""
        batch, ending = self._next_batch(tables, guard.patience)
        idle = not batch
        if self._clock.monotonic() >= self._sweep_at and (idle or self._is_late()):
            batch.insert(0, (None, self._bite, ()))
        if batch:
            outcomes = carry_out(tables, batch, lightly=idle)
            self._tell(outcomes)
            for _, _, error in outcomes:
                if error is not None:
                    guard.failed(error)
        if idle and self._bites % _BITES_TO_MOVE == _BITES_TO_MOVE - 1:
            # Or an accept would have to move all that the sweep has written.
            tables.checkpoint()
        resting = idle and not self._sweep.unfinished
        erased = tables.erased and tables.check is None
        if erased and (resting or self._clock.monotonic() >= self._erase_at):
            self._erase(tables, guard)
        guard.watch()
        return not ending

    def _is_late(self) -> bool:
        """Tell whether the sweep has waited long enough for a moment without work."""
        return not self._sweep.unfinished or time.monotonic() - self._swept_at > _SWEEP_LATEST

    def _next_batch(self, tables: Tables, patience: float) -> tuple[list[Operation], bool]:
        """Wait for work, and return all there is; True with the last."""
        batch: list[Operation] = []
        erased = tables.erased and tables.check is None
        wait = min(patience, self._patience) if erased else patience
        wait = min(wait, _BREATH) if self._sweep.unfinished else wait
        try:
            more = self._queue.get(timeout=wait)
            while more is not None:
                batch += more
                if len(batch) >= _BATCH:
                    return batch, False
                more = self._queue.get_nowait()
        except Empty:
            return batch, False
        return batch, True

    def _bite(self, tables: Tables) -> None:
        self._swept_at = time.monotonic()
        self._bites += 1
        self._sweep_at = self._clock.monotonic() + _SWEEP_SECONDS
        retention = max(DEDUPE_SECONDS, self._retention())
        if self._sweep.bite(tables, self._clock, retention):
            self._sweep_at = 0.0

    def _erase(self, tables: Tables, guard: Guard) -> None:
        """Take what was erased out of the WAL too (promise 13)."""
        try:
            tables.truncate()
        except apsw.Error as error:
            guard.failed(tables.explained(error))
            self._patience = _ERASE_SECONDS
        else:
            self._patience = _MOMENT
        self._erase_at = self._clock.monotonic() + _ERASE_SECONDS

    def _refuse_the_rest(self) -> None:
        rest = []
        with suppress(Empty):
            while True:
                for future, _, _ in self._queue.get_nowait() or ():
                    rest.append((future, None, LedgerError(w.CLOSED)))
        self._tell(rest)

    def _report(self, what: Phrase) -> None:
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._hear, what)

    def _tell(self, outcomes: Sequence[Outcome]) -> None:
        # A loop that is closed has nobody left who waits.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(_resolve, outcomes)


def _resolve(outcomes: Sequence[Outcome]) -> None:
    for future, result, error in outcomes:
        if future is None:
            if error is not None:
                log.error("Old rows can't be dropped: %s", error)
        elif future.done():
            # Its caller was cancelled; what was asked has been done all the same.
            continue
        elif error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)
