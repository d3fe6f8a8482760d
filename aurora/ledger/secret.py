"""The key of the ledger's fingerprints: a file beside it, made once."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
from pathlib import Path

from .trouble import explained

log = logging.getLogger("red.aurora.ledger")

KEY_BYTES = 32
KEY_NAME = "fingerprints.key"


def local_key(folder: Path) -> bytes:
    """Return the key in a folder, a new one if there is none; raise LedgerError.

    Only who has opened the ledger there may ask: nobody else makes one meanwhile.
    """
    path = folder / KEY_NAME
    try:
        with contextlib.suppress(FileNotFoundError):
            key = path.read_bytes()
            if len(key) == KEY_BYTES:
                return key
            log.warning("%s is no key any more; a new one is made", path)
        return _made(path)
    except OSError as error:
        raise explained(path, error) from error


def _made(path: Path) -> bytes:
    """Write a new key; the name appears with all of it, or not at all."""
    key, new = secrets.token_bytes(KEY_BYTES), path.with_suffix(".new")
    new.unlink(missing_ok=True)
    opened = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        os.write(opened, key)
        os.fsync(opened)
    finally:
        os.close(opened)
    new.replace(path)
    return key
