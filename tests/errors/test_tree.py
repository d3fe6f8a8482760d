"""The tree of exceptions, as `aurora.errors` writes it down and as it is."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator

import aurora
import aurora.errors
from aurora.reasons import AuroraError


def modules() -> Iterator[str]:
    """Load every module of Aurora, and name it."""
    for found in pkgutil.walk_packages(aurora.__path__, "aurora."):
        importlib.import_module(found.name)
        yield found.name


def exceptions() -> set[type[Exception]]:
    """Return the public exceptions that Aurora's modules define."""
    return {
        one
        for name in modules()
        for one in vars(importlib.import_module(name)).values()
        if inspect.isclass(one) and issubclass(one, Exception) and one.__module__ == name
        if not one.__name__.startswith("_")
    }


def tree(parent: type[Exception], depth: int = 0) -> Iterator[str]:
    """Yield the tree below a class, a line each, indented, in the order of the names."""
    yield "    " * depth + parent.__name__
    below = (one for one in parent.__subclasses__() if one in exceptions())
    for child in sorted(below, key=lambda one: one.__name__):
        yield from tree(child, depth + 1)


def test_every_exception_is_one_of_auroras() -> None:
    """So that who calls Aurora can tell its refusals from its faults."""
    strangers = {one.__name__ for one in exceptions() if not issubclass(one, AuroraError)}
    assert strangers == set()


def test_the_written_tree_is_the_real_one() -> None:
    """Each class in its place, with what it is and the room it lives in."""
    written = re.findall(r"^( *\w+) {2,}\S", aurora.errors.__doc__ or "", re.MULTILINE)
    assert written == list(tree(AuroraError))
