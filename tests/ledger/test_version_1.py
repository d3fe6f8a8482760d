"""A ledger as version 1 kept it: all that was known is there, and nothing is done twice.

`version_1/` holds two files that the last Aurora of that version wrote through its own queue:
`closed` when it was unloaded, `died` when it was killed, with its log. Beside each stands what
that Aurora made of the file when it opened it again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aurora.ledger import EVERYWHERE
from aurora.model import Send, Sent, State
from tests.support.old_ledgers import Old
from tests.support.stores import reopened, tamper

OF_EVENTS = (
    "id", "kind", "message_id", "channel_id", "guild_id", "author_id", "accepted_at",
    "expires_at", "parent_id", "state", "reason", "cause", "ended_at",
)  # fmt: skip
OF_TURNS = (
    "attempts", "misses", "crashes", "interrupted", "not_before", "agent_id", "conversation_id",
    "run_id", "input_id", "answer", "started_at", "ended_at", "prompt_tokens",
    "completion_tokens",
)  # fmt: skip

_EMPTY = {
    "attempts": 0,
    "misses": 0,
    "crashes": 0,
    "interrupted": False,
    "not_before": 0.0,
    "prompt_tokens": 0,
    "completion_tokens": 0,
}


def contents(folder: Path) -> list[bytes]:
    """Return what stands in the files of a folder."""
    return [file.read_bytes() for file in folder.iterdir()]


@pytest.fixture(params=["closed", "died"])
async def old(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Old]:
    """A ledger that version 1 has left, opened today."""
    made = Old(request.param, tmp_path)
    made.backlog = await made.store.open()
    assert made.backlog.set_aside is None
    yield made
    await made.store.close()


async def test_every_event_is_there_as_it_was(old: Old) -> None:
    """What it said too, while it is unfinished."""
    for known in old.events:
        event = await old.get(known["id"])
        assert {name: getattr(event, name) for name in OF_EVENTS} == {
            name: known.get(name) for name in OF_EVENTS
        }
        assert await old.store.find(known["message_id"]) == event
        words = event.context["message"]["content"] if event.context else None
        assert words == known["words"]
    listed = await old.store.recent(EVERYWHERE, limit=100)
    assert [one.event.id for one in reversed(listed)] == [one["id"] for one in old.events]


async def test_what_an_event_knew_of_its_runs_its_turn_knows(old: Old) -> None:
    """Those that ran along have the turn of the one that spoke; what never ran has none."""
    for known in old.events:
        if known.get("started_at") is None:
            assert (await old.get(known["id"])).turn_id is None
            continue
        turn = await old.turn_of(known["id"])
        assert turn.speaker.id == known.get("turn_id", known["id"])
        if turn.speaker.id == known["id"]:
            kept = {name: getattr(turn, name) for name in OF_TURNS}
            assert kept == {name: known.get(name, _EMPTY.get(name)) for name in OF_TURNS}
            assert isinstance(kept["interrupted"], bool)


async def test_what_was_unfinished_comes_back_in_its_turns(old: Old) -> None:
    """Once each, in the same order; what ran was interrupted and is one crash older, once."""
    turns = [[event.id for event in turn.events] for turn in old.backlog.turns]
    assert turns == old.known["turns"]
    assert await reopened(old.store) == old.backlog.turns


async def test_those_whose_speaker_was_called_off_last_stand_alone(tmp_path: Path) -> None:
    """Version 1 chose the next speaker in a second step, and may have died before it."""
    old = Old("closed", tmp_path)
    gone, *left = map(old.named, ("called off, was the speaker", "along with an heir", "an heir"))
    tamper(tmp_path, "UPDATE events SET turn_id = ? WHERE id IN (?, ?)", gone, *left)
    turns = {turn.speaker.id: turn for turn in (await old.store.open()).turns}
    for event_id in left:
        turn = turns[event_id]
        assert (turn.earlier, turn.interrupted, turn.started_at) == ((), False, 1_750_000_004.5)
        assert turn.id == (await old.get(event_id)).turn_id
    assert (await old.turn_of(gone)).speaker.id == gone
    await old.store.close()


async def test_the_tries_of_a_turn_are_listed_with_each_of_its_events(old: Old) -> None:
    """And which of them spoke."""
    listed = {one.event.id: one for one in await old.store.recent(EVERYWHERE, limit=100)}
    along, spoke = old.named("answered along"), old.named("answered for both")
    assert (listed[along].tries, listed[along].speaks) == (1, False)
    assert (listed[spoke].tries, listed[spoke].speaks) == (1, True)
    assert listed[old.named("waits for another try")].tries == 3
    revived = listed[old.named("failed and revived")]
    assert (revived.tries, revived.speaks) == (0, True)


async def test_sends_lead_to_what_they_were_made_for(old: Old) -> None:
    """Each message of the bot's, part by part; what was reacted to is not the bot's."""
    count = 0
    for event_id, known in old.known["sends"].items():
        sends = [Send(**one | {"message_ids": tuple(one["message_ids"])}) for one in known]
        assert list(await old.store.sends(event_id)) == sends
        turn_id = (await old.get(event_id)).turn_id
        for send in sends:
            for part, message_id in enumerate(send.message_ids):
                ours = send.kind == "message"
                wanted = Sent(event_id, turn_id, part) if ours else None
                assert await old.store.sent(message_id) == wanted
                count += ours
    assert count == 6


async def test_every_change_reads_as_it_did(old: Old) -> None:
    """Whoever has read half of them reads on; the numbers go on from the last."""
    assert list(await old.store.changes(limit=1000)) == old.known["changes"]


async def test_all_else_is_kept(old: Old) -> None:
    """Conversations, refusals, notes, and the pace of the channels."""
    starts = {str(channel): at for channel, at in old.backlog.starts.items()}
    assert starts == old.known["starts"]
    for agent_id, lane, conversation_id in old.known["conversations"]:
        assert await old.store.conversation(agent_id, lane) == conversation_id
    for message_id, reason in old.known["refusals"]:
        assert await old.store.refusal(message_id) == reason
    for key, value in old.known["notes"]:
        assert await old.store.noted(key) == value


async def test_what_was_said_leaves_the_file_with_its_end(old: Old, tmp_path: Path) -> None:
    """No copy is left behind by the move (promise 13)."""
    said = (b"I am Aurora", b"I just asked")
    assert all(any(words in content for content in contents(tmp_path)) for words in said)
    for turn in old.backlog.turns:
        turn.ended_at = old.clock.time()
        for event in turn.events:
            event.state = State.CANCELLED
    events = [event for turn in old.backlog.turns for event in turn.events]
    await old.store.save_events(events)
    for turn in old.backlog.turns:
        await old.store.save_turn(turn)
    await old.store.close()
    assert not any(words in content for content in contents(tmp_path) for words in said)
