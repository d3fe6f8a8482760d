"""At rest: nobody but the bot's account reads the ledger, and what is in it can't be tried out."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from aurora.chat.fingerprints import Fingerprints
from aurora.ledger import LedgerError
from aurora.ledger.opening import open_ledger
from aurora.ledger.schema import migrate
from aurora.ledger.secret import KEY_BYTES, KEY_NAME, local_key
from aurora.ledger.versions import MIGRATIONS
from tests.support.clocks import FakeClock
from tests.support.events import make_event
from tests.support.house import ROOT
from tests.support.stores import FILE, change, make_send, sqlite_store

pytestmark = pytest.mark.skipif(os.name == "nt", reason="rights are a matter of POSIX")

VERSION_2 = ROOT / "tests" / "ledger" / "version_2"


def modes(folder: Path) -> set[str]:
    """Return the rights of all files in a folder."""
    return {oct(stat.S_IMODE(one.stat().st_mode)) for one in folder.iterdir() if one.is_file()}


@pytest.fixture
def careless() -> Iterator[None]:
    """Make what is written readable to everybody, as most systems do."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("careless")
async def test_only_the_bots_account_may_read_the_ledger(tmp_path: Path) -> None:
    """Its folder, its file, the log beside it, and the key."""
    folder = tmp_path / "Aurora"
    store = sqlite_store(FakeClock(), folder)
    await store.open()
    event = make_event()
    await store.add(event, change(event))
    local_key(folder)
    assert oct(stat.S_IMODE(folder.stat().st_mode)) == "0o700"
    assert {one.name for one in folder.iterdir()} == {FILE, f"{FILE}-wal", KEY_NAME}
    assert modes(folder) == {"0o600"}
    await store.close()


@pytest.mark.usefixtures("careless")
async def test_what_an_earlier_version_left_open_is_closed(tmp_path: Path) -> None:
    """Files that were set aside, too: they hold what people wrote."""
    folder = tmp_path / "Aurora"
    folder.mkdir()
    folder.chmod(0o755)
    for name, source in ((FILE, "died.sqlite3"), (f"{FILE}-wal", "died.sqlite3-wal")):
        shutil.copy(VERSION_2 / source, folder / name)
    shutil.copy(VERSION_2 / "died.sqlite3", folder / f"{FILE}.corrupt-20250101T000000Z")
    for one in folder.iterdir():
        one.chmod(0o644)
    store = sqlite_store(FakeClock(), folder)
    await store.open()
    assert oct(stat.S_IMODE(folder.stat().st_mode)) == "0o700"
    assert modes(folder) == {"0o600"}
    await store.close()


@pytest.mark.usefixtures("careless")
async def test_a_ledger_that_is_set_aside_or_written_anew_stays_closed(tmp_path: Path) -> None:
    """Whatever becomes of the file."""
    folder = tmp_path / "Aurora"
    folder.mkdir()
    (folder / FILE).write_bytes(b"no ledger at all" * 1000)
    store = sqlite_store(FakeClock(), folder)
    backlog = await store.open()
    assert backlog.set_aside is not None
    assert modes(folder) == {"0o600"}
    await store.close()
    tables, _ = open_ledger(folder / FILE, FakeClock())
    tables.copy(folder / f"{FILE}.new")
    assert modes(folder) == {"0o600"}
    tables.close()


async def test_a_disk_without_rights_stops_no_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network disks refuse to change them."""

    def refuse(*_args: object, **_more: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    (tmp_path / "Aurora").mkdir(mode=0o755)
    store = sqlite_store(FakeClock(), tmp_path / "Aurora")
    await store.open()
    await store.close()


# -- the key


def test_the_key_is_made_once(tmp_path: Path) -> None:
    """Another one would recognise nothing."""
    key = local_key(tmp_path)
    assert len(key) == KEY_BYTES
    assert local_key(tmp_path) == key


def test_a_broken_key_is_replaced(tmp_path: Path) -> None:
    """What it made is then in doubt, and not taken for unsent."""
    (tmp_path / KEY_NAME).write_bytes(b"half")
    key = local_key(tmp_path)
    assert len(key) == KEY_BYTES
    assert local_key(tmp_path) == key


def test_a_key_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    """In words for the owner, as all trouble with the folder."""
    (tmp_path / KEY_NAME).mkdir()
    with pytest.raises(LedgerError, match=KEY_NAME):
        local_key(tmp_path)


def test_a_text_cannot_be_tried_out_without_the_key() -> None:
    """Of a "yes" the plain hash would be found at once."""
    first, second = Fingerprints(b"1" * 32), Fingerprints(b"2" * 32)
    assert first.of("yes") != second.of("yes")
    assert first.of("yes") == first.of(" yes\n")
    assert first.can_compare(first.of("yes"))
    assert not second.can_compare(first.of("yes"))


def test_what_an_earlier_version_kept_is_recognised() -> None:
    """A send whose fate was open when Aurora was updated."""
    old = "8a798890fe93817163b10b5f7bd2ca4d"
    assert old in Fingerprints(b"1" * 32).forms("yes")
    assert Fingerprints(b"1" * 32).can_compare(old)


async def test_no_key_of_a_reaction_holds_what_an_agent_wrote(tmp_path: Path) -> None:
    """A model may give any text for an emoji; those of earlier versions are rewritten."""
    event = make_event()
    kept = make_send("react:5:the vault code is 1234", kind="reaction", reply_to=5)
    db = apsw.Connection(str(tmp_path / FILE))
    migrate(db, MIGRATIONS[:3])
    with db:
        db.execute(
            "INSERT INTO events (id, kind, message_id, channel_id, author_id, accepted_at, "
            "expires_at, state, reason) VALUES (?, 'dm', 5, 1, 2, 0, 1e12, 'waiting', '')",
            (event.id,),
        )
        db.execute(
            "INSERT INTO sends (event, key, kind, sent_by, channel_id, text_hash, reply_to, "
            "message_ids) VALUES (1, ?, ?, ?, ?, ?, ?, '')",
            kept[:6],
        )
    db.close()
    store = sqlite_store(FakeClock(), tmp_path)
    await store.open()
    (send,) = await store.sends(event.id)
    assert send.key == f"react:5:{kept.text_hash}"
    await store.close()
    assert b"vault" not in (tmp_path / FILE).read_bytes()
