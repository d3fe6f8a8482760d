"""Read the arguments of a call that a model wrote as text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_STRING = (
    r"[rfb]?(?:\"\"\"(?P<long>(?:[^\"\\]|\\.|\"(?!\"\"))*+)\"\"\""
    r"|'''(?P<long1>(?:[^'\\]|\\.|'(?!''))*+)'''"
    r"|\"(?P<double>(?:[^\"\\]|\\.)*+)\"|'(?P<single>(?:[^'\\]|\\.)*+)'"
    r"|\u201c(?P<curly>[^\u201d]*+)\u201d)"
)
_KINDS = ("long", "long1", "double", "single", "curly")
_KEY = re.compile(r"\s*+[\"']?(?P<key>[A-Za-z_]\w{0,40}+)[\"']?\s*+[=:]")
_VALUE = re.compile(
    rf"\s*+(?:{_STRING}|(?P<word>-?\d{{1,40}}+(?:\.\d{{1,20}}+)?|[A-Za-z]{{1,9}}+))\s*+", re.DOTALL
)
_NESTED = re.compile(r"\s*+(?=[\[{])")
_BLANK = re.compile(r"\s*+")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "\n": "", "b": "", "f": ""}
_WORDS = {"true": True, "false": False, "null": None, "none": None}

_TAGGED = re.compile(
    r"<(?:\w{1,20}:)?parameter\s*+(?:name\s*+)?=?\s*+[\"']?"
    r"(?P<key>\w{1,40}+)[\"']?[^<>]{0,80}+>"
    r"|<arg_key>\s*+(?P<arg>\w{1,40}+)\s*+</arg_key>\s*+<arg_value>"
    r"|<(?P<tag>channelId|message|messageId|replyToMessageId|emoji|interim)>"
)
_CLOSES = re.compile(
    r"</(?:\w{1,20}:)?"
    r"(?:parameter|arg_value|channelId|message|messageId|replyToMessageId|emoji|interim)>"
)


class Read(NamedTuple):
    """Something that was read, and where it ends."""

    value: Any
    end: int


def read_arguments(text: str, at: int, closing: str, order: Sequence[str]) -> Read | None:
    """Read arguments up to the sign that closes them; None if something else stands there.

    Args:
        text: what a model wrote.
        at: where the first argument begins.
        closing: the sign behind the last.
        order: names of arguments that have none.

    """
    given: dict[str, Any] = {}
    unnamed = iter(order)
    while True:
        at = _skip(text, at)
        if text[at : at + 1] == closing:
            return Read(given, at + 1)
        key = _KEY.match(text, at)
        read = _value(text, at if key is None else key.end())
        if read is None:
            return None
        at = read.end
        if key is None and isinstance(read.value, dict):
            given.update(read.value)
        else:
            given[next(unnamed, "") if key is None else key["key"]] = read.value
        if "" in given or text[at : at + 1] not in (",", closing):
            return None
        at += text[at] == ","


def read_json(text: str, at: int) -> Read | None:
    """Read one value of JSON, with line breaks in its strings, as models write them."""
    try:
        return Read(*json.JSONDecoder(strict=False).raw_decode(text, at))
    except (ValueError, RecursionError):
        return None


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return at if found is None else found.end()


def _value(text: str, at: int) -> Read | None:
    if (nested := _NESTED.match(text, at)) is not None:
        read = read_json(text, nested.end())
        return None if read is None else Read(read.value, _skip(text, read.end))
    found = _VALUE.match(text, at)
    if found is None:
        return None
    if (word := found["word"]) is not None:
        return _word(word, found.end())
    said = next(found[one] for one in _KINDS if found[one] is not None)
    return Read(said if found["curly"] is not None else _unescaped(said), found.end())


def _word(word: str, end: int) -> Read | None:
    if word.lower() in _WORDS:
        return Read(_WORDS[word.lower()], end)
    if word[0].isalpha():
        return None
    return Read(float(word) if "." in word else int(word), end)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(found: re.Match[str]) -> str:
    sign = found[1]
    if len(sign) == 5:
        return chr(int(sign[1:], 16))
    return _ESCAPED.get(sign, sign if sign in "\"'\\/" else found[0])


def tagged_arguments(text: str) -> Mapping[str, Any]:
    """Read arguments that stand in tags of their own; nothing if there are none."""
    given: dict[str, Any] = {}
    at = 0
    while (opening := _TAGGED.search(text, at)) is not None:
        closing = _CLOSES.search(text, opening.end())
        end = len(text) if closing is None else closing.start()
        said = text[opening.end() : end].strip()
        name = opening["key"] or opening["arg"] or opening["tag"]
        given[name] = _WORDS.get(said, said) if name != "message" else said
        at = len(text) if closing is None else closing.end()
    return given
