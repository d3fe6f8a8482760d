"""Roles and their router, through a real Red and before each kind of server."""

from __future__ import annotations

import json

import pytest

from doubles.llm import Step
from tests.support.e2e.pages import read
from tests.support.e2e.town import Town


@pytest.fixture
def town(either_town: Town) -> Town:
    """A town before each kind of server."""
    return either_town


async def test_a_router_chooses_among_roles_that_admins_have_named(town: Town) -> None:
    """A fresh call without tools says who answers; the role's agent does, and it is shown."""
    dba = await town.letta.create_agent("dba")
    assert "no roles here" in await town.command("aurora agents role list")
    about = "databases and SQL"
    assert "is now" in await town.command(f"aurora agents role dba {dba} {about}")
    assert "a role's name has" in await town.command(f"aurora agents role List! {dba} {about}")
    assert "say which agent" in await town.command("aurora agents role coder")
    assert about in await town.command("aurora agents role list")
    router = await town.letta.create_agent("router")
    await town.command(f"aurora config routeragent {router}")
    await town.command("aurora config router on")
    said = {"role": "dba", "complexity": "simple", "answer": True}
    town.llm.script("You route messages", Step(text=json.dumps(said)))
    town.llm.script("message to route", Step(text=json.dumps(said)))
    town.llm.requests.clear()
    asked, _ = await town.ask("which index is missing?")
    assert len(town.answers(asked)) == 1
    routing, answering = town.llm.requests[-2:]
    assert "- dba: databases and SQL" in json.dumps(routing)
    assert not routing.get("tools")
    assert not answering.get("tools")
    event = await town.cog.services.store.find(asked.id)
    turn = await town.cog.services.store.turn(event.turn_id)
    assert (turn.agent_id, turn.routed) == (dba, "role=dba simple")
    await town.command(f"aurora runs show {asked.id}")
    assert "routed: role=dba simple" in read(town.bot_messages(town.general)[-1])
    assert "no role" in await town.command("aurora agents role remove nobody")
    assert "There is no role **dba**" in await town.command("aurora agents role remove dba")
