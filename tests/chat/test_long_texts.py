"""What a text becomes that is too long for one message."""

from __future__ import annotations

import pytest

from aurora.chat.long_texts import cut_short, in_messages, with_file
from aurora.chat.splitting import LIMIT


@pytest.mark.parametrize("most", [1, 2, 12])
@pytest.mark.parametrize(
    "text", ["word " * 9000, "```py\n" + "x = 1\n" * 9000 + "```", "x" * 40_000]
)
def test_a_text_that_is_cut_fits_and_says_how_much_is_missing(text: str, most: int) -> None:
    """Each message is one that Discord takes, and no block of code is left open."""
    cut = [one.text for one in cut_short(in_messages(text), most)]
    assert len(cut) == most
    assert all(0 < len(one) <= LIMIT for one in cut)
    assert "more characters" in cut[-1]
    assert all(one.count("```") % 2 == 0 for one in cut)


def test_a_file_holds_all_of_a_text_up_to_what_discord_takes() -> None:
    """Cut between characters, not within one."""
    (part,) = with_file([], 1, "ü" * 100, "abc")
    assert part.content.decode() == "ü" * 100
    assert "100 characters" in part.text
    (part,) = with_file([], 1, "x" + "ü" * 5 * 2**20, "abc")
    assert len(part.content) < 8 * 2**20
    assert part.content.decode().startswith("xüü")


def test_a_file_holds_what_the_messages_before_it_do_not() -> None:
    """Nothing is read twice, and nothing is missing."""
    parts = in_messages(" ".join(map(str, range(9000))))
    *kept, last = with_file(parts, 3, "unused", "abc")
    said = " ".join((*(one.text for one in kept), last.content.decode()))
    assert (len(kept), said.split()) == (2, [str(number) for number in range(9000)])


def test_a_file_can_be_sent_again() -> None:
    """Each try reads it to its end."""
    (part,) = with_file([], 1, "text", "abc")
    assert [part.beside("evt_1")["file"].fp.read() for _ in range(2)] == [b"text"] * 2
