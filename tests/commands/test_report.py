"""Reports: the same facts as an embed and as text, within Discord's limits whatever they hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurora.commands.report import Report, cut


def report(*sections: tuple[str, list[str]]) -> Report:
    made = Report("Queue")
    for name, lines in sections:
        made.add(name, *lines)
    return made


def test_both_forms_say_the_same() -> None:
    """Title, headings and lines, in order."""
    made = report(("Here", ["waiting: 2", "running: 1"]), ("Limits", ["64 in all"]))
    assert made.text() == "**Queue**\n__Here__\nwaiting: 2\nrunning: 1\n__Limits__\n64 in all"
    embed = made.embed()
    assert embed.title == "Queue"
    assert [(one.name, one.value) for one in embed.fields] == [
        ("Here", "waiting: 2\nrunning: 1"),
        ("Limits", "64 in all"),
    ]


def test_a_section_without_lines_is_left_out() -> None:
    """Discord takes no empty field."""
    assert report(("Nothing", [])).sections == []


def test_what_does_not_fit_is_counted() -> None:
    """No line is cut in the middle, and none vanishes in silence."""
    assert cut(["one", "two", "three"], 100) == "one\ntwo\nthree"
    assert cut([f"line {number}" for number in range(9)], 30) == "line 0\nline 1\n… and 7 more"
    assert cut(["x" * 50, "y" * 50], 20) == "… 2 lines"


def test_lines_that_were_not_looked_up_are_counted_too() -> None:
    """Whether or not those that were do fit."""
    assert cut(["one", "two"], 100, 460) == "one\ntwo\n… and 460 more"
    assert cut(["one", "two"], 16, 460) == "… 462 lines"
    made = Report("Queue")
    made.add("Newest first", "one", beyond=3)
    assert made.text().endswith("one\n… and 3 more")


def test_a_long_section_leaves_room_for_those_behind_it() -> None:
    """Of each there is something to see."""
    lines = [f"event {number}" for number in range(500)]
    text = report(("First", lines), ("Second", lines), ("Third", ["the end"])).text()
    assert "__Third__\nthe end" in text
    assert text.count("more") == 2


def test_a_long_section_takes_several_fields() -> None:
    """One holds 1024 characters."""
    lines = [f"event {number} {'x' * 200}" for number in range(12)]
    embed = report(("Events", lines)).embed()
    assert len(embed.fields) == 3
    assert "\n".join(str(one.value) for one in embed.fields) == "\n".join(lines)


@given(
    st.lists(
        st.tuples(
            st.text("ab", min_size=1, max_size=300),
            st.lists(st.text("ab ", min_size=1, max_size=2000), max_size=60),
        ),
        max_size=40,
    )
)
def test_no_report_is_over_discords_limits(sections: list[tuple[str, list[str]]]) -> None:
    """Whatever the ledger holds."""
    made = report(*sections)
    assert len(made.text()) <= 2000
    embed = made.embed()
    assert len(embed) <= 6000
    assert len(embed.fields) <= 25
    assert all(1 <= len(one.name or "") <= 256 for one in embed.fields)
    assert all(1 <= len(one.value or "") <= 1024 for one in embed.fields)


@pytest.mark.parametrize("count", [17, 18, 60])
def test_sections_that_have_no_place_are_counted(count: int) -> None:
    """An embed has 25 fields, some of which long sections may need."""
    embed = report(*[(f"Guild {number}", ["fine"]) for number in range(count)]).embed()
    last = embed.fields[-1]
    shown = len(embed.fields) - (last.name == "More")
    left = 0 if shown == count else int((last.value or "").split()[1])
    assert shown + left == count
