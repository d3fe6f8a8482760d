"""Going over much without holding up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice
from typing import TypeVar

BITE = 100
"""Steps of some ten microseconds after which others may run."""
KEPT_AT_ONCE = 100
"""Rows that the ledger is given at a time, so that nobody waits long behind them."""

_T = TypeVar("_T")


def parts(things: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Yield things in lists of at most that size."""
    left = iter(things)
    while part := list(islice(left, size)):
        yield part


async def walk(things: Iterable[_T], bite: int = BITE) -> AsyncIterator[list[_T]]:
    """Yield what there is now in bites, and let others run between them.

    They may change anything meanwhile: look at each thing when it comes.
    """
    first = True
    for part in parts(list(things), bite):
        if not first:
            await asyncio.sleep(0)
        first = False
        yield part


async def let_go(things: list[_T], bite: int = 5 * BITE) -> None:
    """Empty a list in bites: to free a hundred thousand events takes a while too."""
    while things:
        del things[-bite:]
        await asyncio.sleep(0)
