"""Who may have an agent do what, and where: one table, asked of a real discord.py client.

Each cell lists what is allowed: r read, s send, a add a reaction. Commands and buttons have a
table of their own, in tests/e2e/test_permission_matrix.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aurora.guard.policy import Act, Denied, Target
from aurora.model import Event
from doubles.local_discord import Channel, Overwrite, User, permissions
from tests.support.events import make_event
from tests.support.stage import ON_STAGE, Stage, time_out, together

LETTERS = {"r": Act.READ, "s": Act.SEND, "a": Act.REACT}

# From the event's own channel, #general: that itself, another open one, one that only moderators
# write in, the moderators' own, a private thread between others, a locked thread, an
# age-restricted channel, a voice channel that is closed to all but moderators, a forum itself,
# a server's channel where all of them are members too, and the person's own direct messages. What
# not everybody in #general may read is not read from there, whoever asks.
PLACES = "general open news staff tea locked adults voice forum abroad dm"
TABLE = """
bot owner     rsa  rsa  r-a  ---  ---  r--  ---  ---  ---  ---  ---
guild owner   rsa  rsa  rsa  -sa  -sa  rsa  ---  -sa  ---  ---  ---
admin         rsa  rsa  rsa  -sa  -sa  rsa  ---  -sa  ---  ---  ---
manager       rsa  rsa  r-a  ---  ---  r--  ---  ---  ---  ---  ---
moderator     rsa  rsa  rsa  -sa  -sa  rsa  ---  -sa  ---  ---  ---
member        rsa  rsa  r-a  ---  ---  r--  ---  ---  ---  ---  ---
guest         rsa  rsa  r-a  ---  -sa  r--  ---  ---  ---  ---  ---
muted         r--  r--  r--  ---  ---  r--  ---  ---  ---  ---  ---
timed out     r--  r--  r--  ---  ---  r--  ---  ---  ---  ---  ---
left          ---  ---  ---  ---  ---  ---  ---  ---  ---  ---  ---
stranger      ---  ---  ---  ---  ---  ---  ---  ---  ---  ---  ---
bot           ---  ---  ---  ---  ---  ---  ---  ---  ---  ---  ---
webhook       ---  ---  ---  ---  ---  ---  ---  ---  ---  ---  ---
"""
ROWS = [(line[:13].strip(), line[13:].split()) for line in TABLE.strip().splitlines()]
EVERY_ROW = pytest.mark.parametrize(("who", "cells"), ROWS, ids=[row[0] for row in ROWS])
PRESENT = {
    "bot owner", "guild owner", "admin", "manager", "moderator", "member", "guest", "muted",
    "timed out",
}  # fmt: skip


class Quarter:
    """A stage with one of each kind of place, and one of each kind of actor."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.local, self.guild = stage, stage.local, stage.guild
        local, guild = self.local, self.guild
        self.mods = local.add_role(
            guild,
            "mods",
            permissions=permissions.MANAGE_MESSAGES | permissions.MANAGE_THREADS,
        )
        self.bots = Overwrite.of(local.bot_user, allow=permissions.VIEW_CHANNEL)
        # The guild's owner is another person than the bot's.
        self.keeper = local.add_user("keeper")
        self.abroad = local.add_guild("Abroad", owner=self.keeper)
        self.places = dict(zip(PLACES.split(), self._places(), strict=True))

    def _closed(self, name: str, taken: int, kind: int = 0) -> Channel:
        """Add a channel in which everybody but moderators lacks a right."""
        deny = Overwrite.of(self.guild.everyone, deny=taken)
        allow = Overwrite.of(self.mods, allow=taken)
        rules = (deny, allow, self.bots)
        return self.local.add_channel(self.guild, name, type=kind, overwrites=rules)

    def _places(self) -> Iterator[Channel]:
        stage, local, guild = self.stage, self.local, self.guild
        yield stage.channel
        yield local.add_channel(guild, "open")
        yield self._closed("news", permissions.SEND_MESSAGES)
        yield self._closed("staff", permissions.VIEW_CHANNEL)
        tea = local.start_thread(stage.channel, "tea", owner=stage.bob, private=True)
        local.join_thread(tea, local.bot_user)
        yield tea
        locked = local.start_thread(stage.channel, "locked", owner=stage.bob)
        local.archive(locked, locked=True)
        yield locked
        adults = local.add_channel(guild, "adults")
        adults.nsfw = True
        local.world.update_channel(adults)
        yield adults
        yield self._closed("voice", permissions.CONNECT, kind=2)
        yield local.add_channel(guild, "forum", type=15)
        yield local.add_channel(self.abroad, "abroad")
        yield local.open_dm(stage.ada)

    def actor(self, who: str) -> User:
        """Let somebody of a kind be there; by then whoever left has asked already."""
        local, guild = self.local, self.guild
        if who == "guild owner":
            return local.owner
        user = local.add_user(who.replace(" ", ""), bot=who == "bot")
        if who in ("stranger", "webhook"):
            return user
        rights = {
            "admin": permissions.ADMINISTRATOR,
            "manager": permissions.MANAGE_GUILD,
        }
        roles = [self.mods] if who == "moderator" else []
        if who in rights:
            roles.append(local.add_role(guild, who, permissions=rights[who]))
        local.add_member(guild, user, roles=tuple(roles))
        local.add_member(self.abroad, user)
        match who:
            case "guest":
                local.join_thread(self.places["tea"], user)
            case "muted":
                self._mute(user)
            case "timed out":
                time_out(self.stage, user)
            case "left":
                local.remove_member(guild, user)
        return user

    def _mute(self, user: User) -> None:
        """Take writing and reacting from somebody, everywhere."""
        taken = (
            permissions.SEND_MESSAGES
            | permissions.SEND_MESSAGES_IN_THREADS
            | permissions.ADD_REACTIONS
        )
        for channel in list(self.guild.channels.values()):
            if channel.thread is None:
                rule = Overwrite.of(user, deny=taken)
                self.local.set_overwrites(channel, (*channel.overwrites.values(), rule))

    async def allowed(self, event: Event, act: Act, target: Target) -> bool:
        """Tell whether somebody's agent may do something."""
        turn = together(event)
        turn.agent_id = ON_STAGE
        return not isinstance(await self.stage.guard.ask(turn, act, target), Denied)


@pytest.fixture
def quarter(stage: Stage) -> Quarter:
    """All the places."""
    return Quarter(stage)


def asked_by(user: User, place: Channel) -> Event:
    """Return an event of somebody's, in a place."""
    return make_event(
        message_id=1,
        channel_id=place.id,
        guild_id=place.guild.id if place.guild else None,
        author_id=user.id,
    )


async def cell(quarter: Quarter, event: Event, place: Channel) -> str:
    """Return what is allowed in a place, in letters."""
    found = [
        letter if await quarter.allowed(event, act, Target(place.id)) else "-"
        for letter, act in LETTERS.items()
    ]
    return "".join(found)


@EVERY_ROW
async def test_an_agent_may_what_its_asker_may(
    quarter: Quarter, who: str, cells: list[str]
) -> None:
    """Read, send and react, from #general in every kind of place."""
    event = asked_by(quarter.actor(who), quarter.places["general"])
    found = {name: await cell(quarter, event, place) for name, place in quarter.places.items()}
    assert found == dict(zip(PLACES.split(), cells, strict=True))


ALIKE = {
    Act.SEARCH: Act.READ,
    Act.THREADS: Act.READ,
    Act.ATTACH: Act.SEND,
    Act.POLL: Act.SEND,
    Act.EDIT: Act.SEND,
    Act.START_THREAD: Act.SEND,
}
"""Acts that are allowed where another is, unless a right of their own is taken."""


@EVERY_ROW
async def test_what_is_like_reading_or_sending_is_allowed_where_that_is(
    quarter: Quarter, who: str, cells: list[str]
) -> None:
    """But for a forum, which is searched and whose posts are listed, and that is all."""
    event = asked_by(quarter.actor(who), quarter.places["general"])
    for index, (name, place) in enumerate(quarter.places.items()):
        for act, like in ALIKE.items():
            wanted = {Act.READ: "r", Act.SEND: "s"}[like] in cells[index]
            if name == "forum" and like is Act.READ:
                wanted = who in PRESENT
            if act is Act.START_THREAD and name == "news":
                # Discord has a right of its own for that, and takes no other.
                wanted = "r" in cells[index] and who not in ("muted", "timed out")
            assert await quarter.allowed(event, act, Target(place.id)) == wanted, (name, act)


# What takes a right of its own, beyond that to write.
OWN_RIGHTS = {
    Act.ATTACH: permissions.ATTACH_FILES,
    Act.POLL: permissions.SEND_POLLS,
    Act.START_THREAD: permissions.CREATE_PUBLIC_THREADS,
}


@pytest.mark.parametrize("act", OWN_RIGHTS)
async def test_what_takes_a_right_of_its_own_is_denied_without_it(
    quarter: Quarter, act: Act
) -> None:
    """Whoever may write there may still write."""
    user, place = quarter.actor("member"), quarter.places["open"]
    event = asked_by(user, quarter.places["general"])
    assert await quarter.allowed(event, act, Target(place.id))
    quarter.local.set_overwrites(place, (Overwrite.of(user, deny=OWN_RIGHTS[act]),))
    assert not await quarter.allowed(event, act, Target(place.id))
    assert await quarter.allowed(event, Act.SEND, Target(place.id))


@EVERY_ROW
async def test_only_who_is_there_has_an_agent_that_looks_and_remembers(
    quarter: Quarter, who: str, cells: list[str]
) -> None:
    """At the server that was asked in alone; of the memory it is their own part."""
    user = quarter.actor(who)
    event = asked_by(user, quarter.places["general"])
    own = Target(path=f"people/{user.id}/notes.md")
    for act, target in (
        (Act.LOOK, Target(guild_id=quarter.guild.id)),
        (Act.MEMORY_LIST, Target()),
        (Act.MEMORY_READ, own),
        (Act.MEMORY_WRITE, own),
        (Act.MEMORY_DELETE, own),
    ):
        assert await quarter.allowed(event, act, target) == (who in PRESENT), act
    assert not await quarter.allowed(event, Act.LOOK, Target(guild_id=quarter.abroad.id))
    assert (cells[0] == "---") == (who not in PRESENT)


# Discord opens no direct messages between bots.
@pytest.mark.parametrize("who", [who for who, _ in ROWS if who not in ("bot", "webhook")])
async def test_from_a_direct_message_nothing_else_is_reached(quarter: Quarter, who: str) -> None:
    """Whoever asks, and whatever they may do in servers."""
    user = quarter.actor(who)
    own = quarter.local.open_dm(user)
    event = asked_by(user, own)
    assert await cell(quarter, event, own) == "rsa"
    for name, place in quarter.places.items():
        assert await cell(quarter, event, place) == "---", name
    assert not await quarter.allowed(event, Act.LOOK, Target(guild_id=quarter.guild.id))


async def test_inside_an_age_restricted_channel_it_is_as_open_as_another(quarter: Quarter) -> None:
    """The restriction is about where one comes from."""
    event = asked_by(quarter.actor("member"), quarter.places["adults"])
    assert await cell(quarter, event, quarter.places["adults"]) == "rsa"
