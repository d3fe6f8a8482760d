"""Which channels a progress line may name: those that all who hear it know of, and who asks."""

from __future__ import annotations

import pytest

from aurora.guard.naming import name_for_all
from aurora.model import Event
from doubles.local_discord import Channel, Overwrite, permissions
from tests.support.stage import Stage, hide_from


async def name(stage: Stage, event: Event, there: Channel | int) -> str | None:
    """Return how a channel is named where an event came from."""
    there_id = there if isinstance(there, int) else there.id
    return await name_for_all(stage.bot, stage.guard, event, there_id)


async def test_its_own_place_and_what_everybody_sees_is_named(stage: Stage) -> None:
    """As Discord names it to each reader."""
    event = await stage.ask()
    other = stage.local.add_channel(stage.guild, "random")
    assert await name(stage, event, stage.channel) == f"<#{stage.channel.id}>"
    assert await name(stage, event, other) == f"<#{other.id}>"


async def test_what_who_asks_does_not_see_is_not_named(stage: Stage) -> None:
    """An agent that was talked into trying it gets no further, and neither does its name."""
    event = await stage.ask()
    assert await name(stage, event, stage.hidden) is None


async def test_what_somebody_in_the_place_does_not_see_is_not_named(stage: Stage) -> None:
    """Though who asks sees it."""
    event = await stage.ask()
    show = Overwrite.of(stage.ada, allow=permissions.VIEW_CHANNEL)
    stage.local.set_overwrites(stage.hidden, (*stage.hidden.overwrites.values(), show))
    assert await name(stage, event, stage.hidden) is None
    other = stage.local.add_channel(stage.guild, "not for bob")
    assert await name(stage, event, other) is not None
    hide_from(stage.bob, other, stage.local)
    assert await name(stage, event, other) is None


async def test_a_private_thread_is_not_named(stage: Stage) -> None:
    """Not even by its guests."""
    event = await stage.ask()
    thread = stage.local.start_thread(stage.channel, "plans", owner=stage.ada, private=True)
    assert await name(stage, event, thread) is None


@pytest.mark.parametrize("there_id", [1, 2**62])
async def test_what_is_nowhere_has_no_name(stage: Stage, there_id: int) -> None:
    """A model makes up ids; nobody is asked for them. Direct messages know no other place."""
    event = await stage.ask()
    assert await name(stage, event, there_id) is None
    private = await stage.ask(stage.local.open_dm(stage.ada))
    assert await name(stage, private, stage.channel) is None
