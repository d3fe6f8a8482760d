"""The tool host: what is on offer, what is refused, and what happens when it shuts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aurora.ledger import LedgerError
from aurora.model import Event, Send
from aurora.tools.host import Toolbox
from aurora.words import phrase
from tests.support.stage import Stage, send, together


def nested(depth: int) -> list[Any]:
    """Return a list in a list in a list; nothing that prints it gets to its end."""
    inner: list[Any] = []
    for _ in range(depth):
        inner = [inner]
    return inner


async def names(stage: Stage, guild: bool = True) -> list[str]:
    channel = stage.channel if guild else stage.local.open_dm(stage.ada)
    return [spec.name for spec in stage.open(await stage.ask(channel)).specs]


async def test_a_guild_gets_the_discord_tools(stage: Stage) -> None:
    """They have the names that agents know from mcp-discord; what is off is not there at all."""
    assert sorted(await names(stage)) == [
        "discord_add_reaction",
        "discord_ask",
        "discord_get_server_info",
        "discord_list_threads",
        "discord_read_messages",
        "discord_search_messages",
        "discord_send",
        "discord_send_file",
        "discord_view_attachment",
    ]


async def test_what_admins_allow_is_offered_and_what_they_switch_off_is_not(
    stage: Stage,
) -> None:
    """By the setting of the server, at once."""
    chosen = {"discord_create_poll": "allow", "discord_send_file": "off"}
    await stage.settings.set_guild(stage.guild.id, tools_chosen=chosen)
    offered = await names(stage)
    assert "discord_create_poll" in offered
    assert not {"discord_send_file", "discord_edit_message", "discord_start_thread"} & set(offered)


async def test_a_dm_gets_those_that_work_there(stage: Stage) -> None:
    """There is neither a server nor a thread."""
    assert sorted(await names(stage, guild=False)) == [
        "discord_add_reaction",
        "discord_ask",
        "discord_edit_message",
        "discord_read_messages",
        "discord_send",
        "discord_send_file",
        "discord_view_attachment",
    ]


async def test_every_schema_names_its_required_arguments(stage: Stage) -> None:
    """What is required is described, and every id is a string."""
    for spec in stage.open(await stage.ask()).specs:
        properties = spec.parameters["properties"]
        assert set(spec.parameters["required"]) <= set(properties)
        assert all(properties[key]["type"] == "string" for key in properties if "Id" in key)


async def test_a_dm_is_answered(stage: Stage) -> None:
    """The tools work in the DM the message came from."""
    channel = stage.local.open_dm(stage.ada)
    result = await send(stage.open(await stage.ask(channel)), channel, "Hello in private")
    assert not result.is_error
    assert stage.answers(channel)[0].content == "Hello in private"


@pytest.mark.parametrize(
    "name",
    [
        "discord_send",
        "discord_read_messages",
        "discord_add_reaction",
        "discord_view_attachment",
    ],
)
async def test_every_tool_asks_the_policy(stage: Stage, name: str) -> None:
    """A channel Ada cannot see, though the bot can, is closed to all of them."""
    secret = stage.local.say(stage.local.owner, stage.hidden, "the plan")
    arguments = {
        "channelId": str(stage.hidden.id),
        "messageId": str(secret.id),
        "message": "Hi",
        "emoji": "👍",
    }
    result = await stage.open(await stage.ask()).call(name, arguments)
    assert result.is_error
    assert "no such channel" in result.text
    assert "plan" not in result.text
    assert stage.answers(stage.hidden) == []
    assert secret.reactions == {}


async def test_an_unknown_tool_is_refused_with_what_there_is(stage: Stage) -> None:
    """The agent learns what it has."""
    result = await stage.open(await stage.ask()).call("Bash", {"command": "id"})
    assert result.is_error
    assert "Bash" in result.text
    assert "discord_send" in result.text


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ({"message": "x"}, "channelId is missing"),
        ({"channelId": None, "message": "x"}, "channelId is missing"),
        ({"channelId": "general", "message": "x"}, "channelId must be the id"),
        ({"channelId": "-5", "message": "x"}, "channelId must be the id"),
        ({"channelId": "٣", "message": "x"}, "channelId must be the id"),
        ({"channelId": "9" * 5000, "message": "x"}, "channelId must be the id"),
        ({"channelId": "1" * 50, "message": "x"}, "channelId must be the id"),
        ({"channelId": "00001187654321098765432", "message": "x"}, "channelId must be the id"),
        ({"channelId": "0118765432109876543", "message": "x"}, "channelId must be the id"),
        ({"channelId": "1187654321098765432\u0663", "message": "x"}, "channelId must be the id"),
        ({"channelId": "9" * 19, "message": "x"}, "channelId must be the id"),
        ({"channelId": 10**5000, "message": "x"}, "channelId must be the id"),
        ({"channelId": nested(3000), "message": "x"}, "channelId must be the id"),
        ({"channelId": "1", "message": nested(3000)}, "message must be a string"),
        ({"channelId": 1e18, "message": "x"}, "channelId must be the id"),
        ({"channelId": True, "message": "x"}, "channelId must be the id"),
        ({"channelId": ["1"], "message": "x"}, "channelId must be the id"),
        ({"channelId": "1"}, "message is missing"),
        ({"channelId": "1", "message": 5}, "message must be a string"),
        ({"channelId": "1", "message": "x", "interim": "perhaps"}, "interim must be true or"),
    ],
)
async def test_a_wrong_argument_is_named(
    stage: Stage, arguments: dict[str, Any], wrong: str
) -> None:
    """A model can put right what it is told of."""
    result = await stage.open(await stage.ask()).call("discord_send", arguments)
    assert result.is_error
    assert wrong in result.text
    assert len(result.text) < 300


@pytest.mark.parametrize("arguments", [None, [], "channelId", 5, nested(3000)])
async def test_arguments_that_are_no_object_are_an_error_at_once(
    stage: Stage, arguments: Any
) -> None:
    """Whoever reads a server's frames hands on what could not be read, and the agent is told."""
    result = await stage.open(await stage.ask()).call("discord_send", arguments)
    assert result.is_error
    assert "one JSON object" in result.text
    assert len(result.text) < 300


async def test_an_id_may_be_a_number(stage: Stage) -> None:
    """Some models forget the quotes; where no digit is lost that is fine."""
    tools = stage.open(await stage.ask())
    result = await tools.call("discord_send", {"channelId": stage.channel.id, "message": "Hi"})
    assert not result.is_error


async def test_an_empty_reply_id_is_none(stage: Stage) -> None:
    """Models fill optional arguments with nothing."""
    event = await stage.ask()
    await send(stage.open(event), stage.channel, "Hi", replyToMessageId="")
    assert stage.answers()[0].reference == event.message_id


async def test_a_shut_host_refuses_with_its_reason(stage: Stage) -> None:
    """After a timeout nothing more goes out."""
    tools = stage.open(await stage.ask())
    await tools.close("The time is up.")
    result = await send(tools, stage.channel, "too late")
    assert (result.text, result.is_error) == ("The time is up.", True)
    assert stage.answers() == []


async def test_shutting_waits_for_what_is_under_way(stage: Stage) -> None:
    """When close returns, every send has happened and is recorded, or never will."""
    event = await stage.ask()
    tools = stage.open(event)
    stage.local.faults.add("POST", r"/messages$", status=503, applied=True)
    calls = [asyncio.create_task(send(tools, stage.channel, f"text {n}")) for n in range(3)]
    await stage.local.wait_for(stage.answers)
    await tools.close("The message was deleted.")
    (record,) = await stage.store.sends(event.id)
    assert [one.id for one in stage.answers()] == list(record.message_ids)
    refused = [result.text for result in await asyncio.gather(*calls) if result.is_error]
    assert refused == ["The message was deleted."] * 2
    assert len(stage.answers()) == 1


async def test_a_run_shut_while_discord_is_asked_does_not_send(stage: Stage) -> None:
    """The last look at whether the run goes on is right before the send."""
    thread = stage.local.start_thread(stage.channel, "closed", owner=stage.ada, private=True)
    stage.local.join_thread(thread, stage.local.bot_user)
    tools = stage.open(await stage.ask())
    stage.port.gate.clear()
    call = asyncio.create_task(send(tools, thread, "too late"))
    await asyncio.sleep(0)
    closing = asyncio.create_task(tools.close("Shut."))
    await asyncio.sleep(0)
    stage.port.gate.set()
    await closing
    assert (await call).text == "Shut."
    assert {one.method for one in stage.local.calls} == {"GET"}
    assert all("thread-members" in one.path for one in stage.local.calls)
    assert stage.answers(thread) == []


async def test_a_bug_in_a_tool_does_not_escape(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The agent gets an error, the log gets the traceback, the next call works."""
    tools = stage.open(await stage.ask())

    async def broken(_event_id: str) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(stage.store, "sends", broken)
        result = await send(tools, stage.channel, "Hi")
    assert result.is_error
    assert "mistake in Aurora" in result.text
    assert "ZeroDivisionError" in caplog.text
    assert not (await send(tools, stage.channel, "Hi")).is_error


@pytest.mark.parametrize("before", [0, 1])
async def test_a_call_that_the_ledger_fails_has_no_result_and_breaks_the_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    """Told that its answer had failed, an agent would say something else, or nothing.

    Before the message is out, and after: then it is found in the channel.
    """
    event = await stage.ask()
    tools, record, done = stage.open(event), stage.store.record_send, 0

    async def full(event: Event, send: Send, *, lazily: bool = False) -> bool:
        nonlocal done
        done += 1
        if done > before:
            raise LedgerError(phrase("the disk is full"))
        return await record(event, send, lazily=lazily)

    monkeypatch.setattr(stage.store, "record_send", full)
    call = asyncio.create_task(send(tools, stage.channel, "Hi"))
    assert "the disk is full" in str(await asyncio.wait_for(asyncio.shield(tools.broken), 20))
    refused = await send(tools, stage.channel, "Hi again")
    assert refused.is_error
    # Nothing is under way that a send could come of.
    await tools.close("over")
    assert not call.done()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert [one.content for one in stage.answers()] == ["Hi"] * before


async def test_cancelling_a_call_cancels_it(stage: Stage) -> None:
    """CancelledError is the one thing that passes, and it leaves the host usable."""
    tools = stage.open(await stage.ask())
    stage.port.gate.clear()
    call = asyncio.create_task(send(tools, stage.channel, "Hi"))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    stage.port.gate.set()
    assert not (await send(tools, stage.channel, "Hi")).is_error
    await tools.close("over")


async def test_a_backend_without_a_memory_offers_none(stage: Stage) -> None:
    """The memory tools are there only where they work."""
    toolbox = Toolbox(
        stage.bot, stage.store, stage.sender, stage.guard, stage.clock, memory=object
    )
    specs = toolbox.open(together(await stage.ask()), "agent-1").specs
    assert not any(spec.name.startswith("memory_") for spec in specs)
