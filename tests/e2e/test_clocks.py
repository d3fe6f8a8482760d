"""The clock of the machine is set while Aurora works: nobody is kept waiting by a time of day.

The process's own clock moves, as discord.py and Red see it too; Discord's does not, nor the
monotonic one. Only real waits can show this: no fake clock reaches into discord.py.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
import time_machine

from doubles.local_discord import Message
from doubles.quick_app_server import Plan
from tests.support.e2e.ledgers import ANSWER, ask_in_room
from tests.support.e2e.quick import QuickTown, open_quick_town
from tests.support.e2e.seen import end_of, mention, reached
from tests.support.house import ROOT

pytestmark = pytest.mark.asyncio(loop_scope="module")

JUMPS = pytest.mark.parametrize("hours", [-1, 1, -24, 24], ids="{:+d} h".format)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clock_town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[QuickTown]:
    """A town whose Discord has a clock of its own."""
    begun = time.time() - time.monotonic()
    async with open_quick_town(
        tmp_path_factory.mktemp("town"), now=lambda: begun + time.monotonic()
    ) as town:
        yield town


@pytest_asyncio.fixture(loop_scope="module")
async def town(clock_town: QuickTown) -> AsyncIterator[QuickTown]:
    """The town as it was, before and after."""
    clock_town.quick.script = lambda _text: Plan(ANSWER)
    yield clock_town
    clock_town.cog.services.breakers.reset()


def clock_set(hours: int) -> time_machine.travel:
    """Set the clock of this process for a while, and back."""
    return time_machine.travel(datetime.now(UTC) + timedelta(hours=hours), tick=True)


async def ends(town: QuickTown, *messages: Message) -> set[str]:
    """Return in which states the events of messages ended."""
    return {(await end_of(town, message))[0] for message in messages}


@JUMPS
async def test_a_clock_that_is_set_silences_nobody(town: QuickTown, hours: int) -> None:
    """Neither the first who asks after it nor the next, and so when it is set right again."""
    assert await ends(town, ask_in_room(town)) == {"answered"}
    with clock_set(hours):
        for _ in range(3):
            assert await ends(town, ask_in_room(town)) == {"answered"}
    for _ in range(3):
        assert await ends(town, ask_in_room(town)) == {"answered"}


@JUMPS
async def test_a_clock_that_is_set_while_a_turn_runs_costs_nobody_an_answer(
    town: QuickTown, hours: int
) -> None:
    """The turn ends as it would, and who waits behind it is neither expired nor held back."""
    room = town.discord.add_channel(town.guild, "room")
    town.quick.script = lambda _text: Plan(ANSWER, delay=0.5)
    first = mention(town, "one", room)
    await reached(town, first, "running")
    behind = mention(town, "two", room)
    await reached(town, behind, "queued")
    with clock_set(hours):
        assert await ends(town, first, behind, ask_in_room(town)) == {"answered"}


@JUMPS
async def test_a_clock_that_is_set_in_an_outage_makes_it_no_longer(
    town: QuickTown, hours: int
) -> None:
    """Retries, breaker and pings go by the monotonic clock."""
    await town.quick.stop()
    asked = [ask_in_room(town) for _ in range(6)]
    await town.discord.wait_for(
        lambda: town.cog.services.breakers.server.state.value == "open", 20
    )
    with clock_set(hours):
        await town.quick.start()
        assert await ends(town, *asked) == {"answered"}


@JUMPS
async def test_an_error_while_the_clock_is_set_is_no_standstill(
    town: QuickTown, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop tries again a second later, whatever the clock says."""
    worker = town.cog.services.worker
    steps = iter([OSError("the disk"), TimeoutError("the disk"), RuntimeError("a bug")])
    step = worker.step

    async def stumbling() -> None:
        await step()
        for error in steps:
            raise error

    monkeypatch.setattr(worker, "step", stumbling)
    assert await ends(town, ask_in_room(town)) == {"answered"}
    with clock_set(hours):
        for _ in range(4):
            assert await ends(town, ask_in_room(town)) == {"answered"}


@JUMPS
async def test_unload_ends_at_once_while_the_clock_is_set(town: QuickTown, hours: int) -> None:
    """The loop is cancelled where it waits, and what was loaded anew answers."""
    assert await ends(town, ask_in_room(town)) == {"answered"}
    office = town.discord.add_channel(town.guild, "office")
    with clock_set(hours):
        assert "unloaded" in await town.command("unload aurora", channel=office)
        code = str(ROOT / "aurora")
        assert [one for one in asyncio.all_tasks() if code in str(one.get_coro())] == []
        assert "Loaded" in await town.command("load aurora", channel=office)
        assert await ends(town, ask_in_room(town), ask_in_room(town)) == {"answered"}
