"""What tests of the status commands share: reading answers, questions, and many events."""

from __future__ import annotations

import re
import sys
from typing import Any

from doubles.local_discord import (
    Channel,
    Message,
    Overwrite,
    User,
    permissions,
)
from tests.support.e2e.hands import button
from tests.support.e2e.town import Town


def read(message: Message) -> str:
    """Return all that a message says, with its embeds."""
    lines = [message.content]
    for embed in message.embeds:
        lines.append(f"**{embed['title']}**")
        for one in embed.get("fields", ()):
            lines += [f"__{one['name']}__", one["value"]]
    return "\n".join(filter(None, lines))


async def page(
    town: Town, command: str, *, author: User | None = None, channel: Channel | None = None
) -> str:
    """Type a command and return all that the answer says."""
    await town.command(command, author=author, channel=channel)
    return read(town.bot_messages(channel or town.general)[-1])


async def answer_question(
    town: Town,
    command: str,
    press: str,
    *,
    author: User | None = None,
    channel: Channel | None = None,
) -> str:
    """Type a command, press a button under its question, and return what is said then."""
    place = channel or town.general
    await town.command(command, author=author, channel=place)
    question = town.bot_messages(place)[-1]
    town.discord.press(author or town.ada, question, button(question, press))
    after = question.id
    said = await town.discord.wait_for(
        lambda: [one for one in town.bot_messages(place) if one.id > after]
    )
    return said[-1].content


async def all_pages(town: Town, command: str) -> list[str]:
    """Type a command and return all that its menu shows, page by page."""
    await town.command(command)
    message = town.bot_messages(town.general)[-1]
    said = [read(message)]
    while (forward := _forward(message)) is not None:
        town.discord.press(town.ada, message, forward)
        await town.discord.wait_for(lambda: read(message) != said[-1] or None)
        said.append(read(message))
        number, count = re.findall(r"\((\d+)/(\d+)\)", said[-1])[0]
        if number == count:
            break
    return said


def _forward(message: Message) -> str | None:
    """Return the id of the button that turns to the next page, if there are pages."""
    buttons = [one for row in message.components for one in row["components"]]
    found = [one for one in buttons if "\N{BLACK RIGHT-POINTING TRIANGLE}" in str(one["emoji"])]
    return str(found[0]["custom_id"]) if found else None


def no_embeds(town: Town) -> None:
    """Forbid embeds in the town's channel."""
    deny = Overwrite.of(town.guild.everyone, deny=permissions.EMBED_LINKS)
    town.discord.set_overwrites(town.general, (deny,))


def add_mod(town: Town, name: str = "cy") -> User:
    """Let somebody join who manages the guild and nothing else."""
    mods = town.discord.add_role(town.guild, "mods", permissions=permissions.MANAGE_GUILD)
    mod = town.discord.add_user(name)
    town.discord.add_member(town.guild, mod, roles=(mods,))
    return mod


async def fill(town: Town, count: int, **changes: Any) -> list[Any]:
    """Put events into the queue as if so many people had asked in as many channels."""
    # The cog's own classes: they are others after each load.
    model: Any = sys.modules["aurora.model"]
    ids: Any = sys.modules["aurora.ids"]
    queue, clock = town.cog.services.queue, town.cog.services.clock
    made = []
    for _ in range(count):
        message_id = town.discord.world.ids.new()
        event = model.Event(
            id=ids.new_event_id(clock.time()),
            kind="mention",
            message_id=message_id,
            channel_id=town.discord.world.ids.new(),
            guild_id=town.guild.id,
            author_id=town.bo.id,
            accepted_at=clock.time(),
            expires_at=clock.time() + 900,
            context={"message": {"content": "SECRET WORDS"}},
        )
        for key, value in changes.items():
            setattr(event, key, value)
        assert await queue.enqueue(event) == "accepted"
        made.append(event)
    return made
