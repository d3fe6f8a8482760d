"""Reactions, of the bot and to it."""

from __future__ import annotations

import discord
import pytest

from doubles.local_discord import Message, Overwrite, permissions
from tests.support.doubles.looking import partial, refused
from tests.support.local_town import LocalTown

TWENTY = [chr(0x1F600 + number) for number in range(20)]


@pytest.fixture
def said(town: LocalTown) -> Message:
    """A message to react to."""
    return town.server.say(town.bert, town.general, "react!")


async def test_a_reaction_is_kept_and_taken_back(
    town: LocalTown, client: discord.Client, said: Message
) -> None:
    """The bot's reaction stands on the message until it is removed."""
    assert client.user is not None
    await partial(client, said).add_reaction("👍")
    assert said.reactions == {"👍": {town.server.bot_user.id}}
    await partial(client, said).remove_reaction("👍", client.user)
    assert said.reactions == {}


@pytest.mark.parametrize(
    "emoji", ["✅", "❤️", "👍🏽", "🇩🇪", "3️⃣", "👨‍👩‍👧", "🏴\U000e0067\U000e007f"]
)
async def test_emojis_of_all_kinds_are_known(
    client: discord.Client, said: Message, emoji: str
) -> None:
    """Sequences count as one emoji."""
    await partial(client, said).add_reaction(emoji)
    assert list(said.reactions) == [emoji]


@pytest.mark.parametrize("emoji", ["thumbsup", "a", "👍👍", "party:123456789012345678"])
async def test_an_unknown_emoji_is_refused(
    client: discord.Client, said: Message, emoji: str
) -> None:
    """Words, two emojis at once and foreign ids are none."""
    with refused(10014):
        await partial(client, said).add_reaction(emoji)


async def test_a_guilds_own_emoji_is_known(
    town: LocalTown, client: discord.Client, said: Message
) -> None:
    """Custom emojis are named with their id."""
    key = town.server.add_emoji(town.guild, "wave")
    await partial(client, said).add_reaction(key)
    assert list(said.reactions) == [key]


async def test_a_new_emoji_takes_a_right(
    town: LocalTown, client: discord.Client, said: Message
) -> None:
    """Without it one may only join what is there."""
    town.server.react(town.anna, said, "👍")
    deny = Overwrite.of(town.guild.everyone, deny=permissions.ADD_REACTIONS)
    town.server.set_overwrites(town.general, (deny,))
    await partial(client, said).add_reaction("👍")
    with refused(50013, discord.Forbidden):
        await partial(client, said).add_reaction("👎")


async def test_the_twenty_first_emoji_is_refused(
    town: LocalTown, client: discord.Client, said: Message
) -> None:
    """A message holds twenty different ones."""
    for emoji in TWENTY:
        town.server.react(town.bert, said, emoji)
    with refused(30010):
        await partial(client, said).add_reaction("👍")


async def test_a_reaction_to_an_unknown_message_is_refused(
    town: LocalTown, client: discord.Client, said: Message
) -> None:
    """What is deleted cannot be reacted to."""
    town.server.delete(said)
    with refused(10008, discord.NotFound):
        await partial(client, said).add_reaction("👍")


async def test_the_bot_hears_of_a_reaction(
    town: LocalTown, client: discord.Client, said: Message
) -> None:
    """A person's reaction comes over the gateway, with who and what."""
    heard: list[discord.RawReactionActionEvent] = []

    async def on_raw_reaction_add(event: discord.RawReactionActionEvent) -> None:
        heard.append(event)

    client.event(on_raw_reaction_add)
    town.server.react(town.anna, said, "👍")
    await town.server.wait_for(lambda: heard)
    assert (heard[0].user_id, str(heard[0].emoji), heard[0].message_id) == (
        town.anna.id,
        "👍",
        said.id,
    )


async def test_reactions_are_listed_with_their_people(
    town: LocalTown, client: discord.Client, said: Message
) -> None:
    """Who reacted can be asked for."""
    town.server.react(town.anna, said, "👍")
    town.server.react(town.bert, said, "👍")
    (reaction,) = (await partial(client, said).fetch()).reactions
    assert {user.id async for user in reaction.users()} == {town.anna.id, town.bert.id}


async def test_clearing_takes_a_moderator(
    town: LocalTown, client: discord.Client, said: Message
) -> None:
    """Others' reactions are not the bot's to remove."""
    town.server.react(town.anna, said, "👍")
    with refused(50013, discord.Forbidden):
        await partial(client, said).clear_reactions()
    with refused(50013, discord.Forbidden):
        await partial(client, said).remove_reaction("👍", discord.Object(town.anna.id))


async def test_a_person_without_the_right_cannot_react(town: LocalTown, said: Message) -> None:
    """People are held to the same rules."""
    deny = Overwrite.of(town.guild.everyone, deny=permissions.ADD_REACTIONS)
    town.server.set_overwrites(town.general, (deny,))
    with pytest.raises(PermissionError):
        town.server.react(town.bert, said, "👍")
