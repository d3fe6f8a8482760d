"""Random guilds, the same as discord.py knows them, and who truly reads what in them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import discord
from hypothesis import strategies as st

from aurora.guard.gates import Gate, gate_of
from doubles.local_discord import Channel, Guild, LocalDiscord, Overwrite, User, permissions
from doubles.local_discord.model import PRIVATE_THREAD, PUBLIC_THREAD, Member, Role, Thread

BITS = (
    permissions.VIEW_CHANNEL,
    permissions.READ_MESSAGE_HISTORY,
    permissions.CONNECT,
    permissions.MANAGE_THREADS,
    permissions.ADMINISTRATOR,
    permissions.SEND_MESSAGES,
)
TEXT, VOICE, NEWS, STAGE, FORUM = 0, 2, 5, 13, 15

masks = st.sets(st.sampled_from(BITS), max_size=4).map(sum)
# Administrator can't stand in an overwrite.
rules = masks.map(lambda mask: mask & ~permissions.ADMINISTRATOR)


class RandomTown(NamedTuple):
    """A guild in a local Discord, and the same as discord.py knows it."""

    local: LocalDiscord
    guild: Guild
    places: list[Channel]
    known: discord.Guild

    def gate(self, place: Channel) -> Gate:
        """Return a place's gate; a private thread's with its guests."""
        channel = self.known.get_channel_or_thread(place.id)
        if channel is None:
            # An archived thread, or one that the bot does not see.
            assert place.thread is not None
            data: Any = place.payload(self.local.bot_user.id)
            channel = discord.Thread(guild=self.known, state=self.known._state, data=data)
        gate = gate_of(channel, place.thread.members if place.thread else None)
        assert gate is not None
        return gate


@st.composite
def random_towns(draw: st.DrawFn, *, crowded: bool = False) -> RandomTown:
    """Draw a small guild with every kind of place in it, known to a client that is all there.

    In a crowded one every combination of roles has its holder.
    """
    local = LocalDiscord()
    guild = local.add_guild("Town", owner=local.owner)
    guild.everyone.permissions = draw(masks) & ~permissions.ADMINISTRATOR
    roles = [
        local.add_role(guild, f"role {index}", permissions=draw(masks))
        for index in range(draw(st.integers(0, 4)))
    ]
    people = [
        local.add_user(f"person {index}", bot=draw(st.booleans()))
        for index in range(draw(st.integers(0, 5)))
    ]
    for combination in _subsets(roles) if crowded else ():
        local.add_member(guild, local.add_user("holder"), roles=combination)
    for person in people:
        held = draw(st.sets(st.sampled_from(roles))) if roles else ()
        local.add_member(guild, person, roles=tuple(held))
        if person.bot:
            managed = local.add_role(guild, person.name, permissions=draw(masks))
            managed.managed, managed.bot_id = True, person.id
            guild.members[person.id].roles.append(managed.id)
    targets: list[Role | User] = [guild.everyone, local.bot_user, *guild.roles.values(), *people]
    places = []
    for index in range(draw(st.integers(2, 4))):
        named = draw(st.lists(st.sampled_from(targets), max_size=4))
        overwrites = [Overwrite.of(one, allow=draw(rules), deny=draw(rules)) for one in named]
        kind = draw(st.sampled_from((TEXT, TEXT, VOICE, NEWS, STAGE, FORUM)))
        place = local.add_channel(guild, f"place {index}", type=kind, overwrites=tuple(overwrites))
        places.append(place)
        if kind not in (VOICE, STAGE):
            places += draw(_threads(local, place, people))
    return RandomTown(local, guild, places, known_to_discord_py(local, guild))


def _subsets(roles: list[Role]) -> Iterator[tuple[Role, ...]]:
    """Yield every choice of roles."""
    for count in range(len(roles) + 1):
        yield from itertools.combinations(roles, count)


@st.composite
def _threads(draw: st.DrawFn, local: LocalDiscord, parent: Channel, people: list[User]) -> Any:
    """Draw the threads of a channel."""
    made = []
    for private in draw(st.lists(st.booleans(), max_size=2)):
        guests = draw(st.sets(st.sampled_from(people))) if people else ()
        alone = private and parent.type == TEXT
        thread = make_thread(local, parent, *guests, private=alone)
        made.append(thread)
    return made


def known_to_discord_py(local: LocalDiscord, guild: Guild) -> discord.Guild:
    """Return a guild as a client knows it to which it has just come."""
    state = discord.Client(intents=discord.Intents.all())._connection
    user: Any = local.bot_user.payload()
    state.user = discord.ClientUser(state=state, data=user)
    payload: Any = local.world.guild_payload(guild)
    return state._add_guild_from_data(payload)


# -- the oracle: Discord's own computation, for each member, by the double


def truly_hears(place: Channel, member: Member) -> bool:
    """Tell whether somebody sees what is said in a place from now on."""
    needed = permissions.VIEW_CHANNEL | (permissions.CONNECT if place.is_voice else 0)
    return permissions.in_channel(place, member.user.id) & needed == needed


def truly_reads(place: Channel, member: Member) -> bool:
    """Tell whether somebody may read what was said in a place."""
    granted = permissions.in_channel(place, member.user.id)
    return truly_hears(place, member) and bool(granted & permissions.READ_MESSAGE_HISTORY)


def _home(place: Channel) -> Channel:
    """Return what a public thread counts as."""
    return place.parent if place.type == PUBLIC_THREAD and place.parent else place


def make_thread(
    local: LocalDiscord, parent: Channel, *guests: User, private: bool = False
) -> Channel:
    """Open a thread with guests in it."""
    kind = PRIVATE_THREAD if private else PUBLIC_THREAD
    thread = Channel(local.world.ids.new(), kind, "thread", parent.guild, parent)
    thread.thread = Thread(local.owner.id)
    thread.thread.members = dict.fromkeys((one.id for one in guests), "2026-01-01T00:00:00Z")
    local.world.open_thread(parent, thread)
    return thread


def truly_within(town: RandomTown, here: Channel, there: Channel) -> bool:
    """Ask each member."""
    mine, theirs = _home(here), _home(there)
    comes = truly_reads if theirs in (mine, mine.parent) else truly_hears
    others = (one for one in town.guild.members.values() if one.user is not town.local.bot_user)
    return all(truly_reads(there, one) for one in others if comes(here, one))
