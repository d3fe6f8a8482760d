"""Whatever is asked of it, in whatever order: the SQLite store answers as the reference does."""

from __future__ import annotations

import asyncio
import copy
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aurora.ids import new_turn_id
from aurora.ledger import EVERYWHERE, Store, Where
from aurora.model import (
    NO_CONTEXT,
    Change,
    Event,
    Offer,
    State,
    Turn,
)
from tests.support.clocks import FakeClock
from tests.support.events import make_context, make_event
from tests.support.stores import (
    DAY,
    STORES,
    change,
    make_send,
)

FINAL = [state for state in State if state.final]
messages = st.integers(1, 8)
authors = st.integers(1, 3)
guilds = st.sampled_from([None, 9, 8])
texts = st.text(max_size=20)
sent_ids = st.integers(1, 9) | st.just(1 << 62)


class Stores(RuleBasedStateMachine):
    """Two stores that are asked the same; every answer is compared."""

    @initialize()
    def begin(self) -> None:
        """Open an empty store of each kind."""
        self.folder = Path(tempfile.mkdtemp())
        self.clock = FakeClock()
        self.runner = asyncio.Runner()
        self.stores = [make(self.clock, self.folder) for make in STORES.values()]
        self.events: dict[str, Event] = {}
        self.turns: dict[str, Turn] = {}
        self.count = 0
        self.ask(lambda store: store.open())

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.ask(lambda store: store.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    def ask(self, question: Callable[[Store], Awaitable[Any]]) -> Any:
        """Ask both the same; return the answer if it is one."""

        async def answer() -> list[Any]:
            return [await question(store) for store in self.stores]

        reference, sqlite = self.runner.run(answer())
        assert sqlite == reference
        return reference

    def told(self, event: Event, step: str) -> Change:
        """Return the next change of an event, at this moment."""
        return change(event, step, at=self.clock.time())

    def pick(self, number: int) -> Event:
        """Return one of the events so far, whatever became of it."""
        return list(self.events.values())[number % len(self.events)]

    def pick_turn(self, number: int) -> Turn:
        """Return one of the turns so far, whatever became of it."""
        return list(self.turns.values())[number % len(self.turns)]

    # -- what is asked

    @rule(message_id=messages, author_id=authors, guild_id=guilds, text=texts)
    def add(self, message_id: int, author_id: int, guild_id: int | None, text: str) -> None:
        """Offer a new event of a message that may be known."""
        # The reference sweeps with every event, the other once a minute.
        self.runner.run(self.clock.advance(61))
        self.count += 1
        event = make_event(
            id=f"evt_{self.count}",
            message_id=message_id,
            channel_id=message_id % 3,
            author_id=author_id,
            guild_id=guild_id,
            now=self.clock.time(),
        )
        event.context["message"]["content"] = text
        queued = self.told(event, "queued")
        if self.ask(lambda store: store.add(copy.deepcopy(event), queued)):
            event.context = NO_CONTEXT
            self.events[event.id] = event

    @precondition(lambda self: self.events)
    @rule(numbers=st.lists(st.integers(0, 20), min_size=1, max_size=3))
    def start(self, numbers: list[int]) -> None:
        """Let a turn of some of the events run, even of those that are final or forgotten."""
        events = {event.id: event for event in map(self.pick, numbers)}.values()
        # Ids sort by time, and two of one moment by chance.
        self.runner.run(self.clock.advance(0.01))
        turn = Turn(tuple(events), new_turn_id(self.clock.time()), started_at=self.clock.time())
        self.turns[turn.id] = turn
        self._run(turn)

    @precondition(lambda self: self.turns)
    @rule(number=st.integers(0, 20))
    def start_again(self, number: int) -> None:
        """Let a turn run that has run before, whatever became of it."""
        self._run(self.pick_turn(number))

    def _run(self, turn: Turn) -> None:
        """Let a turn run."""
        for event in turn.events:
            event.state, event.turn_id = State.RUNNING, turn.id
        changes = [self.told(event, "running") for event in turn.events]

        async def begun(store: Store) -> Turn:
            mine = copy.deepcopy(turn)
            await store.start(mine, changes)
            return mine

        self.ask(begun)

    @precondition(lambda self: self.events)
    @rule(
        number=st.integers(0, 20),
        state=st.sampled_from([State.WAITING, *FINAL]),
        with_turns=st.lists(st.integers(0, 20), max_size=2),
    )
    def move(self, number: int, state: State, with_turns: list[int]) -> None:
        """Bring an event into another state, and keep some turns, its own or not."""
        event = self.pick(number)
        event.state = state
        moved = self.told(event, "retrying" if state is State.WAITING else state)
        turns = [self.pick_turn(one) for one in with_turns if self.turns]
        self.ask(lambda store: store.move(*copy.deepcopy(([event], [moved], turns))))

    @precondition(lambda self: self.turns)
    @rule(number=st.integers(0, 20), state=st.sampled_from([State.WAITING, *FINAL]))
    def move_all(self, number: int, state: State) -> None:
        """Put a turn back, or end it."""
        turn = self.pick_turn(number)
        turn.ended_at = self.clock.time() if state.final else None
        for event in turn.events:
            event.state = state
        moved = [self.told(event, "moved") for event in turn.events]
        self.ask(lambda store: store.move(*copy.deepcopy((turn.events, moved, [turn]))))

    @precondition(lambda self: self.turns)
    @rule(
        number=st.integers(0, 20),
        attempts=st.integers(0, 3),
        unmetered=st.integers(0, 1),
        agent_id=st.none() | texts,
        answer=st.none() | texts,
        events=st.integers(1, 3),
        lazily=st.booleans(),
    )
    def save_turn(
        self,
        number: int,
        attempts: int,
        unmetered: int,
        agent_id: str | None,
        answer: str | None,
        events: int,
        lazily: bool,
    ) -> None:
        """Keep what is known of a turn, some of whose events have left it."""
        turn = self.pick_turn(number)
        turn.attempts, turn.agent_id, turn.answer = attempts, agent_id, answer
        turn.unmetered, turn.prompt_tokens, turn.seconds = unmetered, number, number / 8
        turn.events = turn.events[:events]
        self.ask(lambda store: store.save_turn(copy.deepcopy(turn), lazily=lazily))

    @precondition(lambda self: self.events)
    @rule(number=st.integers(0, 20), reason=texts)
    def save_event(self, number: int, reason: str) -> None:
        """Keep what is known of an event."""
        event = self.pick(number)
        event.reason = reason
        self.ask(lambda store: store.save_events([copy.deepcopy(event)]))

    @precondition(lambda self: self.events)
    @rule(number=st.integers(0, 20), text=texts)
    def edit(self, number: int, text: str) -> None:
        """Replace a context."""
        context = make_context()
        context["message"]["content"] = text
        self.ask(lambda store: store.edit(self.pick(number).id, copy.deepcopy(context)))

    @precondition(lambda self: self.events)
    @rule(number=st.integers(0, 20))
    def revive(self, number: int) -> None:
        """Let an event wait again."""
        event = self.pick(number)
        event.state, event.turn_id, event.context = State.WAITING, None, make_context()
        revived = self.told(event, "queued")
        self.ask(lambda store: store.revive(copy.deepcopy(event), revived))
        event.context = NO_CONTEXT

    @precondition(lambda self: self.events)
    @rule(
        number=st.integers(0, 20),
        key=st.sampled_from("abc"),
        by=st.sampled_from(["tool", "notice"]),
        kind=st.sampled_from(["message", "reaction"]),
        ids=st.lists(sent_ids, max_size=3),
        lazily=st.booleans(),
    )
    def record_send(
        self, number: int, key: str, by: str, kind: str, ids: list[int], lazily: bool
    ) -> None:
        """Keep a send."""
        sent = make_send(key, by=by, kind=kind, message_ids=tuple(ids))

        async def recorded(store: Store) -> bool:
            known = await store.record_send(self.pick(number), sent, lazily=lazily)
            # Whether an event is known is not waited for then.
            return known or lazily

        self.ask(recorded)

    @rule(author_id=authors)
    def forget_user(self, author_id: int) -> None:
        """Drop all of a person."""
        self.ask(lambda store: store.forget_user(author_id))

    @rule(message_id=messages, reason=texts)
    def refuse(self, message_id: int, reason: str) -> None:
        """Remember a refusal."""
        self.ask(lambda store: store.refuse(message_id, reason))

    @rule(agent=st.sampled_from("ab"), lane=st.sampled_from("xy"), said=texts, fresh=st.booleans())
    def talk(self, agent: str, lane: str, said: str, fresh: bool) -> None:
        """Point a lane to a conversation, note it, and read something into it."""
        self.ask(lambda store: store.set_conversation(agent, lane, said, fresh=fresh))
        self.ask(lambda store: store.add_source(agent, lane, len(said), said))
        self.ask(lambda store: store.note(agent, said))

    @rule(author_id=authors, text=texts, seconds=st.sampled_from([1.0, 600.0]))
    def offer(self, author_id: int, text: str, seconds: float) -> None:
        """Keep a text that waits for a press."""
        offer = Offer("one", "evt_1", author_id, 2, text, self.clock.time() + seconds)
        self.ask(lambda store: store.keep_offer(offer))

    @rule()
    def press(self) -> None:
        """Take it."""
        self.ask(lambda store: store.take_offer("one"))

    @rule(days=st.sampled_from([0.001, 0.5, 1.0, 6.5, 8.0]))
    def pass_time(self, days: float) -> None:
        """Grow older; what is too old goes with the next event at the latest."""
        self.runner.run(self.clock.advance(days * DAY))
        self.add(1_000 + self.count, 1, 9, "")

    @rule()
    def restart(self) -> None:
        """Close and open: what ran was interrupted."""
        self.ask(lambda store: store.close())

        async def opened(store: Store) -> tuple[Any, ...]:
            backlog = await store.open()
            return list(backlog.turns), dict(backlog.starts), backlog.set_aside

        for turn in copy.deepcopy(self.ask(opened)[0]):
            self.events.update((event.id, event) for event in turn.events)
            if turn.id:
                self.turns[turn.id] = turn
        # What was already too old goes at the start, and in the reference with the next event.
        self.add(1_000 + self.count, 1, 9, "")

    # -- what must be the same

    @rule(where=st.sampled_from([EVERYWHERE, None, 9]), limit=st.integers(1, 9))
    def look(self, where: Where, limit: int) -> None:
        """Compare lists."""
        states = list(State)[limit % 4 : limit % 4 + limit % 3]
        self.ask(lambda store: _listed(store.recent(where, states=states, limit=limit)))
        self.ask(lambda store: _listed(store.dm_channels(self.clock.time() - DAY)))
        self.ask(lambda store: _listed(store.changes(limit, limit)))

    @invariant()
    def same(self) -> None:
        """Compare all that can be asked for."""
        if not hasattr(self, "stores"):
            return
        self.ask(self.all_of_it)
        self.ask(_used)
        self.ask(lambda store: store.counts(EVERYWHERE))
        self.ask(lambda store: store.counts(None))
        self.ask(lambda store: store.counts(9))
        self.ask(lambda store: _listed(store.changes(limit=10_000)))
        self.ask(lambda store: store.noted("a"))
        self.ask(lambda store: store.conversation("a", "x"))
        self.ask(lambda store: _mapped(store.sources("a", "x")))

    async def all_of_it(self, store: Store) -> list[Any]:
        """Return what is known of each event and message."""
        answers: list[Any] = []
        for event_id in self.events:
            answers += [await store.get(event_id), list(await store.sends(event_id))]
        for turn_id in self.turns:
            answers.append(await store.turn(turn_id))
        for message_id in range(1, 10):
            answers += [await store.find(message_id), await store.refusal(message_id)]
            answers.append(await store.sent(message_id))
        return answers


async def _used(store: Store) -> list[Any]:
    """Return what runs cost."""
    found: list[Any] = [list(await store.costs(20))]
    for person in (None, 1, 2):
        for where in (EVERYWHERE, None, 9):
            found += [list(some) async for some in store.usage(where, 0, person)]
            found.append(list(await store.spent(where, 1, person)))
    return found


async def _mapped(answer: Awaitable[Any]) -> dict[Any, Any]:
    """Compare mappings of any kind."""
    return dict(await answer)


async def _listed(answer: Awaitable[Any]) -> list[Any]:
    return list(await answer)


TestStores = pytest.mark.long(Stores.TestCase)
# A failure is shown as it was found: each try opens files, and hundreds to shrink it take minutes.
TestStores.settings = settings(
    max_examples=30, stateful_step_count=25, phases=[Phase.explicit, Phase.generate]
)
