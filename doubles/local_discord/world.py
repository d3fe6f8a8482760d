"""The state of a local Discord, and the news of its changes."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

from . import permissions
from .message import Message
from .model import (
    DM,
    Channel,
    Guild,
    Member,
    Overwrite,
    Payload,
    Role,
    Thread,
    User,
    timestamp,
)
from .snowflakes import Snowflakes


@dataclass(slots=True, frozen=True)
class Event:
    """A gateway event and the place it belongs to; no `guild` means a DM or the bot alone."""

    name: str
    data: Payload
    guild: Guild | None = None
    channel: Channel | None = None


class World:
    """Users, guilds, channels, messages: whatever changes here is told to the listeners.

    Args:
        bot_name: What the bot under test is called.
        now: Seconds since 1970.

    """

    def __init__(self, bot_name: str, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.ids = Snowflakes(now)
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, Message] = {}
        self.dms: dict[int, Channel] = {}  # by the person's id
        self.listeners: list[Callable[[Event], None]] = []
        self.bot = self.add_user(bot_name, bot=True)
        self.owner = self.add_user("operator", global_name="Operator")

    def emit(
        self,
        name: str,
        data: Payload,
        *,
        guild: Guild | None = None,
        channel: Channel | None = None,
    ) -> None:
        """Tell the listeners of a change."""
        event = Event(name, data, guild, channel)
        for listener in tuple(self.listeners):
            listener(event)

    def may(self, user: User, channel: Channel, needed: int) -> bool:
        """Say whether a user has all of some permissions in a place."""
        return permissions.in_channel(channel, user.id) & needed == needed

    # -- users and guilds

    def add_user(self, name: str, *, global_name: str | None = None, bot: bool = False) -> User:
        """Register an account."""
        user = User(self.ids.new(), name, global_name, bot)
        self.users[user.id] = user
        return user

    def add_guild(self, name: str, *, owner: User, bot_permissions: int = 0) -> Guild:
        """Found a guild and invite the bot.

        Args:
            name: What it is called.
            owner: Who founded it and may do everything.
            bot_permissions: What the bot's managed role adds to what @everyone may.

        """
        guild = Guild(self.ids.new(), name, owner)
        guild.roles[guild.id] = Role(guild.id, "@everyone", permissions.DEFAULT)
        role = Role(self.ids.new(), self.bot.name, bot_permissions, position=1)
        role.managed, role.bot_id = True, self.bot.id
        guild.roles[role.id] = role
        guild.members[owner.id] = Member(owner)
        guild.members[self.bot.id] = Member(self.bot, [role.id])
        self.guilds[guild.id] = guild
        self.emit("GUILD_CREATE", self.guild_payload(guild), guild=guild)
        return guild

    def remove_guild(self, guild: Guild) -> None:
        """Throw the bot out of a guild, which takes its channels with it."""
        self.guilds.pop(guild.id, None)
        for place in (*guild.channels.values(), *guild.threads.values()):
            self._forget(place)
        self.emit("GUILD_DELETE", {"id": str(guild.id)}, guild=guild)

    def add_member(self, guild: Guild, user: User, *, roles: tuple[Role, ...] = ()) -> Member:
        """Let a user join a guild."""
        member = Member(user, [role.id for role in roles])
        guild.members[user.id] = member
        data = member.payload() | {"guild_id": str(guild.id)}
        self.emit("GUILD_MEMBER_ADD", data, guild=guild)
        return member

    def remove_member(self, guild: Guild, user: User) -> None:
        """Let a user leave a guild."""
        del guild.members[user.id]
        data = {"guild_id": str(guild.id), "user": user.payload()}
        self.emit("GUILD_MEMBER_REMOVE", data, guild=guild)

    def update_member(self, guild: Guild, member: Member) -> None:
        """Tell that a member's roles or nickname changed."""
        data = member.payload() | {"guild_id": str(guild.id)}
        self.emit("GUILD_MEMBER_UPDATE", data, guild=guild)

    def add_role(
        self, guild: Guild, name: str, *, permissions: int = 0, mentionable: bool = False
    ) -> Role:
        """Create a role, on top of the others."""
        position = max(role.position for role in guild.roles.values()) + 1
        role = Role(self.ids.new(), name, permissions, position, mentionable)
        guild.roles[role.id] = role
        data = {"guild_id": str(guild.id), "role": role.payload()}
        self.emit("GUILD_ROLE_CREATE", data, guild=guild)
        return role

    def update_role(self, guild: Guild, role: Role) -> None:
        """Tell that a role changed."""
        data = {"guild_id": str(guild.id), "role": role.payload()}
        self.emit("GUILD_ROLE_UPDATE", data, guild=guild)

    def delete_role(self, guild: Guild, role: Role) -> None:
        """Delete a role and take it from its members."""
        del guild.roles[role.id]
        for member in guild.members.values():
            if role.id in member.roles:
                member.roles.remove(role.id)
        data = {"guild_id": str(guild.id), "role_id": str(role.id)}
        self.emit("GUILD_ROLE_DELETE", data, guild=guild)

    def add_emoji(self, guild: Guild, name: str) -> str:
        """Give a guild an emoji of its own; return its key, ``name:id``."""
        emoji_id = self.ids.new()
        guild.emojis[emoji_id] = name
        emojis = [guild.emoji_payload(item) for item in guild.emojis]
        data = {"guild_id": str(guild.id), "emojis": emojis}
        self.emit("GUILD_EMOJIS_UPDATE", data, guild=guild)
        return f"{name}:{emoji_id}"

    # -- channels

    def add_channel(
        self,
        guild: Guild,
        name: str,
        *,
        type: int = 0,  # noqa: A002  Discord's name of it
        parent: Channel | None = None,
        overwrites: tuple[Overwrite, ...] = (),
    ) -> Channel:
        """Create a channel; `type` is Discord's number (0 text, 2 voice, 4 category, 15 forum)."""
        channel = Channel(self.ids.new(), type, name, guild, parent, len(guild.channels))
        channel.overwrites = {item.id: item for item in overwrites}
        guild.channels[channel.id] = self.channels[channel.id] = channel
        self.emit("CHANNEL_CREATE", channel.payload(self.bot.id), guild=guild)
        return channel

    def update_channel(self, channel: Channel) -> None:
        """Tell that a channel or thread changed."""
        name = "CHANNEL_UPDATE" if channel.thread is None else "THREAD_UPDATE"
        self.emit(name, channel.payload(self.bot.id), guild=channel.guild, channel=None)

    def set_overwrites(self, channel: Channel, overwrites: tuple[Overwrite, ...]) -> None:
        """Replace who may do what in a channel."""
        saw = self.may(self.bot, channel, permissions.VIEW_CHANNEL)
        channel.overwrites = {item.id: item for item in overwrites}
        self.update_channel(channel)
        if not saw and channel.guild and self.may(self.bot, channel, permissions.VIEW_CHANNEL):
            data = self._thread_sync(channel.guild, channel)
            self.emit("THREAD_LIST_SYNC", data, guild=channel.guild)

    def delete_channel(self, channel: Channel) -> None:
        """Delete a channel or thread with all that is in it."""
        guild = channel.guild
        if guild is None:
            return
        if channel.thread is None:
            name, data = "CHANNEL_DELETE", channel.payload(self.bot.id)
            del guild.channels[channel.id]
            for thread in [t for t in guild.threads.values() if t.parent is channel]:
                del guild.threads[thread.id]
                self._forget(thread)
        else:
            keys = ("id", "guild_id", "parent_id", "type")
            full = channel.payload(self.bot.id)
            name, data = "THREAD_DELETE", {key: full[key] for key in keys}
            del guild.threads[channel.id]
        self._forget(channel)
        self.emit(name, data, guild=guild)

    def open_thread(self, parent: Channel, thread: Channel) -> None:
        """Put a thread that somebody made into the world and tell of it."""
        if parent.guild is None:
            return
        parent.guild.threads[thread.id] = self.channels[thread.id] = thread
        data = thread.payload(self.bot.id) | {"newly_created": True}
        self.emit("THREAD_CREATE", data, guild=parent.guild, channel=thread)

    def join_thread(self, channel: Channel, user: User) -> None:
        """Add a user to a thread."""
        thread = channel.thread
        if thread is None or channel.guild is None or user.id in thread.members:
            return
        thread.members[user.id] = timestamp()
        if user is self.bot:
            # A thread one is added to is new to one, whoever made it.
            created = channel.payload(self.bot.id)
            self.emit("THREAD_CREATE", created, guild=channel.guild, channel=channel)
        self._tell_members(channel, thread, added=[user.id])

    def leave_thread(self, channel: Channel, user: User) -> None:
        """Remove a user from a thread."""
        thread = channel.thread
        if thread is None or thread.members.pop(user.id, None) is None:
            return
        self._tell_members(channel, thread, removed=[user.id])

    def open_dm(self, user: User) -> Channel:
        """Return the private channel between a user and the bot."""
        if user.id not in self.dms:
            channel = Channel(self.ids.new(), DM, "", recipients=[user, self.bot])
            self.dms[user.id] = self.channels[channel.id] = channel
        return self.dms[user.id]

    # -- looking

    def position(self, channel: Channel, message_id: int) -> int:
        """Return where in a channel's list a message with this id is or would be."""
        return bisect_left(channel.messages, message_id, key=lambda message: message.id)

    def guild_payload(self, guild: Guild) -> Payload:
        """Return all of a guild, as GUILD_CREATE carries it."""
        me = self.bot.id
        synced = self._thread_sync(guild, None)
        return guild.payload() | {
            "joined_at": guild.members[me].joined_at,
            "large": False,
            "member_count": len(guild.members),
            "members": [member.payload() for member in guild.members.values()],
            "channels": [channel.payload(me) for channel in guild.channels.values()],
            "threads": synced["threads"],
            "presences": [],
            "voice_states": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def _thread_sync(self, guild: Guild, parent: Channel | None) -> Payload:
        me = self.bot.id
        threads = [
            item.payload(me)
            for item in guild.active_threads()
            if parent in (None, item.parent) and self.may(self.bot, item, permissions.VIEW_CHANNEL)
        ]
        data: Payload = {
            "guild_id": str(guild.id),
            "threads": threads,
            "members": [item["member"] for item in threads if "member" in item],
        }
        if parent is not None:
            data["channel_ids"] = [str(parent.id)]
        return data

    def _tell_members(
        self,
        channel: Channel,
        thread: Thread,
        *,
        added: list[int] | None = None,
        removed: list[int] | None = None,
    ) -> None:
        if channel.guild is None:
            return
        data: Payload = {
            "id": str(channel.id),
            "guild_id": str(channel.guild.id),
            "member_count": len(thread.members),
        }
        if added:
            data["added_members"] = [
                thread.member_payload(channel.id, user_id)
                | {"member": channel.guild.members[user_id].payload(), "presence": None}
                for user_id in added
            ]
        if removed:
            data["removed_member_ids"] = [str(user_id) for user_id in removed]
        # Whoever was removed from a private thread still has to be told so.
        self.emit("THREAD_MEMBERS_UPDATE", data, guild=channel.guild)

    def _forget(self, channel: Channel) -> None:
        channel.deleted = True
        self.channels.pop(channel.id, None)
        for message in channel.messages:
            message.deleted = True
            self.messages.pop(message.id, None)
