"""Keep what people wrote apart from what Aurora says: clean, defuse, quote and fence text."""

from __future__ import annotations

import re
import secrets

from ..markdown import by_code

NONCE_BYTES = 4
"""It stands at each end of each block, and need not be longer: a text that has it gives way."""
NAME_CHARS = 100
"""Longest name shown, in characters; Discord's own longest (channels, servers) is 100."""

_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Nobody sees these and a model reads them: control characters, all that Unicode calls ignorable by
# default (zero-width and bidirectional marks, fillers, tags, which hide a second text inside the
# first), and the blank of Braille. Behind the black flag tags make the flags of England, Scotland
# and Wales.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a]"
    "|(\U0001f3f4[\U000e0020-\U000e007e]{1,7}\U000e007f)"
    "|[\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
_JOINERS = re.compile("[\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]+")
_SELECTOR = "\ufe0e\ufe0f"
_USEFUL = re.compile(f"[{_SELECTOR}]?[\u200c\u200d]?|[\U000e0100-\U000e01ef]")
_IDEOGRAPH = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_KEYCAP = "\u20e3"
_SURROGATES = re.compile("[\ud800-\udfff]")

# -- control tags: what is escaped, where
#
# In prose every tag that a server or a model might take for a command is escaped: by its word, by
# the hyphen, underscore or namespace that no element of HTML has, by its bars. In code, where
# `#include <memory>` and `List<user_id>` are what somebody asks about, only what could be taken
# for our own fence or for scaffolding that is known by name. Where code begins and ends is
# guessed in favour of the code: nothing that could act rests on it.

_WORDS = (
    "system|assistant|user|human|developer|tools?|functions?|invoke|parameters?|think|thinking"
    "|thought|reasoning|scratchpad|instructions?|prompt|context|memory|persona|task|bos|eos|pad"
    "|s|answer|final"
)
_SCAFFOLDING = (
    "system|system[-_](?:reminder|alert|message|prompt|instructions?|note|notification)"
    "|tool[-_](?:calls?|results?|response|use|usage_rules)|function[-_](?:calls?|results?)"
    "|available[-_](?:skills|tools)|memory[-_](?:blocks?|metadata)|user[-_](?:query|message)"
    "|(?:start|end)_of_(?:turn|text)|(?:begin|end)_of_text|s|bos|eos|pad|unk"
    r"|(?:\w+:)?(?:invoke|function_calls|parameter)"
)
_BAR = r"[|\uff5c]"  # <|im_start|>, also with the full-width bar that some models use
_OURS = r"|<(?=<{0,2}/?SYS>>)|<(?=<<\s*+(?:BEGIN|END)\b)"
_TAG = re.compile(
    # Discord's own (animated emoji, guild navigation) and mail links have a colon too.
    r"<(?!(?:a:\w+:\d+|id:\w+|mailto:[^\s<>]+)>)"
    # Possessive: blanks that could be shared out in many ways would all be tried.
    rf"(?=\s*+/?\s*+(?:{_BAR}|(?:{_WORDS})(?:[\s/>]|$)"
    # No element of HTML has a hyphen, an underscore or a namespace; control tags mostly do.
    rf"|[a-z][a-z0-9.]*(?:[-_][a-z0-9]|:[a-z]))){_OURS}",
    re.IGNORECASE | re.ASCII,
)
_TAG_IN_CODE = re.compile(
    rf"<(?=\s*+/?\s*+(?:{_BAR}|(?:{_SCAFFOLDING})(?:[\s/>]|$))){_OURS}", re.IGNORECASE | re.ASCII
)
_BRACKET_TAG = re.compile(
    r"\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|gMASK)\])",
    re.IGNORECASE,
)


def new_nonce() -> str:
    """Return a short random word that nobody could have written before it was made."""
    return secrets.token_hex(NONCE_BYTES)


def clean(text: str) -> str:
    """Drop what can't be seen, and make line ends the same; the visible text stays.

    Half a surrogate pair, which Discord lets through and no encoder takes, becomes U+FFFD.
    """
    text = _SURROGATES.sub("\ufffd", _BREAKS.sub("\n", text))
    return _JOINERS.sub(_joiner, _INVISIBLE.sub(lambda found: found[1] or "", text))


def _joiner(found: re.Match[str]) -> str:
    """Keep joiners and variation selectors where emoji and scripts need them.

    That is at most one of each: a selector behind a symbol, a joiner between what is not ASCII, a
    variant of an ideograph. In longer runs, and elsewhere, they break up a word or carry a text.
    """
    text, run, start, end = found.string, found[0], found.start(), found.end()
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    if not before or not _USEFUL.fullmatch(run):
        return ""
    if run[0] in _SELECTOR:
        symbol = after == _KEYCAP if before.isascii() else not before.isalpha() or before == "ℹ"
        if not symbol:
            return ""
    elif run[0] not in "\u200c\u200d":
        return run if _IDEOGRAPH.match(before) else ""
    joins = run[-1] not in _SELECTOR
    if joins and (before.isascii() or not after or after.isascii()):
        return ""
    return run


def defuse(text: str) -> str:
    """Escape control tags (`<system-reminder>`, `<|im_start|>`, `[INST]`) so that none can act.

    Only the opening bracket changes; mentions, emoji, links and HTML stay as they are, and so does
    code but for what could be taken for scaffolding. Doing it twice does no more than doing it
    once.
    """
    pieces = by_code(clean(text), cut_off=True)
    defused = ((_TAG_IN_CODE if is_code else _TAG).sub("&lt;", piece) for piece, is_code in pieces)
    return _BRACKET_TAG.sub("&#91;", "".join(defused))


def shorten(text: str, limit: int) -> str:
    """Cut a text to `limit` characters and say how many are missing."""
    return _cut(text, limit, len(text))


def inline(text: str, limit: int = NAME_CHARS) -> str:
    """Make a name or another short text safe within a line of Aurora's own.

    The result is one line of at most `limit` characters and a note of what was cut. It has no
    double quote, so that it can't forge an `ID: "…"`.
    """
    # What will be cut anyway is not worked on; half of the rest may be white space.
    head = text[: 2 * limit]
    line = " ".join(defuse(head).replace('"', "'").split())
    return _cut(line, limit, len(line) + len(text) - len(head))


def quoted(name: str) -> str:
    """Put a name between double quotes, which it can't close: what stands outside is Aurora's."""
    return f'"{inline(name)}"'


def _cut(text: str, limit: int, length: int) -> str:
    if length <= limit:
        return text
    kept = text[:limit]
    return f"{kept}… [{length - len(kept)} more characters]"


def fence(label: str, text: str, nonce: str) -> str:
    """Put a text that people wrote into a block that it can't close, whatever it contains.

    `label` is one line of ours that names the block; `nonce` is from `new_nonce` and new for
    every prompt or tool result. Control tags in the text are escaped.
    """
    inside = defuse(text)
    # A text can only know the nonce if it leaked; then the text has to give way.
    if nonce.lower() in inside.lower():
        inside = re.sub(re.escape(nonce), "…", inside, flags=re.IGNORECASE)
    return f"<<<BEGIN {label} {nonce}>>>\n{inside}\n<<<END {label} {nonce}>>>"
