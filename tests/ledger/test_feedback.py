"""What every Store keeps of feedback."""

from __future__ import annotations

from typing import Any

from aurora.ledger import Store
from aurora.ledger.feedback_log import KEPT_OF_A_LANE
from aurora.model import Judgement

ADA, BO = 7, 8
LANE = "channel:1"


def thinks(**changes: Any) -> Judgement:
    """Return what Ada thinks of an answer that she asked for."""
    judgement = Judgement("evt_1", ADA, "agent-1", LANE, good=True, own=True, at=5.5)
    return judgement._replace(**changes)


async def test_fifty_changes_of_mind_leave_one_row(store: Store) -> None:
    """The last one, whole."""
    for number in range(50):
        await store.judge(thinks(good=number % 2 == 0))
    assert list(await store.judgements_on("evt_1")) == [thinks(good=False)]


async def test_what_is_taken_back_is_gone_unless_they_think_otherwise_since(store: Store) -> None:
    """Two reactions of one person: the earlier one taken away changes nothing."""
    await store.judge(thinks(good=False))
    await store.take_back("evt_1", ADA, True)
    assert list(await store.judgements_on("evt_1")) == [thinks(good=False)]
    await store.take_back("evt_1", ADA, False)
    assert list(await store.judgements_on("evt_1")) == []


async def test_who_did_not_ask_is_kept_apart(store: Store) -> None:
    """Only those who asked count for an agent in a lane, in the order of its answers."""
    await store.judge(thinks(event_id="evt_2", good=False))
    await store.judge(thinks(person_id=BO, own=False, good=False))
    await store.judge(thinks())
    await store.judge(thinks(event_id="evt_3", lane="channel:2"))
    found = await store.judgements("agent-1", LANE)
    assert [one.event_id for one in found] == ["evt_1", "evt_2"]
    assert [one.person_id for one in await store.judgements_on("evt_1")] == [ADA, BO]
    assert set(await store.judged_lanes()) == {("agent-1", LANE), ("agent-1", "channel:2")}


async def test_an_agent_is_told_once(store: Store) -> None:
    """Of its own lane; who changes their mind is news again."""
    await store.judge(thinks())
    await store.judge(thinks(event_id="evt_3", lane="channel:2"))
    await store.tell_judgements("agent-1", LANE)
    assert [one.told for one in await store.judgements("agent-1", LANE)] == [True]
    assert [one.told for one in await store.judgements("agent-1", "channel:2")] == [False]
    await store.judge(thinks(good=False))
    assert [one.told for one in await store.judgements("agent-1", LANE)] == [False]


async def test_of_a_lane_the_latest_are_kept(store: Store) -> None:
    """Years of thumbs do not fill the ledger."""
    for number in range(KEPT_OF_A_LANE + 3):
        await store.judge(thinks(event_id=f"evt_{number:04}"))
    found = await store.judgements("agent-1", LANE)
    assert len(found) == KEPT_OF_A_LANE
    assert found[-1].event_id == f"evt_{KEPT_OF_A_LANE + 2:04}"


async def test_a_forgotten_person_thinks_nothing(store: Store) -> None:
    """What others think stays."""
    await store.judge(thinks())
    await store.judge(thinks(person_id=BO, own=False))
    await store.forget_user(ADA)
    assert [one.person_id for one in await store.judgements_on("evt_1")] == [BO]
