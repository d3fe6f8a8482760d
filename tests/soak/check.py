"""The outside checker: what went in must come out, once, in order, and leave nothing behind."""

from __future__ import annotations

import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import apsw

from aurora.clock import SystemClock
from aurora.ledger import EVERYWHERE
from aurora.ledger.sqlite import SqliteStore
from aurora.model import Event, State
from doubles.local_discord import LocalDiscord, Message

from .town import ECHO, END, LONG, WORD, Asked

_CONTENT = re.compile(rb"zq\d{6}xw|ak\d{6}ea")
OUTAGE = "not available right now"
"""What a notice says that announces a late answer; it is no end."""
CROWDED = "waits for its turn"
"""What a notice says to who has asked for much at a time; it is none either."""
_PART = re.compile(rf"\A(?:and|so|on)\b|{WORD.pattern}|{END.pattern}")
"""What begins a further part of a long answer, and a first word: neither is a notice."""
_MANY = 1_000_000
_MOST_POISON = 0.03
_KEPT_SECONDS = 30 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a ledger holds: its events in the order of acceptance, its changes, its health."""

    events: Sequence[Event]
    crashed: Collection[str]
    """The ids of turns that an Aurora died on."""
    changes: Sequence[Mapping[str, Any]]
    refused: Collection[int]
    integrity: str
    told: Mapping[int, Collection[int]] = field(default_factory=dict)
    """The messages that tell of an event's end, by the one that asked: a progress line becomes one
    of them, and replies to nothing."""


@dataclass(slots=True)
class Findings:
    """What the checker counted; `violations` are broken promises, each in a line.

    `missed` are first words in private that were said while nobody listened.
    """

    accepted: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    rerun: int = 0
    poison: int = 0
    missed: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


async def read_ledger(path: Path, asked: Sequence[Asked]) -> Ledger:
    """Read the ledger of a process that is gone, from a copy, so that nothing of it changes."""
    with TemporaryDirectory() as folder:
        for file in path.parent.glob(f"{path.name}*"):
            shutil.copy(file, folder)
        copy = Path(folder) / path.name
        connection = apsw.Connection(str(copy))
        ((integrity,),) = connection.execute("pragma integrity_check").fetchall()
        connection.close()
        store = SqliteStore(copy, SystemClock(), retention=lambda: _KEPT_SECONDS)
        await store.open()
        try:
            listed = reversed(await store.recent(EVERYWHERE, limit=_MANY))
            events = [one.event for one in listed]
            turns = [await store.turn(one) for one in {one.turn_id or "" for one in events}]
            crashed = {turn.id for turn in turns if turn is not None and turn.crashes}
            changes = await store.changes(limit=_MANY)
            told = {one.message_id: await _told(store, one) for one in events if _unanswered(one)}
            ids = [one.message.id for one in asked]
            refused = {one for one in ids if await store.refusal(one) is not None}
        finally:
            await store.close()
    return Ledger(events, crashed, changes, refused, str(integrity), told)


def _unanswered(event: Event) -> bool:
    return event.state.final and event.state is not State.ANSWERED


async def _told(store: SqliteStore, event: Event) -> list[int]:
    """Return the messages in which people were told of an event's end."""
    ends = (one for one in await store.sends(event.id) if one.key == "notice:end")
    return [message_id for one in ends for message_id in one.message_ids]


def check(
    discord: LocalDiscord,
    asked: Sequence[Asked],
    ledger: Ledger,
    *,
    told: Collection[int],
    owed: Collection[int],
    pace: float,
    rounding: float = 0.05,
) -> Findings:
    """Compare what people see with what the ledger says.

    `told` are the ids of messages that Aurora said it had accepted, `owed` those that it must
    have accepted, because it was there to hear them. `pace` is how many seconds lie between the
    runs of a channel at least, give or take `rounding`: they count from when a run was taken up,
    and are told a moment later.
    """
    view = _View(discord, asked)
    view.heed(ledger.told)
    found = Findings(
        accepted=len(ledger.events),
        ends=dict(Counter(f"{one.state} ({one.reason})" for one in ledger.events)),
        rerun=sum(one.turn_id in ledger.crashed for one in ledger.events),
        poison=sum(one.reason == "poison" for one in ledger.events),
    )
    _arrivals(found, asked, ledger, told, owed)
    if found.poison > _MOST_POISON * len(ledger.events):
        found.violations.append(f"{found.poison} dead letters are too many")
    if ledger.integrity != "ok":
        found.violations.append(f"the ledger is damaged: {ledger.integrity}")
    found.violations += _ends(view, ledger.events)
    found.violations += _order(view, ledger)
    found.violations += _pace(ledger.changes, pace - rounding)
    return found


def _arrivals(
    found: Findings,
    asked: Sequence[Asked],
    ledger: Ledger,
    told: Collection[int],
    owed: Collection[int],
) -> None:
    """Complain of messages that were lost; one kind may be missed."""
    kept = {one.message_id for one in ledger.events}
    met: set[int] = set()
    for one in asked:
        message, channel = one.message, one.message.channel
        if message.id in kept:
            met.add(channel.id)
        elif message.id in ledger.refused:
            # Whoever was turned away has been told, and has left nothing to be found by.
            continue
        elif message.id in told:
            found.violations.append(f"{one.marker}: accepted, and lost")
        elif message.id in owed:
            found.violations.append(
                f"{one.marker}: sent while Aurora listened, never accepted; {_marks(message)}"
            )
        elif channel.guild is None and channel.id not in met:
            # Discord lists nobody's private channels: those of strangers can't be caught up on.
            found.missed.append(one.marker)
        else:
            found.violations.append(
                f"{one.marker}: sent while Aurora was away, never caught up on; {_marks(message)}"
            )


def _marks(message: Message) -> str:
    """Tell what its author sees of a message that is missing: a mark is no silence."""
    return f"marked {' '.join(message.reactions)}" if message.reactions else "no mark"


class _View:
    """What people see: the bot's answers and notices by the message they are for."""

    def __init__(self, discord: LocalDiscord, asked: Sequence[Asked]) -> None:
        self.asked = {one.message.id: one for one in asked}
        self._bot = discord.bot_user.id
        self._messages = discord.world.messages
        self.answers: dict[int, list[Message]] = defaultdict(list)
        self.notices: dict[int, list[Message]] = defaultdict(list)
        self.words: dict[int, list[Message]] = defaultdict(list)
        self.ends: dict[int, list[Message]] = defaultdict(list)
        self.by_channel: dict[int, list[int]] = defaultdict(list)
        for message in discord.world.messages.values():
            if message.author.id == self._bot:
                self._file(message, asked)

    def _file(self, message: Message, asked: Sequence[Asked]) -> None:
        echoes = [asked[int(number)].message.id for number in ECHO.findall(message.content)]
        for message_id in echoes:
            self.answers[message_id].append(message)
            self.by_channel[message.channel.id].append(message_id)
        for number in WORD.findall(message.content):
            self.words[asked[int(number)].message.id].append(message)
        for number in END.findall(message.content):
            self.ends[asked[int(number)].message.id].append(message)
        if _PART.search(message.content):
            return
        late = OUTAGE in message.content or CROWDED in message.content
        if not echoes and message.reference is not None and not late:
            self.notices[message.reference].append(message)

    def heed(self, told: Mapping[int, Collection[int]]) -> None:
        """Count as notices what the ledger says are some, if they stand in Discord."""
        for asked, message_ids in told.items():
            known = {one.id for one in self.notices[asked]}
            there = (self._messages.get(one) for one in message_ids if one not in known)
            self.notices[asked] += [one for one in there if one is not None]

    def name(self, message_id: int) -> str:
        return self.asked[message_id].marker if message_id in self.asked else str(message_id)

    def marked(self, message_id: int) -> bool:
        reactions = self.asked[message_id].message.reactions
        return any(self._bot in users for users in reactions.values())


def _ends(view: _View, events: Sequence[Event]) -> Iterator[str]:
    """Complain of events without an end, without one that is seen, or with more than one."""
    # The latest of a turn speaks for it.
    speakers = {one.turn_id: one for one in events}
    for event in events:
        name = f"{view.name(event.message_id)} ({event.state}, {event.reason})"
        if not event.state.final or not event.reason:
            yield f"{name}: no final state with a reason"
            continue
        speaker = event if event.turn_id is None else speakers[event.turn_id]
        answers = view.answers[event.message_id]
        notices = view.notices[speaker.message_id]
        marked = view.marked(event.message_id) or view.marked(speaker.message_id)
        if len(answers) > 1:
            yield f"{name}: answered {len(answers)} times"
        if len(view.words[event.message_id]) > 1:
            yield f"{name}: a first word was said more than once"
        yield from _parts(view, event.message_id, answers, name)
        if len(notices) > 1:
            yield f"{name}: {len(notices)} notices"
        if event.state is State.ANSWERED and not answers:
            yield f"{name}: no answer is to be seen"
        if event.state is not State.ANSWERED and answers:
            yield f"{name}: it was answered"
        if event.state is not State.ANSWERED and not notices and not marked:
            yield f"{name}: nobody was told"
        if answers and notices:
            yield f"{name}: an answer and a notice ({notices[0].content[:60]})"


def _parts(view: _View, message_id: int, answers: Sequence[Message], name: str) -> Iterator[str]:
    """Complain of a long answer that is not all there, or in another place."""
    ends = view.ends[message_id]
    long = [one for one in answers if one.content.startswith(LONG)]
    if len(ends) > 1:
        yield f"{name}: the end of a long answer came {len(ends)} times"
    if any(end.channel is not answer.channel for end in ends for answer in long):
        yield f"{name}: a long answer ends in another place"
    if ends and not long:
        yield f"{name}: only the end of a long answer is there"
    # Of a turn's messages the latest is in the mark of the end.
    speaks = len(ECHO.findall(long[0].content)) == 1 if long else False
    if speaks and not ends:
        yield f"{name}: the end of a long answer is missing"


def _order(view: _View, ledger: Ledger) -> Iterator[str]:
    """Complain of runs and answers that overtook each other in a channel."""
    rank = {event.id: number for number, event in enumerate(ledger.events)}
    of_message = {event.message_id: number for number, event in enumerate(ledger.events)}
    runs: dict[str, list[int]] = defaultdict(list)
    begun: set[str] = set()
    for change in ledger.changes:
        event_id = change["payload"]["id"]
        if change["event_type"] == "aurora.message.running" and event_id not in begun:
            begun.add(event_id)
            runs[change["metadata"]["partition_key"]].append(rank[event_id])
    for lane, ranks in runs.items():
        if ranks != sorted(ranks):
            yield f"{lane}: runs out of order"
    for channel_id, ids in view.by_channel.items():
        seen = [of_message[one] for one in ids if one in of_message]
        if seen != sorted(seen):
            yield f"channel {channel_id}: answers out of order"


def _pace(changes: Sequence[Mapping[str, Any]], pace: float) -> Iterator[str]:
    """Complain of runs that began too soon after the one before in their channel."""
    latest: dict[str, tuple[float, str]] = {}
    for change in changes:
        if change["event_type"] != "aurora.message.running":
            continue
        lane = change["metadata"]["partition_key"]
        turn = change["payload"]["turn_id"] or change["payload"]["id"]
        at = datetime.fromisoformat(change["timestamp"]).timestamp()
        before, last = latest.get(lane, (0.0, ""))
        if turn != last and at - before < pace:
            yield f"{lane}: runs {at - before:.3f} s apart"
        latest[lane] = (at, turn)


def content_in(folder: Path) -> list[str]:
    """Name the files below a folder that hold words of messages, with the first of them."""
    hits = {
        file: _CONTENT.search(file.read_bytes())
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    return [
        f"{file.relative_to(folder)} holds {hit[0].decode()}" for file, hit in hits.items() if hit
    ]
