"""What an owner does with commands besides typing them."""

from __future__ import annotations

from doubles.local_discord import Channel, Interaction, Message
from tests.support.e2e.town import Town


def button(message: Message, label: str) -> str:
    """Return the id of a message's button."""
    rows = message.components
    return next(
        str(one["custom_id"]) for row in rows for one in row["components"] if one["label"] == label
    )


async def register(town: Town) -> None:
    """Register the slash commands, as an owner does."""
    await town.command("slash enable aurora")
    await town.command("slash enable ask")
    await town.command('slash enable "Ask Aurora about this" message')
    bot = town.red.bot
    try:
        assert "Synced" in await town.command("slash sync")
    finally:
        # The command's cooldown outlives this Red, and other tests sync too.
        context = await bot.get_context(bot.cached_messages[-1])
        sync = bot.get_command("slash sync")
        assert sync is not None
        sync.reset_cooldown(context)


async def slash(town: Town, name: str, **options: str) -> str:
    """Use a slash command and return its answer."""
    interaction: Interaction = town.discord.slash(town.ada, town.general, name, options)
    return await town.discord.wait_for(lambda: interaction.content)


async def question_of(town: Town, command: str, channel: Channel | None = None) -> Message:
    """Type a command that asks something back, and return the question."""
    await town.command(command, channel=channel)
    question = town.bot_messages(channel or town.general)[-1]
    assert question.components, question.content
    return question


async def reply(town: Town, question: Message, label: str, timeout: float = 30.0) -> str:
    """Press a button of a question and return what is said at last."""
    place, count = question.channel, len(town.bot_messages(question.channel))
    town.discord.press(town.ada, question, button(question, label))
    await town.discord.wait_for(lambda: len(town.bot_messages(place)) > count or None, timeout)
    return town.bot_messages(place)[-1].content
