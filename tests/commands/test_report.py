"""Reports: the same facts as an embed and as text, within Discord's limits whatever they hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurora.commands.report import Report
from aurora.words import phrase, verbatim


def report(*sections: tuple[str, list[str]]) -> Report:
    made = Report(phrase("Queue"))
    for name, lines in sections:
        made.add(verbatim(name), lines)
    return made


def numbered(count: int, width: int = 0) -> list[str]:
    return [f"event {number} {'x' * width}" for number in range(count)]


def fields(made: Report) -> list[tuple[str | None, str | None]]:
    return [(one.name, one.value) for embed in made.embeds() for one in embed.fields]


def test_both_forms_say_the_same() -> None:
    """Title, headings and lines, in order."""
    made = report(("Here", ["waiting: 2", "running: 1"]), ("Limits", ["64 in all"]))
    assert made.texts() == ["**Queue**\n__Here__\nwaiting: 2\nrunning: 1\n__Limits__\n64 in all"]
    (embed,) = made.embeds()
    assert embed.title == "Queue"
    assert fields(made) == [("Here", "waiting: 2\nrunning: 1"), ("Limits", "64 in all")]


def test_a_section_without_lines_is_left_out() -> None:
    """Discord takes no empty field."""
    assert report(("Nothing", [])).sections == []


def test_what_does_not_fit_is_on_the_next_page() -> None:
    """No line is cut in the middle, and none vanishes; each page names the section."""
    made = report(("Events", numbered(500)), ("Then", ["the end"]))
    texts = made.texts()
    assert len(texts) > 2
    assert [one.splitlines()[0] for one in texts] == [
        f"**Queue ({number}/{len(texts)})**" for number in range(1, len(texts) + 1)
    ]
    assert all(one.splitlines()[1] == "__Events__" for one in texts[:-1])
    said = [line for one in texts for line in one.splitlines() if line[0] not in "*_"]
    assert said == [*(line.strip() + " " for line in numbered(500)), "the end"]


def test_lines_that_were_not_looked_up_are_counted() -> None:
    """At the end of what was."""
    made = Report(phrase("Queue"))
    made.add(phrase("Newest first"), ["one"], beyond=3)
    (text,) = made.texts()
    assert text.endswith("one\n… and 3 more")


def test_a_long_section_takes_several_fields() -> None:
    """One holds 1024 characters."""
    lines = numbered(12, 200)
    made = report(("Events", lines))
    (embed,) = made.embeds()
    assert [one.name for one in embed.fields] == ["Events", "\u200b", "\u200b"]
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
def test_no_page_is_over_discords_limits(sections: list[tuple[str, list[str]]]) -> None:
    """Whatever the ledger holds."""
    made = report(*sections)
    assert all(len(text) <= 2000 for text in made.texts())
    for embed in made.embeds():
        assert len(embed) <= 6000
        assert len(embed.fields) <= 25
        assert all(1 <= len(one.name or "") <= 256 for one in embed.fields)
        assert all(1 <= len(one.value or "") <= 1024 for one in embed.fields)


@pytest.mark.parametrize("count", [17, 25, 26, 60])
def test_sections_for_which_a_page_has_no_field_are_on_the_next(count: int) -> None:
    """An embed has 25."""
    made = report(*[(f"Guild {number}", ["fine"]) for number in range(count)])
    assert len(made.embeds()) == -(-count // 25)
    assert [name for name, _ in fields(made)] == [f"Guild {number}" for number in range(count)]
