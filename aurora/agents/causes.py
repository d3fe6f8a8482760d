"""Why a model's provider refuses what it is given: the one table of the words that all use for it.

There is no standard: each has codes and sentences of its own, and proxies wrap those of others. A
cause is told by a code, which is the value of a key, or else by a sentence. What says neither is
left to its status. Some repeat what they were given, so that people's own words stand in an error:
from there on nothing is read.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..reasons import Outcome
from ..words import Phrase
from ..words import servers as w

_MOST = 4000
"""How many characters of an error are read; what matters stands at its beginning."""

_OTHER_MATTERS = frozenset({401, 402, 408, 409, 425, 429})
"""Statuses that are about keys, money and patience, whatever is said beside them."""

_PATIENCE = re.compile(
    r"rate.?limit|too many requests|\bquota\b|\bper.?min(?:ute)?\b|\btpm\b|throttl", re.IGNORECASE
)
_ACCOUNT = re.compile(r"\baccount\b|\bapi.?key\b|\byour access\b", re.IGNORECASE)
_ECHO = re.compile(
    r"(?<![\w.])[\"'](?:flagged_)?(?:input|body|messages|prompt|content|contents|text)[\"']\s*:\s*[\"'\[{]",
    re.IGNORECASE,
)
_KEYS = r"(?:code|type|reason|reasons|status|error_type|blockReason|block_reason|finish_?reason)"


class Cause(NamedTuple):
    """Why something was refused: what follows, in whose words, and how to tell it."""

    outcome: Outcome
    detail: Phrase
    codes: re.Pattern[str]
    sentences: re.Pattern[str]

    def explains(self, said: str) -> bool:
        """Tell whether an error is about this."""
        return bool(self.codes.search(said) or self.sentences.search(said))


def _codes(*values: str) -> re.Pattern[str]:
    """Match one of the values where a key has it; those of lists too."""
    return re.compile(
        rf"\b{_KEYS}[\"']?\s*[:=]\s*\[?\s*[\"']?(?:{'|'.join(values)})\b", re.IGNORECASE
    )


def _sentences(*sentences: str) -> re.Pattern[str]:
    return re.compile("|".join(sentences), re.IGNORECASE | re.DOTALL)


_RULES = (
    r"(?:content (?:filter\w*|management|polic\w+|safety|moderation)|usage (?:polic\w+|guidelines)"
    r"|acceptable use|safety (?:system|settings|reasons?|filters?|polic\w+)|responsible ai"
    r"|moderation|guardrails?)"
)
_BARRED = (
    r"(?:filtered|blocked|reject\w*|refused|flagged|violat\w+|trigger\w*|prohibited|intervened"
    r"|not allowed)"
)
_UNFIT = (
    r"(?:invalid|unsupported|corrupt\w*|not (?:\w+ ){0,2}(?:valid|supported)"
    r"|(?:does|do)(?: not|n't) (?:support|match|represent)|exceed\w*|too (?:large|big|small|many)"
    r"|could not|cannot|can't|unable|fail\w*|only supported|no endpoints found)"
)
# No name of a model, such as gpt-image-1.
_PICTURE = r"(?<![-\w/])(?:input_)?(?:images?|image[_.]\w+|vision|multimodal)(?![-\w])"
_ROOM = r"context.?(?:window|length|size|limit)"

CAUSES = (
    Cause(
        Outcome.CONTENT_REFUSED,
        w.CONTENT_REFUSED,
        _codes(
            r"content_?filter\w*",
            r"(?:image_)?content_policy(?:_violation)?",
            r"\w*moderation(?:_blocked|_failed)?",
            "ResponsibleAIPolicyViolation",
            "safety",
            r"PUBLIC_ERROR_UNSAFE_\w+",
            "PROHIBITED_CONTENT",
            "BLOCKLIST",
            "SPII",
            "IMAGE_SAFETY",
            "refusal",
            "guardrail_intervened",
        ),
        _sentences(
            rf"\b{_BARRED}\b.{{0,120}}\b{_RULES}",
            rf"\b{_RULES}\b.{{0,120}}\b{_BARRED}\b",
            r"\b(?:prompt|input|response|output|candidate|message) (?:was|is|is being|has been) "
            r"(?:blocked|flagged|filtered)\b",
            r"\bprompt blocked\b",
            r"\bmay contain (?:inappropriate|sensitive|unsafe|harmful) content",
            r"\bcontent exists risk\b",
            r"data_?inspection_?failed",
            r"ContentPolicyViolationError",
            r"\bconsidered high risk\b",
            r"\bnew_sensitive\b",
            r"\bstopped with: (?:sensitive|refusal)\b",
            r"\bfinish_?reason: content_filter\b",
            r"\bmodel refused to (?:complete|answer)\b",
            "不安全或敏感内容",
        ),
    ),
    Cause(
        Outcome.IMAGE_REFUSED,
        w.IMAGE_REFUSED,
        _codes(
            r"\w*(?:invalid|unsupported|empty)\w*image\w*",
            r"[\w.]*Unsupported(?:Image|Media)\w*",
            r"image_(?:too_large|too_small|parse_error|file_too_large|file_not_found)",
            r"failed_to_download_image",
        ),
        _sentences(
            rf"{_PICTURE}.{{0,100}}\b{_UNFIT}\b",
            rf"\b{_UNFIT}\b.{{0,60}}{_PICTURE}",
            r"unknown variant \W*image",
            r"\bat most 0 image",
            r"\bnot a multimodal model\b",
        ),
    ),
    Cause(
        Outcome.CONTEXT_FULL,
        w.CONTEXT_FULL,
        _codes(
            r"\w*context_(?:length|window|size)_\w*exceeded",
            r"exceed_context_size\w*",
            r"prompt_too_long",
            r"input_too_long",
            r"request_too_large",
            r"string_above_max_length",
            r"tokens?_limit_(?:reached|exceeded)",
            r"\w*max_prompt_tokens_exceeded",
        ),
        _sentences(
            r"\bprompt (?:is )?too long\b",
            r"\binput (?:is |was )?too long\b",
            rf"\bmaximum {_ROOM}",
            rf"\bexceed\w*\b.{{0,60}}\b{_ROOM}",
            rf"\b{_ROOM}\b.{{0,60}}\bexceed",
            rf"\b(?:longer|larger|greater) than\b.{{0,60}}\b{_ROOM}",
            r"CONTEXT_WINDOW_EXCEEDED",
            r"\binput token count\b.{0,40}\bexceeds\b",
            r"\bmaximum prompt length is\b",
            r"\bmaximum allowed input length\b",
            r"\btoo many tokens\b.{0,60}\bprompt\b",
            r"\bcontext length of only\b",
            r"inputs\W tokens \+ \Wmax_new_tokens\W must be",
            r"prompt ?超长",
            r"\bexceeded model token limit\b",
            r"\brange of input length should be\b",
            r"\breduce the length of the (?:messages|input|prompt)\b",
        ),
    ),
)
"""Whoever comes first is it: a picture may be refused for what it shows, or for its size."""


def cause_of(said: str, status: int | None = None) -> Cause | None:
    """Return why a provider refused, by its words and its status; None if it does not say.

    `said` is for this decision alone.
    """
    if status in _OTHER_MATTERS:
        return None
    # A proxy quotes the error of another as a string in a string.
    plain = said[:_MOST].replace("\\", "")
    plain = _ECHO.split(plain, maxsplit=1)[0]
    if _PATIENCE.search(plain) or _ACCOUNT.search(plain):
        return None
    return next((cause for cause in CAUSES if cause.explains(plain)), None)
