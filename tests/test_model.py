"""The ids of events, and what they came by."""

from __future__ import annotations

import re
import uuid

import pytest

from aurora.ids import ids_of_task, message_id_at, new_event_id, task_id, wake_id
from aurora.model import Kind
from tests.support.events import make_event


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


def test_a_schedule_has_one_id_for_each_time() -> None:
    """Which says when it was, as Discord's do."""
    assert wake_id(3, 1.75e9) == wake_id(3, 1.75e9) != wake_id(4, 1.75e9)
    assert 0 <= wake_id(3, 1.75e9) - message_id_at(1.75e9) < 1 << 22


@pytest.mark.parametrize(
    ("kind", "replies_to", "source"),
    [
        ("mention", 5, "message:5"),
        ("ask", 6, "interaction:5"),
        ("press", 6, "interaction:5"),
        ("wake", 6, "wake:5"),
    ],
)
def test_what_came_by_no_message_is_answered_at_its_anchor(
    kind: Kind, replies_to: int, source: str
) -> None:
    """And what it came by has a name."""
    event = make_event(message_id=5, kind=kind, anchor_id=6)
    assert (event.replies_to, event.source) == (replies_to, source)


# -- short names


def test_a_task_id_leads_back_to_its_event_and_to_no_other() -> None:
    """It is made of the event's id alone, so that nothing has to be kept for it."""
    ids = [new_event_id(1_750_000_000 + step / 1000) for step in range(500)]
    for event_id in ids:
        prefix = ids_of_task(task_id(event_id))
        assert prefix is not None
        assert [one for one in ids if one.startswith(prefix)] == [event_id]


def test_thousands_of_one_millisecond_have_names_of_their_own() -> None:
    """A burst is when somebody wants to tell them apart."""
    names = {task_id(new_event_id(1_750_000_000.0)) for _ in range(1000)}
    assert len(names) == 1000
    assert all(re.fullmatch(r"task-[0-9a-hj-km-np-tv-z]{15}", one) for one in names)


def test_a_task_id_may_be_typed_as_it_is_read_aloud() -> None:
    """In capitals, with blanks around it, and an O for a zero."""
    name = task_id("evt_00000000-0000-7000-8000-000000000001")
    assert name == "task-000000000000000"
    assert ids_of_task(" TASK-OOO000000000000 ") == "evt_00000000-0000-7000-8000-"
    assert ids_of_task("task-lI0000000000000") == ids_of_task("task-110000000000000")


@pytest.mark.parametrize(
    "text",
    [
        *("", "task-", "task-0", "task-00000000000000u", "task-g00000000000000"),
        *("1234567890123456789", "task-0000000000000000", "-000000000000000"),
        *("task-00000000000000٣", "task task-0000000"),
    ],
)
def test_what_is_no_task_id_names_no_event(text: str) -> None:
    """Whatever is typed."""
    assert ids_of_task(text) is None
