"""All texts for people, by module and name."""

from __future__ import annotations

import importlib
import pkgutil

from aurora import words
from aurora.words import Phrase


def _phrases() -> dict[str, Phrase]:
    found = {}
    for module in pkgutil.iter_modules(words.__path__):
        texts = vars(importlib.import_module(f"{words.__name__}.{module.name}"))
        found.update(
            {
                f"{module.name}.{name}": one
                for name, one in texts.items()
                if isinstance(one, Phrase)
            }
        )
    return found


PHRASES = _phrases()
"""Every phrase under its name, such as `queue.TITLE`."""
