"""What waited in a ledger of version 1 is answered once (promise 6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aurora.model import State
from aurora.settings import Settings
from tests.support.keepers import Keeper
from tests.support.old_ledgers import Old
from tests.support.scripts import ScriptedBackend
from tests.support.workers import Bench

GUILD = 1_200_000_000_000_000_000
ANSWERED = {
    "failed and revived": "Hello.",
    "waits": "Hello.",
    "waits for another try": "Hello.",
    "an heir": "Hello.",
    "broken off": "Hello.",
    # Its run had ended: the answer that was kept is delivered without another.
    "runs, its answer not delivered": "I am Aurora, half an emoji: \ufffd",
}
"""Who speaks for the turns that are answered, and how."""


@pytest.fixture(params=["closed", "died"])
async def old(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Old]:
    """A ledger that version 1 has left."""
    made = Old(request.param, tmp_path)
    yield made
    await made.store.close()


def bench_on(old: Old) -> Bench:
    """Return a worker for the ledger."""
    mine = {"agent_id": "agent-7d1f", "enabled": True}
    settings = Settings(Keeper({}, {GUILD: mine}))
    return Bench(ScriptedBackend(), clock=old.clock, store=old.store, settings=settings)


async def test_what_waited_is_answered_once(old: Old) -> None:
    """Also after another restart; a turn that had acted elsewhere is not run again."""
    bench = bench_on(old)
    await bench.prepare()
    for known in sorted(old.events, key=lambda one: int(one["message_id"])):
        bench.square.ask(await old.get(known["id"]))
    bench.run()
    for _ in range(2):
        for _ in range(400):
            await bench.clock.advance(1.0)
            await bench.store.idle.wait()
        bench = await bench.again()
    posts = bench.square.posts
    answers = Counter((one.event_id, one.text) for one in posts if one.by == "delivery")
    assert answers == {(old.named(name), text): 1 for name, text in ANSWERED.items()}
    told = [one.event_id for one in posts if one.by == "notice"]
    assert told == [old.named("runs and speaks for three")]
    assert [one.text for one in posts if one.by == "mark"] == ["⚠️", "⚠️"]
    assert bench.backend is not None
    assert len(bench.backend.seen) == len(ANSWERED) - 1
    for name in (*ANSWERED, "along with an heir"):
        assert (await old.get(old.named(name))).state is State.ANSWERED
    for name in ("runs first of three", "runs second of three", "runs and speaks for three"):
        assert (await old.get(old.named(name))).state is State.FAILED
    await bench.stop()
