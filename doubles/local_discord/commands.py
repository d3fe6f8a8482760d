"""The bot's application commands: what Discord takes, and what it refuses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from .errors import (
    ApiError,
    Payload,
    bad_length,
    invalid,
    required,
)
from .snowflakes import Snowflakes

CHAT_INPUT, USER, MESSAGE = 1, 2, 3
SUB_COMMAND, SUB_COMMAND_GROUP = 1, 2
_MOST = {CHAT_INPUT: 100, USER: 5, MESSAGE: 5}
_TREE_SIZE = 8000
_NAME = re.compile(r"[-_'\w]{1,32}")


@dataclass(slots=True)
class Commands:
    """The registered commands, by scope: a guild's id, or None for everywhere."""

    application_id: int
    ids: Snowflakes
    scopes: dict[int | None, dict[int, Payload]] = field(default_factory=dict)

    def of(self, scope: int | None) -> dict[int, Payload]:
        """Return the commands of a scope by id."""
        return self.scopes.setdefault(scope, {})

    def get(self, scope: int | None, command_id: int) -> Payload:
        """Return a command.

        Raises:
            ApiError: There is none with this id.

        """
        command = self.of(scope).get(command_id)
        if command is None:
            raise ApiError(10063)
        return command

    def find(self, guild_id: int | None, name: str, kind: int = CHAT_INPUT) -> Payload | None:
        """Return the command that a person in a guild or DM finds under a name."""
        for scope in (guild_id, None):
            for command in self.of(scope).values():
                if command["type"] == kind and command["name"] == name:
                    return command
        return None

    def replace(self, scope: int | None, bodies: list[Payload]) -> list[Payload]:
        """Register exactly these commands; one that keeps its name keeps its id."""
        if len(bodies) > sum(_MOST.values()):
            raise bad_length("", 0, sum(_MOST.values()))
        checked = [_checked(body, str(index)) for index, body in enumerate(bodies)]
        for kind, most in _MOST.items():
            if sum(body["type"] == kind for body in checked) > most:
                raise bad_length("", 0, most)
        keys = [(body["type"], body["name"]) for body in checked]
        if len(set(keys)) < len(keys):
            text = "Application command names must be unique"
            raise invalid("", "APPLICATION_COMMANDS_DUPLICATE_NAME", text)
        known = {(item["type"], item["name"]): item["id"] for item in self.of(scope).values()}
        made = [
            self._stored(scope, body, known.get(key))
            for key, body in zip(keys, checked, strict=True)
        ]
        self.scopes[scope] = {int(item["id"]): item for item in made}
        return made

    def put(self, scope: int | None, body: Payload) -> tuple[Payload, bool]:
        """Register one command; say whether its name is new."""
        checked = _checked(body, "")
        there = self.of(scope)
        same = [item for item in there.values() if item["type"] == checked["type"]]
        known = next((item["id"] for item in same if item["name"] == checked["name"]), None)
        if known is None and len(same) >= _MOST[checked["type"]]:
            raise ApiError(30032)
        made = self._stored(scope, checked, known)
        there[int(made["id"])] = made
        return made, known is None

    def change(self, scope: int | None, command_id: int, fields: Payload) -> Payload:
        """Change a registered command."""
        checked = _checked(self.get(scope, command_id) | fields, "")
        made = self._stored(scope, checked, str(command_id))
        self.of(scope)[command_id] = made
        return made

    def _stored(self, scope: int | None, body: Payload, known: str | None) -> Payload:
        made: Payload = {
            "dm_permission": True,
            "default_member_permissions": None,
            "nsfw": False,
            "options": [],
            "description": "",
            "contexts": None,
            "integration_types": [0],
            **body,
            "id": known or str(self.ids.new()),
            "application_id": str(self.application_id),
            "version": str(self.ids.new()),
        }
        if scope is not None:
            made["guild_id"] = str(scope)
        return made


def _checked(body: Payload, path: str) -> Payload:
    kind = body.get("type") or CHAT_INPUT
    if kind not in _MOST:
        text = f"Value must be one of {{{', '.join(map(str, _MOST))}}}."
        raise invalid(_join(path, "type"), "BASE_TYPE_CHOICES", text)
    if kind == CHAT_INPUT:
        _check_named(body, path)
        _check_options(body.get("options") or [], path, depth=0)
        if _size(body) > _TREE_SIZE:
            text = f"Command exceeds maximum size ({_TREE_SIZE})"
            raise invalid(path, "APPLICATION_COMMAND_TOO_LARGE", text)
    elif not 1 <= len(body.get("name") or "") <= 32:
        raise bad_length(_join(path, "name"), 1, 32)
    return body | {"type": kind}


def _check_named(body: Payload, path: str) -> None:
    name, description = body.get("name"), body.get("description")
    if name is None:
        raise required(_join(path, "name"))
    if not _NAME.fullmatch(name) or name != name.lower():
        text = "Command name is invalid"
        raise invalid(_join(path, "name"), "APPLICATION_COMMAND_INVALID_NAME", text)
    if not description:
        raise required(_join(path, "description"))
    if len(description) > 100:
        raise bad_length(_join(path, "description"), 1, 100)


def _check_options(options: list[Payload], path: str, *, depth: int) -> None:
    if len(options) > 25:
        raise bad_length(_join(path, "options"), 0, 25)
    names: set[str] = set()
    optional_seen = False
    for index, option in enumerate(options):
        here = _join(path, f"options.{index}")
        _check_named(option, here)
        if option["name"] in names:
            text = "Option names must be unique"
            raise invalid(here, "APPLICATION_COMMAND_OPTIONS_NAME_DUPLICATE", text)
        names.add(option["name"])
        if option.get("type") in (SUB_COMMAND, SUB_COMMAND_GROUP):
            # A group may hold subcommands, a subcommand no further ones.
            if depth >= (2 if option["type"] == SUB_COMMAND else 1):
                text = "Sub-command and sub-command group option types are nested too deep"
                raise invalid(here, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", text)
            below = depth + 1 if option["type"] == SUB_COMMAND_GROUP else 2
            _check_options(option.get("options") or [], here, depth=below)
            continue
        if option.get("required") and optional_seen:
            text = "Required options must be placed before non-required options"
            raise invalid(here, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", text)
        optional_seen = optional_seen or not option.get("required")
        _check_choices(option.get("choices") or [], here)


def _check_choices(choices: list[Payload], path: str) -> None:
    if len(choices) > 25:
        raise bad_length(_join(path, "choices"), 0, 25)
    for index, choice in enumerate(choices):
        if not 1 <= len(str(choice.get("name", ""))) <= 100:
            raise bad_length(_join(path, f"choices.{index}.name"), 1, 100)


def _size(body: Payload) -> int:
    total = _text(body.get("name")) + _text(body.get("description"))
    for choice in body.get("choices") or ():
        total += _text(choice.get("name")) + _text(choice.get("value"))
    return total + sum(_size(option) for option in body.get("options") or ())


def _text(value: Any) -> int:
    return len(value) if isinstance(value, str) else 0


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
