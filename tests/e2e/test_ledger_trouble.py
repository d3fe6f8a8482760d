"""A ledger that can't be used: its owner is told, and nothing in it is overwritten."""

from __future__ import annotations

from pathlib import Path

import apsw

from tests.support.e2e.seen import mention, owner_reads, works
from tests.support.e2e.town import Town


def folder(town: Town) -> Path:
    """Return where Aurora keeps its data."""
    return Path(town.cog.services.store._path).parent


async def test_a_damaged_ledger_is_set_aside_and_the_owner_told(town: Town) -> None:
    """A fresh one is begun, and the damaged one kept for whoever can mend it."""
    home = folder(town)
    await town.command("unload aurora")
    (home / "ledger.sqlite3").write_bytes(b"not a database, but somebody's data")
    await town.command("load aurora")
    (told,) = await owner_reads(town)
    (aside,) = home.glob("ledger.sqlite3.corrupt-*")
    assert aside.name in told
    assert aside.read_bytes() == b"not a database, but somebody's data"
    await works(town)


async def test_a_ledger_in_use_stops_the_start_and_says_so(town: Town) -> None:
    """Two bots on one ledger would answer twice; the owner reads what to do."""
    home = folder(town)
    await town.command("unload aurora")
    other = apsw.Connection(str(home / "ledger.sqlite3"))
    other.pragma("locking_mode", "exclusive")
    other.execute("BEGIN EXCLUSIVE")
    await town.command("load aurora")
    (told,) = await owner_reads(town)
    assert "could not start" in told
    assert "in use" in told
    message = mention(town, "anybody there?")
    await town.discord.wait_for(lambda: town.marks(message) == ["⏹️"])
    assert "could not start" in await town.command("aurora queue status")
    other.close()
    await town.command("reload aurora")
    # It is a mention that was missed, and not long ago.
    await town.discord.wait_for(lambda: town.answers(message))
