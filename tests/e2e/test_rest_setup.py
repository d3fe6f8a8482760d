"""Setting Aurora up with Letta's REST API: the SDK, the address, the agent and its own tools."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from aurora.agents.sdk import SdkFolder
from aurora.installing import FolderState
from doubles.letta_rest import LettaRest, ServerTool
from doubles.local_discord import permissions
from tests.support.e2e.hands import question_of as asked
from tests.support.e2e.hands import register, reply
from tests.support.e2e.town import Town

TOKEN = "a-token"


@pytest.fixture
async def rest(bare_town: Town, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LettaRest]:
    """A REST server with the town's model; Aurora has its token and not yet its address."""
    # The town's SDK folder, which goes on it, ends with the town.
    monkeypatch.setattr(sys, "path", list(sys.path))
    server = LettaRest(bare_town.llm.provider, token=TOKEN, keepalive=0.2)
    await server.start()
    await bare_town.red.bot.set_shared_api_tokens("letta", token=TOKEN)
    yield server
    await bare_town.cog.services.agents.close()
    await server.stop()
    assert server.crashes == []


@pytest.fixture
async def ready(bare_town: Town, rest: LettaRest, sdk: SdkFolder) -> Town:
    """A town whose Aurora has the SDK and is connected to the REST server."""
    provide(bare_town, sdk)
    assert "answers" in await bare_town.command(f"aurora lettaurl {rest.url}")
    return bare_town


def folder_of(town: Town) -> SdkFolder:
    """Return the SDK folder of the town's Aurora."""
    folder: SdkFolder = town.cog.services.sdk
    return folder


def provide(town: Town, installed: SdkFolder) -> None:
    """Put an installed SDK where Aurora looks for it."""
    place = folder_of(town).place
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(installed.place, target_is_directory=True)


# -- lettaurl


@pytest.mark.usefixtures("sdk")  # it shows that pip reaches a registry
async def test_lettaurl_offers_the_sdk_and_installs_it(bare_town: Town, rest: LettaRest) -> None:
    """One press of a button, and the server answers."""
    question = await asked(bare_town, f"aurora lettaurl {rest.url}")
    assert f"{folder_of(bare_town).packages} packages into Aurora's own data" in question.content
    said = await reply(bare_town, question, "Yes", timeout=120)
    assert said == f"Done: the Letta REST API at <{rest.url}> answers."
    assert folder_of(bare_town).state() is FolderState.READY


async def test_a_no_keeps_the_address_and_names_the_command_to_run(
    bare_town: Town, rest: LettaRest
) -> None:
    """Nothing is installed behind the owner's back."""
    said = await reply(bare_town, await asked(bare_town, f"aurora lettaurl {rest.url}"), "No")
    assert "The address is kept" in said
    assert folder_of(bare_town).command() in said
    assert "`!aurora lettaurl`" in said
    assert bare_town.cog.services.settings.world.letta_base_url == rest.url
    assert folder_of(bare_town).state() is FolderState.MISSING


async def test_a_pip_that_fails_is_told_of_with_the_command_to_run(
    bare_town: Town, rest: LettaRest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a firewall there is no registry."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    question = await asked(bare_town, f"aurora lettaurl {rest.url}")
    said = await reply(bare_town, question, "Yes", timeout=60)
    assert "pip failed" in said
    assert folder_of(bare_town).command() in said
    assert not said.startswith("Done")
    assert len(said) < 2000


async def test_lettaurl_asks_for_no_sdk_that_is_there(
    bare_town: Town, rest: LettaRest, sdk: SdkFolder
) -> None:
    """The second time there is no question."""
    provide(bare_town, sdk)
    said = await bare_town.command(f"aurora lettaurl {rest.url}/")
    assert said == f"Done: the Letta REST API at <{rest.url}> answers."


@pytest.mark.usefixtures("sdk")
async def test_a_damaged_sdk_is_offered_again(bare_town: Town, rest: LettaRest) -> None:
    """And the offer says why."""
    folder_of(bare_town).place.mkdir(parents=True)
    question = await asked(bare_town, f"aurora lettaurl {rest.url}")
    assert "missing or damaged" in question.content
    assert "answers" in await reply(bare_town, question, "Yes", timeout=120)


async def test_a_wrong_api_key_is_told_of(ready: Town, rest: LettaRest) -> None:
    """Not as a server that is down."""
    await ready.red.bot.set_shared_api_tokens("letta", token="wrong")
    said = await ready.command(f"aurora lettaurl {rest.url}")
    assert "can't be used now" in said
    assert "401" in said or "token" in said


async def test_lettaurl_over_rest_works_as_a_slash_command(
    bare_town: Town, rest: LettaRest, sdk: SdkFolder
) -> None:
    """With the question in between."""
    await register(bare_town)
    interaction = bare_town.discord.slash(
        bare_town.ada, bare_town.general, "aurora lettaurl", {"url": rest.url}
    )
    assert "Install now?" in str(await bare_town.discord.wait_for(lambda: interaction.content))
    question = bare_town.bot_messages(bare_town.general)[-1]
    provide(bare_town, sdk)
    said = await reply(bare_town, question, "No")
    assert "The address is kept" in said


async def test_a_token_in_clear_is_asked_about_for_http_too(bare_town: Town) -> None:
    """https:// would be better, and the question says so."""
    question = await asked(bare_town, "aurora lettaurl http://letta.example:8283")
    assert "not encrypted" in question.content
    assert "`https://`" in question.content


# -- a mention over REST, and back to the App Server


async def test_a_mention_is_answered_over_rest(ready: Town, rest: LettaRest) -> None:
    """The whole way, and nothing else in Aurora knows the difference."""
    agent_id = rest.create_agent("one *agent*")
    said = await ready.command(f"aurora enable {agent_id}")
    assert r"one \*agent\*" in said
    message, end = await ready.ask("[[say:over REST]]")
    assert end.step == "answered"
    assert [one.content for one in ready.answers(message)] == ["over REST"]


async def test_over_rest_no_memory_tools_are_offered(ready: Town, rest: LettaRest) -> None:
    """Such agents have memory tools of their own."""
    await ready.command(f"aurora enable {rest.create_agent('one')}")
    await ready.ask("hello")
    offered = [tool["function"]["name"] for tool in ready.llm.requests[-1]["tools"]]
    assert "discord_send" in offered
    assert not [name for name in offered if name.startswith("memory_")]


async def test_the_kinds_of_server_can_be_changed_back_and_forth(
    ready: Town, rest: LettaRest
) -> None:
    """Each time with the right token."""
    await ready.command(f"aurora enable {rest.create_agent('one')}")
    await ready.red.bot.set_shared_api_tokens("letta", token=ready.server.token)
    said = await ready.command(f"aurora lettaurl {ready.server.url}")
    assert said == f"Done: the Letta App Server at <{ready.server.url}> answers."
    await ready.red.bot.set_shared_api_tokens("letta", token=TOKEN)
    assert "REST API" in await ready.command(f"aurora lettaurl {rest.url}")
    _, end = await ready.ask("hello")
    assert end.step == "answered"


async def test_enable_names_an_agent_that_the_rest_server_does_not_have(ready: Town) -> None:
    """And changes nothing."""
    nobody = "agent-00000000-0000-4000-8000-000000000000"
    said = await ready.command(f"aurora enable {nobody}")
    assert f"no agent with the id {nobody}" in said
    assert "Nothing was changed" in said


# -- tools of the agent's own


async def test_an_agent_with_harmless_tools_is_enabled_without_a_question(
    ready: Town, rest: LettaRest
) -> None:
    """What it says with it comes to Aurora."""
    agent_id = rest.create_agent("one", tools=["send_message"])
    assert "Done" in await ready.command(f"aurora enable {agent_id}")


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("discord_send", "acts in Discord by itself: `discord_send`"),
        ("run_code", "runs commands or programs: `run_code`"),
        ("Write", "reads or changes files of a computer: `Write`"),
        ("conversation_search", "searches what was said in other channels, servers and direct"),
        ("fetch_webpage", "does what Aurora can't know: it may reach the internet"),
    ],
)
async def test_an_agent_that_gets_round_the_guard_is_refused_with_the_reason(
    ready: Town, rest: LettaRest, tool: str, words: str
) -> None:
    """The promises that would not hold are named."""
    agent_id = rest.create_agent("one", tools=["memory_insert", tool])
    question = await asked(ready, f"aurora enable {agent_id}")
    assert words in question.content
    promises = ("answer twice", "who asked may not do", "said in another")
    assert all(promise in question.content for promise in promises)
    assert "memory_insert" not in question.content
    assert "Nothing was changed" in await reply(ready, question, "No")
    assert ready.cog.services.settings.agent_for(ready.guild.id) is None


async def test_the_owner_may_let_such_an_agent_in(ready: Town, rest: LettaRest) -> None:
    """It is their bot."""
    agent_id = rest.create_agent("one", tools=["discord_send"])
    question = await asked(ready, f"aurora enable {agent_id}")
    assert "Done" in await reply(ready, question, "Yes")
    assert ready.cog.services.settings.agent_for(ready.guild.id) == agent_id


async def test_what_the_owner_allowed_is_not_asked_again_and_what_came_later_is(
    ready: Town, rest: LettaRest
) -> None:
    """The yes was for exactly these tools."""
    agent_id = rest.create_agent("one", tools=["fetch_webpage"])
    question = await asked(ready, f"aurora enable {agent_id}")
    assert "Done" in await reply(ready, question, "Yes")
    assert "Done" in await ready.command(f"aurora enable {agent_id}")
    attach(rest, agent_id, "run_code")
    question = await asked(ready, f"aurora enable {agent_id}")
    assert "`run_code`" in question.content
    assert "fetch_webpage" not in question.content


async def test_an_agent_that_got_a_shell_after_enable_is_not_run_until_it_is_allowed(
    ready: Town, rest: LettaRest
) -> None:
    """Whoever mentions it could make it use that; the owner is told once, by name."""
    agent_id = rest.create_agent("one", tools=["send_message"])
    assert "Done" in await ready.command(f"aurora enable {agent_id}")
    assert (await ready.ask("hello"))[1].step == "answered"
    attach(rest, agent_id, "run_code")
    requests = len(ready.llm.requests)
    a_minute_later(ready)
    for _ in range(2):
        message, end = await ready.ask("hello", author=ready.bo)
        assert (end.step, end.detail) == ("failed", "own_tools")
        assert "not set up correctly" in ready.answers(message)[0].content
    assert len(ready.llm.requests) == requests
    owner = ready.discord.open_dm(ready.ada)

    def told() -> list[str]:
        return [one.content for one in ready.bot_messages(owner) if "`run_code`" in one.content]

    assert len(await ready.discord.wait_for(lambda: told() or None)) == 1
    assert "send_message" not in told()[0]
    question = await asked(ready, f"aurora enable {agent_id}")
    assert "Done" in await reply(ready, question, "Yes")
    assert (await ready.ask("hello"))[1].step == "answered"


async def test_an_agent_that_searches_is_let_in_with_a_word_each_time(
    ready: Town, rest: LettaRest
) -> None:
    """What was said in one channel it may then repeat in any other."""
    agent_id = rest.create_agent("one", tools=["conversation_search"])
    question = await asked(ready, f"aurora enable {agent_id}")
    said = await reply(ready, question, "Yes")
    assert "can then repeat in any other" in said
    assert said.startswith("Done")
    assert "repeat in any other" in await ready.command(f"aurora enable {agent_id}")


async def test_an_admin_can_not_let_in_tools_that_the_owner_has_not_seen(
    ready: Town, rest: LettaRest
) -> None:
    """Whatever agent they were allowed."""
    mods = ready.discord.add_role(ready.guild, "mods", permissions=permissions.MANAGE_GUILD)
    cy = ready.discord.add_user("cy")
    ready.discord.add_member(ready.guild, cy, roles=(mods,))
    agent_id = rest.create_agent("one")
    assert "Done" in await ready.command(f"aurora agents allow {agent_id}")
    attach(rest, agent_id, "run_code")
    said = await ready.command(f"aurora enable {agent_id}", author=cy)
    assert "Only the bot's owner may let it answer with them" in said
    assert ready.bot_messages(ready.general)[-1].components == []
    assert ready.cog.services.settings.agent_for(ready.guild.id) is None


def attach(rest: LettaRest, agent_id: str, tool: str) -> None:
    """Give an agent another tool of the server's."""
    rest.add_tool(ServerTool(tool))
    rest.store.agents[agent_id].tools.append(tool)


def a_minute_later(town: Town) -> None:
    """Let what is known of agents' tools be too old; nobody waits a minute for that here."""
    town.cog.services.own_tools._seen.clear()


async def test_the_agent_of_direct_messages_is_asked_about_too(
    ready: Town, rest: LettaRest
) -> None:
    """There it could do as much harm."""
    agent_id = rest.create_agent("one", tools=["Bash"])
    dm = ready.discord.open_dm(ready.ada)
    question = await asked(ready, f"aurora config dm agent {agent_id}", channel=dm)
    assert "Nothing was changed" in await reply(ready, question, "No")
    assert ready.cog.services.settings.world.dm_agent_id is None


async def test_many_long_names_of_tools_fit_into_one_message(ready: Town, rest: LettaRest) -> None:
    """Discord takes 2,000 characters, and an agent any number of tools."""
    tools = [f"discord_{'x' * 80}_{number}" for number in range(60)]
    question = await asked(ready, f"aurora enable {rest.create_agent('one' * 60, tools=tools)}")
    assert "and 52 more" in question.content


# -- an mcp-discord of the agent's own


def with_discord(
    town: Town, rest: LettaRest, *, reply: bool = False, fails: bool = False, other: str = ""
) -> str:
    """Create an agent whose own discord_send writes as this bot; `other` is what it writes."""

    def run(_agent_id: str, arguments: Mapping[str, Any]) -> str:
        if fails:
            raise RuntimeError("Missing Access")
        asking = next(
            one
            for one in reversed(town.discord.messages(town.general))
            if one.author is not town.discord.bot_user
        )
        town.discord.say(
            town.discord.bot_user,
            town.general,
            other or str(arguments["message"]),
            reply_to=asking if reply else None,
        )
        return "sent"

    rest.add_tool(ServerTool("discord_send", run=run))
    return rest.create_agent("own", tools=["discord_send"])


def own_send(town: Town, text: str) -> str:
    """Word what the model does: it sends a text, and then ends with another."""
    call = f'{{"channelId": "{town.general.id}", "message": "{text}"}}'
    return f"[[tool:discord_send {call}]][[after:I have answered.]]"


async def watch(town: Town, agent_id: str) -> None:
    """Let the agent use its own tools."""
    said = await town.command("aurora config tools mcp")
    promises = ("at most one answer", "may not do themselves", "wider place", "not promised")
    assert all(promise in said for promise in promises)
    assert "Done" in await town.command(f"aurora enable {agent_id}")


async def test_a_text_that_the_agent_sent_by_itself_is_the_answer(
    ready: Town, rest: LettaRest
) -> None:
    """Its last words are not delivered on top."""
    await watch(ready, with_discord(ready, rest))
    before = len(ready.bot_messages(ready.general))
    _, end = await ready.ask(own_send(ready, "by my own hand"))
    assert (end.step, end.detail) == ("answered", "sent")
    said = [one.content for one in ready.bot_messages(ready.general)[before:]]
    assert said == ["by my own hand"]


async def test_a_reply_to_the_message_is_the_answer_whatever_it_says(
    ready: Town, rest: LettaRest
) -> None:
    """An MCP server may change the text on its way."""
    await watch(ready, with_discord(ready, rest, reply=True, other="changed"))
    message, end = await ready.ask(own_send(ready, "original"))
    assert (end.step, end.detail) == ("answered", "sent")
    assert [one.content for one in ready.answers(message)] == ["changed"]


async def test_a_send_of_its_own_that_fails_is_made_up_for(ready: Town, rest: LettaRest) -> None:
    """The person is not left in silence."""
    await watch(ready, with_discord(ready, rest, fails=True))
    message, end = await ready.ask(own_send(ready, "lost"))
    assert (end.step, end.detail) == ("answered", "delivered")
    assert [one.content for one in ready.answers(message)] == ["I have answered."]


async def test_a_watched_agent_gets_no_tools_of_auroras(ready: Town, rest: LettaRest) -> None:
    """Two tools of one name would be one too many; the hints fit its own."""
    await watch(ready, rest.create_agent("own", tools=["discord_read_messages"]))
    message, end = await ready.ask("[[say:just text]]")
    assert end.step == "answered"
    offered = [tool["function"]["name"] for tool in ready.llm.requests[-1]["tools"]]
    assert offered == ["discord_read_messages"]
    assert "discord_send(" in ready.prompt(message)


async def test_a_shell_is_asked_about_even_where_discord_tools_are_expected(
    ready: Town, rest: LettaRest
) -> None:
    """Only what the mode is for goes without a question."""
    await ready.command("aurora config tools mcp")
    agent_id = rest.create_agent("own", tools=["discord_send", "Bash"])
    question = await asked(ready, f"aurora enable {agent_id}")
    assert "`Bash`" in question.content
    assert "discord_send" not in question.content


async def test_going_back_to_auroras_tools_asks_about_the_agents_own(
    ready: Town, rest: LettaRest
) -> None:
    """It was let in for a mode that ends."""
    await watch(ready, rest.create_agent("own", tools=["discord_send"]))
    question = await asked(ready, "aurora config tools aurora")
    assert "`discord_send`" in question.content
    assert "Nothing was changed" in await reply(ready, question, "No")
    assert "mcp" in await ready.settings()
    question = await asked(ready, "aurora config tools aurora")
    assert "Done" in await reply(ready, question, "Yes")


async def test_an_app_server_has_no_agents_with_tools_of_their_own(town: Town) -> None:
    """And the owner is told why, instead of waiting for answers."""
    said = await town.command("aurora config tools mcp")
    assert "Nothing was changed" in said
    assert town.cog.services.settings.guild(town.guild.id).discord_tools == "aurora"
