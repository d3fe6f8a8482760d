"""What a message holds besides its text, in words."""

from __future__ import annotations

from typing import Any

import pytest

from aurora.context.describe import EXTRA_LINES, describe_extras
from tests.support.payloads import TeaHouse, attachment, snapshot

EXTRAS = [
    (
        {"attachments": [attachment("cat.png", content_type="image/png", description="a cat")]},
        'attachment "cat.png" (image/png, 12 kB): a cat',
    ),
    (
        {"attachments": [attachment("v.ogg", content_type="audio/ogg", duration_secs=12.4,
                                    waveform="AAAA")], "flags": 8192},
        'voice message "v.ogg" (audio/ogg, 12 kB, 12 s)',
    ),
    ({"attachments": [attachment("x")]}, 'attachment "x" (unknown type, 12 kB)'),
    (
        {"embeds": [{"type": "rich", "title": "Title", "description": "Words",
                     "url": "https://example.com", "fields": [{"name": "n", "value": "v"}]}]},
        "embed: Title — Words — n: v — https://example.com",
    ),
    ({"embeds": [{"type": "image"}]}, "embed: image"),
    ({"sticker_items": [{"id": "1", "name": "wave", "format_type": 1}]}, 'sticker "wave"'),
    (
        {"poll": {"question": {"text": "Tea?"}, "allow_multiselect": True, "layout_type": 1,
                  "expiry": "2025-11-22T12:00:00+00:00",
                  "answers": [{"answer_id": 1, "poll_media": {"text": "yes"}},
                              {"answer_id": 2, "poll_media": {"text": "no"}}]}},
        'poll "Tea?" (several answers allowed): "yes" (0 votes) | "no" (0 votes)',
    ),
    (
        {"components": [{"type": 17, "components": [{"type": 10, "content": "Hello"}]},
                        {"type": 1, "components": [{"type": 2, "style": 1, "label": "Yes",
                                                    "custom_id": "y"}]}]},
        'components: Hello | button "Yes"',
    ),
    ({"type": 6}, 'system message: "ann pinned a message to this channel."'),
    ({"type": 3}, 'system message: "call by ann"'),
    ({"activity": {"type": 1}}, 'invitation to join "an activity"'),
    ({}, "a message without text (Discord type default)"),
]  # fmt: skip


@pytest.mark.parametrize(("payload", "line"), EXTRAS)
def test_what_is_not_text_is_described(
    world: TeaHouse, payload: dict[str, Any], line: str
) -> None:
    """Never "[no text]"."""
    assert describe_extras(world.message(**payload)) == [line]


def test_a_forward_shows_what_was_forwarded(world: TeaHouse) -> None:
    """Text and attachments of the forwarded message count, though the message has none."""
    shot = snapshot("the news", attachments=[attachment("map.png")])
    reference = {"type": 1, "message_id": "1", "channel_id": "2"}
    message = world.message(message_reference=reference, message_snapshots=[shot])
    written = "forwarded message, written 2025-11-21 12:00 UTC"
    assert describe_extras(message) == [
        f"{written}: the news",
        f'in a {written}: attachment "map.png" (unknown type, 12 kB)',
    ]


def test_many_extras_are_cut_and_say_so(world: TeaHouse) -> None:
    """Ten attachments and ten embeds fit into one message."""
    message = world.message(attachments=[attachment(f"{n}.png") for n in range(EXTRA_LINES + 2)])
    lines = describe_extras(message)
    assert len(lines) == EXTRA_LINES + 1
    assert lines[-1] == "and 2 more not shown"
