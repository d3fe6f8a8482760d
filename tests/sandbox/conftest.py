"""The fixtures of the local Discord, and a place for stacks with the REST backend."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.local_town import client, red, town

__all__ = ["client", "red", "rest_data", "town"]


@pytest.fixture(scope="module")
def rest_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder of a stack in this process whose SDK is found, and stays, in it.

    What was imported from there is used by the next stack as well; only the path is put back.
    """
    kept = list(sys.path)
    yield tmp_path_factory.mktemp("data")
    sys.path[:] = kept
