"""The demo: it ends well when all is well, and says what was wrong when it was not."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from aurora.model import Change
from doubles.llm import ScriptedLLM, Step
from doubles.local_discord import LocalDiscord, Message
from sandbox.__main__ import main
from sandbox.demo import Demo, demo
from sandbox.neighbourhood import Neighbourhood, found
from sandbox.transcript import Transcript

GREETING = "Who are you?"


async def test_every_message_gets_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """On real parts the demo ends with 0, and its transcript has all messages and answers."""
    monkeypatch.setenv("COLUMNS", "100")  # a narrow terminal would break the lines elsewhere
    out = io.StringIO()
    assert await demo({}, out=out) == 0
    told = out.getvalue()
    assert "7 messages, 7 answers, one each" in told
    assert "@Aurora hello! Who are you?" in told
    assert "↪ cleo: Bo wrote first: “Shall we watch the sky" in told


async def test_a_silent_agent_is_a_failure() -> None:
    """An agent that says nothing once makes the demo end with 1, and that message is named."""

    def prepare(llm: ScriptedLLM) -> None:
        llm.script(GREETING, Step())

    out = io.StringIO()
    assert await demo({}, out=out, prepare=prepare, limit=2.0) == 1
    told = out.getvalue()
    assert "no answer within 2 s" in told
    assert "no answers instead of one to" in told
    assert told.count("instead of one") == 1


# -- the checks themselves, on a local Discord with a bot that is played


class Played:
    """A bot's hands: answers everything for it, and errs where a test lets it."""

    def __init__(self, discord: LocalDiscord, play: Demo) -> None:
        self.discord = discord
        self.play = play
        self.err: Callable[[Message], Awaitable[None] | None] | None = None

    async def run(self) -> None:
        news = self.discord.subscribe()
        while True:
            name, data = await news.get()
            if name != "MESSAGE_CREATE":
                continue
            said = self.discord.world.messages[int(data["id"])]
            private = said.channel.guild is None
            mentioned = self.discord.bot_user in said.mentions
            if said.author is not self.discord.bot_user and (private or mentioned):
                await self.answer(said)

    async def answer(self, said: Message) -> None:
        if GREETING in said.content and self.err is not None:
            result = self.err(said)
            if result is not None:
                await result
            return
        self.reply(said)
        await self.end(said, "answered")

    def reply(self, said: Message) -> None:
        self.discord.say(self.discord.bot_user, said.channel, "Yes.", reply_to=said)

    async def end(self, said: Message, step: str) -> None:
        change = Change("evt", said.id, said.channel.id, None, 7, "lane", step, time.time())
        await self.play.on_change(change)


@pytest.fixture
async def played() -> AsyncIterator[Played]:
    discord = LocalDiscord(bot_name="Aurora")
    await discord.start()
    places: Neighbourhood = found(discord)
    play = Demo(discord, places, Transcript(discord, io.StringIO()), limit=0.2)
    bot = Played(discord, play)
    running = asyncio.create_task(bot.run())
    yield bot
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await discord.stop()


async def test_a_well_played_bot_passes(played: Played) -> None:
    """The checks find nothing where nothing is wrong, or they would prove nothing."""
    assert await played.play.play() == []


async def test_a_second_answer_is_found(played: Played) -> None:
    """Two replies to one message are one too many."""

    async def twice(said: Message) -> None:
        played.reply(said)
        played.reply(said)
        await played.end(said, "answered")

    played.err = twice
    [fault] = await played.play.play()
    assert fault.startswith("2 answers instead of one to")


async def test_a_late_second_answer_is_found(played: Played) -> None:
    """A second answer in a later scene is found as well."""
    first: list[Message] = []

    async def once(said: Message) -> None:
        first.append(said)
        played.reply(said)
        await played.end(said, "answered")
        asyncio.get_running_loop().call_later(0.3, played.reply, said)

    played.err = once
    [fault] = await played.play.play()
    assert fault.startswith("2 answers instead of one to")
    assert first


async def test_an_answer_elsewhere_is_found(played: Played) -> None:
    """Words in another channel answer nothing."""

    async def elsewhere(said: Message) -> None:
        [place] = [one for one in played.discord.world.channels.values() if one.name == "setup"]
        played.discord.say(played.discord.bot_user, place, "Yes.")
        await played.end(said, "answered")

    played.err = elsewhere
    missing, stray = await played.play.play()
    assert missing.startswith("no answers instead of one to")
    assert stray.startswith("an answer to nothing: “Yes.” in #setup")


async def test_an_event_without_an_end_is_found(played: Played) -> None:
    """An answer is not enough: the event must have ended as answered."""
    played.err = played.reply
    [fault] = await played.play.play()
    assert fault.endswith("ended as nothing at all")


async def test_an_unknown_route_is_found(played: Played) -> None:
    """A request that the local Discord does not know fails the demo."""
    played.discord.unknown_routes.append("GET /api/v10/nowhere")
    assert await played.play.play() == ["the local Discord does not know GET /api/v10/nowhere"]


# -- the command line


def test_a_real_discord_is_no_stage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With DISCORD_TOKEN set the demo refuses in one sentence."""
    monkeypatch.setenv("DISCORD_TOKEN", "x")
    assert main(["demo"]) == 1
    assert "unset DISCORD_TOKEN" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["80000", "-1", "http"])
def test_a_wrong_port_is_explained(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A port out of range names the range."""
    with pytest.raises(SystemExit, match="2"):
        main(["run", f"--port={port}"])
    assert "0 to 65535" in capsys.readouterr().err


# -- the transcript


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("out", "coloured"), [(Terminal(), True), (io.StringIO(), False)])
def test_colour_is_for_terminals(
    out: io.StringIO, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Escape codes go to a terminal and not into a file."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    discord = LocalDiscord(bot_name="Aurora")
    places = found(discord)
    said = discord.say(places.ada, places.general, f"{discord.bot_user.mention} hello")
    Transcript(discord, out).line(said, took=0.25)
    assert ("\033[" in out.getvalue()) is coloured
    assert "@Aurora hello" in out.getvalue()
    assert "0.25 s" in out.getvalue()


def test_what_people_say_is_shown_as_it_is() -> None:
    """Signs that the terminal's library has a meaning for have none in a message."""
    out = io.StringIO()
    discord = LocalDiscord(bot_name="Aurora")
    places = found(discord)
    Transcript(discord, out).line(discord.say(places.ada, places.general, "[bold]a[/] :smile:"))
    assert "[bold]a[/] :smile:" in out.getvalue()


def test_a_long_message_is_broken_into_lines_below_each_other() -> None:
    """All of it is shown, in its own column."""
    out = io.StringIO()
    discord = LocalDiscord(bot_name="Aurora")
    places = found(discord)
    text = " ".join(f"word{number}" for number in range(40))
    Transcript(discord, out).line(discord.say(places.ada, places.general, text))
    first, *more = out.getvalue().splitlines()
    column = first.index("word0")
    assert more
    assert " ".join(line[column:].strip() for line in [first, *more]) == text
    assert all(line[:column].strip() == "" for line in more)
