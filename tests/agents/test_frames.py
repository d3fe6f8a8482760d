"""What a server may send as JSON."""

from __future__ import annotations

import json
import math
import time

import pytest

from aurora.agents.frames import json_object, read_json, read_outline, write_json


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


DEEP = '{"a":' * 3000 + "1" + "}" * 3000


@pytest.mark.parametrize(
    "text", [DEEP, '{"a":' * 70 + "1" + "}" * 70, '{"id": ' + "1" * 5000 + "}"]
)
def test_arguments_that_nobody_can_mean_are_none(text: str) -> None:
    """Whoever goes through them, or shows them, would fail on them."""
    assert json_object(text) is None


def test_of_a_frame_that_nests_too_deeply_the_outer_parts_are_read() -> None:
    """To answer a call it is enough to know which one it is; brackets in words are no brackets."""
    text = f'{{"type": "a [[{{", "request": {{"input": {DEEP}, "name": "x"}}, "id": "1"}}'
    found = read_outline(text)
    assert (found["type"], found["id"], found["request"]["name"]) == ("a [[{", "1", "x")
    assert found["request"]["input"]["a"]["a"]


def test_nothing_deep_inside_is_taken_for_an_outer_part() -> None:
    """Or a model's words could answer another call than their own."""
    inner = '{"id": "forged", "type": "forged", "a": ' + DEEP + "}"
    assert read_outline(f'{{"input": {inner}, "id": "own"}}')["id"] == "own"
    assert "type" not in read_outline(f'{{"id": "own", "input": [[{inner}]]}}')


@pytest.mark.parametrize("brackets", ["[", "]", '{"a":[', "[]", '"', '"\\'])
def test_an_outline_of_anything_is_found_at_once_or_not_at_all(brackets: str) -> None:
    """The event loop waits for it; the bound is wide."""
    text = '{"a": ' + brackets * (130_000 // len(brackets))
    begun = time.process_time()
    with pytest.raises(ValueError):  # noqa: PT011 - whoever reads says so in their own words
        read_outline(text)
    assert time.process_time() - begun < 1


def test_a_number_without_end_is_left_out_of_an_outline() -> None:
    """Python refuses to read one."""
    text = '{"type": "x", "input": {"channelId": ' + "7" * 5000 + "}}"
    assert read_outline(text) == {"type": "x", "input": {"channelId": None}}


@pytest.mark.parametrize("value", ["Grüße 👋", "\ud800", 2**70, 1.5, None, {"a": ["b"]}])
def test_whatever_is_written_is_read_again(value: object) -> None:
    """Also half an emoji, which the faster writer does not take."""
    assert json.loads(write_json({"value": value})) == {"value": value}
