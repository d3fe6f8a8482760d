"""Fingerprints: texts are recognised by them, and nobody who reads the ledger can try texts out.

They are keyed, for of a "yes" there is nothing to keep secret but that it was said. The key is a
file of its own beside the ledger.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

SHORT = 20
"""In texts of fewer characters each one counts."""
_MARKS = str.maketrans("", "", "*_~|>#\\")


def tidy(text: str) -> str:
    """Strip a text, and replace half surrogate pairs, which models write and no encoder takes."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()


def normal(text: str) -> str:
    """Return a text without what makes no difference: case, blanks and marks outside of code.

    Short ones stay as they are, for there each character counts.
    """
    text = tidy(text)
    if len(text) < SHORT:
        return text
    return "".join(
        code if is_code else "".join(code.casefold().translate(_MARKS).split())
        for code, is_code in _pieces(text)
    )


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Take a text apart into prose and code, the ticks left out."""
    for number, block in enumerate(text.split("```")):
        if number % 2:
            yield block, True
            continue
        for place, span in enumerate(block.split("`")):
            yield span, place % 2 == 1


class Fingerprints:
    """Makes and compares fingerprints: the key's own name, a colon, and the text's.

    Before version 4 of the ledger there were no keys: `<32 digits>` alone, the text's SHA-256.
    """

    def __init__(self, key: bytes = b"") -> None:
        self.use(key)

    def use(self, key: bytes) -> None:
        """Take another key, before anything was made with the one before."""
        self._key = key
        self._name = hashlib.sha256(b"name of the key " + key).hexdigest()[:8]

    def of(self, text: str) -> str:
        """Return what recognises a text without keeping it."""
        made = hmac.digest(self._key, tidy(text).encode(), "sha256").hex()
        return f"{self._name}:{made[:32]}"

    def forms(self, text: str) -> tuple[str, ...]:
        """Return all that may stand for a text in a ledger, the latest first."""
        return self.of(text), hashlib.sha256(tidy(text).encode()).hexdigest()[:32]

    def send_keys(self, channel_id: int, text: str) -> list[str]:
        """Return all keys under which a text may have been sent to a channel, the latest first."""
        forms = (self.of(normal(text)), *self.forms(text))
        return [f"send:{channel_id}:{form}" for form in forms]

    def can_compare(self, known: str) -> bool:
        """Tell whether a fingerprint could be recognised: its key is not lost."""
        name, colon, _ = known.partition(":")
        return not colon or name == self._name
