"""Another Aurora: a process of its own that has the ledger of a folder, and takes messages in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.house import ROOT

_SCRIPT = """
import asyncio, sys, time
from pathlib import Path
from aurora.clock import SystemClock
from aurora.ledger.sqlite import SqliteStore
from tests.support.events import make_event
from tests.support.stores import change, end

async def main():
    store = SqliteStore(Path(sys.argv[1]), SystemClock(), retention=lambda: 0.0)
    await store.open()
    print("open", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        what, *ids = line.split()
        message, channel, guild, author = map(int, ids)
        event = make_event(
            message_id=message, channel_id=channel, guild_id=guild, author_id=author,
            now=time.time(),
        )
        await store.add(event, change(event))
        if what == "answered":
            await end(store, event)
        print(what, flush=True)
    await store.close()

asyncio.run(main())
"""


class Rival:
    """A process that has a ledger open."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def accept(self, message_id: int, channel_id: int, guild_id: int, author_id: int) -> None:
        """Accept a message that waits from now on."""
        self._ask(f"accepted {message_id} {channel_id} {guild_id} {author_id}")

    def answer(self, message_id: int, channel_id: int, guild_id: int, author_id: int) -> None:
        """Accept a message and bring it to its end."""
        self._ask(f"answered {message_id} {channel_id} {guild_id} {author_id}")

    def end(self) -> None:
        """Let the process close the ledger and end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(30) == 0

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait(30)

    def hear(self, expected: str) -> None:
        """Wait until the process has done something."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == expected

    def _ask(self, what: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        self.hear(what.split()[0])


@contextmanager
def rival_at(path: Path) -> Iterator[Rival]:
    """Let another process have a ledger open, until it is ended or the block is left."""
    command = [sys.executable, "-c", _SCRIPT, str(path)]
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        rival = Rival(process)
        try:
            rival.hear("open")
            yield rival
        finally:
            if process.poll() is None:
                rival.kill()
