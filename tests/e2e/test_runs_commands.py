"""`runs list|show|cancel|retry`, and the names of the document on tasks: who gets to see what."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from doubles.local_discord import Channel, Interaction, Message, Overwrite, User, permissions
from doubles.quick_app_server import Plan
from tests.support.e2e.hands import register
from tests.support.e2e.pages import add_mod, fill, page
from tests.support.e2e.quick import QuickTown, open_quick_town

pytestmark = pytest.mark.asyncio(loop_scope="module")

TASK = re.compile(r"task-[0-9a-z]{15}")


class Hall:
    """A town with a member, a moderator of the server, and a channel that neither sees."""

    def __init__(self, town: QuickTown) -> None:
        self.town = town
        self.mod = add_mod(town)
        self.eve = town.discord.add_user("eve")
        town.discord.add_member(town.guild, self.eve)
        hide = Overwrite.of(town.guild.everyone, deny=permissions.VIEW_CHANNEL)
        show = Overwrite.of(town.discord.bot_user, allow=permissions.VIEW_CHANNEL)
        show_bo = Overwrite.of(town.bo, allow=permissions.VIEW_CHANNEL)
        self.secret: Channel = town.discord.add_channel(
            town.guild, "secret", overwrites=(hide, show, show_bo)
        )

    async def asks(
        self, who: User, channel: Channel | None = None, *, end: bool = True
    ) -> Message:
        """Let somebody ask, and wait for the end or for the start."""
        town = self.town
        if end:
            message, _ = await town.ask("hello", author=who, channel=channel)
            return message
        message = town.discord.say(who, channel or town.general, f"{town.mention} hello")
        await town.discord.wait_for(lambda: "queued" in town.steps(message) or None)
        return message

    async def task(self, message: Message) -> str:
        """Return the short id of a message's run."""
        event: Any = await self.town.cog.services.store.find(message.id)
        ids: Any = sys.modules["aurora.ids"]
        return str(ids.task_id(event.id))

    async def cancels(self, command: str, author: User) -> None:
        """Type a command that cancels, and see that it says so, beside who has stopped it."""
        place, before = self.town.general, len(self.town.bot_messages(self.town.general))
        await self.town.command(f"aurora {command}", author=author)
        wanted = re.compile(r"Done: 🚫 `task-\w{15}` is cancelled\.")

        def told() -> bool | None:
            said = self.town.bot_messages(place)[before:]
            return any(wanted.fullmatch(one.content) for one in said) or None

        await self.town.discord.wait_for(told)

    async def says(self, command: str, author: User, channel: Channel | None = None) -> str:
        """Type a command and return all that is said to it."""
        return await page(self.town, f"aurora {command}", author=author, channel=channel)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    """One for all tests."""
    async with open_quick_town(tmp_path_factory.mktemp("town")) as town:
        await register(town)
        yield Hall(town)


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def as_it_was(hall: Hall) -> AsyncIterator[None]:
    """Let nothing wait or run, and the agent be well."""
    yield
    hall.town.quick.script = lambda _text: Plan("Hello.")
    services: Any = hall.town.cog.services
    await hall.town.command("aurora events resume everywhere")
    running: Any = sys.modules["aurora.runs.cancelling"].Running.STOP
    await services.cancelling.cancel(lambda _event: True, "cleared", running=running)


async def answered(town: QuickTown, asked: Interaction) -> None:
    """Wait until a slash command is answered, be it without a text."""
    await town.discord.wait_for(lambda: asked.content is not None or None)


async def pause(hall: Hall) -> None:
    """Let what is asked wait."""
    await hall.town.command("aurora events pause everywhere")


async def test_a_member_lists_their_own_runs_alone(hall: Hall) -> None:
    """In the form of the document: an overview, marks, how many more may run now."""
    mine, others = await hall.asks(hall.eve), await hall.asks(hall.town.bo)
    said = await hall.says("runs list", hall.eve)
    assert "📋 Your tasks in this server" in said
    assert "✅ completed: 1" in said
    assert "for one person at a time: 3, free for you now: 3" in said
    assert str(mine.id) in said
    assert str(others.id) not in said
    assert await hall.task(mine) in said
    assert said == await hall.says("list tasks", hall.eve)


async def test_ten_are_listed_and_the_rest_is_counted(hall: Hall) -> None:
    """A list is for a look."""
    kim = hall.town.discord.add_user("kim")
    hall.town.discord.add_member(hall.town.guild, kim)
    await pause(hall)
    made = await fill(hall.town, 12, author_id=kim.id)
    said = await hall.says("runs list", kim)
    assert len(TASK.findall(said)) == 10
    assert "… and 2 more" in said
    places = [said.index(str(one.message_id)) for one in reversed(made[2:])]
    assert places == sorted(places)
    assert "… and" not in await hall.says("runs list failed mine", kim)


async def test_who_manages_the_server_sees_all_of_it_that_they_can_see(hall: Hall) -> None:
    """And no more of the others; the owner sees all."""
    open_one = await hall.asks(hall.town.bo)
    hidden = await hall.asks(hall.town.bo, hall.secret)
    said = await hall.says("runs list", hall.mod)
    assert "📋 Task overview in this server" in said
    assert str(open_one.id) in said
    assert str(hidden.id) not in said
    assert "at a time: 8, free now: 8" in said
    everything = await hall.says("runs list everywhere", hall.town.ada)
    assert str(hidden.id) in everything
    assert "at a time: 64, free now: 64" in everything
    refused = await hall.says("runs list here", hall.eve)
    assert "Only those who manage this server" in refused


async def test_a_slash_command_is_answered_to_its_person_alone(hall: Hall) -> None:
    """What somebody asks is no news for the channel."""
    town = hall.town
    message = await hall.asks(hall.eve)
    for name, options in (
        ("aurora runs list", {}),
        ("aurora runs show", {"run": await hall.task(message)}),
        ("aurora runs show", {"run": await hall.task(message), "what": "file"}),
        ("aurora runs cancel", {"run": "nonsense"}),
    ):
        asked = town.discord.slash(hall.eve, town.general, name, options)
        await answered(town, asked)
        assert asked.response is not None
        assert asked.response.ephemeral_for == hall.eve.id, name


async def test_all_about_a_run_is_shown_by_each_of_its_names(hall: Hall) -> None:
    """Its short id, its message, the answer to it, a link to either; and none of its words."""
    message = await hall.asks(hall.eve)
    (answer,) = hall.town.answers(message)
    link = f"https://discord.com/channels/{hall.town.guild.id}/{hall.town.general.id}"
    task = await hall.task(message)
    said = await hall.says(f"runs show {task}", hall.eve)
    assert f"✅ {task}" in said
    assert "answered (`delivered`)" in said
    assert "attempts: 1" in said
    assert f"agent `{hall.town.agent_id}`" in said
    assert "conversation `" in said
    assert f"<{link}/{answer.id}>" in said
    assert "took " in said
    assert "Hello" not in said
    names = (task.upper(), message.id, answer.id, f"{link}/{message.id}", f"{link}/{answer.id}")
    for name in names:
        assert await hall.says(f"runs show {name}", hall.eve) == said, name
    assert await hall.says(f"status task {task}", hall.eve) == said


async def test_what_is_no_run_and_whose_it_is_not_are_told_apart_from_what_cant_be_read(
    hall: Hall,
) -> None:
    """A parse error and a validation error; the second does not say whether there is one."""
    theirs = await hall.asks(hall.town.bo)
    hidden = await hall.asks(hall.town.bo, hall.secret)
    unread = await hall.says("runs show that-one", hall.eve)
    assert "I can't read `that-one`" in unread
    unknown = await hall.says("runs show task-000000000000000", hall.eve)
    assert "I know no such run in this server" in unknown
    link = f"https://discord.com/channels/{hall.town.guild.id}/{hall.secret.id}/{hidden.id}"
    for who, name in ((hall.eve, theirs.id), (hall.eve, link), (hall.mod, link)):
        assert await hall.says(f"runs show {name}", who) == unknown
    assert "answered" in await hall.says(f"runs show {theirs.id}", hall.mod)


async def test_the_whole_answer_comes_as_a_file(hall: Hall) -> None:
    """However many messages it took; as it stands in Discord now."""
    text = "\n\n".join(f"{number}. " + "word " * 180 for number in range(5))
    hall.town.quick.script = lambda _text: Plan(text)
    message = await hall.asks(hall.eve)
    parts = hall.town.answers(message) + [
        one for one in hall.town.bot_messages(hall.town.general) if one.id > message.id
    ]
    assert len(parts) > 2
    await hall.says(f"runs show {message.id} file", hall.eve)
    said = hall.town.bot_messages(hall.town.general)[-1]
    (file,) = said.attachments
    assert file.filename == f"{await hall.task(message)}.md"
    content = file.data.decode()
    assert re.findall(r"(\d)\. word", content) == list("01234")
    for one in hall.town.bot_messages(hall.town.general):
        if message.id < one.id < said.id:
            hall.town.discord.delete(one)
    assert "no answer" in await hall.says(f"runs show {message.id} file", hall.eve)


async def test_an_answer_of_a_hidden_place_is_not_shown_before_others(hall: Hall) -> None:
    """Who asks may read it, and those around them may not."""
    hidden = await hall.asks(hall.town.bo, hall.secret)
    name = f"https://discord.com/channels/{hall.town.guild.id}/{hall.secret.id}/{hidden.id}"
    assert "Not everybody here may read" in await hall.says(f"runs show {name} file", hall.town.bo)
    await hall.says(f"runs show {name} file", hall.town.bo, hall.secret)
    assert hall.town.bot_messages(hall.secret)[-1].attachments
    await hall.says(
        f"runs show {name} file", hall.town.bo, hall.town.discord.open_dm(hall.town.bo)
    )
    assert hall.town.bot_messages(hall.town.discord.open_dm(hall.town.bo))[-1].attachments


async def test_who_asked_and_who_is_in_charge_cancel_a_run(hall: Hall) -> None:
    """Whether it waits or runs; and what has ended can't be cancelled any more."""
    await pause(hall)
    mine = await hall.asks(hall.eve, end=False)
    assert "I know no such run" in await hall.says(f"runs cancel {mine.id}", hall.town.bo)
    await hall.cancels(f"cancel task {await hall.task(mine)}", hall.eve)
    assert (await hall.town.ended(mine)).detail == "stopped"
    again = await hall.says(f"runs cancel {mine.id}", hall.mod)
    assert "has ended already: 🚫 cancelled" in again
    await hall.town.command("aurora events resume everywhere")
    hall.town.quick.script = lambda _text: Plan("Late.", delay=30)
    running = await hall.asks(hall.eve, end=False)
    await hall.town.discord.wait_for(lambda: "running" in hall.town.steps(running) or None)
    await hall.cancels(f"runs cancel {running.id}", hall.mod)
    assert (await hall.town.ended(running)).detail == "stopped"


async def test_who_asked_tries_again_what_failed(hall: Hall) -> None:
    """Within the bounds that hold for asking; not what was answered."""
    hall.town.quick.script = lambda _text: Plan(error="400: {}")
    message = await hall.asks(hall.eve)
    task = await hall.task(message)
    assert "failed (`config`)" in await hall.says(f"runs show {task}", hall.eve)
    assert "execution error" in await hall.says(f"runs show {task}", hall.eve)
    hall.town.quick.script = lambda _text: Plan("Better.")
    hall.town.changes.clear()
    assert await hall.says(f"runs retry {task}", hall.eve) == f"Done: ✓ Task started: `{task}`"
    assert (await hall.town.ended(message)).step == "answered"
    assert "it was answered" in await hall.says(f"runs retry {task}", hall.eve)


async def test_how_runs_went_is_summed_up(hall: Hall) -> None:
    """The metrics of the document, for oneself and for a server."""
    town = hall.town
    lou = town.discord.add_user("lou")
    town.discord.add_member(town.guild, lou)
    await hall.asks(lou)
    town.quick.script = lambda _text: Plan(error="400: {}")
    await hall.asks(lou)
    said = await hall.says("runs stats", lou)
    assert "📋 Your execution metrics in this server" in said
    assert "total: 2" in said
    assert "✅ successful: 1" in said
    assert "❌ failed: 1" in said
    assert re.search(r"average time: \d+\.\d s", said)
    assert "tokens: " in said
    assert "✅ answered: 1" in said
    everybodys = await hall.says("runs stats", hall.mod)
    assert "📋 Execution metrics in this server" in everybodys
    assert int(re.findall(r"total: (\d+)", everybodys)[0]) >= 2


async def test_the_fourth_run_of_a_person_waits_and_is_told(hall: Hall) -> None:
    """As soon as they may have four it runs, without a restart."""
    town = hall.town
    town.quick.script = lambda _text: Plan("Late.", delay=60)
    places = [town.discord.add_channel(town.guild, f"room-{number}") for number in range(4)]
    asked = [await hall.asks(hall.eve, place, end=False) for place in places]
    fourth = await town.discord.wait_for(
        lambda: [one for one in asked if "running" not in town.steps(one)][-1:]
    )
    told = await town.discord.wait_for(lambda: town.answers(fourth[0], fourth[0].channel))
    assert "may be at a time: 3" in told[0].content
    assert await hall.task(fourth[0]) in told[0].content
    assert "free for you now: 0" in await hall.says("runs list", hall.eve)
    assert "**4**" in await hall.says("config userruns 4", hall.mod)
    await town.discord.wait_for(lambda: "running" in town.steps(fourth[0]) or None)
    await hall.says("config userruns 3", hall.mod)


async def test_limits_of_all_servers_are_the_owners(hall: Hall) -> None:
    """In a direct message, too; a value that they do not take is told with the range."""
    dm = hall.town.discord.open_dm(hall.town.ada)
    assert "**10**" in await hall.says("config globalruns 10", hall.town.ada, dm)
    said = await hall.says("runs list everywhere", hall.town.ada)
    assert "at a time: 10, free now: 10" in said
    assert "1 to 64 runs" in await hall.says("config guildruns 65", hall.town.ada, dm)
    assert "**64**" in await hall.says("config globalruns 64", hall.town.ada, dm)
    await hall.says("config show", hall.mod)
    shown = hall.town.bot_messages
    await hall.town.discord.wait_for(
        lambda: "Change one with" in shown(hall.town.general)[-1].content or None
    )
    assert any("globalruns" in one.content for one in shown(hall.town.general))
    assert "for the bot's owner" in await hall.says("config set globalruns 3", hall.mod)


async def test_in_a_direct_message_somebody_sees_their_own_from_everywhere(hall: Hall) -> None:
    """And the owner all; in a server nobody sees what was asked elsewhere."""
    town = hall.town
    max_ = town.discord.add_user("max")
    town.discord.add_member(town.guild, max_)
    dm = town.discord.open_dm(max_)
    here = await hall.asks(max_)
    (there,) = await fill(town, 1, author_id=max_.id, guild_id=None, channel_id=dm.id)
    said = await hall.says("runs list", max_, dm)
    assert "📋 Your tasks everywhere" in said
    assert str(here.id) in said
    assert str(there.message_id) in said
    assert str(there.message_id) not in await hall.says("runs list", max_)
    task = str(sys.modules["aurora.ids"].task_id(there.id))
    assert task in await hall.says(f"runs show {task}", max_, dm)
    assert "I know no such run" in await hall.says(f"runs show {task}", max_)
    everything = await hall.says("runs list", town.ada, town.discord.open_dm(town.ada))
    assert "📋 Task overview everywhere" in everything
