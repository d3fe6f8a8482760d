"""What a test starts: servers, processes and browsers, as its code and its fixtures' name them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

import pytest

_OURS = {"aurora", "doubles", "sandbox", "benchmarks", "tests"}
_STARTERS = {
    "Popen",
    "ProcessPoolExecutor",
    "SockSite",
    "TCPSite",
    "TestClient",
    "TestServer",
    "async_playwright",
    "create_server",
    "create_subprocess_exec",
    "create_subprocess_shell",
    "multiprocessing",
    "start_server",
    "subprocess",
    "sync_playwright",
}
_UNASKED = {"__init__", "__aenter__", "__enter__"}
"""What runs without being called by its name."""
_FORBIDDEN = {
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "socket.bind",
    "subprocess.Popen",
}


@dataclass(frozen=True, slots=True)
class _Call:
    """A function that is called, and the class it is a method of."""

    function: FunctionType
    owner: type | None = None


_harmless: set[_Call] = set()
_starting: set[_Call] = set()


def starts_something(item: pytest.Item) -> bool:
    """Tell whether a test or one of its fixtures starts a server, a process or a browser."""
    info: Any = getattr(item, "_fixtureinfo", None)
    fixtures = info.name2fixturedefs.values() if info else ()
    functions = [getattr(item, "function", None)]
    functions += [one.func for known in fixtures for one in known]
    return any(map(_begins, functions))


@cache
def _begins(value: Any) -> bool:
    """Look once at what many tests have in common."""
    found = _function(value)
    return found is not None and _starts(_Call(found))


def _starts(call: _Call) -> bool:
    if call in _starting:
        return True
    waiting, seen = [call], {call}
    while waiting:
        one = waiting.pop()
        further = _further(one)
        if further is None or not _starting.isdisjoint(further):
            _starting.update((call, one))
            return True
        waiting += further - seen - _harmless
        seen |= further
    _harmless.update(seen)
    return False


@cache
def _further(call: _Call) -> frozenset[_Call] | None:
    """Return what a function may call of ours, None if it starts something itself.

    Of a class that it names it calls only the methods that it names as well; a method may also
    call what its class is made of.
    """
    function, owner = call.function, call.owner
    names = frozenset(_names(function.__code__))
    if names & _STARTERS:
        return None
    values = [*_named(function), owner]
    if owner is not None and (making := _function(_member(owner, "__init__"))):
        values += _named(making)
    for module in [one for one in values if isinstance(one, ModuleType)]:
        if _is_ours(module.__name__):
            values += [getattr(module, name, None) for name in names]
    return frozenset(one for value in values for one in _called(value, names))


def _named(function: FunctionType) -> list[Any]:
    names = set(_names(function.__code__))
    closure = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    # A cell is empty until what it is for exists, as a class has it that calls `super()`.
    cells = [cell.cell_contents for _, cell in closure if cell != CellType()]
    return [*(function.__globals__[one] for one in names & function.__globals__.keys()), *cells]


def _called(value: Any, names: frozenset[str]) -> Iterator[_Call]:
    if not _is_ours(getattr(value, "__module__", None)):
        return
    if not inspect.isclass(value):
        found = _function(value)
        if found is not None:
            yield _Call(found)
        return
    for name in names | _UNASKED:
        found = _function(_member(value, name))
        if found is not None:
            yield _Call(found, value)


def _member(kind: type, name: str) -> Any:
    return next((one.__dict__[name] for one in kind.__mro__ if name in one.__dict__), None)


def _function(value: Any) -> FunctionType | None:
    if isinstance(value, classmethod | staticmethod):
        value = value.__func__
    if isinstance(value, property):
        value = value.fget
    value = inspect.unwrap(value) if callable(value) else None
    return value if isinstance(value, FunctionType) else None


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _names(one)


def _is_ours(module: object) -> bool:
    return isinstance(module, str) and module.split(".")[0] in _OURS


class Guard:
    """Notes what a test starts after all, and stops it from doing so."""

    def __init__(self) -> None:
        self.started: list[str] | None = None
        # There is no taking it away again, so it hears of everything and mostly does nothing.
        sys.addaudithook(self._hear)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Fail whoever opens a socket to listen at, or starts a process, inside."""
        self.started = []
        try:
            yield
            started = self.started
        finally:
            self.started = None
        assert not started, f"a fast test started something: {', '.join(started)}"

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.started is not None and event in _FORBIDDEN:
            self.started.append(f"{event} {arguments[-1]}")
            raise RuntimeError(f"a fast test must not do this: {event}")
