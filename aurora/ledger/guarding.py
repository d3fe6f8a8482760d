"""Watching over the file of an open ledger, for what happens to it from outside."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import apsw

from ..clock import Clock
from ..words import Phrase
from ..words import ledger as w
from . import InUseError, LedgerError
from .checking import CHECK, DAMAGED, Check
from .files import (
    BESIDE,
    Mark,
    copy_of,
    make_folder,
    marks,
    put_aside,
    put_in_place,
)
from .tables import Tables
from .trouble import OF_THE_DISK

log = logging.getLogger("red.aurora.ledger")

_LOOK_SECONDS = 10.0
_MISSING_SECONDS = 60.0
"""How long, at most, until it is tried again to write a missing file anew."""
_MENDED_SECONDS = 3600.0
"""How long, at most, until the next look: on some disks a file never has the same number twice."""
_TRY_SECONDS = 5.0
_LONGEST_TRY = 300.0
_CALM_SECONDS = 600.0
"""How long a disk must have worked for its next failure to be another story."""


class Guard:
    """Looks after an open ledger's file, in the writer's thread, and tells its owner.

    A file that was deleted, moved, replaced or emptied is written anew in its place, for the
    connection still has all of it. That the disk takes no writes is told once, and once that it
    does again, which is found out by trying. Of a large file that is looked through meanwhile it
    hears whether it is damaged.
    """

    def __init__(self, tables: Tables, clock: Clock, tell: Callable[[Phrase], None]) -> None:
        self._tables = tables
        self._clock = clock
        self._hear = tell
        self._marks: dict[str, Mark | None] = dict.fromkeys(BESIDE)
        with suppress(OSError):
            self._marks = marks(tables.path)
        self._every = _LOOK_SECONDS
        self._look_at = clock.monotonic() + self._every
        self._missing = False
        self._failing = False
        self._wait = _TRY_SECONDS
        self._try_at = 0.0
        self._works_since: float | None = None

    def begin(self, wake: Callable[[], None]) -> None:
        """Have the file looked through if its start left that to be done.

        `wake` calls the thread, which is to `watch` then.
        """
        if self._tables.unchecked:
            # On a disk that takes no writes it can't begin, and is left to the next start.
            with suppress(apsw.Error):
                self._tables.begin_check(wake)

    @property
    def patience(self) -> float:
        """Return for how many seconds at most nothing has to be done."""
        return _TRY_SECONDS if self._failing else _LOOK_SECONDS

    def watch(self) -> None:
        """Do what is due."""
        now = self._clock.monotonic()
        if now >= self._look_at:
            self.look()
        if self._failing and now >= self._try_at:
            self._try()
        check = self._tables.check
        if check is not None and check.over:
            self._looked_through(check)

    # -- the file

    def look(self) -> None:
        """See whether the file is where it was, and write it anew if it is not."""
        try:
            if self._is_there():
                self._every, self._missing = _LOOK_SECONDS, False
            else:
                aside = self._write_anew()
                self._every, self._missing = min(2 * self._every, _MENDED_SECONDS), False
                found = w.FOUND(name=aside) if aside else ""
                self._tell(w.WRITTEN_ANEW(path=self._tables.path, found=found))
        except (OSError, apsw.Error, LedgerError) as error:
            self._every = min(2 * self._every, _MISSING_SECONDS)
            told = self._tables.explained(error)
            if _is_damage(told):
                self.failed(told)
            elif not self._missing:
                self._missing = True
                self._tell(w.MISSING(path=self._tables.path, why=told.phrase))
        self._look_at = self._clock.monotonic() + self._every

    def _is_there(self) -> bool:
        """Tell whether the file and its log are those that were opened, and not emptied."""
        path = self._tables.path
        try:
            now = marks(path)
            emptied = now[""] is not None and path.stat().st_size == 0
        except OSError:
            # It can't be seen at the moment, which says nothing of what is there.
            return True
        # What was not seen before is what is there now.
        known = {one: self._marks[one] or now[one] for one in ("", "-wal")}
        self._marks.update(known)
        return not emptied and all(now[one] == known[one] for one in known)

    def _write_anew(self) -> str | None:
        """Put a copy where the file was; return the name of what was found there and kept."""
        tables, path = self._tables, self._tables.path
        make_folder(path)
        # So that nothing is in a log that is still there, which could be taken for another file's.
        tables.truncate()
        found = marks(path)
        strange = [one for one in BESIDE if found[one] not in (None, self._marks[one])]
        if "" in strange and _is_held(path):
            raise InUseError(w.IN_USE)
        tables.copy(copy_of(path))
        aside = put_aside(path, self._clock, "found", strange) if strange else None
        put_in_place(path)
        tables.reconnect()
        self._marks = marks(path)
        # All of it has just been read.
        with suppress(apsw.Error):
            tables.forget_note(CHECK)
        return aside

    def _looked_through(self, check: Check) -> None:
        """Take note of what a look through the file has found."""
        tables = self._tables
        if check.damage is not None:
            # What it has read is the file that stands at the path, which may be another by now.
            self.look()
            if tables.check is not check:
                return
        tables.end_check()
        if check.damage is not None:
            self.failed(tables.explained(check.damage))
        elif check.whole:
            with suppress(apsw.Error):
                tables.forget_note(CHECK)

    # -- the disk

    def failed(self, error: Exception) -> None:
        """Hear what something in the ledger failed by."""
        if self._failing or not isinstance(error, LedgerError):
            return
        if not isinstance(error.__cause__, OF_THE_DISK):
            return
        now = self._clock.monotonic()
        again = self._works_since is not None and now - self._works_since < _CALM_SECONDS
        self._wait = min(2 * self._wait, _LONGEST_TRY) if again else _TRY_SECONDS
        self._failing, self._try_at = True, now + self._wait
        if _is_damage(error):
            # What can be written says nothing of what can't be read: a start looks at it all.
            self._try_at = math.inf
            with suppress(apsw.Error):
                self._tables.note(CHECK, DAMAGED)
            self._tell(error.phrase)
        else:
            self._tell(w.NOT_KEPT(why=error.phrase))

    def _try(self) -> None:
        now = self._clock.monotonic()
        self._try_at = now + self._wait
        with suppress(apsw.Error):
            self._tables.touch()
            self._tables.truncate()
            self._failing, self._works_since = False, now
            self._tell(w.KEPT_AGAIN(path=self._tables.path))

    def _tell(self, what: Phrase) -> None:
        log.warning("%s", what)
        self._hear(what)


def _is_damage(error: LedgerError) -> bool:
    return isinstance(error.__cause__, apsw.CorruptError | apsw.NotADBError)


def _is_held(path: Path) -> bool:
    """Tell whether another process has a database open for itself alone."""
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            db.execute("BEGIN EXCLUSIVE; ROLLBACK")
        finally:
            db.close()
    except (apsw.BusyError, apsw.LockedError):
        return True
    except apsw.Error:
        return False
    return False
