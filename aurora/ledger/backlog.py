"""What a store finds when it is opened: unfinished events, in the turns they ran in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..model import Event, State, Turn

Kept = tuple[str, Turn]
"""What is kept of a turn: the id of the event that speaks for it, and the turn without events."""


def recovered(events: Iterable[Event], kept: Mapping[str, Kept]) -> list[Turn]:
    """Return unfinished events in their turns, in the order in which the speakers were accepted.

    `events` come in the order of acceptance, `kept` by the turns' ids. What ran waits again, and
    its turn is interrupted and one crash older.
    """
    ranks: dict[str, int] = {}
    together: dict[str, list[Event]] = {}
    for rank, event in enumerate(events):
        ranks[event.id] = rank
        together.setdefault(event.turn_id or event.id, []).append(event)
    turns = [_recovered(group, kept.get(turn_id)) for turn_id, group in together.items()]
    return sorted(turns, key=lambda turn: ranks[turn.speaker.id])


def _recovered(events: Sequence[Event], kept: Kept | None) -> Turn:
    if kept is None and events[0].turn_id is None:
        # Most of a long line: what waits and never ran.
        return Turn(tuple(events))
    speaker_id, turn = kept or ("", Turn((), events[0].turn_id or ""))
    # A revived event may speak for others that were accepted after it.
    speaker = next((event for event in events if event.id == speaker_id), None)
    # Nobody can say what a turn has done of which too little is kept: it is examined first.
    unknown = speaker is None
    speaker = speaker or events[-1]
    earlier = tuple(event for event in events if event is not speaker)
    turn = replace(turn, events=(*earlier, speaker))
    if unknown:
        turn.interrupted = speaker.turn_id is not None
    if any(event.state is State.RUNNING for event in events):
        turn.interrupted = True
        turn.crashes += 1
    for event in events:
        event.state = State.WAITING
    return turn
