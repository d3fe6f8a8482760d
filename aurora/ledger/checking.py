"""Looking through a large file for damage while it is in use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import apsw

from .datafile import DataFile

CHECK = "check"
"""The note that says what the next start has to do: DUE or DAMAGED."""
DUE, DAMAGED = "due", "damaged"

_STEPS = 10_000
_LOG_BYTES = 256 << 20


def check(db: apsw.Connection) -> None:
    """Raise CorruptError if the file's structure is damaged; reads all of it."""
    found = db.cursor().execute("PRAGMA quick_check(1)").fetchall()
    if found != [("ok",)]:
        raise apsw.CorruptError(found[0][0])


class Check(threading.Thread):
    """One look through a ledger's file, beside the thread that writes it.

    Nobody may touch the file itself meanwhile: the writer has moved its log into the file before,
    and lets it grow until `done` is called, in this thread. So the file can be read as one that
    never changes; the exclusive lock allows no other way.
    """

    def __init__(self, file: DataFile, done: Callable[[], None]) -> None:
        super().__init__(name="aurora-ledger-check", daemon=True)
        self._file = file
        self._done = done
        self._stopped = False
        self.over = False
        """Whether it has let go of the file."""
        self.whole = False
        """Whether it has seen all of the file; not so if it was broken off."""
        self.damage: apsw.Error | None = None

    def stop(self) -> None:
        """Break it off, and wait until it has let go of the file."""
        self._stopped = True
        self.join()

    def run(self) -> None:
        """Look through the file."""
        try:
            self._look()
            self.whole = True
        except (apsw.CorruptError, apsw.NotADBError) as error:
            self.damage = error
        except apsw.Error:
            # Broken off, or a file that can't be read now, of which nothing is known.
            pass
        self.over = True
        self._done()

    def _look(self) -> None:
        db = self._file.connect_to_look()
        try:
            db.set_progress_handler(self._is_enough, _STEPS)
            check(db)
        finally:
            db.close()

    def _is_enough(self) -> bool:
        """Tell whether to break off: asked to, or the log has become too long."""
        with suppress(OSError):
            log = Path(f"{self._file.path}-wal")
            return self._stopped or log.stat().st_size > _LOG_BYTES
        return self._stopped
