"""Hints: each command that a text names exists, and works for who reads it, where it is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import pytest
from redbot.core import commands

from aurora.aurora import Aurora
from tests.support.phrases import PHRASES

LEAVES: dict[str, Any] = {
    one.qualified_name: one
    for one in Aurora.aurora.walk_commands()
    if not isinstance(one, commands.Group)
}
REDS = {"reload aurora": "owner", "slash sync": "owner", "set api letta token,<token>": "owner"}
"""Commands of Red's that texts name, and whose they are; all of them work everywhere."""


@dataclass(frozen=True)
class Read:
    """Who may read a text, and where: in a server, in a direct message."""

    by_owner_alone: bool
    server: bool = True
    dm: bool = True


OWNER, ADMIN = Read(by_owner_alone=True), Read(by_owner_alone=False, dm=False)
ANY_ADMIN = Read(by_owner_alone=False)
LOG = Read(by_owner_alone=True, server=False, dm=False)

READ = {
    "agents.CREDENTIALS": OWNER,
    "agents.REVOKED_STILL_ON": OWNER,
    "alerts.GUILD_REMEDY": ADMIN,
    "alerts.SERVER_REMEDY": OWNER,
    "alerts.AGENT_REMEDY": OWNER,
    "alerts.LIMITED_REMEDY": OWNER,
    "alerts.TOO_MANY_ERRORS": OWNER,
    "alerts.NOT_STARTED": OWNER,
    "commands.NOT_STARTED_FOR": OWNER,
    "commands.OUT_OF_DATE": ANY_ADMIN,
    "config.AUDIENCE_BLOCKED": ADMIN,
    "config.NAME_TWO_PLACES": ADMIN,
    "config.PAIR_OFF": ADMIN,
    "config.OWN_COMMAND": ANY_ADMIN,
    "config.NO_HOST": ADMIN,
    "config.OWNERS_COMMAND": ANY_ADMIN,
    "config.OWNERS_COMMAND_THERE": ANY_ADMIN,
    "config.CHANGE_ONE": ADMIN,
    "config.CHANGE_BUDGET": ADMIN,
    "config.CHANGE_TOOL": ADMIN,
    "config.CHANGE_ONE_THERE": OWNER,
    "config.WHICH_AGENT": OWNER,
    "config.DMS_ON_NOBODY": OWNER,
    "events.NO_ADDRESS": ANY_ADMIN,
    "events.RESUME_HERE": ADMIN,
    # Where admins read it, the text around it says whose it is.
    "events.RESUME_EVERYWHERE": OWNER,
    "memory.HOW_TO_UNDO": OWNER,
    "memory.NO_CHANGE": OWNER,
    "models.NONE_CHOSEN": OWNER,
    "models.NO_SERVER": OWNER,
    "roles.NONE_YET": ADMIN,
    "roles.NOT_ON": ADMIN,
    "queue.UNKNOWN": ANY_ADMIN,
    "reasons.TEXT_NOT_DELIVERED": ANY_ADMIN,
    "reasons.MEND_AUDIENCE": LOG,
    "reasons.MEND_CONTEXT_FULL": OWNER,
    "reasons.MEND_BOTS_ALONE": LOG,
    "reasons.MEND_KEPT_OUT": LOG,
    "reasons.MEND_OFF_LIMITS": LOG,
    "reasons.MEND_PREFIXES": LOG,
    "reasons.MEND_REPLIES": LOG,
    "reasons.MEND_OWN_TOOLS": OWNER,
    "reasons.MEND_TIMEOUT": LOG,
    "reasons.MEND_STUCK": LOG,
    "reasons.MEND_NOT_CONFIGURED": LOG,
    "reasons.MEND_NOT_ENABLED": LOG,
    "reasons.MEND_DM_NO_AGENT": LOG,
    "reasons.MEND_FULL": LOG,
    "reasons.MEND_PERSON_FULL": LOG,
    "reasons.MEND_TOO_OFTEN": LOG,
    "reasons.MEND_RETRY": LOG,
    "remedies.SET_TOKEN": OWNER,
    "remedies.RUNNING": OWNER,
    "remedies.ADDRESS": OWNER,
    "remedies.OWN_ADDRESS": OWNER,
    "silence.WHICH": ADMIN,
    "run_life.UNKNOWN": ANY_ADMIN,
    "usage.FOR_MANAGERS": ANY_ADMIN,
    "schedules.NONE": ADMIN,
    "schedules.NO_SUCH": ADMIN,
    "schedules.PAUSED_FOR": ADMIN,
    "setup.NO_SERVER_YET": OWNER,
    "setup.NOT_LOOKED_UP": ADMIN,
    "setup.NOT_YOURS": ADMIN,
    "setup.UNUSABLE_ADDRESS": OWNER,
    "setup.WITHHELD": OWNER,
    "setup.SDK_BY_HAND": OWNER,
    "slimming.ASK_SLIM": OWNER,
    "slimming.SLIMMED": OWNER,
    "triggers.NO_PREFIX": ADMIN,
}
"""Every text that names a command, and who may read it where."""

VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "config.CHANGE_ONE": {"{command} <setting>": ("config timeout", "config set <setting>")},
    "config.OWN_COMMAND": {
        "{name}": (
            "alerts",
            "channels",
            "roles",
            "users",
            "embedhosts",
            "silence",
            "replies",
            "wakeword",
        )
    },
    "config.NAME_TWO_PLACES": {"#ideas #general": ("<from> <to>",)},
    "config.OWNERS_COMMAND": {"{name}": ("retention", "alertwebhook")},
    "config.OWNERS_COMMAND_THERE": {"{name}": ("tools", "memory", "trustbot")},
    "triggers.NO_PREFIX": {"{action}": ("add", "remove")},
}
"""What stands in a command's name for a placeholder."""


def hints(name: str) -> Iterator[str]:
    """Yield the commands that a text names, without the prefix, its placeholders filled in."""
    text = PHRASES[name].text
    for key, values in VALUES.get(name, {}).items():
        text = "\n".join(text.replace(key, value) for value in values)
    yield from re.findall(r"`\[p\]([^`]+)`", text)


def split(hint: str) -> tuple[Any, list[str]] | None:
    """Return the command that a hint names, and the words behind it; None if there is none."""
    words = hint.split()
    for length in range(len(words), 0, -1):
        if (found := LEAVES.get(" ".join(words[:length]))) is not None:
            return found, words[length:]
    return None


def fits(command: Any, words: list[str]) -> bool:
    """Tell whether a command takes these words, of which some are placeholders."""
    known = {
        str(value)
        for one in command.clean_params.values()
        for annotation in (one.annotation, *get_args(one.annotation))
        if get_origin(annotation) is Literal
        for value in get_args(annotation)
    }
    plain = [one for one in words if not re.fullmatch(r"<\w+>|\{\w+\}|…", one)]
    return len(words) <= len(command.clean_params) and set(plain) <= known


NAMING = sorted(name for name, one in PHRASES.items() if "[p]" in one.text)


def test_every_text_that_names_a_command_is_known_here() -> None:
    """Who may read a new one is for who writes it to say."""
    assert sorted(READ) == NAMING


@pytest.mark.parametrize("name", NAMING)
def test_the_commands_that_a_text_names_exist_and_take_what_is_named(name: str) -> None:
    """A hint that fails is worse than none."""
    found = list(hints(name))
    assert found, "a prefix stands outside of a command"
    for hint in found:
        if hint not in REDS:
            named = split(hint)
            assert named is not None, f"{name} names {hint!r}"
            assert fits(*named), f"{name} names {hint!r}"


@pytest.mark.parametrize("name", NAMING)
def test_who_may_not_use_a_command_is_told_whose_it_is(name: str) -> None:
    """An admin who reads an owner's command without that is refused in silence."""
    read = READ[name]
    for hint in hints(name):
        named = split(hint)
        owners = (
            hint in REDS
            or (named is not None and named[0].requires.privilege_level.name == "BOT_OWNER")
            or "everywhere" in hint.split()
        )
        if owners and not read.by_owner_alone:
            assert "bot's owner" in PHRASES[name].text, f"{name} names {hint!r}"


@pytest.mark.parametrize("name", NAMING)
def test_a_command_about_a_server_is_not_named_in_a_direct_message_without_one(name: str) -> None:
    """It would be refused there."""
    read = READ[name]
    for hint in hints(name):
        named = split(hint)
        if named is None or not read.dm:
            continue
        command, words = named
        guild_only = any(
            "guild_only" in getattr(check, "__qualname__", "") for check in command.checks
        )
        takes = "server" in command.clean_params
        told = re.search(r"\bin (the|that) server\b|\bthere\b", PHRASES[name].text)
        assert not guild_only or told, f"{name} names {hint!r}"
        assert not takes or len(words) == len(command.clean_params), f"{name} names {hint!r}"


def test_no_command_is_named_without_its_prefix() -> None:
    """Copied from the text, it must work."""
    bare = [
        f"{name}: {found}"
        for name, phrase in PHRASES.items()
        for found in re.findall(r"`([a-z]+(?: [a-z]+)*)`", phrase.text)
        if f"aurora {found}" in LEAVES
    ]
    assert bare == []


@pytest.mark.parametrize("command", sorted(LEAVES))
def test_the_help_of_a_command_names_commands_that_exist(command: str) -> None:
    """With the prefix, as all else."""
    for hint in re.findall(r"`\[p\]([^`]+)`", LEAVES[command].callback.__doc__ or ""):
        assert hint in REDS or split(hint) is not None, hint
