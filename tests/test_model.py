"""The ids of events."""

from __future__ import annotations

import uuid

import pytest

from aurora.ids import new_event_id


def test_an_event_id_is_a_uuid_of_version_7() -> None:
    """RFC 9562: version and variant are where everybody looks for them."""
    prefix, _, text = new_event_id(1_750_000_000.0).partition("_")
    value = uuid.UUID(text)
    assert prefix == "evt"
    assert (value.version, value.variant) == (7, uuid.RFC_4122)


@pytest.mark.parametrize("at", [0.0, 1_750_000_000.123, 4_000_000_000.999])
def test_an_event_id_holds_its_time_in_milliseconds(at: float) -> None:
    """So that ids sort by time of acceptance."""
    assert uuid.UUID(new_event_id(at).removeprefix("evt_")).int >> 80 == int(at * 1000)


def test_ids_of_later_moments_sort_later_and_none_is_twice() -> None:
    """As text, which is how they are kept."""
    ids = [new_event_id(1_750_000_000 + step / 1000) for step in range(1000)]
    assert ids == sorted(ids)
    assert len({new_event_id(1.0) for _ in range(1000)}) == 1000
