"""Phrases: a text's English with its values, put into a language by who speaks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aurora import words
from aurora.words import Phrase, phrase, say

GERMAN = {
    "{count} of {things}": "von {things}: {count}",
    "things": "Dinge",
    "use `[p]help`": "nimm `[p]help`",
}


@pytest.fixture(autouse=True)
def german() -> Iterator[None]:
    """Speak German, as far as the dictionary goes."""
    before = words._translate
    words.translate_with(lambda text: GERMAN.get(text, text))
    yield
    words.translate_with(before)


def test_a_phrase_is_said_in_the_language_that_is_set() -> None:
    """With its values, of which some may be phrases."""
    many = phrase("{count} of {things}")
    assert say(many(count=3, things=phrase("things"))) == "von Dinge: 3"


def test_a_phrase_is_english_in_a_log() -> None:
    """Those who read logs of many bots read one language."""
    assert str(phrase("{count} of {things}")(count=3, things=phrase("things"))) == "3 of things"


def test_the_prefix_is_the_one_of_the_place() -> None:
    """But not in what somebody else has written."""
    told = phrase("{who} says: {what}")(who="Ada", what="[p]help")
    assert say(told, "!") == "Ada says: [p]help"
    assert say(phrase("use `[p]help`"), "!") == "nimm `!help`"
    assert say(phrase("{what}.")(what=phrase("use `[p]help`")), "!") == "nimm `!help`."


def test_what_has_no_translation_is_said_in_english() -> None:
    """Better than nothing."""
    assert say(phrase("nobody has translated this")) == "nobody has translated this"


def test_braces_in_values_are_values() -> None:
    """People type anything."""
    assert say(phrase("not {given}")(given="{count}")) == "not {count}"


def test_to_fill_in_a_phrase_leaves_it_as_it_was() -> None:
    """It is a constant."""
    things = phrase("{count}")
    things(count=1)
    assert things == Phrase("{count}")
