"""Normal use: what common servers are made of, and what may go between two places of theirs.

Each stands in a server so large that nobody is asked one by one: roles and overwrites must tell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from aurora.guard.audience import within
from aurora.guard.gates import Gate
from doubles.local_discord import Channel, LocalDiscord, Overwrite, Role, User
from doubles.local_discord.permissions import (
    ADMINISTRATOR,
    CONNECT,
    DEFAULT,
    READ_MESSAGE_HISTORY,
    SEND_MESSAGES,
    VIEW_CHANNEL,
)
from tests.support.random_towns import (
    FORUM,
    NEWS,
    STAGE,
    TEXT,
    VOICE,
    RandomTown,
    known_to_discord_py,
    make_thread,
)

SEES = VIEW_CHANNEL | READ_MESSAGE_HISTORY


class Server:
    """A server to be set up; the bot's own role is let in everywhere, as people do."""

    def __init__(self) -> None:
        self.local = LocalDiscord()
        self.guild = self.local.add_guild("Large", owner=self.local.owner)
        self.ada = self.person("ada")

    def person(self, name: str) -> User:
        """Let somebody join."""
        user = self.local.add_user(name)
        self.local.add_member(self.guild, user)
        return user

    def role(self, name: str, permissions: int = DEFAULT) -> Role:
        """Make a role; like Discord's, it begins with what everybody may do."""
        return self.local.add_role(self.guild, name, permissions=permissions)

    def bot_role(self, permissions: int = DEFAULT) -> Role:
        """Invite another bot, and return the role that came with it."""
        user = self.local.add_user("logger", bot=True)
        role = self.role("logger", permissions)
        role.managed, role.bot_id = True, user.id
        self.local.add_member(self.guild, user, roles=(role,))
        return role

    def open(self, kind: int = TEXT, **denied: int) -> Channel:
        """Make a channel of which nothing is said but what @everyone is `denied`."""
        rule = Overwrite.of(self.guild.everyone, deny=sum(denied.values()))
        rules = (rule,) if denied else ()
        return self.local.add_channel(self.guild, "place", type=kind, overwrites=rules)

    def only(self, *who: Role | User, kind: int = TEXT) -> Channel:
        """Make a channel that is hidden from all but these, and the bot."""
        hidden = Overwrite.of(self.guild.everyone, deny=VIEW_CHANNEL)
        shown = [Overwrite.of(one, allow=VIEW_CHANNEL) for one in (*who, self.local.bot_user)]
        rules = (hidden, *shown)
        return self.local.add_channel(self.guild, "place", type=kind, overwrites=rules)

    def without(self, *who: Role, deny: int = VIEW_CHANNEL) -> Channel:
        """Make an open channel that denies something to these."""
        rules = tuple(Overwrite.of(one, deny=deny) for one in who)
        return self.local.add_channel(self.guild, "place", overwrites=rules)

    def thread(self, parent: Channel, *guests: User, private: bool = False) -> Channel:
        """Open a thread."""
        return make_thread(self.local, parent, *guests, private=private)


Pair = tuple[Channel, Channel]


class SetUp(NamedTuple):
    """Two places, and whether the first may read the other, and send there."""

    name: str
    places: Callable[[Server], Pair]
    read: bool
    send: bool


def gated_server(server: Server) -> Pair:
    """Only members are granted anything; #verify is open by an overwrite of its own."""
    server.guild.everyone.permissions = SEND_MESSAGES
    server.role("member", SEES | SEND_MESSAGES)
    verify = server.open()
    rule = Overwrite.of(server.guild.everyone, allow=SEES)
    server.local.set_overwrites(verify, (rule,))
    return server.open(), verify


def gated_twins(server: Server) -> Pair:
    general, _ = gated_server(server)
    return general, server.open()


def staff_and_its_category(server: Server) -> Pair:
    staff = server.role("staff")
    return server.only(staff), server.only(staff)


def mods_and_members(server: Server) -> Pair:
    mod, member = server.role("mod"), server.role("member")
    return server.only(mod), server.only(member, mod)


def levels(server: Server) -> Pair:
    ten, twenty = server.role("level 10"), server.role("level 20")
    return server.only(twenty), server.only(ten, twenty)


def archive(server: Server) -> Pair:
    rule = Overwrite.of(server.guild.everyone, allow=VIEW_CHANNEL, deny=SEND_MESSAGES)
    return server.open(), server.local.add_channel(server.guild, "2024", overwrites=(rule,))


def quarantine(server: Server) -> Pair:
    shut = server.role("quarantine", 0)
    return server.without(shut), server.without(shut)


def quarantined(server: Server) -> Pair:
    shut = server.role("quarantine", 0)
    return server.without(shut), server.only(shut)


def siblings(server: Server) -> Pair:
    parent = server.open()
    return server.thread(parent), server.thread(parent)


def posts(server: Server) -> Pair:
    forum = server.open(FORUM)
    return server.thread(forum), server.thread(forum)


def hidden_forum(server: Server) -> Pair:
    forum = server.only(server.role("staff"), kind=FORUM)
    return server.thread(forum), server.open()


def staff_thread(server: Server) -> Pair:
    parent = server.open()
    return server.thread(parent, server.ada, private=True), parent


def tickets(server: Server) -> Pair:
    support = server.role("support")
    return server.only(server.ada, support), server.only(server.person("bob"), support)


def logs(server: Server, granted: int = DEFAULT) -> Pair:
    """A bot that keeps a log reads it."""
    mod = server.role("mod")
    return server.only(mod, server.bot_role(granted)), server.only(mod)


def let_in_twice(server: Server) -> Pair:
    """It is all the same how this bot is let in."""
    staff, own = server.role("staff"), server.guild.role_of(server.local.bot_user)
    assert own is not None
    return server.only(staff, own), server.only(staff)


def hidden_history(server: Server) -> Pair:
    return server.open(), server.open(history=READ_MESSAGE_HISTORY)


def bots(server: Server) -> Pair:
    return server.open(), server.only(server.role("bots"))


def languages(server: Server) -> Pair:
    return server.only(server.role("english")), server.only(server.role("deutsch"))


SET_UPS = [
    SetUp("open server", lambda s: (s.open(), s.open()), True, True),
    SetUp("members ask about #verify", gated_server, True, False),
    SetUp("newcomers in #verify", lambda s: gated_server(s)[::-1], False, True),
    SetUp("two channels behind the gate", gated_twins, True, True),
    SetUp("role-gated channel, #rules", lambda s: (s.only(s.role("r")), s.open()), True, False),
    SetUp("#rules, role-gated channel", lambda s: (s.open(), s.only(s.role("r"))), False, True),
    SetUp("mods read a member channel", mods_and_members, True, False),
    SetUp("members send to the mods", lambda s: mods_and_members(s)[::-1], False, True),
    SetUp("synced with one category", staff_and_its_category, True, True),
    SetUp("public thread, its parent", lambda s: (s.thread(p := s.open()), p), True, True),
    SetUp("parent, its public thread", lambda s: (p := s.open(), s.thread(p)), True, True),
    SetUp("two threads of a channel", siblings, True, True),
    SetUp("forum post, its sibling", posts, True, True),
    SetUp("post of a staff forum, #general", hidden_forum, True, False),
    SetUp("staff thread in a public channel", staff_thread, True, False),
    SetUp("public channel, staff thread in it", lambda s: staff_thread(s)[::-1], False, True),
    SetUp("voice text", lambda s: (s.open(), s.open(VOICE)), True, True),
    SetUp("voice that few may join", lambda s: (s.open(), s.open(VOICE, c=CONNECT)), False, True),
    SetUp("stage", lambda s: (s.open(), s.open(STAGE)), True, True),
    SetUp(
        "announcements that few may write",
        lambda s: (s.open(), s.open(NEWS, send=SEND_MESSAGES)),
        True,
        True,
    ),
    SetUp("quarantine, two channels without it", quarantine, True, True),
    SetUp("#quarantine", quarantined, False, False),
    SetUp(
        "muted role that only may not send",
        lambda s: (s.open(), s.without(s.role("muted", 0), deny=SEND_MESSAGES)),
        True,
        True,
    ),
    SetUp("bots-only channel", bots, False, True),
    SetUp("opt-in channel for adults", lambda s: (s.only(s.role("18+")), s.open()), True, False),
    SetUp("archive category, read-only", archive, True, True),
    SetUp("hidden archive", lambda s: (s.open(), s.only(s.role("staff"))), False, True),
    SetUp("level roles, upwards open", levels, True, False),
    SetUp("ticket of one person, #rules", lambda s: (s.only(s.ada), s.open()), True, False),
    SetUp("ticket of one person, another's", tickets, False, False),
    SetUp("#general, ticket of one person", lambda s: (s.open(), s.only(s.ada)), False, True),
    SetUp("channel of the administrators", lambda s: (s.only(), s.only(s.role("r"))), True, False),
    SetUp("log that another bot reads", logs, False, True),
    SetUp("log of a bot with all rights", lambda s: logs(s, ADMINISTRATOR), True, True),
    SetUp("this bot let in by two ways", let_in_twice, True, True),
    SetUp("channel without history", hidden_history, False, True),
    SetUp("languages by roles", languages, False, False),
]


def gates(server: Server, places: Pair) -> tuple[RandomTown, Gate, Gate]:
    """Return the server as discord.py knows it, most of its people away, and two gates."""
    known = known_to_discord_py(server.local, server.guild)
    known._member_count = 20_000
    town = RandomTown(server.local, server.guild, list(places), known)
    return town, town.gate(places[0]), town.gate(places[1])


@pytest.mark.parametrize("setup", SET_UPS, ids=lambda one: one.name)
def test_normal_use_is_not_blocked(setup: SetUp) -> None:
    """What people expect of a server like this."""
    server = Server()
    town, here, there = gates(server, setup.places(server))
    assert within(town.known, here, there) is setup.read, "read"
    assert within(town.known, there, here) is setup.send, "send"


def test_there_are_thirty_of_them() -> None:
    """The most common ones; names are said once."""
    assert len({setup.name for setup in SET_UPS}) == len(SET_UPS) >= 30
