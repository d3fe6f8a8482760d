"""What a server may send as JSON."""

from __future__ import annotations

import math

import pytest

from aurora.agents.frames import read_json


def test_half_an_emoji_is_read() -> None:
    """A model's text may be cut in the middle of one, and is an answer all the same."""
    assert read_json('{"text": "half \\ud83d"}') == {"text": "half \ud83d"}


def test_what_only_python_writes_is_read() -> None:
    """The servers are written in it, and write NaN where they have no number."""
    assert math.isnan(read_json('{"cost": NaN}')["cost"])


@pytest.mark.parametrize("text", ["", "{", "no JSON", '{"text": "cut'])
def test_what_is_no_json_is_no_value(text: str) -> None:
    """Whoever reads says so."""
    with pytest.raises(ValueError, match=r"column"):
        read_json(text)
