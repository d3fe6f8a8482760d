"""The one thread that touches the ledger's file."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import apsw

from ..clock import Clock
from ..words import ledger as w
from . import DEDUPE_SECONDS, Backlog, LedgerError
from .checking import CHECK, DAMAGED, Check
from .opening import explained
from .schema import LOG_PAGES
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
_BREATH = 0.02
"""Seconds without work after which the sweep goes on, and..."""
_BITES_TO_MOVE = 8
_SWEEP_LATEST = 0.1
"""...after which it does whatever there is to do."""


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
        damaged: Callable[[LedgerError], None] = lambda _error: None,
    ) -> None:
        self._opener = opener
        self._clock = clock
        self._retention = retention
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[Backlog] = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._gathered: list[Operation] = []
        # None asks the thread to end.
        self._queue: SimpleQueue[list[Operation] | None] = SimpleQueue()
        self._stopping = False
        # A daemon, so that a bot that never closes its ledger can still exit; commits hold anyway.
        self._thread = threading.Thread(target=self._run, name="aurora-ledger", daemon=True)
        self._check: Check | None = None
        self._found: tuple[apsw.Error | None] | None = None
        self._damaged = damaged
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
            self._look_through(tables)
            while self._step(tables):
                pass
        except Exception:
            log.exception("The ledger's thread broke off; the ledger is closed")
        finally:
            self._stopping = True
            if self._check is not None:
                self._check.stop()
            tables.close()
            self._refuse_the_rest()

    def _step(self, tables: Tables) -> bool:
        """Do one batch, or tidy up if there is none; False when it is time to end."""
        batch, ending = self._next_batch(tables)
        idle = not batch
        if self._clock.monotonic() >= self._sweep_at and (idle or self._is_late()):
            batch.insert(0, (None, self._bite, ()))
        if batch:
            self._tell(self._carry_out(tables, batch, lightly=idle))
        if idle and self._bites % _BITES_TO_MOVE == _BITES_TO_MOVE - 1 and self._check is None:
            # Or an accept would have to move all that the sweep has written.
            tables.checkpoint()
        if self._found is not None:
            self._conclude(tables, *self._found)
        resting = idle and not self._sweep.unfinished
        erased = tables.erased and self._check is None
        if erased and (resting or self._clock.monotonic() >= self._erase_at):
            self._erase(tables)
        return not ending

    def _is_late(self) -> bool:
        """Tell whether the sweep has waited long enough for a moment without work."""
        return not self._sweep.unfinished or time.monotonic() - self._swept_at > _SWEEP_LATEST

    def _next_batch(self, tables: Tables) -> tuple[list[Operation], bool]:
        """Wait for work, and return all there is; True with the last."""
        batch: list[Operation] = []
        wait = self._patience if tables.erased else _SWEEP_SECONDS
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

    def _carry_out(
        self, tables: Tables, batch: list[Operation], *, lightly: bool
    ) -> list[Outcome]:
        """Do a batch in one transaction; all of it is undone if it can't be committed.

        What nobody waits for is done `lightly`: it is synced with what comes after it.
        """
        try:
            try:
                with tables.unsynced() if lightly else nullcontext():
                    return _transact(tables, batch, _plainly)
            except _OneFailedError:
                return _transact(tables, batch, _apart)
        except Exception as failure:
            return [(future, None, explained(tables.path, failure)) for future, _, _ in batch]

    def _look_through(self, tables: Tables) -> None:
        """Begin to look through the file, if that is to be done; see Check."""
        if not tables.unchecked:
            return
        tables.truncate()
        tables.db.wal_autocheckpoint(0)
        self._check = Check(tables.path, self._looked_through, tables.vfs)
        self._check.start()

    def _looked_through(self, damage: apsw.Error | None) -> None:
        """Hear in the check's thread how it ended, and wake the writer's."""
        self._found = (damage,)
        self._queue.put([])

    def _conclude(self, tables: Tables, damage: apsw.Error | None) -> None:
        """Go on as after a good look, or tell of the damage and have the next start act on it."""
        self._check = self._found = None
        tables.db.wal_autocheckpoint(LOG_PAGES)
        keep = tables.forget_note if damage is None else partial(tables.note, value=DAMAGED)
        try:
            # In a transaction of its own: what meets the damage spoils the one that it is in.
            keep(CHECK)
        except apsw.Error as error:
            log.error("%s", explained(tables.path, error))  # noqa: TRY400 - it says it all
        if damage is not None:
            told = explained(tables.path, damage)
            log.error("%s", told)
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._damaged, told)

    def _bite(self, tables: Tables) -> None:
        self._swept_at = time.monotonic()
        self._bites += 1
        self._sweep_at = self._clock.monotonic() + _SWEEP_SECONDS
        retention = max(DEDUPE_SECONDS, self._retention())
        if self._sweep.bite(tables, self._clock.time(), retention):
            self._sweep_at = 0.0

    def _erase(self, tables: Tables) -> None:
        """Take what was erased out of the WAL too (promise 13)."""
        try:
            tables.truncate()
        except apsw.Error as error:
            if self._patience == _MOMENT:
                log.error("%s", explained(tables.path, error))  # noqa: TRY400 - it says it all
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
            outcomes.append((future, None, explained(tables.path, error)))
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
