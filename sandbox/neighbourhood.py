"""The little world that the sandbox opens with: two guilds, four people, a few words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doubles.local_discord import (
    CATEGORY,
    FORUM,
    TEXT,
    VOICE,
    Channel,
    Guild,
    User,
)

if TYPE_CHECKING:
    from doubles.local_discord import LocalDiscord


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """People and places by name. `ada` owns both guilds and the bot; `cleo` has no global name."""

    ada: User
    bo: User
    cleo: User
    dov: User
    guild: Guild
    workshop: Guild
    general: Channel
    dev: Channel
    setup: Channel
    thread: Channel
    post: Channel
    bench: Channel

    @property
    def people(self) -> tuple[User, ...]:
        """Everybody one can be."""
        return (self.ada, self.bo, self.cleo, self.dov)

    @property
    def guilds(self) -> tuple[Guild, ...]:
        """Both guilds."""
        return (self.guild, self.workshop)


def found(discord: LocalDiscord) -> Neighbourhood:
    """Fill an empty local Discord."""
    ada = discord.add_user("ada", global_name="Ada")
    bo = discord.add_user("bo", global_name="Bo")
    cleo = discord.add_user("cleo")
    dov = discord.add_user("dov", global_name="Dov")
    guild = discord.add_guild("Northern Lights", owner=ada)
    workshop = discord.add_guild("Workshop", owner=ada)
    for person in (bo, cleo, dov):
        discord.add_member(guild, person)
    discord.add_member(workshop, bo)
    discord.add_role(guild, "Stargazers", mentionable=True)
    discord.add_role(guild, "Crew")
    general = _channel(discord, guild, "general", "Everything that has no channel of its own")
    dev = _channel(discord, guild, "dev", "Where things are built")
    ideas = discord.add_channel(guild, "ideas", type=FORUM)
    discord.add_channel(guild, "Lounge", type=VOICE)
    backstage = discord.add_channel(guild, "Backstage", type=CATEGORY)
    setup = discord.add_channel(guild, "setup", parent=backstage)
    setup.topic = "How this bot was set up; the same commands work on a real server"
    bench = _channel(discord, workshop, "bench", "Another server, the same bot")
    return Neighbourhood(
        ada=ada,
        bo=bo,
        cleo=cleo,
        dov=dov,
        guild=guild,
        workshop=workshop,
        general=general,
        dev=dev,
        setup=setup,
        thread=discord.start_thread(dev, "release notes", owner=dov),
        post=discord.start_post(
            ideas, "Forecast lamp", "A lamp that shows the forecast. Who joins in?", author=bo
        ),
        bench=bench,
    )


def _channel(discord: LocalDiscord, guild: Guild, name: str, topic: str) -> Channel:
    channel = discord.add_channel(guild, name, type=TEXT)
    channel.topic = topic
    return channel
