"""Anchors hold a question so that it can be read there again, whatever it is made of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aurora.chat.anchors import QUESTION_CHARS, anchor_text, question_in, quoted
from aurora.chat.splitting import LIMIT
from aurora.words import asks as w

LINES = st.lists(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))), max_size=9)


def anchored(question: str) -> str:
    """Return the anchor of a question."""
    said = w.ASKS_IN(person="<@1234567890123456789>", thread="<#1234567890123456789>")
    return anchor_text(
        said(question=quoted(question)), w.TASK_STARTED(task="`task-038gyjtwxvap7g9`")
    )


@given(LINES)
def test_a_question_is_read_as_it_was_asked(lines: list[str]) -> None:
    """Line by line, also where its lines look like quotes or like what stands below."""
    question = "\n".join(lines).strip()
    read = question_in(anchored(question))
    if len(question) <= QUESTION_CHARS:
        assert read.split() == question.split()


@given(st.text(st.sampled_from("a >-#\n`"), max_size=4000))
def test_an_anchor_fits_into_a_message(question: str) -> None:
    """A question of nothing but line breaks, too."""
    assert len(anchored(question)) <= LIMIT
    assert len(anchored("\n" * 4000 + question + "\nx" * 4000)) <= LIMIT
