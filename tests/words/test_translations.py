"""The five languages: every text is translated, and what is no word of a language survives it."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from redbot.core.i18n import Translator

from aurora.chat.languages import OURS
from tests.support.house import ROOT
from tests.support.translations import ENGLISH, LOCALES, texts

LANGUAGES = sorted(OURS.keys() - {"en-US"})
SURVIVING = {
    "placeholders": r"\{[^{}]*\}",
    "code": r"`[^`]+`",
    "the prefix": r"\[p\]",
    "angle brackets": r"<[^<>]*>",
    "bold": r"\*\*",
}


def test_there_is_a_catalogue_for_each_language_that_is_offered() -> None:
    """And none for any other."""
    assert sorted(path.stem for path in LOCALES.glob("*.po")) == LANGUAGES
    assert len(texts(ENGLISH)) > 300


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    """All that the English catalogue has, and nothing that it has no more."""
    done = texts(LOCALES / f"{language}.po")
    assert done.keys() == texts(ENGLISH).keys()
    assert [english for english, said in done.items() if not said.strip()] == []


@pytest.mark.parametrize("kind", SURVIVING)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_no_word_survives(language: str, kind: str) -> None:
    """As often as in English, in whatever order."""
    pattern = re.compile(SURVIVING[kind])
    found = texts(LOCALES / f"{language}.po")
    assert any(pattern.search(english) for english in found)
    wrong = [
        (english, said)
        for english, said in found.items()
        if Counter(pattern.findall(english)) != Counter(pattern.findall(said))
    ]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_was_left_in_english(language: str) -> None:
    """A word or a unit may be the same in both; a sentence is not."""
    same = [
        english
        for english, said in texts(LOCALES / f"{language}.po").items()
        if said == english and len(re.sub(r"\{[^{}]*\}|`[^`]*`|\W", "", english)) > 12
    ]
    assert same == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_red_reads_the_catalogue_as_it_is_meant(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its own parser, which is no gettext."""
    monkeypatch.setattr("redbot.core.i18n.get_locale", lambda: language)
    translate = Translator("Aurora", str(ROOT / "aurora" / "aurora.py"))
    wrong = [
        english
        for english, said in texts(LOCALES / f"{language}.po").items()
        if translate(english) != said
    ]
    assert wrong == []
