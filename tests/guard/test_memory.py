"""Which files of an agent's memory somebody may have it read, write and delete, and where."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurora.agents.memory import note_of
from aurora.guard.memory import PATH_CHARS, Asker, denial
from aurora.guard.policy import Act
from aurora.reasons import Reason

ADA, BOB, HERE, THERE = 7, 8, 1, 2
MEMBER = Asker(ADA, HERE, 9)
IN_DM = Asker(ADA, 5, None)
KEEPER = MEMBER._replace(manages=True)
OWNER = MEMBER._replace(manages=True, owner=True)
READ, WRITE, DELETE = Act.MEMORY_READ, Act.MEMORY_WRITE, Act.MEMORY_DELETE


def may(asker: Asker, act: Act, path: str, written_in: int | None = None) -> bool:
    """Ask, where nobody reads along between places."""
    readable = written_in == asker.channel_id
    denied = denial(asker, act, path, written=written_in is not None, readable=readable)
    assert denied is None or denied.code is Reason.MEMORY_DENIED
    assert denied is None or len(denied.text) < 500
    return denied is None


@pytest.mark.parametrize(
    ("asker", "path", "write", "delete"),
    [
        (MEMBER, "people/7/facts.md", True, True),
        (MEMBER, "places/1/rules.md", True, False),
        (MEMBER, "people/8/facts.md", False, False),
        (MEMBER, "places/2/rules.md", False, False),
        (MEMBER, "people/7/dm/facts.md", False, False),
        (MEMBER, "MEMORY.md", False, False),
        (MEMBER, "persona.md", False, False),
        (MEMBER, "projects/x.md", False, False),
        (IN_DM, "people/7/dm/facts.md", True, True),
        (IN_DM, "people/8/dm/facts.md", False, False),
        (IN_DM, "people/7/facts.md", False, False),
        (IN_DM, "places/5/facts.md", False, False),
        (IN_DM, "persona.md", False, False),
        (KEEPER, "MEMORY.md", True, True),
        (KEEPER, "projects/x.md", True, True),
        (KEEPER, "people/8/facts.md", True, True),
        (KEEPER, "places/1/rules.md", True, True),
        (KEEPER, "people/8/dm/facts.md", False, False),
        (KEEPER, "people/7/dm/facts.md", False, False),
        (OWNER, "persona.md", True, True),
        (OWNER, "people/8/dm/facts.md", False, False),
    ],
)
def test_who_may_change_what(asker: Asker, path: str, write: bool, delete: bool) -> None:
    """Members their notes; the owner, and whom they named, all but what was said in DMs."""
    assert may(asker, WRITE, path) is write
    assert may(asker, DELETE, path) is delete


@pytest.mark.parametrize(
    ("asker", "path", "written_in", "allowed"),
    [
        (MEMBER, "people/7/facts.md", HERE, True),
        (MEMBER, "people/8/facts.md", HERE, True),
        (MEMBER, "places/2/facts.md", HERE, True),
        (MEMBER, "people/7/facts.md", THERE, False),
        (MEMBER, "people/7/facts.md", None, False),
        (MEMBER, "people/7/dm/facts.md", HERE, False),
        (OWNER, "people/7/facts.md", THERE, False),
        (IN_DM, "people/7/dm/facts.md", 5, True),
        (IN_DM, "people/7/dm/facts.md", None, True),
        (IN_DM, "people/8/dm/facts.md", 5, False),
        (IN_DM, "people/7/facts.md", HERE, False),
        (MEMBER, "persona.md", None, True),
        (MEMBER, "projects/x.md", None, True),
        (MEMBER, "people/MEMORY.md", None, False),
        (MEMBER, "people/ada.md", None, False),
    ],
)
def test_what_is_read_where(
    asker: Asker, path: str, written_in: int | None, allowed: bool
) -> None:
    """A note where it was written, whoever asks; shared files everywhere."""
    assert may(asker, READ, path, written_in) is allowed


def test_nobody_writes_over_what_cannot_be_read_here() -> None:
    """It would be lost without a word; the person themself may delete it."""
    assert not may(MEMBER, WRITE, "people/7/x.md", THERE)
    assert not may(OWNER, WRITE, "people/7/x.md", THERE)
    assert may(MEMBER, DELETE, "people/7/x.md", THERE)


ODD = [
    "",
    "/",
    ".md",
    "/persona.md",
    "persona.md/",
    "people//7.md",
    "people/7/../MEMORY.md",
    "people/7/./x.md",
    "people/../persona.md",
    "../x.md",
    "people/07/x.md",
    "people/+7/x.md",
    "people/7 /x.md",
    "people/\u0667/x.md",
    "people/\uff17/x.md",
    "people/7\u200b/x.md",
    "pe\u043eple/7/x.md",
    "\uff50eople/7/x.md",
    "People/7/x.md",
    "PEOPLE/7/x.md",
    "people /7/x.md",
    "people./7/x.md",
    "people/7/X.md",
    "people/7/MEMORY.md",
    "people/7/memory.md",
    "people/7/Memory.MD",
    "people/7/x.md.",
    "people/7/x.md ",
    "people/7/x",
    "people/7/x.txt",
    "people/7/.git.md",
    "people/7/x/y.md",
    "people/7/DM/y.md",
    "people/7/dm/x/y.md",
    "people/7/dm.md/..",
    "people/7\\..\\persona.md",
    "people/7/x\n.md",
    "people/7/x\0.md",
    "people/7/x.md\0",
    "people/9223372036854775808/x.md",
    "people/" + "7" * 5000 + "/x.md",
    "a/" * 500 + "x.md",
    "people/7/" + "x" * 61 + ".md",
    ".git/config",
    ".memfs.config.json",
    "C:/x.md",
    "people/7/x.md:stream",
    "\ud800.md",
]


@pytest.mark.parametrize("path", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("act", [WRITE, DELETE])
def test_a_path_that_is_not_what_it_looks_like_is_refused(path: str, act: Act) -> None:
    """Traversal, look-alikes, capitals, dots and blanks at the end, depth, other people's ids."""
    for asker in (MEMBER, IN_DM):
        assert not may(asker, act, path, HERE)


def test_a_name_of_memory_is_no_note_for_an_index_may_be_the_same_file() -> None:
    """To some file systems memory.md and MEMORY.md are one."""
    assert note_of("people/7/memory.md") is None
    assert not may(OWNER, WRITE, "people/7/MEMORY.md")


_PARTS = st.sampled_from(
    ["people", "places", "People", "7", "8", "1", "07", "dm", "..", ".", "", "x.md", "MEMORY.md",
     "memory.md", "X.MD", " ", "pe\u043eple", "\u200b", "..\\", "%2e%2e"]
)  # fmt: skip
_PATHS = st.one_of(
    st.lists(_PARTS, max_size=6).map("/".join),
    st.lists(st.one_of(_PARTS, st.text(max_size=5)), max_size=6).map("/".join),
    st.text(max_size=PATH_CHARS + 5),
)


@given(_PATHS, st.sampled_from([MEMBER, IN_DM]), st.sampled_from([WRITE, DELETE]))
def test_whatever_a_member_writes_lies_in_their_own_folders(
    path: str, asker: Asker, act: Act
) -> None:
    """Told by a second way of reading paths, which knows nothing of the first."""
    if not may(asker, act, path, asker.channel_id):
        return
    folder, _, name = path.rpartition("/")
    own = {"people/7", "places/1"} if asker is MEMBER else {"people/7/dm"}
    assert folder in own
    assert name.endswith(".md")
    assert name != "memory.md"
    assert set(name[:-3]) <= set(string.ascii_lowercase + string.digits + "-_")


@given(_PATHS, st.sampled_from([MEMBER, IN_DM, KEEPER, OWNER]))
def test_without_its_place_nothing_is_read_below_the_folders_of_notes(
    path: str, asker: Asker
) -> None:
    """But what was said in the very DM that asks."""
    if may(asker, READ, path, None):
        shared = path.split("/")[0].casefold() not in ("people", "places")
        assert shared or (asker is IN_DM and path.startswith("people/7/dm/"))
