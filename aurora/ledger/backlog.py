"""What a store finds when it is opened: unfinished events, in the turns they ran in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter

from ..model import Event, State, Turn

Kept = tuple[str, Turn]
"""What is kept of a turn: the id of the event that speaks for it, and the turn without events."""


def recovered(events: Iterable[Event], kept: Mapping[str, Kept]) -> list[Turn]:
    """Return unfinished events in their turns, in the order in which the speakers were accepted.

    `events` come in the order of acceptance, `kept` by the turns' ids. What ran waits again, and
    its turn is interrupted and one crash older.
    """
    ranked: list[tuple[int, Turn]] = []
    together: dict[str, list[tuple[int, Event]]] = {}
    for rank, event in enumerate(events):
        if event.turn_id is None:
            # Most of a long line: what waits and never ran.
            ranked.append((rank, Turn((event,))))
        else:
            together.setdefault(event.turn_id, []).append((rank, event))
    for turn_id, group in together.items():
        turn = _recovered([event for _, event in group], kept.get(turn_id))
        ranked.append((next(rank for rank, event in group if event is turn.speaker), turn))
    ranked.sort(key=itemgetter(0))
    return [turn for _, turn in ranked]


def _recovered(events: Sequence[Event], kept: Kept | None) -> Turn:
    speaker_id, turn = kept or ("", Turn((), events[0].turn_id or ""))
    # A revived event may speak for others that were accepted after it.
    speaker = next((event for event in events if event.id == speaker_id), None)
    # Nobody can say what a turn has done of which too little is kept: it is examined first.
    unknown = speaker is None
    speaker = speaker or events[-1]
    earlier = tuple(event for event in events if event is not speaker)
    turn = replace(turn, events=(*earlier, speaker), interrupted=turn.interrupted or unknown)
    if any(event.state is State.RUNNING for event in events):
        turn.interrupted = True
        turn.crashes += 1
        # Of an attempt that was begun nobody has heard what it cost.
        turn.unmetered += turn.input_id is not None
    for event in events:
        event.state = State.WAITING
    return turn
