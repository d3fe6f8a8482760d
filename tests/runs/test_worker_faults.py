"""Every way to end, broken off at every point: one end, one answer at most, and never silence.

Here each way meets each trouble before one kind of server. `make soak ARGS=faults` has them before
both, and messages that run together in all of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aurora.model import State
from tests.support.disks import FailingDisk
from tests.support.events import make_event
from tests.support.lives import Life
from tests.support.scripts import NEVER, ScriptedBackend, by_tool, done
from tests.support.stories import (
    BACKENDS,
    BEGUN,
    FILLED,
    SHARED,
    TALES,
    WHATS,
    Story,
    befall,
    untroubled,
)


def _meetings() -> list[Any]:
    """Pair tales and troubles so that each meets each kind; --fast has each trouble once."""
    return [
        pytest.param(
            tale,
            what,
            BACKENDS[(row + column) % len(BACKENDS)],
            marks=() if row == column * len(TALES) // len(WHATS) else pytest.mark.long,
        )
        for row, tale in enumerate(TALES)
        for column, what in enumerate(WHATS)
    ]


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Write no thousands of tracebacks."""
    caplog.set_level(logging.CRITICAL, "red.aurora")


@pytest.mark.parametrize(("tale", "what", "kind"), _meetings())
async def test_whatever_happens_an_event_has_one_end_and_at_most_one_answer(
    tale: str, what: str, kind: Callable[..., ScriptedBackend]
) -> None:
    """Whether Aurora dies, is cancelled, fails or runs out of disk, at any call it makes."""
    assert await befall(TALES[tale], what, kind) > 1


@pytest.mark.long
@pytest.mark.parametrize(
    ("tale", "what"),
    [
        (SHARED[(column + again) % len(SHARED)], what)
        for column, what in enumerate(WHATS)
        for again in (0, 2)
    ],
)
async def test_messages_that_run_together_end_together(tale: str, what: str) -> None:
    """Whoever of them the ledger has heard of last."""
    assert await befall(TALES[tale], what, events=3) > 1


@pytest.mark.long
@pytest.mark.parametrize("what", WHATS)
async def test_a_run_that_never_ends_has_an_end(what: str) -> None:
    """The agent is given up at its time limit, whatever happens on the way there."""
    story, event = Story([*BEGUN, NEVER], Life()), make_event()
    await story.tell(event)
    assert (await story.bench.kept(event)).reason == "timeout"
    await befall([*BEGUN, NEVER], what)


@pytest.mark.long
@pytest.mark.parametrize(
    ("by", "what"),
    [("delivery", "die"), *(("delivery", what) for what in FILLED), ("tool", "fill")],
)
async def test_an_answer_in_parts_is_given_whole_and_once(by: str, what: str) -> None:
    """Wherever Aurora dies: the record of the last part waits for the end, the others do not.

    And wherever the disk fills. Of what an agent sends itself only the hash is kept: a death in
    the midst of it leaves what is out.
    """
    parts = ["a" * 1900, "b" * 1900, "c" * 1900]
    text = "\n\n".join(parts)
    tale = [*BEGUN, *([done(text)] if by == "delivery" else [by_tool(text), done("Done.")])]
    whole = Story(tale, Life())
    await whole.tell(make_event())
    for at in whole.life.points(what):
        story, event = Story(tale, Life(at, what)), make_event()
        await story.tell(event)
        shown = [post.text for post in story.bench.square.posts if post.by != "mark"]
        assert shown == parts, story.life.reached
        assert (await story.bench.kept(event)).state is State.ANSWERED, story.life.reached


@pytest.mark.long
@pytest.mark.parametrize("tale", ["text", "sent"])
async def test_it_is_so_with_the_ledger_on_disk(tale: str, tmp_path: Path) -> None:
    """Every line that was written comes back after a death."""
    for at in (await untroubled(TALES[tale])).life.points("die"):
        path = tmp_path / f"{at}.sqlite3"
        story, event = Story(TALES[tale], Life(at, "die"), path=path), make_event()
        try:
            await story.tell(event)
            await story.check(event)
        finally:
            await story.close()


@pytest.mark.long
@pytest.mark.parametrize("tale", ["text", "sent"])
async def test_it_is_so_when_the_disk_of_the_ledger_fills(tale: str, tmp_path: Path) -> None:
    """SQLite then undoes all that shares a commit, what nobody waits for too."""

    async def told(at: int) -> Life:
        disk, path, life = FailingDisk(), tmp_path / f"{at}.sqlite3", Life(at, "fill")
        story, event = Story(TALES[tale], life, path=path, disk=disk), make_event()
        try:
            await story.tell(event)
            await story.check(event)
        finally:
            await story.close()
        return life

    for at in (await told(0)).points("fill"):
        await told(at)
