"""Each row of the two documents has what stands for it here, and tests that show it."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.house import ROOT

HERE = Path(__file__).parent
DOCUMENTS = {"agentic-bot": range(1, 85), "task-life": range(85, 115)}
LEAST = 118
NEEDS = {
    "built": {"tests"},
    "other": {"tests", "why", "instead"},
    "open": {"why"},
}
"""What a row names, by what it is."""


def rows(document: str) -> list[dict[str, Any]]:
    """Return the rows of a document's table."""
    found: list[dict[str, Any]] = tomllib.loads(
        (HERE / f"{document}.toml").read_text(encoding="utf-8")
    )["row"]
    return found


ROWS = [row for document in DOCUMENTS for row in rows(document)]


@cache
def written_in(path: Path) -> frozenset[str]:
    """Return the names of a module's tests, as far as pytest collects them."""
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    named = (one.name for one in tree.body if isinstance(one, kinds))
    return frozenset(one for one in named if one.startswith("test_"))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_row_of_a_document_is_left_out_or_stands_twice(document: str) -> None:
    """A row of several things is several rows here."""
    ids = [row["id"] for row in rows(document)]
    assert len(set(ids)) == len(ids)
    assert {int(one.partition(".")[0]) for one in ids} == set(DOCUMENTS[document])
    assert len(ROWS) >= LEAST


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_each_row_names_what_it_takes_and_tests_that_exist(row: dict[str, Any]) -> None:
    """A test that was renamed shows nothing any more."""
    named = {key for key, value in row.items() if value} - {"id", "text", "is"}
    assert named == NEEDS[row["is"]]
    assert row["text"]
    missing = [
        test
        for test in row.get("tests", ())
        if test.partition("::")[2] not in written_in(ROOT / test.partition("::")[0])
    ]
    assert missing == []


def test_the_rule_sees_a_test_that_is_gone() -> None:
    """Or it would pass for want of sight."""
    mine = written_in(Path(__file__))
    assert "test_the_rule_sees_a_test_that_is_gone" in mine
    assert "test_that_nobody_wrote" not in mine
    assert written_in(HERE / "test_nothing.py") == frozenset()
