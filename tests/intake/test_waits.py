"""A message that another cog has waited for is not the agent's as well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import discord
import pytest
from redbot.core.utils.predicates import MessagePredicate

from aurora.intake.triggers import Refusal, Trigger
from aurora.intake.waits import Waits
from aurora.reasons import Reason
from tests.support.gates import Gatehouse
from tests.support.payloads import direct, hello

AWAITED = Refusal(Reason.AWAITED)


@pytest.fixture
async def looking(scene: Gatehouse) -> AsyncIterator[Gatehouse]:
    """Return a scene where Aurora looks who waits."""
    scene.red.loop = asyncio.get_running_loop()
    scene.triggers.waits.start()
    await asyncio.sleep(0)
    yield scene
    await scene.triggers.waits.stop()


async def _arrive(scene: Gatehouse, message: discord.Message) -> Trigger | Refusal:
    """Hand a message on as discord.py does: to who waits, then to listeners."""
    discord.Client.dispatch(scene.red, "message", message)
    return await asyncio.create_task(scene.check(message))


def _wait(
    scene: Gatehouse, check: Callable[[discord.Message], bool]
) -> asyncio.Task[discord.Message]:
    return asyncio.create_task(scene.red.wait_for("message", check=check, timeout=60))


@pytest.fixture(autouse=True)
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing but who waits hear of messages."""
    monkeypatch.setattr(discord.Client, "_schedule_event", lambda *_args, **_more: None)


async def test_a_report_goes_to_the_cog_that_asked_for_it(looking: Gatehouse) -> None:
    """Red's report dialogue waits for a direct message; the one behind it is the agent's."""
    message = direct(looking.world)
    person = message.author
    wait = _wait(looking, MessagePredicate.same_context(channel=message.channel, user=person))
    await asyncio.sleep(0)
    assert await _arrive(looking, message) == AWAITED
    assert await wait is message
    later = looking.world.message("and you?", channel=message.channel.id, dm=True)
    assert await _arrive(looking, later) == Trigger("dm")


async def test_a_mention_that_is_an_answer_to_another_cog_is_not_taken(looking: Gatehouse) -> None:
    """A cog asks who it is to be about, and somebody names the bot."""
    wait = _wait(looking, lambda message: message.author.id == looking.world.id("ann"))
    await asyncio.sleep(0)
    assert await _arrive(looking, hello(looking.world)) == AWAITED
    await wait


async def test_what_nobody_takes_is_the_agents(looking: Gatehouse) -> None:
    """Somebody waits for another person, or for another answer."""
    bob = looking.world.id("bob")
    waits = [
        _wait(looking, lambda message: message.author.id == bob),
        _wait(looking, lambda message: message.content == "yes"),
    ]
    await asyncio.sleep(0)
    assert await _arrive(looking, hello(looking.world)) == Trigger("mention")
    for one in waits:
        one.cancel()
    await asyncio.wait(waits)
    assert await _arrive(looking, hello(looking.world)) == Trigger("mention")


async def test_each_check_of_others_is_called_once(looking: Gatehouse) -> None:
    """It may count, or keep what it saw."""
    calls: list[int] = []

    def counting(message: discord.Message) -> bool:
        calls.append(message.id)
        return len(calls) == 2

    wait = _wait(looking, counting)
    await asyncio.sleep(0)
    first, second = hello(looking.world), hello(looking.world)
    assert await _arrive(looking, first) == Trigger("mention")
    assert await _arrive(looking, second) == AWAITED
    assert calls == [first.id, second.id]
    await wait


async def test_a_check_that_fails_fails_for_who_made_it(looking: Gatehouse) -> None:
    """And for nobody else."""

    def failing(_message: discord.Message) -> bool:
        raise KeyError("mistake")

    wait = _wait(looking, failing)
    await asyncio.sleep(0)
    assert await _arrive(looking, hello(looking.world)) == Trigger("mention")
    with pytest.raises(KeyError):
        await wait
    assert await _arrive(looking, hello(looking.world)) == Trigger("mention")


@pytest.mark.parametrize("earlier", [True, False])
async def test_it_does_not_matter_who_began_to_wait_first(scene: Gatehouse, earlier: bool) -> None:
    """A cog may have waited before Aurora was loaded."""
    scene.red.loop = asyncio.get_running_loop()
    if earlier:
        wait = _wait(scene, lambda _message: True)
        await asyncio.sleep(0)
    scene.triggers.waits.start()
    await asyncio.sleep(0)
    if not earlier:
        wait = _wait(scene, lambda _message: True)
        await asyncio.sleep(0)
    assert await _arrive(scene, hello(scene.world)) == AWAITED
    await wait
    await scene.triggers.waits.stop()


async def test_nothing_is_left_of_it(looking: Gatehouse) -> None:
    """After an unload discord.py knows nobody who waits."""
    await looking.triggers.waits.stop()
    await _arrive(looking, hello(looking.world))
    assert looking.red._listeners == {}


async def test_without_discord_pys_list_nobody_waits(scene: Gatehouse) -> None:
    """It is private, and may go; Aurora answers as ever then."""

    class Other:
        async def wait_for(self, _event: str, *, check: Callable[[object], bool]) -> None:
            assert check(None) is False

    seen: list[object] = []
    waits = Waits(Other(), seen.append)  # type: ignore[arg-type]  # of which it uses no more
    waits.start()
    await asyncio.sleep(0)
    assert not waits.took(hello(scene.world))
    assert seen == [None]
    await waits.stop()
