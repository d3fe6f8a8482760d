"""The help of commands: in the language of who reads it, like all else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from aurora import words
from aurora.aurora import Aurora
from tests.support.translations import ENGLISH, texts

COMMANDS = {one.qualified_name: one for one in [Aurora.aurora, *Aurora.aurora.walk_commands()]}


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """Return what is to be translated."""
    asked: list[str] = []
    before = words._translate

    def translate(text: str) -> str:
        asked.append(text)
        return text

    words.translate_with(translate)
    yield asked
    words.translate_with(before)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_help_of_every_command_is_in_the_catalogue(
    name: str, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where settings/ says it. A cog works with copies of its commands."""
    command: Any = COMMANDS[name].copy()
    monkeypatch.setattr(Aurora, "__translator__", words._translate)
    command.cog = Aurora
    assert command.help
    assert set(asked) - {""} <= texts(ENGLISH).keys()
    assert asked
