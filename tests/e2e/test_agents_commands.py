"""Which agents a server's admins may enable, and what comes of an agent that oversteps."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from doubles.local_discord import Channel, Guild, User, permissions
from doubles.quick_app_server import Plan
from tests.support.e2e.hands import register, slash
from tests.support.e2e.quick import QuickTown, open_quick_town

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOT_ALLOWED = "is for the bot's owner to allow"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def quick_town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[QuickTown]:
    """A town before a double of the App Server."""
    async with open_quick_town(tmp_path_factory.mktemp("town")) as town:
        mods = town.discord.add_role(town.guild, "mods", permissions=permissions.MANAGE_GUILD)
        town.bo = town.discord.add_user("bob")
        town.discord.add_member(town.guild, town.bo, roles=(mods,))
        yield town


@pytest_asyncio.fixture(loop_scope="module")
async def town(quick_town: QuickTown) -> AsyncIterator[QuickTown]:
    """The town as it was, before and after; bob may manage its server, ada owns the bot."""
    yield quick_town
    settings = quick_town.cog.services.settings
    await settings.set_guild(
        quick_town.guild.id,
        agent_id=quick_town.agent_id,
        enabled=True,
        enabled_by_right=False,
        agents_allowed=[],
        users_denied=[],
        roles_allowed=[],
    )
    quick_town.cog.services.breakers.reset()
    quick_town.quick.script = lambda _text: Plan("Hello.")


async def another(town: QuickTown, name: str = "another") -> str:
    """Make an agent that nobody has enabled."""
    return await town.quick.create_agent(name)


def far_away(town: QuickTown) -> tuple[Guild, Channel]:
    """Make a server of somebody else's that the bot is in."""
    guild = town.discord.add_guild("Far", owner=town.bo)
    town.discord.add_member(guild, town.ada)
    return guild, town.discord.add_channel(guild, "far")


async def enabled(town: QuickTown, agent_id: str, who: User) -> str:
    """Let somebody enable an agent, and return what is said."""
    return await town.command(f"aurora enable {agent_id}", author=who)


async def test_an_admin_may_enable_what_the_owner_has_allowed_and_nothing_else(
    town: QuickTown,
) -> None:
    """The owner may enable any."""
    one, other = await another(town), await another(town)
    said = await enabled(town, one, town.bo)
    assert NOT_ALLOWED in said
    assert "Allowed in this server: none" in said
    assert "Done" in await town.command(f"aurora agents allow {one}")
    assert "Done" in await enabled(town, one, town.bo)
    assert town.cog.services.settings.agent_for(town.guild.id) == one
    assert f"Allowed in this server: `{one}`" in await enabled(town, other, town.bo)
    assert town.cog.services.settings.agent_for(town.guild.id) == one
    assert "Done" in await enabled(town, other, town.ada)


async def test_an_admin_can_not_find_out_which_agents_there_are(town: QuickTown) -> None:
    """One that exists and one that does not are refused in the same words."""
    there = await enabled(town, await another(town), town.bo)
    assert there == await enabled(town, "agent-of-nobody", town.bo)


async def test_an_admin_is_not_told_where_the_agents_server_is(town: QuickTown) -> None:
    """Nor what is wrong with it; that is the owner's to mend."""
    one = await another(town)
    await town.command(f"aurora agents allow {one}")
    name = town.quick.agents.pop(one)
    said = await enabled(town, one, town.bo)
    assert "I could not look at the agent" in said
    assert town.quick.url not in said
    assert town.quick.url in await enabled(town, one, town.ada)
    town.quick.agents[one] = name


async def test_what_is_allowed_in_one_server_is_not_in_another(town: QuickTown) -> None:
    """Each is the owner's choice; a list of all is the owner's too."""
    one = await another(town)
    guild, channel = far_away(town)
    assert "in Far" in await town.command(f"aurora agents allow {one} {guild.id}")
    assert NOT_ALLOWED in await enabled(town, one, town.bo)
    said = await town.command("aurora agents list", author=town.bo, channel=channel)
    assert f"`{one}`" in said
    assert "none" in await town.command("aurora agents list", author=town.bo)
    assert f"**Far**: `{one}`" in await town.command("aurora agents list everywhere")
    error = await town.refused("aurora agents list everywhere", author=town.bo)
    assert "Only the bot's owner" in str(error)


async def test_an_agent_taken_back_stops_where_an_admin_had_enabled_it(town: QuickTown) -> None:
    """And what waits there is cancelled."""
    one = await another(town)
    await town.command(f"aurora agents allow {one}")
    await enabled(town, one, town.bo)
    await town.cog.services.settings.set_guild(town.guild.id, paused_since=1.0)
    waiting = town.discord.say(town.bo, town.general, f"{town.mention} hello")
    await town.discord.wait_for(lambda: "queued" in town.steps(waiting) or None)
    said = await town.command(f"aurora agents revoke {one}")
    assert "no longer answer there" in said
    assert "cancelled: 1" in said
    assert (await town.ended(waiting)).detail == "disabled"
    await town.cog.services.settings.set_guild(town.guild.id, paused_since=None)
    assert town.cog.services.settings.agent_for(town.guild.id) is None
    assert NOT_ALLOWED in await enabled(town, one, town.bo)


async def test_an_agent_taken_back_goes_on_where_the_owner_had_enabled_it(town: QuickTown) -> None:
    """The owner's own choice is not undone by the way; that it goes on is said."""
    one = await another(town)
    await town.command(f"aurora agents allow {one}")
    await enabled(town, one, town.ada)
    assert "It still answers there" in await town.command(f"aurora agents revoke {one}")
    assert town.cog.services.settings.agent_for(town.guild.id) == one
    assert "was not allowed" in await town.command(f"aurora agents revoke {one}")


async def test_an_agent_that_does_not_exist_can_not_be_allowed(town: QuickTown) -> None:
    """A slip of the pen is seen at once."""
    assert "not found" in await town.command("aurora agents allow agent-of-nobody")
    assert list(town.cog.services.settings.guild(town.guild.id).agents_allowed) == []


async def test_an_agent_in_two_servers_is_warned_of(town: QuickTown) -> None:
    """It has one memory, and nobody would think of it; direct messages count."""
    one = await another(town)
    assert "places now" not in await enabled(town, one, town.ada)
    _, channel = far_away(town)
    said = await town.command(f"aurora enable {one}", channel=channel)
    assert "answers in 2 places now" in said
    assert "answers in 3 places now" in await town.command(f"aurora config dm agent {one}")
    await town.cog.services.settings.set_world(dm_agent_id=None)


async def test_what_was_decided_is_kept(town: QuickTown) -> None:
    """By Red's Config, which gives back what it was given."""
    one, settings = await another(town), town.cog.services.settings
    await town.command(f"aurora agents allow {one}")
    await enabled(town, one, town.bo)
    await settings.allow_tools("agent.with.dots", ["web/look", "shell"])
    await settings.allow_tools("agent.with.dots", ["shell", "curl"])
    await settings.set_guild(town.guild.id, users_denied=[town.bo.id], roles_allowed=[1, 2])
    await settings.load()
    mine = settings.guild(town.guild.id)
    assert (list(mine.agents_allowed), mine.enabled_by_right) == ([one], True)
    assert (list(mine.users_denied), list(mine.roles_allowed)) == ([town.bo.id], [1, 2])
    assert list(settings.allowed_tools("agent.with.dots")) == ["curl", "shell", "web/look"]


async def test_the_commands_are_slash_commands_too(town: QuickTown) -> None:
    """With the server's name behind them, as the others."""
    await register(town)
    one = await another(town)
    assert "Done" in await slash(town, "aurora agents allow", agent_id=one)
    assert one in await slash(town, "aurora agents list")
    assert "no longer enable" in await slash(town, "aurora agents revoke", agent_id=one)


# -- an agent that oversteps


async def test_an_agent_that_oversteps_is_stopped_told_of_and_not_asked_again(
    town: QuickTown,
) -> None:
    """What it says is not posted, the next message waits, and the owner reads which tool ran."""
    town.quick.script = lambda _text: Plan("root:x:0:0", oversteps="Bash")
    message, end = await town.ask("hello")
    assert (end.step, end.detail) == ("failed", "tripped")
    (notice,) = town.answers(message)
    assert "may not do" in notice.content
    owner = town.discord.open_dm(town.ada)

    def told() -> bool | None:
        said = [one.content for one in town.bot_messages(owner)]
        return any("`Bash`" in one and town.agent_id in one for one in said) or None

    await town.discord.wait_for(told)
    town.quick.script = lambda _text: Plan("Hello.")
    waiting = town.discord.say(town.bo, town.general, f"{town.mention} hello")
    await town.discord.wait_for(lambda: "queued" in town.steps(waiting) or None)
    assert town.cog.services.breakers.is_open(town.agent_id)
    town.cog.services.breakers.reset()
    assert (await town.ended(waiting)).step == "answered"


async def test_the_conversation_of_a_forgotten_persons_direct_messages_is_put_away(
    town: QuickTown,
) -> None:
    """The App Server deletes none; it is archived, and the next message begins another."""
    settings = town.cog.services.settings
    await settings.set_world(dm_agent_id=town.agent_id)
    dm = town.discord.open_dm(town.bo)
    first = town.discord.say(town.bo, dm, "hello")
    assert (await town.ended(first)).step == "answered"
    await town.cog.red_delete_data_for_user(requester="user", user_id=town.bo.id)
    assert town.quick.archived == 1
    second = town.discord.say(town.bo, dm, "hello again")
    assert (await town.ended(second)).step == "answered"
    assert town.quick.archived == 1
    await settings.set_world(dm_agent_id=None)
