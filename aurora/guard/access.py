"""Access lists: whom and from where a server's admins let ask, on top of Red's own lists.

A denied one is refused whatever else is allowed. Where something is allowed, all else is not:
people by the lists of users and roles together, places by that of channels.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import discord

from ..reasons import Reason
from ..settings import GuildSettings


class Asker(NamedTuple):
    """Who asks; `role_ids` is None where nobody knows them.

    As with Red's lists, the bot's owner and the server's stand above those of people, and the
    bot's owner and whoever manages the server above those of places.
    """

    user_id: int
    role_ids: Collection[int] | None
    above_people: bool = False
    above_places: bool = False


def has_lists(mine: GuildSettings) -> bool:
    """Tell whether there is anything to ask."""
    return bool(
        mine.channels_allowed
        or mine.channels_denied
        or mine.roles_allowed
        or mine.roles_denied
        or mine.users_allowed
        or mine.users_denied
    )


def refusal(mine: GuildSettings, asker: Asker, place_ids: Collection[int]) -> Reason | None:
    """Return why somebody may not ask there, None if they may; what is not known is no reason."""
    if not asker.above_people and _is_person_out(mine, asker):
        return Reason.KEPT_OUT
    if not asker.above_places and _is_place_out(mine, place_ids):
        return Reason.OFF_LIMITS
    return None


def places_of(channel: discord.abc.Snowflake) -> Collection[int]:
    """Return the ids by which a place may be listed: its own, its parent's, its category's."""
    ids, above = {channel.id}, channel
    if isinstance(channel, discord.Thread):
        ids.add(channel.parent_id)
        # It is not there if the bot can't see it, and with it the category is not known.
        above = channel.parent or channel
    if isinstance(above, discord.abc.GuildChannel) and above.category_id is not None:
        ids.add(above.category_id)
    return ids


def _is_person_out(mine: GuildSettings, asker: Asker) -> bool:
    roles = asker.role_ids
    if asker.user_id in mine.users_denied or _any(roles, mine.roles_denied):
        return True
    if asker.user_id in mine.users_allowed or _any(roles, mine.roles_allowed):
        return False
    if mine.roles_allowed:
        return roles is not None
    return bool(mine.users_allowed)


def _is_place_out(mine: GuildSettings, place_ids: Collection[int]) -> bool:
    if _any(place_ids, mine.channels_denied):
        return True
    return bool(mine.channels_allowed) and not _any(place_ids, mine.channels_allowed)


def _any(ids: Collection[int] | None, listed: Collection[int]) -> bool:
    return ids is not None and any(one in listed for one in ids)
