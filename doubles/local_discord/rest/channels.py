"""Routes about channels."""

from __future__ import annotations

from .. import permissions, posting
from ..errors import (
    ApiError,
    Payload,
    bad_length,
    required,
    too_long,
)
from ..model import Channel, Overwrite, Thread
from .routing import Request, Routes, as_id

routes = Routes()


@routes.add("GET", "/channels/{channel_id}")
async def get_channel(request: Request) -> Payload:
    """Return a channel, thread or DM."""
    return request.channel().payload(request.bot.id)


@routes.add("PATCH", "/channels/{channel_id}")
async def edit_channel(request: Request) -> Payload:
    """Change a channel or a thread."""
    channel, fields = request.channel(), request.fields
    if channel.guild is None:
        raise ApiError(50003)
    if channel.thread is not None:
        _edit_thread(request, channel, channel.thread, fields)
        return channel.payload(request.bot.id)
    request.need(channel, permissions.MANAGE_CHANNELS)
    _rename(channel, fields)
    if len(fields.get("topic") or "") > 1024:
        raise too_long("topic", 1024)
    channel.topic = fields.get("topic", channel.topic)
    channel.nsfw = fields.get("nsfw", channel.nsfw)
    channel.slowmode = fields.get("rate_limit_per_user", channel.slowmode)
    if "parent_id" in fields:
        parent = fields["parent_id"]
        channel.parent = (
            None if parent is None else channel.guild.channels.get(as_id(parent, "parent_id"))
        )
    if "permission_overwrites" in fields:
        overwrites = tuple(_overwrite(item) for item in fields["permission_overwrites"])
        request.world.set_overwrites(channel, overwrites)
    else:
        request.world.update_channel(channel)
    return channel.payload(request.bot.id)


def _edit_thread(request: Request, channel: Channel, thread: Thread, fields: Payload) -> None:
    unarchiving = fields.get("archived") is False and not thread.locked
    manager = request.world.may(request.bot, channel, permissions.MANAGE_THREADS)
    if not manager and (thread.owner_id != request.bot.id or "locked" in fields):
        # Anybody who may write in a thread may wake it.
        if not unarchiving or set(fields) != {"archived"}:
            raise ApiError(50013)
        request.need(channel, permissions.SEND_MESSAGES)
    if thread.archived and fields.get("archived") is not False:
        raise ApiError(50083)
    _rename(channel, fields)
    thread.locked = fields.get("locked", thread.locked)
    thread.auto_archive_duration = fields.get(
        "auto_archive_duration", thread.auto_archive_duration
    )
    thread.applied_tags = fields.get("applied_tags", thread.applied_tags)
    channel.slowmode = fields.get("rate_limit_per_user", channel.slowmode)
    posting.set_archived(request.world, channel, archived=fields.get("archived", thread.archived))


def _rename(channel: Channel, fields: Payload) -> None:
    name = fields.get("name", channel.name)
    if not 1 <= len(name) <= 100:
        raise bad_length("name", 1, 100)
    channel.name = name


@routes.add("DELETE", "/channels/{channel_id}")
async def delete_channel(request: Request) -> Payload:
    """Delete a channel or thread; a DM is only closed."""
    channel = request.channel()
    body = channel.payload(request.bot.id)
    if channel.guild is not None:
        in_thread = channel.thread is not None
        needed = permissions.MANAGE_THREADS if in_thread else permissions.MANAGE_CHANNELS
        request.need(channel, needed)
        request.world.delete_channel(channel)
    return body


@routes.add("POST", "/guilds/{guild_id}/channels")
async def create_channel(request: Request) -> Payload:
    """Create a channel."""
    guild, fields = request.guild(), request.fields
    request.need_in_guild(guild, permissions.MANAGE_CHANNELS)
    name = fields.get("name")
    if name is None:
        raise required("name")
    if not 1 <= len(name) <= 100:
        raise bad_length("name", 1, 100)
    parent = fields.get("parent_id")
    channel = request.world.add_channel(
        guild,
        name,
        type=fields.get("type", 0),
        parent=None if parent is None else guild.channels.get(as_id(parent, "parent_id")),
        overwrites=tuple(_overwrite(item) for item in fields.get("permission_overwrites") or ()),
    )
    channel.topic = fields.get("topic")
    return channel.payload(request.bot.id)


@routes.add("PUT", "/channels/{channel_id}/permissions/{target_id}")
async def set_overwrite(request: Request) -> None:
    """Allow or deny something to a role or member in a channel."""
    channel = request.channel()
    request.need(channel, permissions.MANAGE_ROLES)
    target = request.snowflake("target_id")
    overwrite = _overwrite(request.fields | {"id": target})
    others = [item for item in channel.overwrites.values() if item.id != target]
    request.world.set_overwrites(channel, (*others, overwrite))


@routes.add("DELETE", "/channels/{channel_id}/permissions/{target_id}")
async def delete_overwrite(request: Request) -> None:
    """Take an overwrite away."""
    channel = request.channel()
    request.need(channel, permissions.MANAGE_ROLES)
    target = request.snowflake("target_id")
    left = tuple(item for item in channel.overwrites.values() if item.id != target)
    request.world.set_overwrites(channel, left)


def _overwrite(raw: Payload) -> Overwrite:
    return Overwrite(
        as_id(raw["id"], "id"),
        int(raw["type"]),
        int(raw.get("allow") or 0),
        int(raw.get("deny") or 0),
    )
