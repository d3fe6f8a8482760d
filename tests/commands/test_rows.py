"""The list of settings goes out whole, in whatever language."""

from __future__ import annotations

from typing import Any, cast

import pytest

from aurora.commands.rows import Row, show_rows
from aurora.commands.settings import setting_rows
from aurora.settings import Settings
from aurora.words import verbatim
from tests.support.keepers import Keeper


class Told:
    """A context that takes what Discord takes."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    async def send(self, text: str) -> None:
        """Refuse what is too long."""
        assert 0 < len(text) <= 2000
        self.messages.append(text)


async def show(rows: list[Row], below: str) -> list[str]:
    """Return the messages in which rows are shown."""
    told = Told()
    await show_rows(cast(Any, told), rows, below)
    return told.messages


async def test_in_english_all_settings_fit_into_three_messages() -> None:
    """The last of them is what is said below."""
    rows = list(setting_rows(Settings(Keeper()), 1))
    *pages, below = await show(rows, "x" * 150)
    assert len(pages) == 2
    assert below == "x" * 150
    assert all(any(name in page for page in pages) for name, _, _ in rows)


@pytest.mark.parametrize("count", [40, 200])
async def test_a_longer_list_comes_in_several(count: int) -> None:
    """Nothing is cut, and the text below is the last."""
    rows: list[Row] = [(f"name{number}", "on", verbatim("y" * 60)) for number in range(count)]
    *pages, below = await show(rows, "Change one.")
    assert below == "Change one."
    assert all(f"name{number} " in "\n".join(pages) for number in range(count))
