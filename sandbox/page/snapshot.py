"""The whole picture that a page gets when it connects, in Discord's own words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from doubles.local_discord import DM

if TYPE_CHECKING:
    from doubles.local_discord import Channel, Guild, LocalDiscord, Message, User

MESSAGES_PER_CHANNEL = 300
NOTHING: Mapping[str, Any] = {
    "bot": None,
    "people": [],
    "users": [],
    "guilds": [],
    "dms": [],
    "messages": {},
}
"""What there is to say where there is no local Discord."""


def of(discord: LocalDiscord, people: Iterable[User]) -> dict[str, Any]:
    """Describe a local Discord: users, places, messages, and who sees which places.

    Args:
        discord: what there is.
        people: whom one can be on the page.

    """
    world, people = discord.world, list(people)
    channels = world.channels.values()
    return {
        "bot": world.bot.payload(),
        "people": [str(user.id) for user in people],
        "sees": {str(user.id): _seen(discord, user) for user in people},
        "users": [user.payload() for user in world.users.values()],
        "guilds": [_guild(guild, world.bot.id) for guild in world.guilds.values()],
        "dms": [_dm(channel, world.bot.id) for channel in channels if channel.type == DM],
        "messages": {
            str(channel.id): [
                _message(message, world.bot.id)
                for message in channel.messages[-MESSAGES_PER_CHANNEL:]
            ]
            for channel in channels
        },
    }


def _seen(discord: LocalDiscord, user: User) -> list[str]:
    return [
        str(channel.id)
        for guild in discord.world.guilds.values()
        for channel in discord.visible_channels(user, guild)
    ]


def _guild(guild: Guild, me: int) -> dict[str, Any]:
    places = [*guild.channels.values(), *guild.threads.values()]
    return {
        "id": str(guild.id),
        "name": guild.name,
        "roles": [{"id": str(role.id), "name": role.name} for role in guild.roles.values()],
        "channels": [place.payload(me) for place in places],
    }


def _dm(channel: Channel, me: int) -> dict[str, Any]:
    person = next(user for user in channel.recipients if user.id != me)
    return channel.payload(me) | {"recipient_id": str(person.id)}


def _message(message: Message, me: int) -> dict[str, Any]:
    # Discord's own object only counts reactions; here everybody can take back their own.
    reactors = {
        emoji: [str(user_id) for user_id in users] for emoji, users in message.reactions.items()
    }
    return message.payload(me) | {"reactors": reactors}
