"""The one thread that touches the ledger's file."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

import apsw

from ..clock import Clock
from ..words import Phrase
from ..words import ledger as w
from . import DEDUPE_SECONDS, Backlog, LedgerError
from .guarding import Guard
from .sweep import Sweep
from .tables import Tables

log = logging.getLogger("red.aurora.ledger")

Operation = tuple[asyncio.Future[Any] | None, Callable[..., Any], tuple[Any, ...]]
Outcome = tuple[asyncio.Future[Any] | None, Any, Exception | None]


_BATCH = 128
_MOMENT = 0.05
"""Seconds without work after which there is time to tidy up."""
_ERASE_SECONDS = 2.0
_SWEEP_SECONDS = 60.0


class Writer:
    """Carries out operations in the order they are given, many to a commit.

    A batch is one transaction, and all are told together, after the commit. If an operation fails
    the batch is undone and done again with a savepoint for each, so that it fails alone; always
    to have savepoints would cost a third of the speed. Reads stand in the same line, so that they
    see what their caller wrote before.
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
        # None asks the thread to end.
        self._queue: SimpleQueue[list[Operation] | None] = SimpleQueue()
        self._stopping = False
        # A daemon, so that a bot that never closes its ledger can still exit; commits hold anyway.
        self._thread = threading.Thread(target=self._run, name="aurora-ledger", daemon=True)
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

    def submit(self, operation: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Line an operation up; the future is done when its changes are kept."""
        if self._stopping:
            raise LedgerError(w.CLOSED)
        future = self._loop.create_future()
        if not self._gathered:
            # Handed over when all tasks that can run have run: the thread then finds the
            # interpreter idle. Woken by each operation it would fight for the lock with the loop,
            # and both would lose a third of their speed.
            self._loop.call_soon(self._hand_over)
        self._gathered.append((future, operation, args))
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
        if self._clock.monotonic() >= self._sweep_at:
            batch.insert(0, (None, self._bite, ()))
        if batch:
            outcomes = self._carry_out(tables, batch)
            self._tell(outcomes)
            for _, _, error in outcomes:
                if error is not None:
                    guard.failed(error)
        if tables.erased and (idle or self._clock.monotonic() >= self._erase_at):
            self._erase(tables, guard)
        guard.watch()
        return not ending

    def _next_batch(self, tables: Tables, patience: float) -> tuple[list[Operation], bool]:
        """Wait for work, and return all there is; True with the last."""
        batch: list[Operation] = []
        untidy = tables.erased or self._sweep.unfinished
        try:
            more = self._queue.get(timeout=self._patience if untidy else patience)
            while more is not None:
                batch += more
                if len(batch) >= _BATCH:
                    return batch, False
                more = self._queue.get_nowait()
        except Empty:
            return batch, False
        return batch, True

    def _carry_out(self, tables: Tables, batch: list[Operation]) -> list[Outcome]:
        """Do a batch in one transaction; all of it is undone if it can't be committed."""
        try:
            try:
                return _transact(tables, batch, _plainly)
            except _OneFailedError:
                return _transact(tables, batch, _apart)
        except Exception as failure:
            return [(future, None, tables.explained(failure)) for future, _, _ in batch]

    def _bite(self, tables: Tables) -> None:
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


def _transact(
    tables: Tables, batch: list[Operation], way: Callable[[Tables, list[Operation]], list[Outcome]]
) -> list[Outcome]:
    tables.run("BEGIN IMMEDIATE")
    try:
        outcomes = way(tables, batch)
        tables.run("COMMIT")
    except BaseException:
        tables.undo()
        raise
    return outcomes


class _OneFailedError(Exception):
    """An operation of a batch failed."""


def _plainly(tables: Tables, batch: list[Operation]) -> list[Outcome]:
    """Do a batch in which nothing is expected to fail."""
    try:
        outcomes: list[Outcome] = [
            (future, operation(tables, *args), None) for future, operation, args in batch
        ]
        tables.keep_changes()
    except Exception as error:
        raise _OneFailedError from error
    return outcomes


def _apart(tables: Tables, batch: list[Operation]) -> list[Outcome]:
    """Do a batch in which something fails: each operation in a savepoint, to fail alone."""
    outcomes: list[Outcome] = []
    for future, operation, args in batch:
        tables.run("SAVEPOINT one")
        try:
            result = operation(tables, *args)
            tables.keep_changes()
            outcomes.append((future, result, None))
        except Exception as error:
            # On a full disk or a failing one SQLite undoes the whole transaction by itself.
            if not tables.db.in_transaction:
                raise
            tables.undo_one()
            outcomes.append((future, None, tables.explained(error)))
        tables.run("RELEASE one")
    return outcomes


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
