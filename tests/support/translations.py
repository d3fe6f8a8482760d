"""What Aurora says in English, and its translations, as the catalogues have them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from tests.support.house import ROOT

LOCALES = ROOT / "aurora" / "locales"
ENGLISH = LOCALES / "messages.pot"


def texts(path: Path) -> dict[str, str]:
    """Return translations by their English."""
    return {str(one.id): str(one.string) for one in _catalog(path) if one.id}


@cache
def _catalog(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)
