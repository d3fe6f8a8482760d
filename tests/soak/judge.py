"""The verdict on a drill: what people saw, in what order, and how long nothing happened."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from doubles.local_discord import Message

from .check import Findings, Ledger, check
from .drill import STOPPED, WARNED, Drill
from .spans import gaps
from .town import ECHO, Asked

_PATIENCE_SECONDS = 10.0
"""How long after a trouble the next turn has begun."""
_MARGIN_SECONDS = 0.5
_READ_SECONDS = 5.0  # what was missed is read within these


@dataclass(slots=True)
class Verdict:
    """What was found: `turned_away` are messages that were marked because the disk was full."""

    findings: Findings
    turned_away: int
    longest_gap: float
    violations: list[str]


def judge(drill: Drill, ledger: Ledger, *, clock_kept: bool, ends: Sequence[str]) -> Verdict:
    """Judge a drill that has drained.

    Without `clock_kept` the times in the ledger jump, and say nothing of the pace. An end that
    begins with none of `ends` is a complaint, however visible it is.
    """
    asked, kept = drill.town.asked, {one.message_id for one in ledger.events}
    away = {
        one.message.id
        for one in asked
        if one.message.id not in kept and drill.marked(one, WARNED) and _disk_was_full(drill, one)
    }
    owed = {one.message.id for one in asked if not drill.deaf.hold(one.at, _MARGIN_SECONDS)}
    found = check(
        drill.town.discord,
        asked,
        replace(ledger, refused={*ledger.refused, *away}),
        told=drill.diary.accepted,
        owed=owed - away,
        pace=drill.town.size.pace if clock_kept else -math.inf,
    )
    # Who waits still has waited until the end.
    waiting = any(not one.state.final for one in ledger.events)
    pauses = gaps([*drill.turns, *([drill.over_at] if waiting else [])], drill.down)
    complaints = [*_overtaken(drill, ledger), *_stopped(drill, ledger), *_silence(pauses)]
    complaints += [
        f"{count} times: {end}"
        for end, count in found.ends.items()
        if not end.startswith(tuple(ends))
    ]
    longest = max((pause for pause, _ in pauses), default=math.inf)
    violations = [*drill.complaints, *complaints, *found.violations]
    return Verdict(found, len(away), round(longest, 1), violations)


def _disk_was_full(drill: Drill, asked: Asked) -> bool:
    """Tell whether the disk was full at any time at which a message may have been heard."""
    heard_by = drill.deaf.over(asked.at) + _READ_SECONDS
    return drill.full.within(asked.at, heard_by) > 0


def _overtaken(drill: Drill, ledger: Ledger) -> Iterator[str]:
    """Complain of channels in which a later message was answered, or ran, before an earlier.

    What a full disk turned away, for all to see, and a later start found all the same, is late.
    """
    late = {
        one.message.id
        for one in drill.town.asked
        if drill.marked(one, WARNED) and _disk_was_full(drill, one)
    }
    answers: dict[str, list[int]] = defaultdict(list)
    for message in drill.town.discord.world.messages.values():
        if message.author is drill.town.discord.bot_user:
            answers[f"channel {message.channel.id}: answers"] += _echoed(drill, message)
    runs: dict[str, list[int]] = defaultdict(list)
    numbers = {event.id: event.message_id for event in ledger.events}
    begun: set[str] = set()
    for change in ledger.changes:
        event_id = change["payload"]["id"]
        if change["event_type"] == "aurora.message.running" and event_id not in begun:
            begun.add(event_id)
            runs[f"{change['metadata']['partition_key']}: runs"].append(numbers[event_id])
    for what, found in (answers | runs).items():
        ids = [one for one in found if one not in late]
        if count := sum(one < max(ids[:place]) for place, one in enumerate(ids) if place):
            yield f"{what} of {count} messages came after those of later messages"


def _echoed(drill: Drill, message: Message) -> list[int]:
    return [drill.town.asked[int(one)].message.id for one in ECHO.findall(message.content)]


def _stopped(drill: Drill, ledger: Ledger) -> Iterator[str]:
    """Complain of messages that are marked as stopped, and were answered all the same."""
    answered = {one.message_id for one in ledger.events if one.state == "answered"}
    asked = [one for one in drill.town.asked if one.message.id in answered]
    if count := sum(drill.marked(one, STOPPED) for one in asked):
        yield f"{STOPPED} at {count} messages that were answered"


def _silence(pauses: list[tuple[float, float]]) -> Iterator[str]:
    """Complain of pauses between turns that no trouble excuses."""
    for pause, excused in pauses:
        if pause > excused + _PATIENCE_SECONDS:
            yield f"no turn for {pause:.1f} s, of which {excused:.1f} s are excused"
