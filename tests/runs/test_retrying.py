"""What `queue retry` says of an event that the queue does not take."""

from __future__ import annotations

from aurora.queue import Enqueued
from aurora.runs import retrying


def test_whatever_the_queue_answers_but_yes_has_words() -> None:
    """An answer without words would be reported as done."""
    assert set(retrying._QUEUE) == set(Enqueued) - {Enqueued.ACCEPTED}
