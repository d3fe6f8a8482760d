"""What the soak does to Aurora really happens to it; else nothing would be shown."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from doubles.local_discord import LocalDiscord
from doubles.local_discord.gateway import Session

from .clock import ProcessClock
from .disk import disk_at
from .late import LateGuilds

_ALL_INTENTS = (1 << 26) - 1


@pytest.fixture
def clock() -> Iterator[ProcessClock]:
    """Return the clock of this process, and set it right afterwards."""
    one = ProcessClock()
    yield one
    one.stop()


def test_all_clocks_of_a_process_are_set_but_none_that_measures(clock: ProcessClock) -> None:
    """Set twice, the second counts from the first; stopwatches go on as they did."""
    wall, stopwatch = time.time(), time.monotonic()
    clock.set(-3600.0)
    assert time.time() - wall == pytest.approx(-3600, abs=60)
    clock.set(86400.0)
    assert time.time() - wall == pytest.approx(86400 - 3600, abs=60)
    assert datetime.now(UTC).timestamp() == pytest.approx(time.time(), abs=60)
    assert time.monotonic() - stopwatch == pytest.approx(0, abs=60)


async def test_a_full_disk_takes_nothing_until_it_has_room_again(tmp_path: Path) -> None:
    """Whether it is a small one, or a limit on this process."""
    file = tmp_path / "file"
    with disk_at(tmp_path) as disk:
        async with disk.full(os.getpid()):
            with pytest.raises(OSError, match=r"No space|too large") as raised:
                file.write_bytes(bytes(1 << 20))
            assert raised.value.errno in (errno.ENOSPC, errno.EFBIG)
        assert file.write_bytes(bytes(1 << 20)) == 1 << 20


class Line:
    """The end of a session's line."""

    def __init__(self) -> None:
        self.frames: list[str] = []

    def write(self, text: str) -> None:
        self.frames.append(text)

    def abort(self) -> None: ...

    def count(self, name: str) -> int:
        """Count the events of a name."""
        return sum(f'"t":"{name}"' in frame for frame in self.frames)


def session_of(discord: LocalDiscord) -> tuple[Session, Line]:
    """Open a session that hears everything."""
    session, line = Session(_ALL_INTENTS, (0, 1)), Line()
    session.connection = line
    discord.gateway.open(session)
    return session, line


async def test_a_late_guild_is_silent_until_it_comes() -> None:
    """It is announced in READY; what is written meanwhile shows in its last message alone."""
    discord = LocalDiscord()
    late = LateGuilds(discord)
    quick, slow = (discord.add_guild(name, owner=discord.owner) for name in ("quick", "slow"))
    rooms = [discord.add_channel(guild, "room") for guild in (quick, slow)]
    late.delay = lambda guild: 0.05 if guild is slow else 0.0
    _, line = session_of(discord)
    said: list[Any] = [discord.say(discord.owner, room, "hello") for room in rooms]
    assert (late.held, line.count("GUILD_CREATE"), line.count("MESSAGE_CREATE")) == (1, 1, 1)
    assert str(slow.id) in line.frames[0]
    await discord.wait_for(lambda: not late.held)
    assert line.count("GUILD_CREATE") == 2
    assert f'"last_message_id":"{said[1].id}"' in line.frames[-1]
    discord.say(discord.owner, rooms[1], "again")
    assert line.count("MESSAGE_CREATE") == 2
