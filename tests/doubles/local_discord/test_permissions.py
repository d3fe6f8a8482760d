"""Discord's computation of permissions."""

from __future__ import annotations

import random
from collections.abc import Callable

import discord
import pytest

from doubles.local_discord import (
    VOICE,
    Channel,
    Guild,
    LocalDiscord,
    Overwrite,
    Role,
    User,
    permissions,
)
from tests.support.doubles.looking import text_channel
from tests.support.local_town import LocalTown

VIEW, SEND, MENTION = (
    permissions.VIEW_CHANNEL,
    permissions.SEND_MESSAGES,
    permissions.MENTION_EVERYONE,
)


class Place:
    """A guild without a server: the computation needs none."""

    def __init__(self) -> None:
        self.world = LocalDiscord()
        self.owner = self.world.add_user("owner")
        self.user = self.world.add_user("user")
        self.guild: Guild = self.world.add_guild("guild", owner=self.owner)
        self.low = self.world.add_role(self.guild, "low")
        self.high = self.world.add_role(self.guild, "high")
        self.world.add_member(self.guild, self.user, roles=(self.low, self.high))
        self.channel: Channel = self.world.add_channel(self.guild, "channel")

    def set(self, *overwrites: Overwrite) -> None:
        """Replace the overwrites of the channel."""
        self.world.set_overwrites(self.channel, overwrites)

    def has(self, right: int, user: User | None = None, channel: Channel | None = None) -> bool:
        """Say whether somebody has a right in the channel."""
        who, where = user or self.user, channel or self.channel
        return bool(permissions.in_channel(where, who.id) & right)


@pytest.fixture
def place() -> Place:
    """A guild with two roles and one channel."""
    return Place()


ROWS: list[tuple[str, Callable[[Place], list[Overwrite]], int, bool]] = [
    ("nothing set", lambda _: [], SEND, True),
    ("everyone denied", lambda p: [Overwrite.of(p.guild.everyone, deny=SEND)], SEND, False),
    (
        "a role allows what everyone is denied",
        lambda p: [
            Overwrite.of(p.guild.everyone, deny=SEND),
            Overwrite.of(p.low, allow=SEND),
        ],
        SEND,
        True,
    ),
    (
        "one role's allow beats another role's deny",
        lambda p: [Overwrite.of(p.low, allow=SEND), Overwrite.of(p.high, deny=SEND)],
        SEND,
        True,
    ),
    (
        "the member's own deny beats a role's allow",
        lambda p: [Overwrite.of(p.low, allow=SEND), Overwrite.of(p.user, deny=SEND)],
        SEND,
        False,
    ),
    (
        "the member's own allow beats a role's deny",
        lambda p: [Overwrite.of(p.low, deny=SEND), Overwrite.of(p.user, allow=SEND)],
        SEND,
        True,
    ),
    ("who cannot see cannot send", lambda p: [Overwrite.of(p.user, deny=VIEW)], SEND, False),
    (
        "who cannot send cannot ping all",
        lambda p: [Overwrite.of(p.user, deny=SEND)],
        MENTION,
        False,
    ),
    ("somebody else's deny is not mine", lambda p: [Overwrite.of(p.owner, deny=SEND)], SEND, True),
]


@pytest.mark.parametrize(
    ("overwrites", "right", "expected"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS]
)
def test_overwrites_decide(
    place: Place,
    overwrites: Callable[[Place], list[Overwrite]],
    right: int,
    expected: bool,
) -> None:
    """Everyone, then roles, then the member: the later word counts."""
    place.set(*overwrites(place))
    assert place.has(right) is expected


def test_the_owner_may_everything(place: Place) -> None:
    """No overwrite binds the owner."""
    place.set(Overwrite.of(place.owner, deny=VIEW))
    assert place.has(permissions.ALL, place.owner)


def test_an_administrator_may_everything(place: Place) -> None:
    """No overwrite binds an administrator."""
    place.low.permissions = permissions.ADMINISTRATOR
    place.set(Overwrite.of(place.user, deny=VIEW))
    assert permissions.in_channel(place.channel, place.user.id) == permissions.ALL


def test_a_stranger_may_nothing(place: Place) -> None:
    """Who is not in the guild has no rights in it."""
    stranger = place.world.add_user("stranger")
    place.set(Overwrite.of(stranger, allow=VIEW))
    assert not place.has(permissions.ALL, stranger)


def test_a_thread_inherits_from_its_channel(place: Place) -> None:
    """Hiding the channel hides its threads."""
    thread = place.world.start_thread(place.channel, "thread", owner=place.user)
    assert place.has(VIEW, channel=thread)
    place.set(Overwrite.of(place.user, deny=VIEW))
    assert not place.has(VIEW, channel=thread)


def test_sending_in_threads_is_a_right_of_its_own(place: Place) -> None:
    """A thread asks for another right than its channel."""
    thread = place.world.start_thread(place.channel, "thread", owner=place.user)
    place.set(Overwrite.of(place.user, deny=SEND))
    assert place.has(SEND, channel=thread)
    place.set(Overwrite.of(place.user, deny=permissions.SEND_MESSAGES_IN_THREADS))
    assert place.has(SEND)
    assert not place.has(SEND, channel=thread)


def test_a_private_thread_is_for_those_in_it(place: Place) -> None:
    """Others see it only with the right to manage threads."""
    other = place.world.add_user("other")
    place.world.add_member(place.guild, other)
    thread = place.world.start_thread(place.channel, "t", owner=place.user, private=True)
    assert not place.has(VIEW, other, thread)
    place.set(Overwrite.of(other, allow=permissions.MANAGE_THREADS))
    assert place.has(VIEW, other, thread)


def test_a_dm_is_for_two(place: Place) -> None:
    """A private channel has no others."""
    dm = place.world.open_dm(place.user)
    assert place.has(SEND, place.user, dm)
    assert not place.has(VIEW, place.owner, dm)


def test_a_voice_channel_needs_connect(place: Place) -> None:
    """Its text belongs to those who may join."""
    voice = place.world.add_channel(place.guild, "voice", type=VOICE)
    place.world.set_overwrites(voice, (Overwrite.of(place.user, deny=permissions.CONNECT),))
    assert place.has(VIEW, channel=voice)
    assert not place.has(SEND, channel=voice)


def test_the_numbers_are_discords() -> None:
    """Every name here means the bit that discord.py gives it."""
    flags = dict(discord.Permissions.VALID_FLAGS)
    flags |= {"use_vad": flags["use_voice_activation"], "view_channel": flags["read_messages"]}
    composed = {"ALL", "DEFAULT", "IN_DM"}
    ours = {
        name: value
        for name, value in vars(permissions).items()
        if type(value) is int and name[0] != "_" and name not in composed
    }
    assert {name: flags[name.lower()] for name in ours} == ours


async def test_discord_py_comes_to_the_same_answer(
    town: LocalTown, client: discord.Client
) -> None:
    """For overwrites by chance, the library's own computation agrees."""
    chance = random.Random(4)  # noqa: S311  any numbers do
    rights = [VIEW, SEND, MENTION, permissions.EMBED_LINKS, permissions.READ_MESSAGE_HISTORY]
    everything = sum(rights)
    role = town.server.add_role(town.guild, "role")
    other = town.server.add_role(town.guild, "other", permissions=permissions.MANAGE_MESSAGES)
    carl = town.server.add_user("carl")
    town.server.add_member(town.guild, carl, roles=(role, other))

    def by_chance(target: Role | User) -> Overwrite:
        words = [(right, chance.choice("yn-")) for right in rights]
        return Overwrite.of(
            target,
            allow=sum(right for right, word in words if word == "y"),
            deny=sum(right for right, word in words if word == "n"),
        )

    for _ in range(40):
        targets = (town.guild.everyone, role, other, carl)
        overwrites = tuple(by_chance(item) for item in targets)
        town.server.set_overwrites(town.general, overwrites)
        channel = text_channel(client, town.general)
        wanted = {item.id: (item.allow, item.deny) for item in overwrites}
        await town.server.wait_for(
            lambda channel=channel, wanted=wanted: _overwrites(channel) == wanted  # type: ignore[misc]
        )
        member = channel.guild.get_member(carl.id)
        assert member is not None
        theirs = channel.permissions_for(member).value & everything
        assert permissions.in_channel(town.general, carl.id) & everything == theirs


def _overwrites(channel: discord.TextChannel) -> dict[int, tuple[int, int]]:
    pairs = {target.id: overwrite.pair() for target, overwrite in channel.overwrites.items()}
    return {key: (allow.value, deny.value) for key, (allow, deny) in pairs.items()}
