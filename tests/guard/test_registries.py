"""No tool, view or listener gets past the guard: whoever adds one that does is told here.

Commands are looked at as Red has them, in tests/e2e/test_permission_matrix.py.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import discord
import pytest
from redbot.core import commands

from aurora.aurora import Aurora
from aurora.guard import policy
from aurora.guard.acts import NEEDED
from aurora.guard.looking import Guard
from aurora.guard.policy import (
    Act,
    Actor,
    Allowed,
    Denied,
    Found,
    Here,
    Target,
    may,
)
from aurora.guard.pressing import Guarded, GuardedButton, GuardedForm
from aurora.guard.runs import RunAct
from aurora.model import Turn
from aurora.reasons import Reason
from aurora.settings import GuildSettings
from aurora.tools.choice import ALLOW, CHOICES
from aurora.tools.host import RunTools, Toolbox
from aurora.tools.tool import Call, Tool
from aurora.words.progress import DOING
from tests.support.house import imports, modules_of
from tests.support.stage import ON_STAGE, Stage, together

MODULES = modules_of("aurora")
LOADED = {name: importlib.import_module(name) for name in MODULES if "agents.rest" not in name}
"""What the cog can be made of; the rest of it knows no Discord and needs an SDK."""

INTERFACES = tuple(
    getattr(discord.ui, name)
    for name in ("View", "LayoutView", "Modal", "DynamicItem")
    if hasattr(discord.ui, name)
)

CHECKS = (
    Guarded.interaction_check,
    GuardedButton.interaction_check,
    GuardedForm.interaction_check,
)

UNASKED = {
    "on_raw_message_edit": "only takes back what was asked, or changes its words",
    "on_raw_message_delete": "only takes back what was asked",
    "on_raw_bulk_message_delete": "only takes back what was asked",
    "on_guild_channel_delete": "only takes back what was asked",
    "on_raw_thread_delete": "only takes back what was asked",
    "on_guild_remove": "only takes back what was asked",
    "on_member_join": "only tells who is where",
    "on_raw_member_remove": "only tells who is where",
    "on_member_update": "only tells who is where",
    "on_guild_update": "only tells who is where",
    "on_guild_role_update": "only tells who is where",
    "on_guild_role_delete": "only tells who is where",
    "on_shard_disconnect": "tells of the line to Discord",
    "on_shard_connect": "tells of the line to Discord",
    "on_shard_resumed": "tells of the line to Discord",
    "on_guild_available": "tells of the line to Discord",
    "on_guild_join": "tells of the line to Discord",
    "on_guild_unavailable": "tells of the line to Discord",
    "on_command": "tells that Red keeps a message for itself",
    "on_red_api_tokens_update": "tells what the owner told Red",
}
"""Listeners by which nobody gets anything done, and why; any other must ask the guard."""


# -- tools


class Refusing(Guard):
    """A guard that keeps what it is asked, and permits nothing."""

    asked: list[tuple[Act, Target]]

    async def ask(
        self,
        turn: Turn,  # noqa: ARG002 - as it is asked
        act: Act,
        target: Target,
        *,
        begins: bool = False,  # noqa: ARG002 - as above
    ) -> Allowed | Denied:
        self.asked.append((act, target))
        return Denied(Reason.MISUSED, "Not today.")


class Files:
    """A memory, so that its tools are on offer."""

    async def memory_list(self, *_given: str) -> list[str]:
        raise AssertionError

    memory_read = memory_write = memory_delete = memory_undo = memory_list


def every_tool() -> list[Tool]:
    """Return the tools that any module of the house defines."""
    found: dict[str, Tool] = {}
    for module in LOADED.values():
        for value in vars(module).values():
            some = value if isinstance(value, tuple | list) and type(value) is not Tool else ()
            for one in (value, *some):
                if isinstance(one, Tool):
                    found[one.spec.name] = one
    return list(found.values())


TOOLS = every_tool()
EVERY_TOOL = pytest.mark.parametrize("tool", TOOLS, ids=[one.spec.name for one in TOOLS])


def opened(stage: Stage, guard: Guard, turn: Turn) -> RunTools:
    """Open a toolbox with a memory."""
    turn.agent_id = ON_STAGE
    files = Files()
    toolbox = Toolbox(
        stage.bot,
        stage.store,
        stage.sender,
        guard,
        stage.clock,
        memory=lambda: files,
        settings=lambda _guild_id: GuildSettings(tools_chosen=dict.fromkeys(CHOICES, ALLOW)),
    )
    return toolbox.open(turn, ON_STAGE)


def filled(stage: Stage, tool: Tool) -> dict[str, Any]:
    """Return arguments that a tool takes, by its schema."""

    def value(key: str, one: dict[str, Any]) -> object:
        if one["type"] == "integer":
            return one["minimum"]
        if one["type"] == "boolean":
            return False
        if one["type"] == "array":
            return ["👍", "👎"]
        if not key.endswith("Id") and key not in ("before", "after"):
            return "👍"
        return str(stage.guild.id if key == "guildId" else stage.channel.id)

    return {key: value(key, one) for key, one in tool.spec.parameters["properties"].items()}


async def test_every_tool_there_is_is_on_offer_and_no_other(stage: Stage) -> None:
    """What the next tests look at is all."""
    tools = opened(stage, stage.guard, together(await stage.ask()))
    assert {one.name for one in tools.specs} == {one.spec.name for one in TOOLS}
    assert len(TOOLS) >= 8


@EVERY_TOOL
async def test_no_tool_runs_before_the_guard_permits_its_act(stage: Stage, tool: Tool) -> None:
    """Once, for the act that it declares, about the target that it declares."""
    guard = Refusing(stage.bot, stage.settings, stage.clock)
    guard.asked = []
    arguments = filled(stage, tool)
    calls = len(stage.local.calls)
    result = await opened(stage, guard, together(await stage.ask())).call(
        tool.spec.name, arguments
    )
    assert (result.text, result.is_error) == ("Not today.", True)
    assert [act for act, _ in guard.asked] == [tool.act]
    assert tool.act not in NEEDED
    assert len(stage.local.calls) == calls, "it asked Discord for something first"


@EVERY_TOOL
async def test_no_tool_works_for_who_has_left(stage: Stage, tool: Tool) -> None:
    """With the real guard."""
    tools = opened(stage, stage.guard, together(await stage.ask()))
    stage.local.remove_member(stage.guild, stage.ada)
    result = await tools.call(tool.spec.name, filled(stage, tool))
    assert result.text == policy.AUTHOR_GONE.text


@EVERY_TOOL
def test_every_tool_has_words_for_what_it_does(tool: Tool) -> None:
    """A progress line names no tool by what the code calls it."""
    assert tool.spec.name in DOING


def test_only_the_pipeline_calls_tools() -> None:
    """`Call` is what a tool runs with, and is made after the guard was asked."""
    makers = [
        name
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name | ast.Attribute)
        and (node.func.id if isinstance(node.func, ast.Name) else node.func.attr) == Call.__name__
        and getattr(LOADED.get(name), "Call", None) is Call
    ]
    assert makers == ["aurora.tools.host"]


ACTING = {
    "add_reaction", "ban", "create_thread", "delete", "edit", "kick", "pin", "remove_reaction",
    "reply", "send",
}  # fmt: skip
"""What changes something in Discord, as discord.py calls it."""


@pytest.mark.parametrize("name", [one for one in sorted(MODULES) if ".tools" in one])
def test_a_tool_acts_in_discord_by_the_sender_alone(name: str) -> None:
    """Or by the deeds: they ask the guard once more, before all that people see."""
    calls = (
        node.func
        for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    )
    acts = [ast.unparse(one) for one in calls if one.attr in ACTING]
    # Whoever has pressed a button is answered in private.
    answers = ("interaction.response.", "interaction.followup.", "scope.deeds.")
    assert [one for one in acts if "sender." not in one and not one.startswith(answers)] == []


@pytest.mark.parametrize("act", list(Act))
def test_every_act_is_denied_to_nobody(act: Act) -> None:
    """One that the policy has forgotten would be allowed."""
    everything = Target(1, 2, 3, "MEMORY.md")
    answer = may(Actor(5), act, Found(everything), Here(3))
    assert isinstance(answer, Denied)


# -- views


def interfaces() -> Iterator[tuple[str, Any]]:
    """Yield what of Discord's interface the modules of the house name, and in which."""
    for name, module in LOADED.items():
        for value in vars(module).values():
            if inspect.isclass(value) and issubclass(value, INTERFACES):
                yield name, value


def test_every_view_asks_the_guard_at_each_press() -> None:
    """One that is Red's or discord.py's own is but a base, in the guard's hands."""
    wrong = [
        f"{name}: {one.__qualname__}"
        for name, one in interfaces()
        if one.interaction_check not in CHECKS
        and not (name == "aurora.guard.pressing" and not one.__module__.startswith("aurora"))
    ]
    assert wrong == []
    assert len({one for _, one in interfaces()}) > 3, "the rule looks in the wrong places"


def made_elsewhere(source: str) -> list[str]:
    """Return what a module takes from discord.ui, or waits for of people, by attribute."""
    kinds = {"wait_for", *(one.__name__ for one in INTERFACES)}
    attributes = (one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.Attribute))
    found = (ast.unparse(one) for one in attributes if one.attr in kinds)
    return [text for text in found if text != "asyncio.wait_for"]


def interfaces_made(name: str, path: Path) -> Iterator[str]:
    """Yield what a module makes, waits for or imports that is the guard's alone to make."""
    passing_on = ("aurora.services", "aurora.chat.sender", "aurora.chat.delivery")
    annotated = {"discord.ui.View"} if name in passing_on else set()
    if name == "aurora.intake.waits":
        annotated = {"self._bot.wait_for"}  # It takes nothing, and asks nobody.
    yield from set(made_elsewhere(path.read_text(encoding="utf-8"))) - annotated
    helpers = ("redbot.core.utils.views", "redbot.core.utils.menus", "discord.ui")
    names = (one.full for one in imports(path))
    yield from (one for one in names if one.startswith(helpers) or "predicates" in one)


def test_no_module_but_the_guard_makes_an_interface() -> None:
    """Nor waits for somebody's reaction or message, nor uses helpers of Red's that do."""
    others = {name: path for name, path in MODULES.items() if name != "aurora.guard.pressing"}
    made = {name: [*interfaces_made(name, path)] for name, path in others.items()}
    assert {name: found for name, found in made.items() if found} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("class A(discord.ui.Modal): pass", ["discord.ui.Modal"]),
        ("view = ui.View()", ["ui.View"]),
        ("await ctx.bot.wait_for('reaction_add')", ["ctx.bot.wait_for"]),
        ("await asyncio.wait_for(x, 1)", []),
    ],
)
def test_the_rule_sees_an_interface(source: str, found: list[str]) -> None:
    """Or it would pass for want of sight."""
    assert made_elsewhere(source) == found


# -- listeners


def listeners() -> dict[str, Any]:
    """Return what the cog listens to."""
    return {name: getattr(Aurora, method) for name, method in Aurora.__cog_listeners__}


def asks_for(listener: Any) -> tuple[Act | RunAct, ...]:
    """Return the acts that a listener asks the guard for, as it declares."""
    return tuple(one for one in getattr(listener, "acts", ()) if isinstance(one, Act | RunAct))


def test_every_listener_asks_the_guard_or_gets_nobody_anything() -> None:
    """Also one for reactions, votes, edits or whatever else people can do."""
    silent = {name for name, one in listeners().items() if not asks_for(one)}
    assert silent - set(UNASKED) == set()
    assert set(UNASKED) - set(listeners()) == set(), "a row that nothing needs"


def test_a_listener_that_gets_somebody_something_says_for_what() -> None:
    """Messages ask, and reactions ask for what may be done with a run."""
    assert {name: asks_for(one) for name, one in listeners().items() if asks_for(one)} == {
        "on_message_without_command": (Act.ASK,),
        "on_raw_reaction_add": tuple(RunAct),
        "on_raw_reaction_remove": tuple(RunAct),
    }


def test_no_other_cog_or_command_is_hidden_in_the_house() -> None:
    """What Red finds is what tests/e2e/test_permission_matrix.py looks at."""
    cogs = {
        one
        for module in LOADED.values()
        for one in vars(module).values()
        if inspect.isclass(one) and issubclass(one, commands.Cog) and one.__module__ in LOADED
    }
    assert cogs == {Aurora}
