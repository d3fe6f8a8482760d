"""One Aurora's life: every call to the world outside is a point at which something may happen."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from aurora.ledger import LedgerError, Store
from aurora.model import Send
from aurora.words import phrase


class Point(NamedTuple):
    """A point in a life: whether the other side can fail there, and has done something before."""

    can_fail: bool
    after: bool


class Life:
    """One Aurora, from its start to its death: each call to the world outside is a point in it.

    At the point number `at` happens `what`: it dies there ("die"), the task is cancelled
    ("cancel"), the other side fails ("fail"), or its disk is full from then on ("fill", or
    whatever begins so), until `filled` is unset.
    """

    def __init__(self, at: int = 0, what: str = "") -> None:
        self.at = at
        self.what = what
        self.passed: list[Point] = []
        self.reached = ""
        self.dead = False
        self.filled = False

    def points(self, what: str) -> list[int]:
        """Return the numbers of the passed points at which this makes a difference."""
        wanted = [
            # Who dies before a call leaves the world as who died after the one before.
            point.can_fail if what == "fail" else point.after or what != "die" or number == 1
            for number, point in enumerate(self.passed, 1)
        ]
        return [number for number, one in enumerate(wanted, 1) if one]

    async def point(
        self, where: str, failure: Exception | None = None, *, after: bool = False
    ) -> None:
        """Pass a point; `failure` is how the other side may fail there.

        It is `after` the other side has done something that outlives Aurora.
        """
        if self.dead:
            raise asyncio.CancelledError
        self.passed.append(Point(failure is not None, after))
        if len(self.passed) != self.at:
            return
        self.reached = where
        task = asyncio.current_task()
        if self.what == "die":
            self.dead = True
            await asyncio.Event().wait()
        elif self.what == "cancel" and task is not None:
            task.cancel()
            await asyncio.sleep(0)
        elif self.what.startswith("fill"):
            self.filled = True
        elif self.what == "fail" and failure is not None:
            raise failure


class Disk:
    """The ledger as one Aurora sees it.

    What is asked for lazily is put off until something else is to be written, and lost with a
    life that ends before: a real ledger waits no longer than a moment for that. Where nothing
    ends a life, `puts_off` can be unset: then it is left to the store, as is that a disk fills.
    """

    def __init__(self, store: Store, life: Life) -> None:
        self.store = store
        self.full = False
        self.puts_off = True
        self.idle = asyncio.Event()
        self.idle.set()
        self._busy = 0
        self._life = life
        self._put_off: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self.store, name)

        async def carry_out(*arguments: Any, lazily: bool = False, **options: Any) -> Any:
            if name in _NEVER_WAITED_FOR:
                self._put_off.append((name, arguments))
                return True
            if lazily and not self.puts_off:
                return await operation(*arguments, lazily=True, **options)
            if lazily:
                await self._life.point(f"{name} is put off")
                # As it is now: it may differ when it is written.
                self._put_off.append((name, copy.deepcopy(arguments)))
                return True
            if name not in _REMEMBERED:
                await self._catch_up()
            await self._life.point(f"{name} is asked", LedgerError(phrase("disk full")))
            if self._no_room and name not in _READING:
                raise LedgerError(phrase("disk full"))
            result = await self._work(lambda: operation(*arguments, **options))
            if name not in _READING:
                await self._life.point(f"{name} is done", after=True)
            return self._with_put_off(arguments[0], result) if name == "sends" else result

        return carry_out

    @property
    def _no_room(self) -> bool:
        return self.full or (self._life.filled and self.puts_off)

    async def _work(self, operation: Callable[[], Awaitable[Any]]) -> Any:
        """Do something, and be busy with it."""
        self._busy += 1
        self.idle.clear()
        try:
            return await operation()
        finally:
            self._busy -= 1
            if not self._busy:
                self.idle.set()

    async def _catch_up(self) -> None:
        """Do what was put off; on a full disk it is lost, and nobody is told."""
        while self._put_off and not self._life.dead:
            name, arguments = self._put_off.pop(0)
            if not self._no_room:
                await self._work(partial(getattr(self.store, name), *arguments))
                await self._life.point("what was put off is done", after=True)

    def _with_put_off(self, event_id: str, sends: Sequence[Send]) -> list[Send]:
        found = {send.key: send for send in sends}
        for name, (about, *rest) in self._put_off:
            if name == "record_send" and about.id == event_id:
                found[rest[0].key] = rest[0]
            elif name == "drop_line" and about.id == event_id:
                found.pop(rest[0], None)
                found.update((notice.key, notice) for notice in rest[1:])
        return list(found.values())


_NEVER_WAITED_FOR = {"note_step"}
"""What takes no commit of its own, at no moment: it is no point of a life."""
_REMEMBERED = {"conversation", "sends", "sources"}
"""What a real ledger need not read of a turn that runs."""
_READING = {
    "changes", "conversation", "counts", "dm_channels", "find", "get", "lines", "noted", "open",
    "recent", "refusal", "sends", "sent", "sources", "steps", "turn",
}  # fmt: skip
