"""Splitting: nothing lost, nothing too long, and the parts look like the whole."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aurora.chat.splitting import LIMIT, split_message
from tests.support.rendering import Shown, rendered

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


BLOCKS = st.sampled_from(
    ["```\nx = `1`\n```\n", "```py\n" + "print(1)\n" * 30 + "```\n", "words " * 9]
)


@given(st.lists(BLOCKS, max_size=20).map("".join), LIMITS)
def test_every_piece_closes_its_own_blocks(text: str, limit: int) -> None:
    """A message never leaves a code block open for the next."""
    assert all(piece.count("```") % 2 == 0 for piece in split_message(text, limit))


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
    assert all(len(piece) <= 2000 for piece in pieces)
    assert shown(*pieces) == shown("`" * 4000)


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


# -- what people see

MARKUP = st.sampled_from(
    [
        "**", "*", "_", "__", "~~", "||", "|", "`", "``", "```", "```py\n", "\n```\n", "\\", "\\*",
        "\\|", "\n", "\n\n", "\n> ", ">>> ", "\n- ", "\n1. ", "\n  - ", "\n# ", "\n-# ", "- ",
        "> ", " ", "word", "two words ", "A sentence. " * 3, "x" * 40, "snake_case", "a*b", "é",
        "👩‍👩‍👧", "🇩🇪",
        "<@123456789012345678>", "<:cat:123456789012345678>", "<t:1700000000:R>",
        "</ask me:123456789012345678>", "https://a.example/b_c", "<https://a.example>",
        "[text](https://a.example/x)", "words and more of them " * 12, "w " * 80, "x" * 150,
    ]
)  # fmt: skip
STYLED = st.lists(MARKUP, max_size=40).map("".join)
_EMPTY = re.compile(r"[ *_~|]*(?:(?:[-*]|\d+\.|#{1,3}|-#|>{1,3}) +)+[*_~|]*")
_RULE = re.compile(r"\*{8}|_{8}|~{8}")


def shown(*texts: str) -> list[tuple[str, frozenset[str]]]:
    """Return what people see of messages, character by character, without white space."""
    return [(one, what.styles) for text in texts for what in rendered(text) for one in what.text]


def whole(texts: list[str], longest: int) -> list[Shown]:
    """Return what is shown as one thing, if it leaves room for the styles around it."""
    return [one for text in texts for one in rendered(text) if 1 < len(one.text) <= longest]


def is_told(text: str, limit: int) -> bool:
    """Tell whether a text is one of which Discord's rules say how its parts have to look.

    Not one that draws lines of stars, nor one with a quote or an item in which nothing stands, nor
    one with an address that has to be cut.
    """
    if any(len(one.text) > limit // 2 for one in rendered(text)):
        return False
    lines = [line for line in text.split("\n") if line.strip(" ") != ">"]
    return not _RULE.search(text) and not any(_EMPTY.fullmatch(f"{line} ") for line in lines)


@given(STYLED, LIMITS)
def test_the_parts_look_like_the_whole(text: str, limit: int) -> None:
    """Each character keeps its styles, and what is one thing stays one."""
    assume(is_told(text, limit))
    parts = split_message(text, limit)
    if shown(*parts) != shown(text):
        text += "\n```"  # A block that its author forgot to close we close for them.
    assert shown(*parts) == shown(text)
    assert [one for one in whole(parts, limit // 2) if one in whole([text], limit // 2)] == whole(
        [text], limit // 2
    )


def test_a_block_that_only_fits_by_code_points_is_closed_and_opened_again() -> None:
    """A flag of four units made it two too long, and its own end was cut in two."""
    text = f"```py\n{'word ' * 28}🇩🇪[text](https://a.example)```"
    limit = len(text)
    first, second = split_message(text, limit)
    assert first.endswith("\n```")
    assert second.startswith("```py\n")
    assert shown(first, second) == shown(text)


@given(STYLED, LIMITS)
def test_no_part_is_too_long_in_either_way_to_count(text: str, limit: int) -> None:
    """Discord counts code points, and its clients code units."""
    parts = split_message(text, limit)
    assert all(part.strip() and len(part.encode("utf-16-le")) <= 2 * limit for part in parts)


@given(STYLED, LIMITS)
def test_nothing_that_is_hidden_is_uncovered(text: str, limit: int) -> None:
    """Whatever else is open, and whether or not it is balanced."""
    hidden = [one for one, styles in shown(text) if "spoiler" in styles]
    covered = [
        one
        for part in split_message(text, limit)
        for one, styles in shown(part)
        if "spoiler" in styles
    ]
    assert not assume(is_told(text, limit)) or covered == hidden


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("||", "||"), ("**", "**"), ("*", "*"), ("_", "_"), ("__", "__"), ("~~", "~~"), ("`", "`"),
        ("``", "``"), ("```py\n", "\n```"), ("> ", ""), (">>> ", ""), ("# ", ""), ("-# ", ""),
        ("- ", ""), ("1. ", ""), ("> ||", "||"), ("- **", "**"), ("||```\n", "\n```||"),
        ("> ```py\n> ", "\n> ```"),
        ("||**__~~*", "*~~__**||"), ("[", "](https://a.example/x)"), ("> - ||", "||"),
    ],
)  # fmt: skip
def test_a_style_goes_on_in_the_next_message(opening: str, closing: str) -> None:
    """The spoiler of 2,500 characters is hidden in both."""
    text = f"{opening}{'word ' * 500}end{closing}"
    parts = split_message(text)
    assert len(parts) == 2
    assert shown(*parts) == shown(text)
    (styles,) = {styles for part in parts for _, styles in shown(part)}
    assert styles


def test_a_quote_of_several_lines_keeps_its_styles() -> None:
    """The sign of each line stands before the marks that are opened again."""
    text = "> ||" + "\n> ".join(["a line of the quote"] * 150) + "||"
    parts = split_message(text)
    assert all(part.startswith("> ||") and part.endswith("||") for part in parts)
    assert shown(*parts) == shown(text)


@pytest.mark.parametrize(
    "thing",
    [
        "<@123456789012345678>", "<@&123456789012345678>", "<#123456789012345678>",
        "<:cat:123456789012345678>", "<a:cat:123456789012345678>", "<t:1700000000:R>",
        "</ask me:123456789012345678>", "https://a.example/a_b*c", "<https://a.example/a_b>",
        "[some words](https://a.example/x_y)", "\\*", "👩‍👩‍👧", "🇩🇪", "👍🏽",
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", ["x" * 1990, "word " * 398, "**" + "x" * 1990])
def test_what_is_one_thing_is_not_cut(thing: str, before: str) -> None:
    """Wherever the limit falls."""
    for shift in range(12):
        parts = split_message(f"{before}{'y' * shift}{thing}{'z' * 300}")
        assert any(thing in part for part in parts)


def test_backticks_in_a_sentence_are_no_block() -> None:
    """As Discord has it: three that nothing closes are three backticks."""
    text = "Write ``` to open a block. " + "Words, and more words. " * 200
    parts = split_message(text)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_a_block_that_is_never_closed_is_closed_in_each_part() -> None:
    """An answer that broke off shows its code as code, but for what a spoiler hides."""
    parts = split_message("Look:\n```py\n" + "x = 1\n" * 500)
    assert len(parts) == 2
    assert all(part.endswith("\n```") for part in parts)
    text = "```py\n" + "x = 1\n" * 500 + "||secret||"
    assert shown(*split_message(text)) == shown(text)


@pytest.mark.parametrize("mark", [r"\||", r"\*\*", r"\_\_", r"\~~", r"\`", r"\# ", r"\> "])
def test_a_mark_behind_a_backslash_opens_nothing(mark: str) -> None:
    """So there is nothing to be closed."""
    text = mark + "words of a sentence. " * 150 + mark
    parts = split_message(text)
    assert len(parts) == 2
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_a_dash_in_a_sentence_begins_no_list() -> None:
    """A cut before it would make it one."""
    text = "word - " * 500
    assert not any("list" in styles for part in split_message(text) for _, styles in shown(part))


def test_items_of_an_inner_list_stay_beside_each_other() -> None:
    """Discord drops the blanks in front of a message; with them the next item would go inside."""
    item = "  - an item of the inner list\n"
    second = split_message("- the outer list\n" + item * 80 + "- the end")[1]
    assert re.findall(r"(?m)^ *", second) == [""] * (second.count("\n") + 1)


def test_sentences_are_preferred_to_words() -> None:
    """Where a paragraph is longer than a message."""
    parts = split_message("This is a sentence of nine words, all told. " * 100)
    assert all(part.endswith(".") for part in parts)


@pytest.mark.parametrize("limit", [99, LIMIT // 2, LIMIT])
def test_the_same_text_gives_the_same_parts(limit: int) -> None:
    """Recovery counts the parts again."""
    text = "||**Some** words " * 400
    assert split_message(text, limit) == split_message(text, limit)


def test_emoji_are_counted_as_discord_s_clients_do() -> None:
    """Two thousand astral characters are too many for a person to have typed."""
    assert [len(part) for part in split_message("😀" * 1500)] == [1000, 500]


@pytest.mark.parametrize("piece", ["|", "`", "*", "_", "~", "**__||", "||a", "` ", "*a ", "> a\n"])
def test_hostile_text_is_split_in_linear_time(piece: str) -> None:
    """Sixteen times as much takes sixteen times as long, in time of the processor's own."""

    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        begin = time.process_time()
        split_message(text)
        return time.process_time() - begin

    seconds(1000)
    assert min(seconds(200_000) for _ in range(2)) < 30 * max(seconds(12_500), 0.005)
