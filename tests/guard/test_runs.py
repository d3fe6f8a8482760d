"""Who may do what with a run: the table, for each kind of person."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from aurora.guard.runs import TABLE, Part, RunAct, RunGuard
from aurora.model import Event
from aurora.reasons import Reason
from doubles.local_discord import Overwrite, User, permissions
from tests.support.stage import Stage

A, MOD, MAN, OWN, OTHER = Part.ASKER, Part.MODERATOR, Part.MANAGER, Part.OWNER, Part.OTHER

WANTED: dict[RunAct, set[Part]] = {
    RunAct.SEE: {A, MAN, OWN},
    RunAct.STOP: {A, MOD, MAN, OWN},
    RunAct.RETRY: {A, MAN, OWN},
    RunAct.ANSWER: {A},
    RunAct.JUDGE: set(Part),
    RunAct.GO_ON: {A},
}
"""The table, written a second time, so that no row changes by accident."""


@pytest.mark.parametrize("act", list(RunAct))
def test_each_act_is_for_whom_the_table_says(act: RunAct) -> None:
    """An act without a row would be for nobody, or for all."""
    assert TABLE[act] == WANTED[act]


async def guard(stage: Stage, *, owners: Collection[int] = (), barred: bool = False) -> RunGuard:
    """Return the guard of runs, once the client knows who is there."""

    async def kept_out(*_who: object) -> Reason | None:
        return Reason.INELIGIBLE if barred else None

    async def owns(user_id: int) -> bool:
        return user_id in owners

    return RunGuard(stage.bot, kept_out, owns)


async def parts(stage: Stage, user: User, event: Event) -> set[Part]:
    """Tell what somebody is to a run."""
    return set(await (await guard(stage)).parts(user.id, event))


async def test_what_somebody_is_follows_from_discord_as_it_is_now(stage: Stage) -> None:
    """Who asked, who sees the place, who may manage messages or the server."""
    event = await stage.ask()
    mod, boss = stage.local.add_user("mod"), stage.local.add_user("boss")
    for user, right in ((mod, permissions.MANAGE_MESSAGES), (boss, permissions.MANAGE_GUILD)):
        stage.local.add_member(stage.guild, user)
        role = stage.local.add_role(stage.guild, user.name, permissions=right)
        member = stage.guild.members[user.id]
        member.roles.append(role.id)
        stage.local.world.update_member(stage.guild, member)
    assert await parts(stage, stage.ada, event) == {A, OTHER}
    assert await parts(stage, stage.bob, event) == {OTHER}
    assert await parts(stage, mod, event) == {MOD, OTHER}
    assert await parts(stage, boss, event) == {MAN, OTHER}
    outsider = stage.local.add_user("outsider")
    assert await parts(stage, outsider, event) == set()


async def test_a_moderator_who_sees_no_place_is_none_there(stage: Stage) -> None:
    """Rights that somebody has elsewhere count for nothing."""
    event = await stage.ask()
    rules = Overwrite.of(
        stage.bob, allow=permissions.MANAGE_MESSAGES, deny=permissions.VIEW_CHANNEL
    )
    stage.local.set_overwrites(stage.channel, (rules,))
    assert await parts(stage, stage.bob, event) == set()


async def test_in_direct_messages_there_is_nobody_but_the_asker(stage: Stage) -> None:
    """And the bot's owner, who may stop whatever the bot does."""
    event = await stage.ask(stage.local.open_dm(stage.ada))
    made = await guard(stage, owners={stage.bob.id})
    assert await made.parts(stage.ada.id, event) == {A}
    assert await made.parts(stage.bob.id, event) == {OWN}


async def test_who_is_kept_out_may_do_nothing(stage: Stage) -> None:
    """Not even with what they asked for."""
    event = await stage.ask()
    made = await guard(stage, owners={stage.ada.id}, barred=True)
    assert not await made.may(RunAct.STOP, stage.ada.id, event)


async def test_in_doubt_nobody_may(stage: Stage) -> None:
    """Discord does not say who is in the guild."""
    event = await stage.ask()
    stranger = stage.local.add_user("stranger")
    stage.local.faults.add("GET", r"/guilds/\d+/members/\d+", status=403)
    assert not await (await guard(stage)).may(RunAct.STOP, stranger.id, event)


async def test_another_bot_is_nothing_to_a_run_whatever_rights_it_has(stage: Stage) -> None:
    """Unless it has asked, as one that admins trust may."""
    bot = stage.local.add_user("robot", bot=True)
    role = stage.local.add_role(stage.guild, "robots", permissions=permissions.ADMINISTRATOR)
    stage.local.add_member(stage.guild, bot, roles=(role,))
    event = await stage.ask()
    assert await parts(stage, bot, event) == set()
    event.author_id = bot.id
    assert A in await parts(stage, bot, event)
