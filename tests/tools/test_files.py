"""discord_send_file: a text as a file, recorded and counted as a message is."""

from __future__ import annotations

import asyncio
from time import perf_counter

import pytest

from aurora.chat.sender import Sender
from aurora.guard.masking import masked, without_secrets
from aurora.guard.output import Output
from aurora.model import Turn
from aurora.reasons import Reason
from aurora.tools.files import MOST_BYTES, file_name
from aurora.tools.host import Toolbox
from doubles.local_discord import Attachment, Channel, Overwrite, permissions
from tests.support.stage import PATIENCE, Stage, send, send_file, together

TOKEN = "MTE3MzYwNTIzOTAwNTMxMDk3Ng.GxYzAb.abcdefghijklmnopqrstuvwxyz0123456789AB"


def files(stage: Stage, channel: Channel | None = None) -> list[Attachment]:
    return [file for one in stage.answers(channel) for file in one.attachments]


async def test_a_file_is_sent_as_the_reply_that_answers(stage: Stage) -> None:
    """With a word beside it."""
    event = await stage.ask()
    text = "a,b\n1,2\n"
    result = await send_file(
        stage.open(event), stage.channel, "table.csv", text, message="Here it is."
    )
    (answer,) = stage.answers()
    assert (answer.content, answer.reference) == ("Here it is.", event.message_id)
    assert [(one.filename, one.data.decode()) for one in answer.attachments] == [
        ("table.csv", text)
    ]
    assert f'"{answer.id}"' in result.text
    assert not result.is_error
    assert await stage.settle(event, "I have sent the file.") == Reason.SENT
    assert len(stage.answers()) == 1


async def test_texts_and_files_come_in_the_agents_order(stage: Stage) -> None:
    """Also if it calls for all of them at once, and the file takes longest."""
    tools = stage.open(await stage.ask())
    await asyncio.gather(
        send(tools, stage.channel, "Before"),
        send_file(tools, stage.channel, "a.txt", "x" * 500_000),
        send(tools, stage.channel, "After"),
    )
    seen = [one.content or one.attachments[0].filename for one in stage.answers()]
    assert seen == ["Before", "a.txt", "After"]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("plan.md", "plan.md"),
        ("../../etc/passwd", "passwd.txt"),
        ("..\\x", "x.txt"),
        ("/home/ada/.ssh/id_rsa", "id_rsa.txt"),
        ("a/b/c.CSV", "c.csv"),
        ("run me.exe", "run_me.exe.txt"),
        ("page.html", "page.html.txt"),
        ("x.svg", "x.svg.txt"),
        ("<@1187654321098765432> **now**.md", "1187654321098765432_now.md"),
        ("`x`[y](https://z.example).txt", "z.example.txt"),
        (".env", "env.txt"),
        ("__init__.py", "init.py"),
        ("Käse für Zoë.txt", "Kase_fur_Zoe.txt"),
        ("レシピ.txt", "file.txt"),
        ("", "file.txt"),
        ("...", "file.txt"),
        ("x" * 300 + ".json", "x" * 60 + ".json"),
        ("a\nb\0c.txt", "a_b_c.txt"),
        ("README", "README.txt"),
    ],
)
def test_a_name_is_plain_and_ends_as_a_texts_does(given: str, name: str) -> None:
    """No folder, no markup, and nothing that a click would run."""
    assert file_name(given) == name


async def test_the_name_arrives_as_it_was_told(stage: Stage) -> None:
    """Discord changes none that is plain, so that the file can be found again by it."""
    await send_file(stage.open(await stage.ask()), stage.channel, "__../été 1.md", "x")
    assert [one.filename for one in files(stage)] == ["ete_1.md"]


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ({"content": " \n"}, "content is empty"),
        ({"content": "é" * (MOST_BYTES // 2 + 1)}, "at most 1,000,000 bytes"),
        ({"message": "y" * 2001}, "message has at most 2,000 characters"),
        ({"content": ["x"]}, "content must be a string"),
        ({"name": None}, "name is missing"),
    ],
)
async def test_what_can_not_be_sent_is_named(
    stage: Stage, arguments: dict[str, object], wrong: str
) -> None:
    """And nothing of it is sent."""
    tools = stage.open(await stage.ask())
    given = {"channelId": str(stage.channel.id), "name": "a.txt", "content": "x", **arguments}
    result = await tools.call("discord_send_file", given)
    assert result.is_error
    assert wrong in result.text
    assert stage.answers() == []


async def test_a_megabyte_is_sent_whole(stage: Stage) -> None:
    """It is the most."""
    text = "word " * (MOST_BYTES // 5)
    result = await send_file(stage.open(await stage.ask()), stage.channel, "a.txt", text)
    assert not result.is_error
    assert files(stage)[0].data.decode() == text


async def test_a_dm_gets_files(stage: Stage) -> None:
    """There is nothing to ask for there."""
    channel = stage.local.open_dm(stage.ada)
    tools = stage.open(await stage.ask(channel))
    assert not (await send_file(tools, channel, "a.txt", "x")).is_error
    assert len(files(stage, channel)) == 1


# -- once


async def test_the_same_file_twice_goes_out_once(stage: Stage) -> None:
    """Under the same name with the same words; another is another."""
    tools = stage.open(await stage.ask())
    await send_file(tools, stage.channel, "a.txt", "x")
    again = await send_file(tools, stage.channel, "a.txt", "x")
    assert "already" in again.text
    await send_file(tools, stage.channel, "a.txt", "y")
    await send_file(tools, stage.channel, "b.txt", "x")
    assert [one.data for one in files(stage)] == [b"x", b"y", b"x"]


@pytest.mark.parametrize("first", [True, False], ids=["the reply", "a further one"])
async def test_a_crash_between_sending_and_recording_does_not_send_it_twice(
    stage: Stage, first: bool
) -> None:
    """It is known by its name and the words beside it."""
    event = await stage.ask()
    if not first:
        await send(stage.open(event), stage.channel, "Before")
    before = len(stage.answers())
    stage.local.faults.add("POST", r"/messages$", status=503, applied=True)
    call = asyncio.create_task(send_file(stage.open(event), stage.channel, "a.txt", "x"))
    await stage.local.wait_for(lambda: len(stage.answers()) > before)
    call.cancel()
    await asyncio.wait([call])
    stage.local.nonces.window = -1
    again = await send_file(stage.open(event), stage.channel, "a.txt", "x")
    assert len(files(stage)) == 1
    assert not again.is_error


async def test_a_file_that_discord_delays_is_owed_and_comes(stage: Stage) -> None:
    """As a text does, with its words and its name."""
    event = await stage.ask()
    turn = together(event)
    stage.local.faults.add("POST", r"/messages$", status=503, times=3)
    result = await send_file(stage.open(turn), stage.channel, "a.txt", "x", message="Here.")
    assert "do not send it again" in result.text
    await stage.settle(turn, "")
    (answer,) = stage.answers()
    assert (answer.content, answer.attachments[0].filename) == ("Here.", "a.txt")


async def test_a_file_counts_as_a_message(stage: Stage) -> None:
    """To the budget, and as one of the texts of a turn."""
    tools = stage.open(await stage.ask())
    results = [await send_file(tools, stage.channel, "a.txt", f"{n}") for n in range(7)]
    assert len(files(stage)) == 5
    assert "5 texts are the most" in results[-1].text


# -- what may not go out


@pytest.mark.parametrize("who", ["ada", "bot_user"])
async def test_it_takes_the_right_to_attach_files(stage: Stage, who: str) -> None:
    """The asker's, and the bot's own."""
    user = stage.ada if who == "ada" else stage.local.bot_user
    deny = Overwrite.of(user, deny=permissions.ATTACH_FILES)
    stage.local.set_overwrites(stage.channel, (deny,))
    tools = stage.open(await stage.ask())
    result = await send_file(tools, stage.channel, "a.txt", "x")
    assert result.is_error
    assert ("may not send files" if who == "ada" else "lacks the permission") in result.text
    assert stage.answers() == []
    assert not (await send(tools, stage.channel, "x")).is_error


def guarded(stage: Stage, output: Output) -> None:
    """Let what is sent be filtered by what is known."""
    stage.sender = Sender(stage.bot, stage.store, stage.guard, output=output, patience=PATIENCE)
    stage.toolbox = Toolbox(stage.bot, stage.store, stage.sender, stage.guard, stage.clock)


async def test_secrets_and_folders_are_taken_out_of_a_file(stage: Stage) -> None:
    """As of a text; the agent is told, and everything else stays as it was."""
    guarded(stage, Output(secrets=lambda: [TOKEN], folders=lambda: ["/home/ada/letta"]))
    tools = stage.open(await stage.ask())
    content = f"<b>@everyone</b>\n```\nkey = {TOKEN}\n```\n/home/ada/letta/x.py discord.gg/abc\n"
    result = await send_file(tools, stage.channel, "a.txt", content, message=f"{TOKEN}")
    (answer,) = stage.answers()
    kept = answer.attachments[0].data.decode()
    assert TOKEN not in kept + answer.content
    assert "/home/ada" not in kept
    assert kept.startswith("<b>@everyone</b>\n```\nkey = [secret removed]")
    assert "were removed" in result.text


@pytest.mark.parametrize("at", [16_000, 16_384 - 30, 16_384, 3 * 16_384 - 1, 40_000])
async def test_a_secret_is_found_wherever_it_stands(at: int) -> None:
    """A long text is looked through in pieces, and their seams once more."""
    for secret in (TOKEN, " ".join(TOKEN)):
        text = f"{'word ' * (at // 5)}{'x' * (at % 5)} {secret} {'word ' * 4000}"
        found = await masked(text, [TOKEN], [])
        assert found == without_secrets(text, [TOKEN])
        assert "[secret removed]" in found


async def test_a_private_key_of_any_length_is_found() -> None:
    """It may be longer than a piece."""
    lines = "\n".join("A" * 64 for _ in range(400))
    key = f"-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----"
    assert await masked(f"{'x ' * 5000}{key}{' y' * 5000}", [], []) == (
        f"{'x ' * 5000}[secret removed]{' y' * 5000}"
    )


async def test_others_get_their_turn_while_a_long_file_is_looked_through() -> None:
    """A megabyte takes a quarter of a second; nobody else waits for that."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    start = perf_counter()
    await masked("word " * (MOST_BYTES // 5), [TOKEN], ["/home/ada"])
    assert perf_counter() - start < 30
    task.cancel()
    assert turns > MOST_BYTES // 16_384


async def test_it_asks_as_the_person_who_asked(stage: Stage) -> None:
    """In a channel that Ada can't see there is none to send a file to."""
    tools = stage.open(Turn((await stage.ask(),)))
    result = await send_file(tools, stage.hidden, "a.txt", "x")
    assert result.is_error
    assert "no such channel" in result.text
