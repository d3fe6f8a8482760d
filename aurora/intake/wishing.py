"""What somebody may want of a run besides an answer: by whom, compared, or before all others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import discord

from ..chat.places import Place
from ..model import NO_WISH, Wish
from ..settings import Settings
from ..words import Phrase
from ..words import roles as w

DEFAULT = "default"
"""The name of the server's own agent, where a role could be named."""
MOST_COMPARED, LEAST_COMPARED = 3, 2


@dataclass(frozen=True, slots=True)
class Wishes:
    """Reads what is wanted, and remembers who was chosen; `owns` tells of the bot's owner."""

    settings: Settings
    owns: Callable[[int], Awaitable[bool]]

    def roles(self, guild_id: int | None) -> Sequence[str]:
        """Return whom one may ask in a guild: the server's own agent, and its roles."""
        return (DEFAULT, *self.settings.guild(guild_id).roles)

    async def read(
        self,
        person_id: int,
        guild_id: int | None,
        agent: str = "",
        *,
        compare: bool = False,
        breakglass: bool = False,
    ) -> Wish | Phrase:
        """Return what is wanted, or say why that can't be had.

        `agent` is the name of a role; several, with commas between, for those that are compared.
        """
        known = self.roles(guild_id)
        names = [one.strip().lower() for one in agent.split(",") if one.strip()]
        if unknown := [one for one in names if one not in known]:
            return w.NO_ROLE(name=unknown[0][:40], names=", ".join(known))
        if breakglass and not await self.owns(person_id):
            return w.OWNER_ONLY
        wish = NO_WISH._replace(strong=breakglass, first=breakglass)
        if compare:
            chosen = tuple(dict.fromkeys(names or (*known[1:], DEFAULT)))
            if len(chosen) < LEAST_COMPARED:
                return w.NOTHING_TO_COMPARE
            return wish._replace(compare=chosen[:MOST_COMPARED])
        if len(names) > 1:
            return w.ONE_ROLE
        return wish._replace(role=names[0] if names else "")

    async def stick(
        self,
        place: Place | discord.DMChannel,
        person: discord.User | discord.Member,
        wish: Wish,
    ) -> None:
        """Let who was chosen answer there from now on.

        In a thread anybody chooses for it; in a channel, which many share, who may manage messages
        there.
        """
        if not wish.role or isinstance(place, discord.DMChannel):
            return
        if not isinstance(place, discord.Thread):
            member = person if isinstance(person, discord.Member) else None
            if member is None or not place.permissions_for(member).manage_messages:
                return
        role = "" if wish.role == DEFAULT else wish.role
        await self.settings.stick(place.guild.id, place.id, role)
