"""A kill -9 in the moment in which a progress line was posted, and not recorded yet."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from doubles.local_discord import Channel, Message
from doubles.quick_app_server import Plan, channel_of

from .life import Life
from .town import Fate, Size, SoakTown, open_town


def written(town: SoakTown, room: Channel) -> list[Message]:
    """Return what the bot wrote in a room, and nobody has taken away."""
    bot = town.discord.bot_user
    return [one for one in town.discord.messages(room) if one.author is bot]


def ask(town: SoakTown, room: Channel) -> Message:
    """Let the mayor ask something."""
    return town.discord.say(town.mayor, room, f"<@{town.discord.bot_user.id}> hello?")


@pytest.mark.long
async def test_neither_a_line_is_left_nor_a_second_answer_and_the_button_works(
    tmp_path: Path,
) -> None:
    """One line was recorded, of the other only Discord knows; both runs were under way."""
    size = Size(guilds=1, channels=2, people=1)
    async with open_town(random.Random(1), size) as town:  # noqa: S311 - nothing is drawn
        (guild,) = town.guilds
        known, unknown = guild.channels.values()
        town.server.script = lambda _prompt: Plan("too late", delay=60.0)
        home = town.home(tmp_path)
        async with Life(home, await town.wishes()) as life:
            await life.listens()
            stopped = ask(town, known)
            await town.discord.wait_for(lambda: written(town, known) or None, 20)
            fate = Fate(life.kill, applied=True, after=True)
            town.on_post = lambda: None if life.killed else fate
            ask(town, unknown)
            await life.over.wait()
            await life.gone()
        town.leave_in_peace()
        # Nobody comes back to the session of a process that is gone.
        town.discord.gateway.sessions.clear()
        (line,), (orphan,) = written(town, known), written(town, unknown)
        assert line.components
        assert orphan.components
        town.server.script = lambda prompt: Plan(
            "Hello.", delay=60.0 if channel_of(prompt) == str(known.id) else 0.0
        )
        async with Life(home) as life:
            await life.listens()
            await town.discord.wait_for(
                lambda: [one.content for one in written(town, unknown)] == ["Hello."] or None, 30
            )
            custom_id = str(line.components[0]["components"][0]["custom_id"])
            town.discord.press(town.mayor, line, custom_id)
            await town.discord.wait_for(lambda: line.components == [] or None, 30)
            life.ask_to_stop()
            await life.gone()
        assert [one.content for one in written(town, known)] == [
            f"⏹️ Stopped by <@{town.mayor.id}>."
        ]
        assert [one.content for one in written(town, unknown)] == ["Hello."]
        assert town.discord.bot_user.id in stopped.reactions["⏹️"]
