"""`events status|errors|pause|resume|resetcircuit`: health, and the brakes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from doubles.local_discord import Message
from tests.support.e2e.hands import register, slash
from tests.support.e2e.pages import add_mod, all_pages, fill, no_embeds, page, read
from tests.support.e2e.seen import end_of, mention, reached
from tests.support.e2e.town import Town


def down(town: Town, agent_id: str | None = None) -> None:
    """Let the breaker of the server, or of an agent, open; that has failed for a while, and is."""
    services = town.cog.services
    breakers, pinger = services.breakers, services.pinger
    pinger._pauses = type(pinger._pauses)(600.0, 600.0, 0.0)
    breaker = breakers.server if agent_id is None else breakers.agent(agent_id)
    for _ in range(5):
        breaker._failing_since = services.clock.monotonic() - 60.0
        permits = breakers.acquire(agent_id or "somebody")
        permits.failed_to_accept() if agent_id is None else permits.failed_run()


# -- status and errors


async def test_status_of_a_healthy_server_is_green(town: Town) -> None:
    """The agent by name, the breakers, the queue and the rates."""
    await town.ask("[[send:hi]]")
    said = await page(town, "aurora events status")
    assert "▶️ on" in said
    assert f"✅ **town agent** (`{town.agent_id}`)" in said
    assert "🟢 connected to the Letta server" in said
    assert "🟢 Circuit breaker: closed" in said
    assert "🟢 Circuit breaker of the agent: closed" in said
    assert "waiting: 0 of 50" in said
    assert "🟢 last 5 minutes: 0.0% of 1 runs failed (0)" in said


async def test_status_says_what_is_wrong(town: Town) -> None:
    """And since when, and until when."""
    services = town.cog.services
    await services.settings.set_guild(town.guild.id, agent_id="agent-of-nobody")
    await town.command("aurora events pause")
    for error in (None, "TimeoutError", "TimeoutError"):
        services.stats.record(error, guild_id=town.guild.id)
    down(town)
    await fill(town, 1)
    said = await page(town, "aurora events status")
    assert "⏸️ paused since <t:" in said
    assert "❌ `agent-of-nobody`: the Letta server does not have it" in said
    assert "🔴 Circuit breaker: open, tried again in" in said
    assert "waiting longest" in said
    assert "🔴 last 5 minutes: 66.7% of 3 runs failed (2)" in said


async def test_a_server_that_is_out_is_no_reason_to_wait_for_status(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who looks during an outage wants to know now."""

    class Silent:
        async def agent(self, *_agent_id: str) -> Any:
            await town.discord.wait_for(lambda: False, 5)

        ping = agent

    monkeypatch.setattr(town.cog.services.status, "patience", 0.1)
    monkeypatch.setattr(town.cog.services.agents, "backend", Silent())
    said = await page(town, "aurora events status")
    monkeypatch.undo()
    assert "took too long to answer" in said


async def test_status_where_nothing_is_set_up_names_what_is_missing(bare_town: Town) -> None:
    """A newcomer's first look."""
    said = await page(bare_town, "aurora events status")
    assert "none is enabled" in said
    assert "no address of a Letta server is set" in said
    assert "Circuit breaker" not in said
    assert "none is enabled anywhere" in await page(bare_town, "aurora events status everywhere")


async def test_the_owner_sees_every_agent_and_every_breaker(town: Town) -> None:
    """The closed ones are only counted."""
    abroad = town.discord.add_guild("Elsewhere", owner=town.bo)
    services = town.cog.services
    await services.settings.set_guild(abroad.id, agent_id="agent-2", enabled=True)
    await town.ask("[[send:hi]]")
    down(town, "agent-2")
    said = await page(town, "aurora events status everywhere")
    assert "✅ **town agent**" in said
    assert "❌ `agent-2`" in said
    assert "🔴 Circuit breaker of agent `agent-2`: open" in said
    assert "🟢 Circuit breakers of agents in use: 1 closed" in said
    mod = add_mod(town)
    assert "agent-2" not in await page(town, "aurora events status", author=mod)
    said = await page(town, "aurora events status everywhere", author=mod)
    assert "Only the bot's owner" in said


async def test_errors_shows_types_and_the_latest_runs(town: Town) -> None:
    """Newest first, with time and duration; each server its own."""
    record = town.cog.services.stats.record
    for error in (None, "TimeoutError", "AgentError", "TimeoutError"):
        record(error, guild_id=town.guild.id, duration=1.25)
    record("HTTPException")
    said = await page(town, "aurora events errors")
    assert "🔴 since Aurora was loaded: 75.0% of 4 runs failed (3)" in said
    assert "TimeoutError: 2\nAgentError: 1" in said
    assert "HTTPException" not in said
    runs = said.split("__The latest runs__\n")[1].splitlines()
    assert len(runs) == 4
    assert runs[0].startswith("❌ TimeoutError · 1.2 s · <t:")
    assert runs[-1].startswith("✅ went well")
    assert "HTTPException: 1" in await page(town, "aurora events errors everywhere")


async def test_the_pages_are_the_same_without_embeds(town: Town) -> None:
    """And within Discord's limits, whatever happened."""
    for number in range(200):
        name = f"Error{number}" if number % 2 else "x" * 300
        town.cog.services.stats.record(name, guild_id=town.guild.id)
    embeds = await all_pages(town, "aurora events errors")
    no_embeds(town)
    texts = await all_pages(town, "aurora events errors")
    assert len(texts) > len(embeds) > 1
    for said in ("\n".join(embeds), "\n".join(texts)):
        assert "__The latest runs__" in said
        assert all(f"Error{number}: 1" in said for number in range(1, 200, 2))
        assert said.count("❌") == 100
    assert "Circuit breaker: closed" in await town.command("aurora events status")


# -- pause and resume


async def test_a_pause_accepts_and_waits_and_resume_answers_in_order(town: Town) -> None:
    """Also across a reload."""
    assert "⏸️" in await town.command("aurora events pause")
    assert "already" in await town.command("aurora events pause")
    asked = [mention(town, f"[[send:{number}]]") for number in range(2)]
    await reached(town, asked[-1], "queued")
    assert "Reloaded" in await town.command("reload aurora")
    assert "paused since" in await page(town, "aurora events status")
    asked.append(mention(town, "[[send:2]]"))
    await reached(town, asked[-1], "queued")
    assert [town.steps(message)[-1] for message in asked] == ["queued"] * 3
    assert "▶️" in await town.command("aurora events resume")
    for message in asked:
        assert (await end_of(town, message))[0] == "answered"
    said = [one.content for one in town.bot_messages(town.general) if one.content.isdigit()]
    assert said == ["0", "1", "2"]


async def test_a_pause_in_one_server_is_none_in_another(town: Town) -> None:
    """The owner's is one everywhere, and only the owner ends it."""
    abroad = town.discord.add_guild("Elsewhere", owner=town.ada)
    far = town.discord.add_channel(abroad, "far")
    await town.command(f"aurora enable {town.agent_id}", channel=far)
    await town.command("aurora events pause", channel=far)
    _, end = await town.ask("[[send:hi]]")
    assert end.step == "answered"
    dm = town.discord.open_dm(town.ada)
    assert "everywhere" in await town.command("aurora events pause", channel=dm)
    waiting = mention(town, "[[send:at last]]")
    await reached(town, waiting, "queued")
    mod = add_mod(town)
    said = await town.command("aurora events resume", author=mod)
    assert "nobody has paused Aurora in this server" in said
    assert "which only the owner can end" in said
    assert town.steps(waiting)[-1] == "queued"
    await town.command("aurora events resume everywhere")
    assert (await end_of(town, waiting))[0] == "answered"
    assert "paused since" in await page(town, "aurora events status", channel=far)


async def test_what_waits_through_a_pause_does_not_expire(town: Town) -> None:
    """Its time goes on when the pause ends."""
    await town.command("aurora events pause")
    waiting = mention(town, "[[send:hi]]")
    await reached(town, waiting, "queued")
    event = town.cog.services.queue.find(waiting.id)
    event.expires_at -= 900
    event.deadline -= 900
    event.accepted_at -= 900
    town.cog.services.pauses.began[town.guild.id] -= 900
    await town.command("aurora events resume")
    assert (await end_of(town, waiting))[0] == "answered"


# -- alerts


async def test_an_alert_channel_hears_of_an_outage_and_of_its_end(town: Town) -> None:
    """One message each, and the owner reads the same in a direct message."""
    ops = town.discord.add_channel(town.guild, "ops")
    said = await town.command(f"aurora config alerts {ops.mention}")
    assert f"go to {ops.mention}" in said
    page = await town.settings()
    assert re.search(r"^alerts +on", page, re.MULTILINE)
    down(town)
    await town.command("aurora events resetcircuit")
    alerts = await town.discord.wait_for(
        lambda: town.bot_messages(ops)[2:] and town.bot_messages(ops)
    )
    assert "will come here" in alerts[0].content
    assert "can't answer" in alerts[1].content
    assert "is in use again" in alerts[2].content
    dm = town.discord.open_dm(town.ada)
    await town.discord.wait_for(lambda: len(town.bot_messages(dm)) == 2 or None)


async def test_resetcircuit_closes_what_is_open_and_is_the_owners(town: Town) -> None:
    """What waits is tried at once."""
    assert "None was open" in await town.command("aurora events resetcircuit")
    down(town)
    waiting = mention(town, "[[send:hi]]")
    await town.discord.wait_for(lambda: town.answers(waiting))  # that it will be late
    error = await town.refused("aurora events resetcircuit", author=add_mod(town))
    assert type(error).__name__ in ("CheckFailure", "NotOwner")
    assert "closed again: 1" in await town.command("aurora events resetcircuit")
    assert (await end_of(town, waiting))[0] == "answered"


# -- who and how


async def test_the_events_commands_are_not_for_plain_members(town: Town) -> None:
    """Neither in the server nor in a direct message."""
    names = ("status", "errors", "pause", "resume", "resetcircuit")
    for place in (town.general, town.discord.open_dm(town.bo)):
        for name in names:
            error = await town.refused(f"aurora events {name}", author=town.bo, channel=place)
            assert type(error).__name__ in ("CheckFailure", "NotOwner"), name
    assert town.cog.services.settings.paused_since(town.guild.id) is None


async def test_a_mod_may_pause_the_own_server_and_nothing_else(town: Town) -> None:
    """Everywhere is the owner's."""
    mod = add_mod(town)
    said = await town.command("aurora events pause everywhere", author=mod)
    assert "Only the bot's owner" in said
    assert "⏸️" in await town.command("aurora events pause", author=mod)
    settings = town.cog.services.settings
    assert settings.world.paused_since is None
    assert "▶️" in await town.command("aurora events resume", author=mod)


async def test_the_events_commands_exist_as_slash_commands(town: Town) -> None:
    """In a server, with the place as a choice."""
    await register(town)
    assert "⏸️" in await slash(town, "aurora events pause", where="everywhere")
    asked = town.discord.slash(town.ada, town.general, "aurora events status", {})
    message: Message = await town.discord.wait_for(lambda: asked.response)
    await town.discord.wait_for(lambda: "paused since" in read(message) or None)
    assert "▶️" in await slash(town, "aurora events resume", where="everywhere")
