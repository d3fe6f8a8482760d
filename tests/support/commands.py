"""The commands that the cog has."""

from __future__ import annotations

from redbot.core import commands

from aurora.aurora import Aurora


def commands_of_the_cog() -> list[str]:
    """Return the names of all commands, but for groups, which only hold others."""
    return sorted(
        command.qualified_name
        for command in Aurora.aurora.walk_commands()
        if not isinstance(command, commands.GroupMixin)
    )
