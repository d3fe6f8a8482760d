"""Carrying out operations on the ledger's tables, many to a commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from .tables import Tables

Operation = tuple[asyncio.Future[Any] | None, Callable[..., Any], tuple[Any, ...]]
Outcome = tuple[asyncio.Future[Any] | None, Any, Exception | None]


def carry_out(tables: Tables, batch: list[Operation], *, lightly: bool) -> list[Outcome]:
    """Do a batch in one transaction; all of it is undone if it can't be committed.

    If an operation fails the batch is undone and done again with a savepoint for each, so that it
    fails alone; always to have savepoints would cost a third of the speed. What nobody waits for
    is done `lightly`: it is synced with what comes after it.
    """
    try:
        try:
            with tables.unsynced() if lightly else nullcontext():
                return _transact(tables, batch, _plainly)
        except _OneFailedError:
            return _transact(tables, batch, _apart)
    except Exception as failure:
        return [(future, None, tables.explained(failure)) for future, _, _ in batch]


def _transact(
    tables: Tables, batch: list[Operation], way: Callable[[Tables, list[Operation]], list[Outcome]]
) -> list[Outcome]:
    tables.run("BEGIN IMMEDIATE")
    try:
        outcomes = way(tables, batch)
        tables.run("COMMIT")
    except BaseException:
        tables.undo()
        raise
    return outcomes


class _OneFailedError(Exception):
    """An operation of a batch failed."""


def _plainly(tables: Tables, batch: list[Operation]) -> list[Outcome]:
    """Do a batch in which nothing is expected to fail."""
    try:
        outcomes: list[Outcome] = [
            (future, operation(tables, *args), None) for future, operation, args in batch
        ]
        tables.keep_changes()
    except Exception as error:
        raise _OneFailedError from error
    return outcomes


def _apart(tables: Tables, batch: list[Operation]) -> list[Outcome]:
    """Do a batch in which something fails: each operation in a savepoint, to fail alone."""
    outcomes: list[Outcome] = []
    for future, operation, args in batch:
        tables.run("SAVEPOINT one")
        try:
            result = operation(tables, *args)
            tables.keep_changes()
            outcomes.append((future, result, None))
        except Exception as error:
            # On a full disk or a failing one SQLite undoes the whole transaction by itself.
            if not tables.db.in_transaction:
                raise
            tables.undo_one()
            outcomes.append((future, None, tables.explained(error)))
        tables.run("RELEASE one")
    return outcomes
