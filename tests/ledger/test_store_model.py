"""Whatever is asked of it, in whatever order: the SQLite store answers as the reference does."""

from __future__ import annotations

import asyncio
import copy
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aurora.ledger import EVERYWHERE, Store, Where
from aurora.model import (
    NO_CONTEXT,
    Change,
    Event,
    State,
)
from tests.ledger.stores import (
    DAY,
    STORES,
    change,
    send,
)
from tests.support.clocks import FakeClock
from tests.support.events import make_context, make_event

FINAL = [state for state in State if state.final]
messages = st.integers(1, 8)
authors = st.integers(1, 3)
guilds = st.sampled_from([None, 9, 8])
texts = st.text(max_size=20)


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
        members = list({event.id: event for event in map(self.pick, numbers)}.values())
        for event in members:
            event.state, event.started_at = State.RUNNING, self.clock.time()
            event.turn_id = members[-1].id
        changes = [self.told(event, "running") for event in members]

        async def begun(store: Store) -> list[Event]:
            *earlier, speaker = copy.deepcopy(members)
            speaker.earlier = tuple(earlier)
            await store.start(speaker, changes)
            return list(speaker.members)

        self.ask(begun)

    @precondition(lambda self: self.events)
    @rule(
        number=st.integers(0, 20),
        state=st.sampled_from([State.WAITING, *FINAL]),
        attempts=st.integers(0, 3),
        answer=st.none() | texts,
    )
    def move(self, number: int, state: State, attempts: int, answer: str | None) -> None:
        """Bring an event into another state."""
        event = self.pick(number)
        event.state, event.attempts, event.answer = state, attempts, answer
        moved = self.told(event, "retrying" if state is State.WAITING else state)
        self.ask(lambda store: store.move([copy.deepcopy(event)], [moved]))

    @precondition(lambda self: self.events)
    @rule(number=st.integers(0, 20), agent_id=st.none() | texts, answer=st.none() | texts)
    def save(self, number: int, agent_id: str | None, answer: str | None) -> None:
        """Keep what is known of an event."""
        event = self.pick(number)
        event.agent_id, event.answer = agent_id, answer
        self.ask(lambda store: store.save(copy.deepcopy(event)))

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
        event.state, event.answer, event.context = State.WAITING, None, make_context()
        revived = self.told(event, "queued")
        self.ask(lambda store: store.revive(copy.deepcopy(event), revived))
        event.context = NO_CONTEXT

    @precondition(lambda self: self.events)
    @rule(
        number=st.integers(0, 20),
        key=st.sampled_from("abc"),
        by=st.sampled_from(["tool", "notice"]),
        ids=st.lists(st.integers(1, 1 << 62), max_size=3),
    )
    def record_send(self, number: int, key: str, by: str, ids: list[int]) -> None:
        """Keep a send."""
        sent = send(key, by=by, message_ids=tuple(ids))
        self.ask(lambda store: store.record_send(self.pick(number).id, sent))

    @rule(author_id=authors)
    def forget_user(self, author_id: int) -> None:
        """Drop all of a person."""
        self.ask(lambda store: store.forget_user(author_id))

    @rule(message_id=messages, reason=texts)
    def refuse(self, message_id: int, reason: str) -> None:
        """Remember a refusal."""
        self.ask(lambda store: store.refuse(message_id, reason))

    @rule(agent=st.sampled_from("ab"), lane=st.sampled_from("xy"), conversation=texts)
    def talk(self, agent: str, lane: str, conversation: str) -> None:
        """Point a lane to a conversation, and note it."""
        self.ask(lambda store: store.set_conversation(agent, lane, conversation))
        self.ask(lambda store: store.note(agent, conversation))

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
            return list(backlog.events), dict(backlog.starts), backlog.set_aside

        for event in self.ask(opened)[0]:
            self.events[event.id] = copy.deepcopy(event)
        # What was already too old goes at the start, and in the reference with the next event.
        self.add(1_000 + self.count, 1, 9, "")

    # -- what must be the same

    @rule(where=st.sampled_from([EVERYWHERE, None, 9]), limit=st.integers(1, 9))
    def look(self, where: Where, limit: int) -> None:
        """Compare lists."""
        states = FINAL[: limit % 3]
        self.ask(lambda store: _listed(store.recent(where, states=states, limit=limit)))
        self.ask(lambda store: _listed(store.dm_channels(self.clock.time() - DAY)))
        self.ask(lambda store: _listed(store.changes(limit, limit)))

    @invariant()
    def same(self) -> None:
        """Compare all that can be asked for."""
        if not hasattr(self, "stores"):
            return
        self.ask(self.all_of_it)
        self.ask(lambda store: store.counts(EVERYWHERE))
        self.ask(lambda store: _listed(store.changes(limit=10_000)))
        self.ask(lambda store: store.noted("a"))
        self.ask(lambda store: store.conversation("a", "x"))

    async def all_of_it(self, store: Store) -> list[Any]:
        """Return what is known of each event and message."""
        answers: list[Any] = []
        for event_id in self.events:
            answers += [await store.get(event_id), list(await store.sends(event_id))]
        for message_id in range(1, 9):
            answers += [await store.find(message_id), await store.refusal(message_id)]
        return answers


async def _listed(answer: Awaitable[Any]) -> list[Any]:
    return list(await answer)


TestStores = Stores.TestCase
# A failure is shown as it was found: each try opens files, and hundreds to shrink it take minutes.
TestStores.settings = settings(
    max_examples=30, stateful_step_count=25, deadline=None, phases=[Phase.explicit, Phase.generate]
)
