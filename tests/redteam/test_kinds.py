"""How many attacks there are, and that none of the kinds is left out."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Iterator
from math import prod
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

from tests.support.redteam.kinds import Kind

HERE = Path(__file__)


def modules() -> Iterator[ModuleType]:
    """Import the other files of this folder, as pytest does."""
    for path in sorted(HERE.parent.glob("test_*.py")):
        if path != HERE:
            yield importlib.import_module(f"{__package__}.{path.stem}")


def attacks() -> Iterator[tuple[FunctionType, list[pytest.Mark]]]:
    """Yield the tests, with their marks."""
    for module in modules():
        for name, found in vars(module).items():
            if name.startswith("test_") and isinstance(found, FunctionType):
                yield found, list(getattr(found, "pytestmark", ()))


def kinds(marks: list[pytest.Mark]) -> tuple[Kind, ...]:
    """Return the kinds that a test stands for."""
    return next((one.args for one in marks if one.name == "attack"), ())


def cases(marks: list[pytest.Mark]) -> int:
    """Count the inputs of a test; one that runs before both kinds of server counts once."""
    return prod(len(one.args[1]) for one in marks if one.name == "parametrize")


def test_every_test_says_what_it_stands_for() -> None:
    """A list that is kept by hand forgets."""
    assert [one.__name__ for one, marks in attacks() if not kinds(marks)] == []


def test_every_kind_of_attack_is_tried() -> None:
    """One that is not is none that holds."""
    tried = {kind for _, marks in attacks() for kind in kinds(marks)}
    assert set(Kind) - tried == set()


def test_there_are_enough_of_them() -> None:
    """And no two tests of a name, of which one would not run."""
    found = list(attacks())
    assert sum(cases(marks) for _, marks in found) >= 150
    twice = [
        name for name, count in Counter(one.__name__ for one, _ in found).items() if count > 1
    ]
    assert twice == []
