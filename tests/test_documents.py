"""What the documents say is what the code has: settings with their ranges, and commands."""

from __future__ import annotations

import re

import pytest

from aurora.commands.config import ConfigCommands
from aurora.commands.events import EventsCommands
from aurora.commands.queue import QueueCommands
from aurora.settings import GUILD_DEFAULTS, KEYS, RULES
from tests.support.house import ROOT, commands_of_the_cog


def rows(document: str) -> list[str]:
    """Return the rows of a document's tables."""
    lines = (ROOT / document).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.lstrip().startswith("|")]


def written(value: object) -> str:
    """Write a default as a person types it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize("document", ["README.md", "COMMANDS.md"])
@pytest.mark.parametrize("setting", KEYS)
def test_every_setting_stands_in_the_documents_with_its_default_and_range(
    setting: str, document: str
) -> None:
    """A row with `config <setting>`, the default and the range, as settings.py has them."""
    key = KEYS[setting]
    named = re.compile(rf"aurora config {setting}\b")
    found = [
        [cell.strip(" `") for cell in row.strip().strip("|").split("|")]
        for row in rows(document)
        if named.search(row)
    ]
    wanted = {written(GUILD_DEFAULTS[key]), RULES[key].values}
    assert any(wanted <= set(cells) for cells in found), (
        f"{document} has no table row with `[p]aurora config {setting}`, "
        f"{' and '.join(sorted(wanted))}; rows that name it: {found}"
    )


def test_the_cogs_commands_are_known_here() -> None:
    """The group is made in one module and filled in four."""
    known = commands_of_the_cog()
    assert {"aurora enable", "aurora config show"} <= set(known)
    groups = (ConfigCommands.config, QueueCommands.queue, EventsCommands.events)
    assert [group.name for group in groups] == ["config", "queue", "events"]


def test_every_command_stands_in_commands_md() -> None:
    """With its full name, in code."""
    text = (ROOT / "COMMANDS.md").read_text(encoding="utf-8")
    missing = [
        name for name in commands_of_the_cog() if not re.search(rf"\[p\]{name}(?![\w-])", text)
    ]
    assert missing == [], f"COMMANDS.md does not name: {', '.join(missing)}"


def test_commands_md_names_no_command_that_does_not_exist() -> None:
    """A document outlives what it describes."""
    known = set(commands_of_the_cog())
    text = (ROOT / "COMMANDS.md").read_text(encoding="utf-8")
    wrong = [
        used
        for used in re.findall(r"\[p\](aurora [a-z]+(?: [a-z]+)?)", text)
        if not any(used == name or used.startswith(f"{name} ") for name in known)
        and not any(name.startswith(f"{used} ") for name in known)
    ]
    assert wrong == []
