"""Access lists in a server: who may ask, and where."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from doubles.local_discord import Channel, Message, User, permissions
from tests.support.e2e.quick import QuickTown, open_quick_town

pytestmark = pytest.mark.asyncio(loop_scope="module")

_LISTS = [
    f"{kind}_{how}" for kind in ("channels", "roles", "users") for how in ("allowed", "denied")
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def quick_town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[QuickTown]:
    """A town before a double of the App Server."""
    async with open_quick_town(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest_asyncio.fixture(loop_scope="module")
async def town(quick_town: QuickTown) -> AsyncIterator[QuickTown]:
    """The town, without lists before and after; bo is a plain member."""
    yield quick_town
    await quick_town.cog.services.settings.set_guild(
        quick_town.guild.id, **dict.fromkeys(_LISTS, ())
    )


async def refused(town: QuickTown, message: Message) -> str:
    """Wait until a message was refused; nothing is to be seen of that. Return the reason."""
    reason = await town.refusal(message)
    assert town.marks(message) == []
    assert town.answers(message) == []
    return reason


def say(town: QuickTown, author: User, channel: Channel | None = None) -> Message:
    """Mention the bot."""
    return town.discord.say(author, channel or town.general, f"{town.mention} hello")


async def test_a_denied_person_gets_no_answer_and_no_mark(town: QuickTown) -> None:
    """In silence, as by Red's blocklist; the others are answered."""
    said = await town.command(f"aurora config users deny <@{town.bo.id}>")
    assert f"<@{town.bo.id}>" in said
    assert await refused(town, say(town, town.bo)) == "kept_out"
    _, end = await town.ask("hello")
    assert end.step == "answered"
    assert "Nobody is listed" in await town.command(f"aurora config users clear {town.bo.id}")
    _, end = await town.ask("hello", author=town.bo)
    assert end.step == "answered"


async def test_an_allowed_role_shuts_out_who_does_not_have_it(town: QuickTown) -> None:
    """The server's owner may always ask, as by Red's lists."""
    helpers = town.discord.add_role(town.guild, "helpers of ours")
    cy = town.discord.add_user("cy")
    town.discord.add_member(town.guild, cy, roles=(helpers,))
    said = await town.command("aurora config roles allow helpers of ours")
    assert f"<@&{helpers.id}>" in said
    assert await refused(town, say(town, town.bo)) == "kept_out"
    for author in (cy, town.ada):
        _, end = await town.ask("hello", author=author)
        assert end.step == "answered"
    await town.command(f"aurora config users allow <@{town.bo.id}>")
    _, end = await town.ask("hello", author=town.bo)
    assert end.step == "answered"


async def test_a_category_stands_for_its_channels_and_a_channel_for_its_threads(
    town: QuickTown,
) -> None:
    """What was made there later counts as well."""
    category = town.discord.add_channel(town.guild, "quiet rooms", type=4)
    room = town.discord.add_channel(town.guild, "room", parent=category)
    thread = town.discord.start_thread(room, "thread", owner=town.ada)
    await town.command("aurora config channels deny quiet rooms")
    for place in (room, thread):
        assert await refused(town, say(town, town.bo, place)) == "off_limits"
    await town.command("aurora config channels clear")
    await town.command(f"aurora config channels allow <#{room.id}>")
    assert await refused(town, say(town, town.bo)) == "off_limits"
    _, end = await town.ask("hello", author=town.bo, channel=thread)
    assert end.step == "answered"


async def test_who_manages_the_server_is_answered_everywhere(town: QuickTown) -> None:
    """As Red answers them in an ignored channel."""
    mods = town.discord.add_role(town.guild, "mods", permissions=permissions.MANAGE_GUILD)
    di = town.discord.add_user("di")
    town.discord.add_member(town.guild, di, roles=(mods,))
    await town.command(f"aurora config channels deny <#{town.general.id}>")
    _, end = await town.ask("hello", author=di)
    assert end.step == "answered"
    await town.command(f"aurora config users deny <@{di.id}>")
    assert await refused(town, say(town, di)) == "kept_out"


async def test_a_list_applies_to_what_waits_already(town: QuickTown) -> None:
    """It is asked again when a message's turn has come; who waits sees that nothing will come."""
    services = town.cog.services
    await services.settings.set_guild(town.guild.id, paused_since=1.0)
    waiting = say(town, town.bo)
    await town.discord.wait_for(lambda: "queued" in town.steps(waiting) or None)
    await town.command(f"aurora config users deny <@{town.bo.id}>")
    await services.change_guild(town.guild.id, paused_since=None)
    end = await town.ended(waiting)
    assert (end.step, end.detail) == ("cancelled", "kept_out")
    assert town.marks(waiting) == ["⏹️"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("channels", "in every channel"),
        ("roles", "No role is listed"),
        ("users", "Nobody is listed"),
        ("users deny", "Name it behind `deny`"),
        ("roles allow no such role", "no role `no such role`"),
        ("channels deny 123", "no channel or category `123`"),
        ("channels perhaps #x", "Say `allow`, `deny` or `clear` before it"),
    ],
)
async def test_what_is_said_of_no_list_and_of_what_is_not_understood(
    town: QuickTown, command: str, words: str
) -> None:
    """Nothing is changed."""
    before = town.cog.services.settings.guild(town.guild.id)
    assert words in await town.command(f"aurora config {command}")
    assert town.cog.services.settings.guild(town.guild.id) == before


async def test_a_role_that_is_gone_can_be_cleared_by_its_id(town: QuickTown) -> None:
    """Else nobody could ask any more, and nobody could mend it."""
    await town.cog.services.settings.set_guild(town.guild.id, roles_allowed=[12345])
    assert "No role is listed" in await town.command("aurora config roles clear 12345")


async def test_a_listed_role_is_not_pinged(town: QuickTown) -> None:
    """It is named, not called."""
    loud = town.discord.add_role(town.guild, "loud", mentionable=True)
    await town.command("aurora config roles deny loud")
    last = town.bot_messages(town.general)[-1]
    assert f"<@&{loud.id}>" in last.content
    assert (last.mention_roles, last.mentions) == ([], [])


async def test_the_settings_show_that_there_are_lists(town: QuickTown) -> None:
    """And `set` names their own command."""
    await town.command(f"aurora config users deny <@{town.bo.id}>")
    shown = await town.settings()
    rows = {
        line.split()[0]: line.split()[1] for line in shown.splitlines() if len(line.split()) > 1
    }
    assert (rows["users"], rows["roles"]) == ("on", "off")
    assert "`!aurora config users`" in await town.command("aurora config set users x")
