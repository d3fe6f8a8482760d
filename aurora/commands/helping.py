"""Help of commands that is no docstring, and so is found in words.py."""

from __future__ import annotations

from typing import TypeVar

from redbot.core import commands

from ..words import Phrase, say

C = TypeVar("C", bound=commands.Command)


def helped(command: C, help_: Phrase) -> C:
    """Give a command its help, which Red asks for in the language of who reads it."""
    # Red looks for a docstring before it asks the translator.
    command.callback.__doc__ = str(help_)
    command.translator = lambda _english: say(help_)
    return command
