"""What is wrong with the ledger's file, in words for the bot's owner."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import apsw

from ..words import Phrase, verbatim
from ..words import ledger as w
from . import InUseError, LedgerError
from .files import BESIDE

OF_THE_DISK = (
    apsw.FullError,
    apsw.IOError,
    apsw.CantOpenError,
    apsw.ReadOnlyError,
    apsw.PermissionsError,
    apsw.CorruptError,
    apsw.NotADBError,
    OSError,
)
"""What fails because of the file or its disk, whatever was asked."""
_BY_CODE = {errno.ENOSPC: w.FULL, errno.EDQUOT: w.OVER_QUOTA}


def explained(path: Path, error: Exception, code: int = 0) -> LedgerError:
    """Return the error that tells the owner what is wrong and what to do.

    `code` is the errno that the system gave for it, where that is known.
    """
    kind: type[LedgerError] = LedgerError
    if isinstance(error, OSError):
        code = error.errno or 0
    match error:
        case LedgerError():
            kind, text = type(error), error.phrase
        case apsw.BusyError() | apsw.LockedError():
            kind, text = InUseError, w.IN_USE
        case apsw.FullError():
            text = w.FULL
        case apsw.CorruptError() | apsw.NotADBError():
            text = w.DAMAGED
        case _ if isinstance(error, OF_THE_DISK):
            text = _refused(path, error, code)
        case _:
            text = w.FAILED(error=f"{type(error).__name__}: {error}")
    told = kind(text(path=path))
    told.__cause__ = error
    return told


def _refused(path: Path, error: Exception, code: int) -> Phrase:
    if code in _BY_CODE:
        return _BY_CODE[code]
    why = _obstacle(path)
    if why is None and isinstance(error, apsw.IOError):
        return w.FAILING(error=_in_words(error, code))
    return w.NOT_WRITTEN(folder=path.parent, error=why or _in_words(error, code))


def _obstacle(path: Path) -> Phrase | None:
    """Return what stands in the way of writing the ledger, None if nothing is seen.

    Nothing is opened: closing the file again would let go of the locks that SQLite has on it.
    """
    names = [f"{path}{suffix}" for suffix in BESIDE]
    files = [one for one in names if os.path.lexists(one)]
    for one in files:
        if os.path.isdir(one):
            return w.IS_A_FOLDER(what=one)
    folder = next(one for one in path.absolute().parents if os.path.lexists(one))
    if not os.path.isdir(folder):
        return w.NO_FOLDER(what=folder)
    if _is_read_only(folder):
        return w.READ_ONLY
    if not all(os.access(one, os.W_OK) for one in (str(folder), *files)):
        return w.NOT_ALLOWED
    return None


def _is_read_only(folder: Path) -> bool:
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except (AttributeError, OSError):
        # Windows knows no such question.
        return False


def _in_words(error: Exception, code: int) -> Phrase:
    # apsw's own texts begin with the name of their class, which says nothing to an owner.
    return verbatim(os.strerror(code) if code else str(error).rpartition(": ")[2])
