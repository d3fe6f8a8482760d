"""What an admin reads on the way: which server, which address, and what was wrong."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from doubles.local_discord import Channel, Message, User
from tests.support.e2e.hands import button
from tests.support.e2e.pages import add_mod, answer_question, page
from tests.support.e2e.quick import QuickTown, open_quick_town
from tests.support.e2e.seen import mention, reached

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[QuickTown]:
    """One town for all."""
    async with open_quick_town(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest_asyncio.fixture(loop_scope="module")
async def town(house: QuickTown) -> AsyncIterator[QuickTown]:
    """The town as it was, with a channel of its own to type in."""
    bot, services = house.red.bot, house.cog.services
    yield house
    house.quick.refusal = None
    services.answer_seconds = 60.0
    await bot.set_shared_api_tokens("letta", token=house.quick.token)
    await services.use_server(house.quick.url, clear_ok=False)
    known = {"agent_id": house.agent_id, "enabled": True, "paused_since": None}
    await services.settings.set_guild(house.guild.id, **known)
    await services.settings.set_world(paused_since=None, enable_dm_responses=True)


def nowhere() -> str:
    """Return an address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"ws://127.0.0.1:{taken.getsockname()[1]}/ws"


async def heard(
    town: QuickTown, text: str, words: str, *, author: User | None = None, place: Channel
) -> list[str]:
    """Type a command, wait for words of the answer, and return all that was said to it."""
    before = len(town.bot_messages(place))
    town.discord.say(author or town.ada, place, f"!{text}")

    def said() -> list[Message]:
        return town.bot_messages(place)[before:]

    await town.discord.wait_for(lambda: any(words in one.content for one in said()) or None, 20)
    return [one.content for one in said()]


async def helped(town: QuickTown, place: Channel) -> None:
    """Wait for Red's help beside what was typed; more than two pages it sends to the person."""
    (asked,) = [one for one in town.discord.messages(place) if one.author is town.ada]
    await town.discord.wait_for(
        lambda: (
            any(
                one.embeds and one.id > asked.id
                for one in (
                    *town.bot_messages(place),
                    *town.bot_messages(town.discord.open_dm(town.ada)),
                )
            )
            or None
        )
    )


# -- the address


async def test_lettaurl_alone_shows_the_address_and_whether_it_answers(town: QuickTown) -> None:
    """It is the first thing to look at, and no other command shows it."""
    said = await town.command("aurora lettaurl")
    assert town.quick.url in said
    assert "It answers." in said
    assert town.quick.token not in said
    await town.red.bot.set_shared_api_tokens("letta", token="wrong")
    said = await town.command("aurora lettaurl")
    assert town.quick.url in said
    assert "refused the token" in said
    assert "`!set api letta token,<token>`" in said
    assert "wrong" not in said


async def test_lettaurl_alone_never_shows_credentials(town: QuickTown) -> None:
    """They can't be set any more, but an older version may have kept some."""
    settings = town.cog.services.settings
    await settings.set_world(letta_base_url="wss://ada:hunter2@letta.example")
    await town.cog.services.configure_agents()
    said = await town.command("aurora lettaurl")
    assert "can't be used" in said
    assert "hunter2" not in said
    await settings.set_world(letta_base_url=None)
    await town.cog.services.configure_agents()
    assert "`!aurora lettaurl <url>`" in await town.command("aurora lettaurl")


@pytest.mark.parametrize("press", ["No", "Yes", None])
async def test_an_address_that_does_not_answer_replaces_one_that_does_only_by_a_yes(
    town: QuickTown, press: str | None
) -> None:
    """A slip of the pen must not take the agent away from everybody."""
    url = nowhere()
    settings = town.cog.services.settings
    if press is None:
        town.cog.services.answer_seconds = 0.2
        said = await heard(town, f"aurora lettaurl {url}", "not changed", place=town.general)
        assert "nothing answers at" in said[0]
    else:
        said = [await answer_question(town, f"aurora lettaurl {url}", press)]
    if press == "Yes":
        assert "The address is kept" in said[-1]
        assert settings.world.letta_base_url == url
    else:
        assert f"<{town.quick.url}> stays in use" in said[-1]
        assert settings.world.letta_base_url == town.quick.url
        _, end = await town.ask("hello")
        assert end.step == "answered"


async def test_while_the_question_stands_the_address_that_works_is_used(town: QuickTown) -> None:
    """Whoever asks meanwhile is answered."""
    await town.command(f"aurora lettaurl {nowhere()}")
    question = town.bot_messages(town.general)[-1]
    _, end = await town.ask("hello")
    assert end.step == "answered"
    town.discord.press(town.ada, question, button(question, "No"))
    await town.discord.wait_for(
        lambda: "stays in use" in town.bot_messages(town.general)[-1].content or None
    )


async def test_an_address_is_replaced_unasked_where_nothing_works(town: QuickTown) -> None:
    """There is nothing to lose, and the server may come up later."""
    await town.red.bot.set_shared_api_tokens("letta", token="wrong")
    url = nowhere()
    said = await town.command(f"aurora lettaurl {url}")
    assert "The address is kept" in said
    assert "?." not in said
    assert town.cog.services.settings.world.letta_base_url == url


@pytest.mark.parametrize("around", ["<{}>", "`{}`", "[{}]", "({})"])
async def test_what_people_put_around_an_address_is_taken_off(
    town: QuickTown, around: str
) -> None:
    """Documents write `<url>`, and Discord hides previews so."""
    said = await town.command(f"aurora lettaurl {around.format(town.quick.url)}")
    assert said == f"Done: the Letta App Server at <{town.quick.url}> answers."


async def test_half_a_pair_of_brackets_is_named(town: QuickTown) -> None:
    """Nobody finds it otherwise."""
    for text in (f"<{town.quick.url}", f"{town.quick.url}>"):
        assert "brackets or quotes" in await town.command(f"aurora lettaurl {text}")


# -- hints that fit the cause


async def test_enable_with_a_refused_token_speaks_of_the_token_alone(town: QuickTown) -> None:
    """The agent's id is not what is wrong."""
    await town.red.bot.set_shared_api_tokens("letta", token="wrong")
    said = await town.command("aurora enable agent-1")
    assert "refused the token" in said
    assert "`!set api letta token,<token>`" in said
    assert "id" not in said.replace("!set api letta token", "").split()
    assert "Nothing was changed." in said


async def test_enable_at_a_server_that_is_away_speaks_of_the_server(town: QuickTown) -> None:
    """Neither of the token nor of the agent's id."""
    await town.cog.services.use_server(nowhere(), clear_ok=False)
    said = await town.command("aurora enable agent-1")
    assert "Check that the server runs" in said
    assert "agent's id" not in said
    assert "token" not in said
    assert "?." not in said


async def test_enable_with_an_unknown_agent_speaks_of_its_id(town: QuickTown) -> None:
    """And of nothing else."""
    said = await town.command("aurora enable agent-of-nobody")
    assert "Check the agent's id." in said
    assert "token" not in said


# -- the connection


async def test_status_says_where_no_address_is_set_and_speaks_of_no_breaker(
    town: QuickTown,
) -> None:
    """A closed breaker is no connection."""
    await town.cog.services.settings.set_world(letta_base_url=None)
    await town.cog.services.configure_agents()
    said = await page(town, "aurora events status")
    assert "no address of a Letta server is set" in said
    assert "🟢" not in said.split("__Connection__")[1].split("__")[0]
    assert "closed" not in said


async def test_status_says_that_the_token_is_refused(town: QuickTown) -> None:
    """The breaker knows nothing of it: such a failure is not the server's."""
    await town.red.bot.set_shared_api_tokens("letta", token="wrong")
    said = await page(town, "aurora events status")
    assert "❌ not connected: the Letta server refuses me" in said
    assert "🟢 Circuit breaker: closed" in said
    said = await page(town, "aurora events status everywhere")
    assert "refused the token" in said
    assert "`!set api letta token,<token>`" in said


async def test_status_says_since_when_there_is_no_connection(town: QuickTown) -> None:
    """From the moment when the server was given up."""
    services = town.cog.services
    await services.use_server(nowhere(), clear_ok=False)
    assert "🔴 not connected: " in await page(town, "aurora events status")
    for _ in range(5):
        services.breakers.acquire("somebody").failed_to_accept()
    said = await page(town, "aurora events status")
    assert "🔴 not connected since <t:" in said
    assert "127.0.0.1" not in said
    assert "127.0.0.1" in await page(town, "aurora events status everywhere")
    services.breakers.reset()


# -- pauses


async def test_the_hint_of_a_pause_everywhere_names_the_command_that_ends_it(
    town: QuickTown,
) -> None:
    """Followed to the letter, in the server where it was read."""
    said = await town.command("aurora events pause everywhere")
    assert "`!aurora events resume everywhere`" in said
    mod = add_mod(town, "hal")
    said = await town.command("aurora events resume", author=mod)
    assert "only the owner can end: `!aurora events resume everywhere`" in said
    assert "`!aurora events resume everywhere`" in await town.command(
        "aurora events pause everywhere"
    )
    assert "no longer paused everywhere" in await town.command("aurora events resume everywhere")
    said = await town.command("aurora events pause", author=mod)
    assert "`!aurora events resume`" in said
    assert "no longer paused" in await town.command("aurora events resume", author=mod)


# -- direct messages with a server named


async def test_a_server_is_named_from_a_direct_message(town: QuickTown) -> None:
    """By its id or its name; where owners would rather type."""
    dm = town.discord.open_dm(town.ada)
    for name in (str(town.guild.id), "Town", "town"):
        assert "timeout" in await town.settings(name, channel=dm)
    said = await town.command(f"aurora disable {town.guild.id}", channel=dm)
    assert "no longer answer in Town" in said
    said = await town.command(f"aurora enable {town.agent_id} Town", channel=dm)
    assert "answers in Town" in said
    assert town.cog.services.settings.agent_for(town.guild.id) == town.agent_id
    said = await town.command(f"aurora config set timeout 90 {town.guild.id}", channel=dm)
    assert "`timeout` is now **90**" in said
    assert town.cog.services.settings.guild(town.guild.id).agent_timeout == 90


async def test_a_direct_message_that_names_no_server_is_told_which_there_are(
    town: QuickTown,
) -> None:
    """With their ids, to be copied."""
    dm = town.discord.open_dm(town.ada)
    for command in ("config show", "disable", f"enable {town.agent_id}", "config show Elsewhere"):
        said = await town.command(f"aurora {command}", channel=dm)
        assert f"Town (`{town.guild.id}`)" in said, command
    assert "Use it there" in await town.command("aurora context 1", channel=dm)


async def test_only_the_owner_names_another_server(town: QuickTown) -> None:
    """Which there are is nobody else's to find out."""
    town.discord.add_guild("Elsewhere", owner=town.ada)
    mod = add_mod(town, "ivy")
    there = await town.command("aurora config show Elsewhere", author=mod)
    assert "Only the bot's owner" in there
    unknown = await town.command("aurora config show Neverland", author=mod)
    assert unknown.replace("Neverland", "Elsewhere") == there
    assert "timeout" in await town.settings("Town", author=mod)


@pytest.mark.parametrize(
    ("on", "agent_id", "words"),
    [
        (True, "agent-1", "are **on**, answered by `agent-1`"),
        (False, "agent-1", "are **off**: nobody answers them"),
        (True, None, "no agent yet"),
        (False, None, "are **off**: nobody answers them"),
    ],
)
async def test_config_dm_says_who_answers_and_whether_anybody_does(
    town: QuickTown, on: bool, agent_id: str | None, words: str
) -> None:
    """Off, nobody does."""
    await town.cog.services.settings.set_world(enable_dm_responses=on, dm_agent_id=agent_id)
    said = await town.command("aurora config dm")
    assert words in said
    assert ("answered by" in said) == (agent_id is not None)


# -- what was wrong with what was typed


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("aurora queue status nowhere", "`nowhere` is not what this command takes"),
        ("aurora queue list fialed", "`waiting`, `running`"),
        ("aurora config dm perhaps", "`on`, `off`, `agent`, `show`"),
        ("aurora config tools mpc", "`aurora`, `mcp`"),
        ("aurora enable", "`<agent_id>` is missing."),
        ("aurora config set timeout", "`<value>` is missing."),
        ("aurora queue retry", "`<message>` is missing."),
        ('aurora config set timeout "90', "quotation marks"),
        ("aurora frobnicate", "There is no command `!aurora frobnicate`."),
        ("aurora queue statsu", "There is no command `!aurora queue statsu`."),
        ("aurora config colour blue", "There is no command `!aurora config colour`."),
    ],
)
async def test_a_sentence_stands_beside_the_help(town: QuickTown, typed: str, words: str) -> None:
    """The help alone does not say what was wrong."""
    place = town.discord.add_channel(town.guild, "typing")
    (said, *_) = await heard(town, typed, words, place=place)
    assert words in said
    await helped(town, place)


@pytest.mark.parametrize("typed", ["aurora queue", "aurora events", "aurora config"])
async def test_who_may_nothing_is_shown_no_commands(town: QuickTown, typed: str) -> None:
    """A list of what is refused in silence helps nobody."""
    for place in (town.discord.add_channel(town.guild, "asking"), town.discord.open_dm(town.bo)):
        said = await town.command(typed, author=town.bo, channel=place)
        assert "None of these commands is for you here" in said
        assert town.bot_messages(place)[-1].embeds == []
    place = town.discord.add_channel(town.guild, "helping")
    town.discord.say(town.ada, place, f"!{typed}")
    await helped(town, place)
    assert "None of these" not in "".join(one.content for one in town.bot_messages(place))


async def test_an_unanswered_clear_says_what_was_not_done(town: QuickTown) -> None:
    """Read a minute later, "nothing was changed" tells nothing."""
    await town.command("aurora events pause")
    waiting = mention(town, "hello")
    await reached(town, waiting, "queued")
    town.cog.services.answer_seconds = 0.2
    said = await heard(town, "aurora queue clear", "did not answer", place=town.general)
    assert "nothing in the queue was cancelled" in said[-1]
    assert town.steps(waiting)[-1] == "queued"
    await town.command("aurora events resume")
    await town.ended(waiting)


async def test_text_as_the_answer_refuses_to_go_without_delivery(town: QuickTown) -> None:
    """And the other way round; both say what to set first."""
    said = await town.command("aurora config answer both")
    assert said == "`answer` is tool or text, not `both`."
    assert "is now" in await town.command("aurora config answer text")
    said = await town.command("aurora config fallback off")
    assert "Set `answer` to tool first." in said
    assert "is now" in await town.command("aurora config answer tool")
    assert "is now" in await town.command("aurora config set fallback off")
    said = await town.command("aurora config set answer text")
    assert "Set `fallback` to on first." in said
    assert "is now" in await town.command("aurora config fallback on")


async def test_members_are_shown_what_is_for_them(town: QuickTown) -> None:
    """Their own runs, and nothing of what is for admins."""
    place = town.discord.add_channel(town.guild, "members")
    town.discord.say(town.bo, place, "!aurora")
    shown = await town.discord.wait_for(
        lambda: [one.embeds for one in town.bot_messages(place) if one.embeds]
    )
    said = str(shown)
    assert "runs" in said
    assert "lettaurl" not in said
