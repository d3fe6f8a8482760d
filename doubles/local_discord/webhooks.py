"""Webhooks: addresses through which anybody who knows them writes into a channel."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from .errors import ApiError
from .model import Channel, User
from .world import World


@dataclass(slots=True, eq=False)
class Webhook:
    """An incoming webhook; `token` is its only key."""

    id: int
    name: str
    channel: Channel
    token: str = field(default_factory=lambda: secrets.token_urlsafe(51))

    @property
    def url(self) -> str:
        """The address as Discord's settings show it; the bot's own Discord takes its path."""
        return f"https://discord.com/api/webhooks/{self.id}/{self.token}"

    @property
    def user(self) -> User:
        """Whom its messages are from."""
        return User(self.id, self.name, bot=True)


class Webhooks:
    """The webhooks of a Discord.

    Args:
        world: Where their channels are.

    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._hooks: dict[int, Webhook] = {}

    def add(self, channel: Channel, name: str = "Hook") -> Webhook:
        """Make a webhook, as a person does in a channel's settings."""
        hook = Webhook(self._world.ids.new(), name, channel)
        self._hooks[hook.id] = hook
        return hook

    def remove(self, hook: Webhook) -> None:
        """Delete a webhook; its address is good for nothing then."""
        self._hooks.pop(hook.id, None)

    def get(self, hook_id: int, token: str) -> Webhook:
        """Return the webhook with an id and token.

        Raises:
            ApiError: There is none, or it has another token.

        """
        hook = self._hooks.get(hook_id)
        if hook is None or hook.channel.deleted:
            raise ApiError(10015)
        if not secrets.compare_digest(hook.token, token):
            raise ApiError(50027)
        return hook
