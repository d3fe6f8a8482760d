"""A real Red in a local Discord."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from pathlib import Path

import discord
import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from sandbox.red import LocalRed, environment
from tests.support.local_town import LocalTown

COG = '''
import discord
from redbot.core import Config, commands

class Hello(commands.Cog):
    """Says hello."""

    def __init__(self, bot):
        self.config = Config.get_conf(self, identifier=1)
        self.config.register_global(count=0)
        self.seen = []

    @commands.Cog.listener()
    async def on_message_without_command(self, message):
        self.seen.append(message.content)

    @commands.hybrid_command()
    async def hello(self, ctx):
        """Say hello and count."""
        count = await self.config.count() + 1
        await self.config.count.set(count)
        await ctx.send(f"hello {count}")

async def setup(bot):
    await bot.add_cog(Hello(bot))
'''


@pytest.fixture
def cogs(tmp_path: Path) -> Path:
    """A folder with one small cog."""
    package = tmp_path / "cogs here" / "hellocog"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(COG, encoding="utf-8")
    return package.parent


def last(town: LocalTown) -> str:
    """Return the text of the last message."""
    return town.server.messages(town.general)[-1].content


@pytest.mark.usefixtures("red")
async def test_ping_is_answered_in_a_guild_and_a_dm(town: LocalTown) -> None:
    """Red's own command works in both places."""
    for place in (town.general, town.server.open_dm(town.bert)):
        town.server.say(town.bert, place, "!ping")
        answer = await town.server.wait_for(
            lambda place=place: town.server.messages(place)[1:]  # type: ignore[misc]
        )
        assert (answer[0].content, answer[0].author) == ("Pong.", town.server.bot_user)


@pytest.mark.usefixtures("red")
async def test_help_is_answered(town: LocalTown) -> None:
    """Embeds of some size go through."""
    town.server.say(town.bert, town.general, "!help")
    await town.server.wait_for(lambda: len(town.server.messages(town.general)) > 1)
    assert town.server.messages(town.general)[-1].embeds


async def test_a_cog_loads_and_keeps_its_settings(
    town: LocalTown, cogs: Path, tmp_path: Path
) -> None:
    """On the first boot of an instance, and on the second with what the first one stored."""
    for count in (1, 2):
        red = await LocalRed.boot(
            tmp_path / "data", discord=town.server, cogs=["hellocog"], cog_paths=[cogs]
        )
        town.server.say(town.bert, town.general, "!hello")
        await town.server.wait_for(lambda count=count: last(town) == f"hello {count}")  # type: ignore[misc]
        await red.close()
    assert "hellocog" not in sys.modules


async def test_another_instance_starts_from_nothing(
    town: LocalTown, cogs: Path, tmp_path: Path
) -> None:
    """Nothing of one Red's settings is left for the next."""
    for name in ("one", "two"):
        red = await LocalRed.boot(
            tmp_path / name, discord=town.server, cogs=["hellocog"], cog_paths=[cogs]
        )
        town.server.say(town.bert, town.general, "!hello")
        await town.server.wait_for(lambda: last(town) == "hello 1")
        await red.close()
        gc.collect()  # late finalizers of the first must not touch the second


async def test_a_cog_that_fails_says_so(town: LocalTown, tmp_path: Path) -> None:
    """Booting without it would only be noticed later."""
    with pytest.raises(RuntimeError, match="nosuchcog"):
        await LocalRed.boot(tmp_path, discord=town.server, cogs=["nosuchcog"])


async def test_a_wrong_token_ends_the_boot(town: LocalTown, tmp_path: Path) -> None:
    """A start that died must not be waited for."""
    with pytest.raises(discord.LoginFailure):
        await LocalRed.boot(tmp_path, discord=town.server, token="wrong")


async def test_two_at_once_are_refused(town: LocalTown, red: LocalRed, tmp_path: Path) -> None:
    """Red's module state allows one in a process."""
    assert red.bot.is_ready()
    with pytest.raises(RuntimeError, match="already running"):
        await LocalRed.boot(tmp_path / "second", discord=town.server)


async def test_a_slash_command_is_enabled_synced_and_used(
    town: LocalTown, cogs: Path, tmp_path: Path
) -> None:
    """The whole way that an owner goes."""
    red = await LocalRed.boot(
        tmp_path, discord=town.server, cogs=["hellocog"], cog_paths=[cogs], owner=town.anna
    )
    with pytest.raises(LookupError):
        town.server.slash(town.bert, town.general, "hello")
    town.server.say(town.anna, town.general, "!slash enable hello")
    await town.server.wait_for(lambda: "nabled" in last(town))
    town.server.say(town.anna, town.general, "!slash sync")
    await town.server.wait_for(lambda: "ynced" in last(town))
    sent = town.server.slash(town.bert, town.general, "hello")
    assert await town.server.wait_for(lambda: sent.content) == "hello 1"
    await red.close()


async def test_a_button_opens_a_form_that_stores_a_token(town: LocalTown, red: LocalRed) -> None:
    """Red's own way of taking secrets: button, form, event."""
    told: list[str] = []

    async def on_red_api_tokens_update(service_name: str, _tokens: object) -> None:
        told.append(service_name)

    red.bot.add_listener(on_red_api_tokens_update)
    town.server.say(town.anna, town.general, "!set api")
    message = await town.server.wait_for(
        lambda: next((m for m in town.server.messages(town.general) if m.components), None)
    )
    custom_id = message.components[0]["components"][0]["custom_id"]
    pressed = town.server.press(town.anna, message, custom_id)
    await town.server.wait_for(lambda: pressed.modal)
    fields = {"Service": "letta", "Keys and tokens": "token abc"}
    submitted = town.server.submit_modal(town.anna, pressed, fields)
    await town.server.wait_for(lambda: "letta" in (submitted.content or ""))
    await town.server.wait_for(lambda: told)
    assert await red.bot.get_shared_api_tokens("letta") == {"token": "abc"}


async def test_nothing_is_lost_when_the_socket_drops(
    town: LocalTown, cogs: Path, tmp_path: Path
) -> None:
    """Red resumes, and its listener hears every message once."""
    red = await LocalRed.boot(tmp_path, discord=town.server, cogs=["hellocog"], cog_paths=[cogs])
    seen = red.bot.get_cog("Hello").seen  # type: ignore[union-attr]
    await town.server.drop_gateway()
    for number in range(10):
        town.server.say(town.bert, town.general, str(number))
    await town.server.wait_for(lambda: len(seen) >= 10)
    assert seen == [str(number) for number in range(10)]
    await red.close()


async def test_twenty_boots_leave_nothing(town: LocalTown, cogs: Path, tmp_path: Path) -> None:
    """No task, no module, no address and no path stays behind."""
    before = (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, list(sys.path))
    tasks = asyncio.all_tasks()
    for number in range(20):
        red = await LocalRed.boot(
            tmp_path / str(number), discord=town.server, cogs=["hellocog"], cog_paths=[cogs]
        )
        town.server.say(town.bert, town.general, "!ping")
        await town.server.wait_for(lambda: last(town) == "Pong.")
        await red.close()
    await town.server.wait_for(lambda: not town.server.gateway.connections)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - tasks == set()
    assert (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, list(sys.path)) == before
    assert "hellocog" not in sys.modules
    assert town.server.gateway.sessions == {}


async def test_the_real_binary_answers_and_ends_cleanly(town: LocalTown, tmp_path: Path) -> None:
    """`redbot-setup`, `redbot`, `!ping`, SIGTERM: unmodified, as a process of its own."""
    env = environment(town.server, tmp_path)
    data = tmp_path / "instance"
    setup = await _run(
        "redbot-setup",
        "--no-prompt",
        "--instance-name",
        "local",
        "--data-path",
        str(data),
        "--backend",
        "json",
        env=env,
    )
    assert await setup.wait() == 0
    red = await _run("redbot", "local", "--no-prompt", "--prefix", "!", env=env)
    try:
        await town.server.wait_for(lambda: town.server.gateway.connected, timeout=30)
        town.server.say(town.bert, town.general, "!ping")
        await town.server.wait_for(lambda: last(town) == "Pong.", timeout=15)
        red.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(red.wait(), 15) == 0
    finally:
        if red.returncode is None:
            red.kill()
            await red.wait()


async def _run(name: str, *arguments: str, env: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / name),
        *arguments,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
