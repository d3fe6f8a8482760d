"""What a whole mention costs the machine: processor time, commits, and bytes for the disk."""

from __future__ import annotations

import cProfile
import os
import pstats
import sys
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager

import apsw
import psutil

from .figures import Figure
from .mentions import in_talk
from .schedule import (
    CHANNELS,
    GUILDS,
    MENTIONS,
    PER_SECOND,
)

_ROWS = 30
_PROFILED = 0.25  # of the mentions: a profiler more than doubles what each costs


class _Commits:
    """Counts the commits of every SQLite file that this process opens from now on."""

    count = 0

    def watch(self, connection: apsw.Connection) -> None:
        connection.set_commit_hook(self._counted)

    def _counted(self) -> bool:
        self.count += 1
        return False


async def measure(
    mentions: int = MENTIONS,
    *,
    per_second: float = PER_SECOND,
    guilds: int = GUILDS,
    channels: int = CHANNELS,
    settle: float = 1.0,
    profile: bool = False,
) -> AsyncIterator[Figure]:
    """Mention the bot evenly, and divide what its process used up by the mentions.

    With `profile` some more mentions follow, and where their time went is printed.
    """
    with _counting() as commits:
        async with in_talk(guilds, channels, per_second) as people:
            await people.settle(settle)
            before, threads = _used(commits), _threads()
            await people.load(mentions, per_second)
            # What is tidied up after the last answer belongs to the mentions too.
            await people.settle(settle)
            cpu, committed, written = (
                (after - was) / mentions for after, was in zip(_used(commits), before, strict=True)
            )
            _explain(threads, mentions)
            if profile:
                count = max(1, round(mentions * _PROFILED))
                with _profiled(count):
                    await people.load(count, per_second)
    yield Figure("mentions_per_s_core", round(1 / cpu, 1), "1/s")
    yield Figure("commits_per_mention", round(committed, 2), "commits")
    yield Figure("kb_per_mention", round(written / 1e3, 1), "kB")


@contextmanager
def _counting() -> Iterator[_Commits]:
    commits = _Commits()
    apsw.connection_hooks.append(commits.watch)
    try:
        yield commits
    finally:
        apsw.connection_hooks.remove(commits.watch)


def _used(commits: _Commits) -> tuple[float, int, int]:
    """Return seconds of processor time, commits, and bytes for the disk, all since the start."""
    return time.process_time(), commits.count, psutil.Process().io_counters().write_bytes


def _threads() -> Mapping[int, float]:
    """Return the seconds of processor time of each thread."""
    return {one.id: one.user_time + one.system_time for one in psutil.Process().threads()}


def _explain(before: Mapping[int, float], mentions: int) -> None:
    names = {one.native_id: one.name for one in threading.enumerate()}
    took: dict[str, float] = defaultdict(float)
    for thread, seconds in _threads().items():
        took[names.get(thread, "others")] += (seconds - before.get(thread, 0.0)) / mentions
    most = sorted(took.items(), key=lambda one: -one[1])
    shares = ", ".join(f"{name} {each * 1e3:.2f} ms" for name, each in most if each)
    print(f"processor time of a mention by thread: {shares}", file=sys.stderr)


@contextmanager
def _profiled(mentions: int) -> Iterator[None]:
    """Profile this thread, the event loop's, and print a mention's share of what it did."""
    profile = cProfile.Profile()
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
    # typeshed does not know what Stats is made of.
    rows = vars(pstats.Stats(profile))["stats"]
    own = sorted(((row[2], row[3], row[1], where) for where, row in rows.items()), reverse=True)
    lines = [
        f"{seconds / mentions * 1e6:8.0f} {below / mentions * 1e6:9.0f} {calls / mentions:8.1f}  "
        f"{_place(*where)}"
        for seconds, below, calls, where in own[:_ROWS]
    ]
    head = "  own µs  total µs    calls  of one mention in the event loop, while profiled"
    print(head, *lines, sep="\n", file=sys.stderr)


def _place(file: str, line: int, name: str) -> str:
    """Name a function by the last two parts of its file."""
    return name if file == "~" else f"{os.sep.join(file.split(os.sep)[-2:])}:{line} {name}"
