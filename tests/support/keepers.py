"""Where settings are kept in tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora.settings import NO_LIMIT


class Keeper:
    """A Keeper in a dict, as strict as Config about keys."""

    def __init__(
        self,
        world: dict[str, Any] | None = None,
        guilds: dict[int, dict[str, Any]] | None = None,
    ) -> None:
        self.world = {} if world is None else world
        self.guilds = {} if guilds is None else guilds

    async def load(self) -> tuple[Mapping[str, Any], Mapping[int, Mapping[str, Any]]]:
        return self.world, self.guilds

    async def save(self, guild_id: int | None, key: str, value: Any) -> None:
        (self.world if guild_id is None else self.guilds.setdefault(guild_id, {}))[key] = value


ASKING_FREELY: Mapping[str, Any] = {"user_queue_size": 1000, "user_limit": NO_LIMIT}
"""A guild in which a few people may ask for many; what they would be refused is another matter."""
