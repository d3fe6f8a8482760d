"""Looking through a large file for damage while it is in use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import apsw

CHECK = "check"
"""The note that says what the next start has to do: DUE or DAMAGED."""
DUE, DAMAGED = "due", "damaged"

_FLAGS = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
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
    and lets it grow until `done` is called, in this thread, with the damage or None. So the file
    can be read as one that never changes; the exclusive lock allows no other way.
    """

    def __init__(
        self, path: Path, done: Callable[[apsw.Error | None], None], vfs: str | None = None
    ) -> None:
        super().__init__(name="aurora-ledger-check", daemon=True)
        self._path = path
        self._done = done
        self._vfs = vfs
        self._stopped = False

    def stop(self) -> None:
        """Break it off, and wait until it has let go of the file; `done` is not called."""
        self._stopped = True
        self.join()

    def run(self) -> None:
        """Look through the file."""
        damage: apsw.Error | None = None
        try:
            self._look()
        except (apsw.CorruptError, apsw.NotADBError) as error:
            damage = error
        except apsw.InterruptError:
            pass
        if not self._stopped:
            self._done(damage)

    def _look(self) -> None:
        address = f"file:{quote(str(self._path))}?immutable=1"
        db = apsw.Connection(address, flags=_FLAGS, vfs=self._vfs)
        try:
            db.set_progress_handler(self._is_enough, _STEPS)
            check(db)
        finally:
            db.close()

    def _is_enough(self) -> bool:
        """Tell whether to break off: asked to, or the log has become too long."""
        with suppress(OSError):
            return self._stopped or Path(f"{self._path}-wal").stat().st_size > _LOG_BYTES
        return self._stopped
