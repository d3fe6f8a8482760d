"""Wishes: whom one may ask, what is refused in words, and for how long a choice holds."""

from __future__ import annotations

from typing import Any

import pytest

from aurora.intake.wishing import Wishes
from aurora.model import Wish
from doubles.local_discord import Overwrite, permissions
from tests.support.events import make_event
from tests.support.stage import ON_STAGE, Stage

ROLES = {name: [f"agent-{name}", "what it is for"] for name in ("coder", "dba", "devops")}


async def wishes(stage: Stage) -> Wishes:
    async def owns(user_id: int) -> bool:
        return user_id == stage.local.owner.id

    await stage.settings.set_roles(stage.guild.id, ROLES)
    return Wishes(stage.settings, owns)


@pytest.mark.parametrize(
    ("asked", "wish"),
    [
        ({}, Wish()),
        ({"agent": "coder"}, Wish(role="coder")),
        ({"agent": " Default "}, Wish(role="default")),
        ({"agent": "coder, dba", "compare": True}, Wish(compare=("coder", "dba"))),
        ({"compare": True}, Wish(compare=("coder", "dba", "devops"))),
        ({"agent": "pastry"}, "There is no agent pastry here. You may ask: default, coder"),
        ({"agent": "coder,dba"}, "Name one agent"),
        ({"agent": "coder", "compare": True}, "nothing to compare"),
        ({"breakglass": True}, "Only the bot's owner"),
    ],
)
async def test_what_is_wanted_is_read_or_refused_in_words(
    stage: Stage, asked: dict[str, Any], wish: Wish | str
) -> None:
    """By who may have it."""
    found = await (await wishes(stage)).read(stage.ada.id, stage.guild.id, **asked)
    assert found == wish if isinstance(wish, Wish) else wish in str(found)


async def test_the_owner_may_break_the_glass(stage: Stage) -> None:
    """That is the strongest model, before all others."""
    made = await wishes(stage)
    wish = await made.read(stage.local.owner.id, stage.guild.id, breakglass=True)
    assert wish == Wish(strong=True, first=True)


async def place(stage: Stage, place_id: int) -> Any:
    return await stage.local.wait_for(lambda: stage.bot.get_channel(place_id))


async def test_a_choice_holds_in_its_thread_and_no_further(stage: Stage) -> None:
    """Until somebody chooses the server's own agent again; the channel keeps its own."""
    made, settings = await wishes(stage), stage.settings
    thread = stage.local.start_thread(stage.channel, "plans", owner=stage.ada)
    there, here = await place(stage, thread.id), await place(stage, stage.channel.id)
    ada = here.guild.get_member(stage.ada.id)
    for one in (there, here):
        await made.stick(one, ada, Wish(role="coder"))
    guild_id = stage.guild.id
    assert settings.role_at(guild_id, thread.id, stage.channel.id) == "coder"
    assert settings.role_at(guild_id, stage.channel.id, None) == ""
    await made.stick(there, ada, Wish(role="default"))
    assert settings.role_at(guild_id, thread.id, stage.channel.id) == ""


async def test_a_channels_is_for_who_may_manage_messages_there(stage: Stage) -> None:
    """Its threads go by it, unless they have one of their own."""
    made, settings, guild_id = await wishes(stage), stage.settings, stage.guild.id
    allow = Overwrite.of(stage.ada, allow=permissions.MANAGE_MESSAGES)
    stage.local.set_overwrites(stage.channel, (allow,))
    here = await place(stage, stage.channel.id)
    ada = here.guild.get_member(stage.ada.id)
    await stage.local.wait_for(lambda: here.permissions_for(ada).manage_messages)
    await made.stick(here, ada, Wish(role="dba"))
    assert settings.role_at(guild_id, stage.channel.id, None) == "dba"
    assert settings.role_at(guild_id, 5, stage.channel.id) == "dba"
    await settings.stick(guild_id, 5, "coder")
    assert settings.role_at(guild_id, 5, stage.channel.id) == "coder"
    await settings.set_roles(guild_id, {"coder": ROLES["coder"]})
    assert settings.role_at(guild_id, stage.channel.id, None) == ""


async def test_a_role_that_is_gone_is_the_servers_own_agent(stage: Stage) -> None:
    """What waits for it is answered all the same; where nobody answers no role does."""
    await wishes(stage)
    event = make_event(guild_id=stage.guild.id, wish=str(Wish(role="dba")))
    assert stage.settings.agent_of(event) == "agent-dba"
    assert stage.settings.agent_of(make_event(guild_id=stage.guild.id), "coder") == "agent-coder"
    await stage.settings.set_roles(stage.guild.id, {})
    assert stage.settings.agent_of(event) == ON_STAGE
    await stage.settings.set_guild(stage.guild.id, enabled=False)
    assert stage.settings.agent_of(event) is None
