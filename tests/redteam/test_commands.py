"""Commands and buttons: who may not use them gets nothing, and who may sees no more than they may.

Over the REST API alone: commands know no servers of agents, but for those that `test_servers.py`
is about.
"""

from __future__ import annotations

from contextlib import suppress

import pytest
from redbot.core import commands

from doubles.local_discord import Message, User, permissions
from tests.support.e2e.hands import button
from tests.support.e2e.pages import page
from tests.support.redteam.arena import REST
from tests.support.redteam.kinds import Kind, attack
from tests.support.redteam.scene import Scene, do, say, tell

pytestmark = pytest.mark.asyncio(loop_scope="module")

BACKENDS = (REST,)

FOR_ADMINS = (
    "disable",
    "context 1",
    "config show",
    "config set timeout 90",
    "config timeout 90",
    "config fallback off",
    "config steps 10",
    "config userlimit 1000",
    "config budget reads 10",
    "config audience off",
    "config audience off {square} {square}",
    "config users allow {eve}",
    "config users deny {mia}",
    "config roles allow {mods}",
    "config channels clear {square}",
    "config alerts off",
    "queue status",
    "queue list",
    "queue dead",
    "queue clear",
    "queue retry all",
    "events status",
    "events errors",
    "events pause",
    "events resume",
)
FOR_THE_OWNER = (
    "lettaurl ws://127.0.0.1:9",
    "lettaurl",
    "config dm off",
    "config dm agent agent-1",
    "config tools mcp",
    "config alertwebhook off",
    "config retention 90",
    "config memory role {mods}",
    "config memory role off",
    "memory log",
    "memory undo 1",
    "agents allow {agent}",
    "agents revoke {agent}",
    "agents slim {agent}",
    "events resetcircuit",
    "queue clear everywhere",
    "queue list waiting everywhere",
    "events pause everywhere",
)


def filled(scene: Scene, command: str) -> str:
    """Put names into a command."""
    return "aurora " + command.format(
        square=scene.square.mention,
        eve=scene.eve.mention,
        mia=scene.mia.mention,
        mods=scene.mods.mention,
        agent=scene.town.agent_id,
    )


def kept(scene: Scene) -> object:
    """Return all that is set, here and everywhere."""
    settings = scene.town.cog.services.settings
    return settings.guild(scene.guild.id), settings.world


async def is_refused(scene: Scene, command: str, author: User) -> None:
    """See that a command fails at its check, and changes nothing."""
    before = kept(scene)
    error = await scene.failure(filled(scene, command), author=author)
    assert isinstance(error, commands.CheckFailure), (command, error)
    assert kept(scene) == before


@attack(Kind.WRONG_PEOPLE)
@pytest.mark.parametrize("command", FOR_ADMINS + FOR_THE_OWNER)
async def test_a_member_commands_nothing(scene: Scene, command: str) -> None:
    """Nor does a moderator who manages messages, members and channels, but not the server."""
    nearly = permissions.MANAGE_MESSAGES | permissions.MANAGE_CHANNELS | permissions.MANAGE_ROLES
    role = scene.discord.add_role(scene.guild, "nearly", permissions=nearly)
    await is_refused(scene, command, scene.eve)
    await is_refused(scene, command, scene.person("cy", role))


@attack(Kind.WRONG_PEOPLE)
@pytest.mark.parametrize("command", FOR_THE_OWNER)
async def test_who_manages_a_server_does_not_own_the_bot(scene: Scene, command: str) -> None:
    """Memory, agents and addresses are everybody's."""
    await is_refused(scene, command, scene.admin())


@attack(Kind.WRONG_PEOPLE, Kind.OTHER_SERVERS)
@pytest.mark.parametrize(
    "command",
    [
        "disable {there}",
        "config show {there}",
        "config set timeout 90 {there}",
        "enable x {there}",
    ],
)
async def test_who_manages_one_server_commands_no_other(scene: Scene, command: str) -> None:
    """Also if the command names it."""
    theirs = scene.discord.add_guild("Theirs", owner=scene.ada)
    await scene.settled()
    settings = scene.town.cog.services.settings
    await settings.set_guild(theirs.id, agent_id=scene.town.agent_id, enabled=True)
    before = settings.guild(theirs.id)
    line = f"!aurora {command.format(there=theirs.id)}"
    scene.discord.say(scene.admin(), scene.square, line)
    after = await scene.obey(scene.mia, scene.room("room"), say("Over."))
    assert scene.cost(after) == 1
    assert settings.guild(theirs.id) == before
    assert "Theirs" not in "".join(scene.said(scene.square))
    await settings.set_guild(theirs.id, agent_id=None, enabled=False)
    scene.discord.remove_guild(theirs)


# -- questions with buttons


async def waits(scene: Scene) -> Message:
    """Let somebody's question wait behind another."""
    gate = scene.gate()
    room = scene.room("busy")
    await scene.thinks(scene.start(scene.mo, room, say("Held.", gate=gate)))
    waiting = scene.start(scene.mia, room, say("Hello, Mia."))
    await scene.discord.wait_for(lambda: "queued" in scene.town.steps(waiting.message) or None)
    return waiting.message


async def asked(scene: Scene, author: User) -> Message:
    """Let somebody ask to clear the queue, and return the question."""
    await scene.command("queue clear", author=author)
    question = scene.town.bot_messages(scene.square)[-1]
    assert question.components, question.content
    return question


def press(scene: Scene, user: User, question: Message, label: str) -> None:
    """Press a button."""
    scene.discord.press(user, question, button(question, label))


@attack(Kind.WRONG_PEOPLE)
@pytest.mark.parametrize("who", ["a member", "another who manages the server", "the owner"])
async def test_a_question_is_answered_by_who_asked_it(scene: Scene, who: str) -> None:
    """What another presses is no answer."""
    waiting, kim = await waits(scene), scene.admin()
    question = await asked(scene, kim)
    other = {"a member": scene.eve, "the owner": scene.ada}.get(who) or scene.admin("lee")
    press(scene, other, question, "Yes")
    await scene.obey(scene.eve, scene.room("room"), say("Over."))
    assert scene.town.steps(waiting)[-1] == "queued"


@attack(Kind.WRONG_PEOPLE, Kind.LOST_RIGHTS, Kind.BLIND_COMMANDS)
@pytest.mark.parametrize("how", ["loses the role", "has a role that loses the right"])
async def test_who_has_lost_the_right_presses_in_vain(scene: Scene, how: str) -> None:
    """A question is asked again when it is answered."""
    waiting, kim = await waits(scene), scene.admin()
    question = await asked(scene, kim)
    managers = next(one for one in scene.guild.roles.values() if one.name == "managers")
    if how == "loses the role":
        scene.take(kim, managers)
    else:
        managers.permissions = 0
        scene.discord.world.update_role(scene.guild, managers)
    await scene.settled()
    press(scene, kim, question, "Yes")
    await scene.obey(scene.eve, scene.room("room"), say("Over."))
    assert scene.town.steps(waiting)[-1] == "queued"


async def refused_send(scene: Scene) -> tuple[Message, str]:
    """Let a send be refused for its audience alone; return where the button stands."""
    den = scene.closed("mods", scene.mods)
    text = f"The code is {scene.loot}."
    await scene.obey(scene.mo, den, do(tell(scene.square, text)), say("I tried."))
    found = [one for one in scene.town.bot_messages(den) if one.components]
    assert len(found) == 1, "one button, where the send was asked for"
    return found[0], text


def first_button(message: Message) -> str:
    """Return the id of a message's button."""
    return next(str(one["custom_id"]) for row in message.components for one in row["components"])


@attack(Kind.WIDER_AUDIENCE, Kind.WRONG_PEOPLE)
async def test_what_is_posted_after_all_is_posted_by_who_asked_and_once(scene: Scene) -> None:
    """The button shows place and text; nobody else's press counts, and no second one."""
    shown, text = await refused_send(scene)
    whole = shown.content + str(shown.embeds) + str(shown.components)
    assert text in whole
    assert "square" in whole or str(scene.square.id) in whole
    other = scene.person("lee", scene.mods)
    before = scene.said(scene.square)
    identity = first_button(shown)
    scene.discord.press(other, shown, identity)
    await scene.obey(scene.eve, scene.room("room"), say("Over."))
    assert scene.said(scene.square) == before
    scene.discord.press(scene.mo, shown, identity)
    await scene.discord.wait_for(lambda: len(scene.said(scene.square)) > len(before) or None)
    assert scene.said(scene.square)[-1] == text
    with suppress(LookupError):
        scene.discord.press(scene.mo, shown, identity)
    await scene.obey(scene.eve, scene.room("again"), say("Over."))
    assert scene.said(scene.square).count(text) == 1


@attack(Kind.WIDER_AUDIENCE, Kind.LOST_RIGHTS)
@pytest.mark.parametrize("how", ["mo is muted there", "the agent is disabled"])
async def test_rights_are_asked_again_when_the_button_is_pressed(scene: Scene, how: str) -> None:
    """Between text and press lies a day, perhaps."""
    shown, _ = await refused_send(scene)
    if how == "mo is muted there":
        scene.deny(scene.square, scene.mo, permissions.SEND_MESSAGES)
    else:
        await scene.command("disable", author=scene.ada)
    await scene.settled()
    scene.discord.press(scene.mo, shown, first_button(shown))
    await scene.command("config show", author=scene.ada)
    assert [one for one in scene.said(scene.square) if scene.loot in one] == []


# -- what is seen through commands


async def hidden_failure(scene: Scene) -> tuple[Message, User]:
    """Let something fail in a channel that who manages the server does not see."""
    den = scene.closed(f"den-{scene.loot}", scene.mods)
    failed = await scene.obey(scene.mo, den, do(fault="error", status=400))
    assert failed.step == "failed"
    return failed.message, scene.admin()


@attack(Kind.BLIND_COMMANDS)
@pytest.mark.parametrize("command", ["queue list", "queue list failed", "queue dead"])
async def test_lists_show_nothing_of_channels_that_the_reader_does_not_see(
    scene: Scene, command: str
) -> None:
    """Neither link nor name nor author."""
    message, kim = await hidden_failure(scene)
    said = await page(scene.town, f"aurora {command}", author=kim, channel=scene.square)
    for trace in (message.id, message.channel.id, scene.mo.id, scene.loot):
        assert str(trace) not in said


@attack(Kind.BLIND_COMMANDS)
@pytest.mark.parametrize("what", ["the message", "a link to it", "all"])
async def test_nothing_is_tried_again_where_the_invoker_does_not_see(
    scene: Scene, what: str
) -> None:
    """A retry is an act there."""
    message, kim = await hidden_failure(scene)
    link = f"https://discord.com/channels/{scene.guild.id}/{message.channel.id}/{message.id}"
    named = {"the message": str(message.id), "a link to it": link}.get(what, "all")
    calls = len(scene.llm.requests)
    said = await scene.command(f"queue retry {named}", author=kim)
    await scene.obey(scene.eve, scene.room("room"), say("Over."))
    assert len(scene.llm.requests) == calls + 1
    assert str(message.channel.id) not in said


@attack(Kind.BLIND_COMMANDS)
async def test_hidden_and_unknown_messages_look_alike_to_a_retry(scene: Scene) -> None:
    """Or one could find out by trying what there is."""
    message, kim = await hidden_failure(scene)
    hidden = await scene.command(f"queue retry {message.id}", author=kim)
    unknown = await scene.command("queue retry 1500000000000000001", author=kim)
    assert hidden == unknown


@attack(Kind.BLIND_COMMANDS)
async def test_alerts_go_to_no_channel_that_the_invoker_does_not_see(scene: Scene) -> None:
    """Hidden and missing look alike, and nothing is written there."""
    den, kim = scene.closed("den", scene.mods), scene.admin()
    hidden = await scene.command(f"config alerts {den.id}", author=kim)
    missing = await scene.command("config alerts 1500000000000000001", author=kim)
    assert hidden == missing
    assert scene.said(den) == []


@attack(Kind.BLIND_COMMANDS)
async def test_the_context_of_a_hidden_message_is_shown_to_nobody_who_does_not_see_it(
    scene: Scene,
) -> None:
    """Hidden and missing look alike."""
    den, kim = scene.closed("den", scene.mods), scene.admin()
    secret = scene.hide(den)
    hidden = await scene.command(f"context {secret.id}", author=kim)
    missing = await scene.command("context 1500000000000000001", author=kim)
    assert hidden == missing
    assert scene.leaks(den) == []


# -- filters

STATEMENTS = (
    "waiting' OR '1'='1",
    "waiting; DROP TABLE events",
    "waiting UNION SELECT context FROM events",
    '"waiting" OR 1=1',
    "%",
    "waiting--",
)


async def answered(scene: Scene, before: int) -> list[str]:
    """Wait until the bot has said more than so much, and return what."""
    return await scene.discord.wait_for(lambda: scene.said(scene.square)[before:] or None)


@attack(Kind.FILTERS)
@pytest.mark.parametrize("statement", STATEMENTS)
async def test_a_filter_is_no_statement(scene: Scene, statement: str) -> None:
    """It is one of the known words, or refused; and the ledger is as it was."""
    done = await scene.obey(scene.mia, scene.square, say("x"), text=scene.loot)
    store = scene.town.cog.services.store
    for command in (f"queue list {statement}", f"queue retry {statement}"):
        before = len(scene.said(scene.square))
        scene.discord.say(scene.ada, scene.square, f"!aurora {command}")
        said = await answered(scene, before)
        assert scene.loot not in "".join(said)
    assert await store.find(done.message.id) is not None
    after = await scene.obey(scene.mia, scene.square, say("Still here."))
    assert after.step == "answered"
