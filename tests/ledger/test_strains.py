"""The strains of lanes, and the wishes of events: what every store keeps, and what it forgets."""

from __future__ import annotations

import pytest

from aurora.ledger import Store
from aurora.model import NO_STRAIN, NO_WISH, Event, Strain, Wish, read_wish
from tests.support.events import make_event
from tests.support.stores import change, reopened

HARD = Strain(strong=True, doubts=1)


async def test_a_strain_is_kept_and_outlives_a_restart(store: Store) -> None:
    """And is gone when it is none any more."""
    assert await store.strain("channel:1") == NO_STRAIN
    await store.set_strain("channel:1", HARD)
    await store.set_strain("channel:2", Strain(doubts=1))
    await store.set_strain("channel:2", NO_STRAIN)
    await store.close()
    await store.open()
    assert await store.strain("channel:1") == HARD
    assert await store.strain("channel:2") == NO_STRAIN


async def test_those_of_a_persons_direct_messages_go_with_them(store: Store) -> None:
    """What is known of a channel of many is nobody's."""
    theirs = make_event(channel_id=5, guild_id=None, author_id=8)
    await store.add(theirs, change(theirs))
    for lane in (theirs.lane, "channel:1"):
        await store.set_strain(lane, HARD)
    await store.forget_user(8)
    assert await store.strain(theirs.lane) == NO_STRAIN
    assert await store.strain("channel:1") == HARD


async def test_a_wish_is_kept_with_its_event(store: Store, event: Event) -> None:
    """It counts when the event's turn comes, whenever that is."""
    event.wish = str(Wish(strong=True))
    await store.add(event, change(event))
    kept = await store.get(event.id)
    assert kept is not None
    assert kept.wish == "strong"
    (turn,) = await reopened(store)
    assert read_wish(turn.speaker.wish) == Wish(strong=True)


@pytest.mark.parametrize(
    "wish",
    [
        NO_WISH,
        Wish(role="coder"),
        Wish(strong=True, first=True),
        Wish(compare=("coder", "dba")),
        Wish("dba", strong=True, compare=("a", "b"), first=True),
    ],
)
def test_a_wish_is_read_as_it_was_written(wish: Wish) -> None:
    """What an Aurora before this one has kept, too."""
    assert read_wish(str(wish)) == wish
