"""Know the words by which an agent says that it says nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

_WORDS = frozenset(
    {
        "noreply", "noreplyneeded", "noreplynecessary", "noreplyrequired", "noresponse",
        "noresponseneeded", "noresponsenecessary", "noresponserequired", "silent",
        "nomessage", "noanswer", "nooutput", "noreaction", "noactionneeded", "donotreply",
        "donotrespond", "dontreply", "dontrespond", "skipreply", "skipresponse",
        "replyskip", "announceskip", "emptyresponse", "emptymessage", "emptyreply",
        "staysilent", "stayssilent", "stayingsilent", "remainsilent", "remainssilent",
        "remainingsilent", "silentreply", "heartbeatok", "endturn", "endofturn",
    }
)  # fmt: skip
"""What is a marker however it is written; compared by `_key`."""
_MARKED_WORDS = frozenset(
    {
        "silence", "none", "null", "saysnothing", "sayingnothing", "iwillnotrespond",
        "iwillnotreply", "noreplyisneeded", "noresponseisneeded", "nothing", "empty",
        "blank", "skip", "pass", "noop", "ignore", "quiet", "keineantwort", "pasderéponse",
        "sinrespuesta", "semresposta", "返信なし", "無回答", "返信不要", "返答なし", "沈黙",
        "keineantwortnötig", "keinereaktion", "schweigt", "aucuneréponse", "silencio",
        "ningunarespuesta", "nohayrespuesta", "nenhumaresposta", "silêncio", "nessunarisposta",
        "silenzio", "geenantwoord", "brakodpowiedzi", "безответа", "нетответа", "молчание",
        "不回复", "无回复", "无需回复", "不需要回复", "沉默", "不回覆", "無需回覆", "답장없음",
        "무응답", "침묵",
    }
)  # fmt: skip
"""What is a marker only between brackets or other signs; without them it may be an answer."""
_LOUD_WORDS = frozenset(
    {
        "silence", "skip", "noop", "empty",
    }
)  # fmt: skip
"""What is one in capitals, too."""

_SIGNS = re.compile(r"[<\[({*_`~\uff08\uff3b\u3010]")
_WITH_REASON = re.compile(
    r"[<\[*`]{0,2}(?P<marker>NO_[A-Z_]{4,20})[>\]*`]{0,2}(?:\s*[(:\u2013\u2014]|\s+-\s).{1,200}"
)
"""A marker with the reason behind it, as agents give it that were asked for the marker alone."""
_BEHIND = re.compile(
    r"(?<=[.!?\u2026\u3002\uff01\uff1f)*])\s+[<\[*]{0,2}(?P<marker>NO_[A-Z_]{4,20})[>\]*]{0,2}\.?\Z"
)
"""A marker behind the last sentence, on the same line."""
_LONGEST = 80
"""Longest line that is looked at, in characters."""


def is_marker(text: str, own: Collection[str] = ()) -> bool:
    """Tell whether a text is a marker of silence, or some of them in a row.

    Case, markup, punctuation and blanks make no difference. `own` are those of a server's admins.
    """
    text = text.strip()
    reasoned = _WITH_REASON.fullmatch(text)
    if reasoned is not None and _key(reasoned["marker"]) in _WORDS:
        return True
    if not text or len(text) > _LONGEST:
        return False
    if _is_one(text, own):
        return True
    words = text.split()
    return len(words) > 1 and all(_is_sure(word, own) for word in words)


def without_markers(text: str, own: Collection[str] = ()) -> str:
    """Drop markers that stand on a line of their own at the end or the beginning of a text.

    Those in capitals may stand behind the last sentence, too. Those that could be words of an
    answer stay, unless nothing else is there.
    """
    if is_marker(text, own):
        return ""
    behind = _BEHIND.search(text, max(0, len(text) - _LONGEST))
    if behind is not None and _key(behind["marker"]) in _WORDS:
        text = text[: behind.start()]
    lines = text.split("\n")
    start, end = 0, len(lines)
    while start < end and (not lines[end - 1].strip() or _is_sure(lines[end - 1], own)):
        end -= 1
    while start < end and (not lines[start].strip() or _is_sure(lines[start], own)):
        start += 1
    return text if end - start == len(lines) else "\n".join(lines[start:end])


def is_same(word: str, other: str) -> bool:
    """Tell whether two words are one, as they are compared here."""
    return _key(word) == _key(other)


def _is_one(text: str, own: Collection[str]) -> bool:
    key = _key(text)
    if key in _WORDS or any(key == _key(one) for one in own):
        return True
    marked = _SIGNS.match(text) is not None
    return (marked and key in _MARKED_WORDS) or (text.isupper() and key in _LOUD_WORDS)


def _is_sure(line: str, own: Collection[str]) -> bool:
    """Tell whether a line is a marker, and no words of a text that has more lines."""
    line = line.strip()
    if not line or len(line) > _LONGEST or not _is_one(line, own):
        return False
    written = _SIGNS.match(line) is not None or "_" in line or line.isupper()
    return written or any(is_same(line, one) for one in own)


def _key(text: str) -> str:
    """Return what is compared: letters and digits alone, or, where there are none, the signs."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    letters = "".join(one for one in folded if one.isalnum())
    return letters or "".join(folded.split())
