"""What a person asked of the bot by a button, a command or a form, and the bot's answer."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from . import permissions
from .errors import ApiError
from .message import Message
from .model import Channel, Payload, User
from .world import World

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5
_DEADLINE = 3.0
_LIFETIME = 15 * 60.0


@dataclass(slots=True, eq=False)
class Interaction:
    """One request of a person to the bot.

    Attributes:
        response: The message that answers it, once there is one; see also `deferred`.
        followups: Further messages.
        modal: The form that the bot opened instead.
        choices: What the bot offered for an autocompleted option.
        acknowledged: The callback type of the bot's answer.

    """

    id: int
    token: str
    type: int
    user: User
    channel: Channel
    created: float
    name: str = ""
    message: Message | None = None
    response: Message | None = None
    followups: list[Message] = field(default_factory=list)
    modal: Payload | None = None
    choices: list[Payload] | None = None
    acknowledged: int | None = None
    deferred: bool = False

    @property
    def content(self) -> str | None:
        """The text of the answer; None while there is none."""
        if self.response is None or self.deferred:
            return None
        return self.response.content

    def metadata(self) -> Payload:
        """Return what a message that answers this says about it."""
        user = self.user.payload()
        details: Payload = {
            "id": str(self.id),
            "type": self.type,
            "user": user,
            "authorizing_integration_owners": {},
        }
        body: Payload = {"interaction_metadata": details}
        if self.type == COMMAND:
            details["name"] = self.name
            body["interaction"] = {
                "id": str(self.id),
                "type": self.type,
                "name": self.name,
                "user": user,
            }
        elif self.type == COMPONENT and self.message is not None:
            details["interacted_message_id"] = str(self.message.id)
        elif self.type == MODAL_SUBMIT:
            details["triggering_interaction_metadata"] = details | {"type": COMMAND}
        return body


class Interactions:
    """All interactions, by token.

    Args:
        world: Where they happen.
        deadline: Seconds the bot has for its first answer.
        lifetime: Seconds for which the token is good after that.

    """

    def __init__(
        self, world: World, *, deadline: float = _DEADLINE, lifetime: float = _LIFETIME
    ) -> None:
        self.world = world
        self.deadline = deadline
        self.lifetime = lifetime
        self._by_token: dict[str, Interaction] = {}

    def send(
        self,
        kind: int,
        user: User,
        channel: Channel,
        data: Payload,
        *,
        message: Message | None = None,
        name: str = "",
    ) -> Interaction:
        """Tell the bot what a person wants of it."""
        world = self.world
        interaction = Interaction(
            world.ids.new(), secrets.token_urlsafe(48), kind, user, channel, world.now()
        )
        interaction.message, interaction.name = message, name
        self._by_token[interaction.token] = interaction
        body = self._payload(interaction, data)
        world.emit("INTERACTION_CREATE", body, guild=channel.guild)
        return interaction

    def answerable(self, interaction_id: int, token: str) -> Interaction:
        """Return the interaction that a callback answers.

        Raises:
            ApiError: It is unknown, too late, or already answered.

        """
        interaction = self._by_token.get(token)
        if interaction is None or interaction.id != interaction_id:
            raise ApiError(10062)
        if interaction.acknowledged is not None:
            raise ApiError(40060)
        if self.world.now() - interaction.created > self.deadline:
            raise ApiError(10062)
        return interaction

    def open(self, token: str) -> Interaction:
        """Return the interaction whose token a webhook call carries.

        Raises:
            ApiError: The token is unknown, expired, or not yet acknowledged.

        """
        interaction = self._by_token.get(token)
        if interaction is None:
            raise ApiError(50027)
        if self.world.now() - interaction.created > self.lifetime:
            raise ApiError(50027)
        if interaction.acknowledged is None:
            raise ApiError(10015)
        return interaction

    def _payload(self, interaction: Interaction, data: Payload) -> Payload:
        world, channel, user = self.world, interaction.channel, interaction.user
        bot = world.bot
        body: dict[str, Any] = {
            "id": str(interaction.id),
            "application_id": str(bot.id),
            "type": interaction.type,
            "token": interaction.token,
            "version": 1,
            "data": data,
            "channel": channel.payload(bot.id),
            "channel_id": str(channel.id),
            "app_permissions": str(permissions.in_channel(channel, bot.id)),
            "locale": "en-US",
            "entitlements": [],
            "attachment_size_limit": 10 * 1024 * 1024,
        }
        if interaction.message is not None:
            body["message"] = interaction.message.payload(bot.id)
        guild = channel.guild
        if guild is None:
            owners = {"1": str(user.id)}
            body |= {"user": user.payload(), "context": 1}
        else:
            owners = {"0": str(guild.id)}
            rights = str(permissions.in_channel(channel, user.id))
            body |= {
                "guild_id": str(guild.id),
                "guild": {"id": str(guild.id), "locale": "en-US", "features": []},
                "guild_locale": "en-US",
                "member": guild.members[user.id].payload() | {"permissions": rights},
                "context": 0,
            }
        return body | {"authorizing_integration_owners": owners}
