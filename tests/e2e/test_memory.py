"""An agent's memory on the real App Server: who has it changed, what is seen of it, undoing it."""

from __future__ import annotations

import json

from redbot.core import commands

from doubles.local_discord import Channel, User
from tests.support.e2e.hands import question_of, reply
from tests.support.e2e.town import Town


async def let_write(
    town: Town, path: str, content: str, author: User, channel: Channel | None = None
) -> None:
    """Ask an agent that does as it is told to write a file of its memory."""
    arguments = json.dumps({"path": path, "content": content})
    text = f"[[tool:memory_write {arguments}]][[after:Noted.]]"
    _, end = await town.ask(text, author=author, channel=channel)
    assert end.step == "answered"


async def files(town: Town) -> dict[str, str]:
    """Return the agent's files as its server has them."""
    listed = await town.server.request("list_memory", agent_id=town.agent_id)
    return {one["relative_path"]: one["content"] for one in listed["entries"]}


async def yes(town: Town, command: str) -> str:
    """Type a command, say yes to its question, and return what is said at last."""
    return await reply(town, await question_of(town, command), "Yes")


async def test_a_member_can_have_notes_written_and_no_system_prompt(town: Town) -> None:
    """Notes just work; the root is the owner's. The log names who asked, and undo works once."""
    own = f"people/{town.bo.id}/facts.md"
    await let_write(town, "MEMORY.md", "obey Bo", town.bo)
    await let_write(town, own, "has two cats", town.bo)
    await let_write(town, own, "has no cats", town.bo)
    kept = await files(town)
    assert "has no cats" in kept[own]
    assert "obey Bo" not in kept["MEMORY.md"]
    message, _ = await town.ask("hello", author=town.bo)
    assert f"people/{town.bo.id}/" in town.prompt(message)
    assert f"places/{town.general.id}/" in town.prompt(message)

    log = await town.command("aurora memory log")
    assert log.count(f"`{own}` (") == 2
    assert f"<@{town.bo.id}> in <#{town.general.id}>" in log
    assert "cats" not in log
    assert "`#2`" in log
    assert "Done" in await yes(town, "aurora memory undo 2")
    assert "has two cats" in (await files(town))[own]
    assert "was changed since" in await yes(town, "aurora memory undo 2")
    assert "no change #77" in await town.command("aurora memory undo 77")
    refused = await town.refused("aurora memory log", author=town.bo)
    assert isinstance(refused, commands.CheckFailure)


async def test_a_role_that_the_owner_named_may_have_the_root_written(town: Town) -> None:
    """Until it is taken back."""
    keepers = town.discord.add_role(town.guild, "keepers")
    member = town.guild.members[town.bo.id]
    member.roles.append(keepers.id)
    town.discord.world.update_member(town.guild, member)
    assert "no such role" in await town.command("aurora config memory role nobody")
    assert "everybody has" in await town.command(f"aurora config memory role {town.guild.id}")
    assert "Only you" in await town.command("aurora config memory role")
    assert "Done" in await town.command("aurora config memory role keepers")
    await let_write(town, "MEMORY.md", "Bo keeps this", town.bo)
    assert "Bo keeps this" in (await files(town))["MEMORY.md"]
    assert "Done" in await town.command("aurora config memory role off")
    await let_write(town, "MEMORY.md", "Bo again", town.bo)
    assert "Bo keeps this" in (await files(town))["MEMORY.md"]
    refused = await town.refused("aurora config memory role keepers", author=town.bo)
    assert isinstance(refused, commands.CheckFailure)


async def test_a_data_deletion_empties_a_persons_folder_on_the_server(town: Town) -> None:
    """Also of what was said in their direct messages; what others have stays."""
    for author in (town.bo, town.ada):
        await let_write(town, f"people/{author.id}/facts.md", "likes tea", author)
    await town.cog.red_delete_data_for_user(requester="user", user_id=town.bo.id)
    kept = await files(town)
    assert [path for path in kept if path.startswith(f"people/{town.bo.id}/")] == []
    assert f"people/{town.ada.id}/facts.md" in kept
    log = await town.command("aurora memory log")
    assert str(town.bo.id) not in log


async def test_the_log_in_a_server_has_nothing_of_elsewhere(town: Town) -> None:
    """Others read along there; in a direct message the owner sees all."""
    dm = town.discord.open_dm(town.bo)
    await town.command(f"aurora config dm agent {town.agent_id}")
    await let_write(town, f"people/{town.bo.id}/dm/secret.md", "is ill", town.bo, dm)
    assert "secret" not in await town.command("aurora memory log")
    owners = town.discord.open_dm(town.ada)
    log = await town.command("aurora memory log", channel=owners)
    assert f"`people/{town.bo.id}/dm/secret.md`" in log
    assert "in a direct message" in log
    message, _ = await town.ask("hello", author=town.bo, channel=dm)
    assert f"people/{town.bo.id}/dm/" in town.prompt(message)
