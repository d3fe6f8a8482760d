"""What people ask of the bot with buttons, menus, commands and forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import permissions
from .commands import MESSAGE, SUB_COMMAND, SUB_COMMAND_GROUP, Commands
from .interactions import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    MODAL_SUBMIT,
    Interaction,
    Interactions,
)
from .message import Message
from .model import Channel, Payload, User
from .people import PermissionDeniedError
from .world import World

_BUTTON = 2
_STRING, _INTEGER, _BOOLEAN, _USER, _CHANNEL, _ROLE, _MENTIONABLE, _NUMBER = range(3, 11)
_PYTHON_TYPES: dict[int, tuple[type, ...]] = {
    _STRING: (str,),
    _INTEGER: (int,),
    _BOOLEAN: (bool,),
    _NUMBER: (int, float),
}


class Pressing:
    """The requests that people send to the bot.

    Args:
        world: Where they are.
        interactions: Where the requests are kept.
        commands: What the bot registered.

    """

    def __init__(self, world: World, interactions: Interactions, commands: Commands) -> None:
        self._world = world
        self._interactions = interactions
        self._commands = commands

    def press(
        self, user: User, message: Message, custom_id: str, *, values: Sequence[str] | None = None
    ) -> Interaction:
        """Press a button, or with `values` choose in a menu.

        Raises:
            PermissionError: The person does not see the message.
            LookupError: The message has no such component, or it is disabled.

        """
        self._check_sees(user, message.channel)
        if message.ephemeral_for not in (None, user.id) or message.deleted:
            raise PermissionDeniedError(f"{user.name} does not see message {message.id}")
        component = _component(message.components, custom_id)
        data: Payload = {"custom_id": custom_id, "component_type": component["type"], "id": 1}
        if component["type"] != _BUTTON:
            data["values"] = list(values or ())
        return self._interactions.send(COMPONENT, user, message.channel, data, message=message)

    def slash(
        self,
        user: User,
        channel: Channel,
        name: str,
        options: Mapping[str, Any] | None = None,
    ) -> Interaction:
        """Use a slash command.

        Args:
            user: Who.
            channel: Where.
            name: With its groups, such as ``slash sync``.
            options: Values by name; users, channels and roles as themselves.

        Raises:
            LookupError: No such command is registered here.
            PermissionError: The person may not use it here.
            ValueError: An option is unknown, missing or of another type.

        """
        command, data = self._command(user, channel, name, options or {}, focused=None)
        label = " ".join([command["name"], *name.split()[1:]])
        return self._interactions.send(COMMAND, user, channel, data, name=label)

    def menu(self, user: User, message: Message, name: str) -> Interaction:
        """Choose an entry of a message's menu.

        Raises:
            LookupError: No such command is registered here.
            PermissionError: The person does not see the message.

        """
        self._check_sees(user, message.channel)
        guild = message.channel.guild
        command = self._commands.find(guild.id if guild else None, name, MESSAGE)
        if command is None:
            raise LookupError(f"there is no entry {name!r} in the menu of a message")
        data: Payload = {
            "id": command["id"],
            "name": name,
            "type": MESSAGE,
            "target_id": str(message.id),
            "resolved": {"messages": {str(message.id): message.payload(0)}},
        }
        return self._interactions.send(COMMAND, user, message.channel, data, name=name)

    def autocomplete(
        self,
        user: User,
        channel: Channel,
        name: str,
        options: Mapping[str, Any],
        *,
        focused: str,
    ) -> Interaction:
        """Ask for suggestions while typing into the option `focused`."""
        _, data = self._command(user, channel, name, options, focused=focused)
        return self._interactions.send(AUTOCOMPLETE, user, channel, data, name=name)

    def submit_modal(
        self, user: User, interaction: Interaction, values: Mapping[str, str]
    ) -> Interaction:
        """Fill in the form that the bot opened and send it.

        Args:
            user: Who; the one it was opened for.
            interaction: The one that was answered with the form.
            values: Texts by custom id or by label; fields left out keep what they say.

        Raises:
            LookupError: There is no form, or it has no such field.

        """
        modal = interaction.modal
        if modal is None:
            raise LookupError("the bot opened no form")
        if user is not interaction.user:
            raise PermissionDeniedError(f"the form is not {user.name}'s")
        left = dict(values)
        filled = [_filled(item, left) for item in modal["components"]]
        if left:
            raise LookupError(f"the form has no field {', '.join(map(repr, left))}")
        data = {"custom_id": modal["custom_id"], "components": filled}
        return self._interactions.send(
            MODAL_SUBMIT, user, interaction.channel, data, message=interaction.message
        )

    def _check_sees(self, user: User, channel: Channel) -> None:
        if not self._world.may(user, channel, permissions.VIEW_CHANNEL):
            raise PermissionDeniedError(f"{user.name} does not see #{channel.name}")

    def _command(
        self,
        user: User,
        channel: Channel,
        name: str,
        options: Mapping[str, Any],
        *,
        focused: str | None,
    ) -> tuple[Payload, Payload]:
        self._check_sees(user, channel)
        guild = channel.guild
        root, *path = name.split()
        command = self._commands.find(guild.id if guild else None, root)
        if command is None:
            raise LookupError(f"the command /{root} is not registered here")
        self._check_allowed(user, channel, command)
        level: list[Payload] = command["options"]
        wrap: list[Payload] = []
        for part in path:
            found = next((item for item in level if item["name"] == part), None)
            if found is None or found["type"] not in (SUB_COMMAND, SUB_COMMAND_GROUP):
                raise LookupError(f"/{root} has no subcommand {part!r}")
            wrap.append({"name": part, "type": found["type"]})
            level = found.get("options") or []
        if any(item["type"] in (SUB_COMMAND, SUB_COMMAND_GROUP) for item in level):
            raise LookupError(f"/{name} is a group; name one of its subcommands")
        resolved: Payload = {}
        chosen = list(self._values(level, options, resolved, channel, focused))
        for item in reversed(wrap):
            chosen = [item | {"options": chosen}]
        data: Payload = {
            "id": command["id"],
            "name": command["name"],
            "type": 1,
            "options": chosen,
            "resolved": resolved,
        }
        if "guild_id" in command:
            data["guild_id"] = command["guild_id"]
        return command, data

    def _check_allowed(self, user: User, channel: Channel, command: Payload) -> None:
        if channel.guild is None:
            if not command["dm_permission"]:
                raise LookupError(f"/{command['name']} is not for private messages")
            return
        needed = permissions.USE_APPLICATION_COMMANDS
        needed |= int(command["default_member_permissions"] or 0)
        if not self._world.may(user, channel, needed):
            raise PermissionDeniedError(f"{user.name} may not use /{command['name']} here")

    def _values(
        self,
        known: list[Payload],
        given: Mapping[str, Any],
        resolved: Payload,
        channel: Channel,
        focused: str | None,
    ) -> Iterator[Payload]:
        unknown = set(given) - {item["name"] for item in known}
        if unknown:
            raise ValueError(f"no such option: {', '.join(sorted(unknown))}")
        for option in known:
            name = option["name"]
            if name not in given:
                if option.get("required") and focused is None:
                    raise ValueError(f"the option {name!r} is required")
                continue
            value = self._value(option, given[name], resolved, channel)
            item: Payload = {"name": name, "type": option["type"], "value": value}
            yield item | {"focused": True} if name == focused else item

    def _value(self, option: Payload, value: Any, resolved: Payload, channel: Channel) -> Any:
        kind = option["type"]
        if kind in _PYTHON_TYPES:
            _check_plain(option, value)
            return value
        key, guild = str(value.id), channel.guild
        if isinstance(value, User):
            resolved.setdefault("users", {})[key] = value.payload()
            if guild is not None and value.id in guild.members:
                member = guild.members[value.id].payload(with_user=False)
                resolved.setdefault("members", {})[key] = member | {"permissions": "0"}
        elif isinstance(value, Channel):
            body = value.payload(self._world.bot.id) | {"permissions": "0"}
            resolved.setdefault("channels", {})[key] = body
        else:
            resolved.setdefault("roles", {})[key] = value.payload()
        return key


def _check_plain(option: Payload, value: Any) -> None:
    name, kind = option["name"], option["type"]
    right = isinstance(value, _PYTHON_TYPES[kind])
    if not right or (kind != _BOOLEAN and isinstance(value, bool)):
        raise ValueError(f"the option {name!r} does not take {value!r}")
    choices = [choice["value"] for choice in option.get("choices") or ()]
    if choices and value not in choices:
        raise ValueError(f"the option {name!r} is one of {choices}, not {value!r}")
    size = len(value) if kind == _STRING else value
    low = option.get("min_length" if kind == _STRING else "min_value")
    high = option.get("max_length" if kind == _STRING else "max_value")
    if (low is not None and size < low) or (high is not None and size > high):
        raise ValueError(f"the option {name!r} lies between {low} and {high}")


def _component(components: Sequence[Payload], custom_id: str) -> Payload:
    for item in _walk(components):
        if item.get("custom_id") == custom_id:
            if item.get("disabled"):
                raise LookupError(f"the component {custom_id!r} is disabled")
            return item
    raise LookupError(f"there is no component {custom_id!r}")


def _walk(components: Sequence[Payload]) -> Iterator[Payload]:
    for item in components:
        yield item
        yield from _walk(item.get("components") or ())
        if "accessory" in item:
            yield item["accessory"]


def _filled(item: Payload, values: dict[str, str]) -> Payload:
    # An old form holds rows of inputs, a new one labels around one input each.
    if "component" in item:
        inner = _filled(item["component"] | {"label": item.get("label")}, values)
        return {"type": item["type"], "id": item.get("id", 1), "component": inner}
    if "components" in item:
        inners = [_filled(inner, values) for inner in item["components"]]
        return {"type": item["type"], "id": item.get("id", 1), "components": inners}
    custom_id = item.get("custom_id", "")
    key = custom_id if custom_id in values else item.get("label")
    value = values.pop(key, item.get("value")) if key else item.get("value")
    return {
        "type": item["type"],
        "custom_id": custom_id,
        "id": item.get("id", 1),
        "value": value or "",
    }
