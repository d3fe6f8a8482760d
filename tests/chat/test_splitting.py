"""Splitting: nothing lost, nothing too long, every code block whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurora.chat.splitting import split_message

FRAGMENTS = st.sampled_from(
    ["```", "```py\n", "`", "``", "\n", "\n\n", " ", "word", "x" * 70, "é́", "👩‍👩‍👧", "🇩🇪", "\r\n"]
)
TEXTS = st.lists(FRAGMENTS | st.text(max_size=30), max_size=60).map("".join)
LIMITS = st.integers(100, 300)


def is_subsequence(needle: str, hay: str) -> bool:
    characters = iter(hay)
    return all(character in characters for character in needle)


@given(TEXTS, LIMITS)
def test_every_piece_fits_and_says_something(text: str, limit: int) -> None:
    """Discord takes 1 to 2,000 characters, and not white space alone."""
    assert all(piece.strip() and len(piece) <= limit for piece in split_message(text, limit))


@given(TEXTS, LIMITS)
def test_nothing_is_lost(text: str, limit: int) -> None:
    """All that is not white space arrives, in its order."""
    assert is_subsequence("".join(text.split()), "".join(split_message(text, limit)))


@given(TEXTS, LIMITS)
def test_every_piece_closes_its_own_blocks(text: str, limit: int) -> None:
    """A message never leaves a code block open for the next."""
    pieces = split_message(text, limit)
    assert len(pieces) < 2 or all(piece.count("```") % 2 == 0 for piece in pieces)


@given(st.text(alphabet="abc \n", max_size=800), LIMITS)
def test_prose_gains_nothing(text: str, limit: int) -> None:
    """Without code blocks only white space at the cuts changes."""
    assert "".join("".join(split_message(text, limit)).split()) == "".join(text.split())


def test_a_text_that_fits_stays_as_it_is() -> None:
    """Two thousand characters are one message, open block and all."""
    text = "```" + "x" * 1997
    assert split_message(text) == [text]


def test_white_space_alone_is_no_message() -> None:
    """Nothing to say gives nothing to send."""
    assert split_message(" \n" * 3000) == []


def test_four_thousand_backticks_work() -> None:
    """The worst text a person can type comes through."""
    pieces = split_message("`" * 4000)
    assert sum(piece.count("`") for piece in pieces) >= 4000
    assert all(len(piece) <= 2000 and piece.count("```") % 2 == 0 for piece in pieces)


def test_paragraphs_are_preferred() -> None:
    """The cut falls between paragraphs, not at the last word that fits."""
    first, second = "a " * 700, "b " * 700
    assert split_message(f"{first.strip()}\n\n{second.strip()}") == [
        first.strip(),
        second.strip(),
    ]


def test_a_link_is_not_cut() -> None:
    """A word that fits into a message of its own goes there whole."""
    link = "https://example.org/" + "p" * 1900
    assert split_message("See this one: " * 20 + link)[-1] == link


def test_a_block_that_fits_is_not_cut() -> None:
    """Prose before a code block ends the message rather than the block being torn."""
    block = "```py\n" + "print(1)\n" * 150 + "```"
    assert split_message("Here it is. " * 80 + "\n" + block)[-1] == block


def test_a_word_that_fits_only_behind_the_cut_goes_there() -> None:
    """A rest that is too long for this message, but not for the next, is not cut."""
    block = "```" + "x" * 1700 + "```"
    assert split_message(block + "y" * 400) == [block, "y" * 400]


def test_a_few_words_do_not_trail_a_long_block() -> None:
    """The sentence after a nearly full message starts the next one."""
    block, words = "```" + "x" * 1700 + "```", "word " * 60
    assert split_message(f"{block}\n{words}") == [block, words.strip()]


def test_a_long_block_is_reopened_with_its_language() -> None:
    """Each message shows its part of the code, coloured alike, line by line."""
    lines = [f"line_{number} = {number}" for number in range(400)]
    pieces = split_message("```py\n" + "\n".join(lines) + "\n```")
    assert len(pieces) > 2
    assert all(piece.startswith("```py\n") and piece.endswith("\n```") for piece in pieces)
    code = "\n".join(piece.removeprefix("```py\n").removesuffix("\n```") for piece in pieces)
    assert code.splitlines() == lines


@pytest.mark.parametrize(
    "cluster", ["👩‍👩‍👧", "e\u0301", "👍🏽", "🇩🇪", "❤\ufe0f", "🏴\U000e0067\U000e007f"]
)
@pytest.mark.parametrize("shift", range(4))
def test_a_character_people_see_as_one_is_not_cut(cluster: str, shift: int) -> None:
    """Families, accents, skin tones and flags stay in one message."""
    pieces = split_message("x" * shift + cluster * 900)
    assert "".join(pieces) == "x" * shift + cluster * 900
    assert all((piece.lstrip("x") + "x").startswith(cluster) for piece in pieces)


def test_a_character_of_a_thousand_accents_is_cut_all_the_same() -> None:
    """Text made to resist splitting still fits."""
    pieces = split_message("a" + "\u0301" * 5000)
    assert sum(map(len, pieces)) == 5001
