"""Secrets and paths in what an agent says: found by what they look like, or because known."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection
from functools import lru_cache
from urllib.parse import quote

from ..prompts.fence import clean

SECRET = "[secret removed]"  # noqa: S105 - what stands in its place
"""The same in every language: by its text a message is found again after a crash."""
CUT_PATH = "…"

_PIECE, _SEAM = 16_384, 2_048
"""How much of a long text is looked through at once, and how much of it once more with the next.

A secret with marks between its letters is shorter than that.
"""
_SHORTEST = 10
"""A known secret that is shorter, such as a password of one word, is not looked for."""

# A model that means to smuggle one out writes it with something between the letters.
_BETWEEN = r"[\s*_~|\\`>.,-]{0,3}"

# What nothing else begins with: OpenAI, Anthropic, GitHub, Slack, Google, AWS, …
_TOKENS = re.compile(
    r"(?:sk-(?:ant|proj|svcacct|admin|or|let)|xox[abeoprs]|xapp|glpat)-[A-Za-z0-9_-]{16,}+"
    r"|(?:gh[pousr]|gsk|npm)_[A-Za-z0-9]{30,}+|github_pat_\w{22,}+"
    r"|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}+|AIza[A-Za-z0-9_-]{35}|(?:AKIA|ASIA)[A-Z0-9]{16}"
)
# Where a word begins alone: in the middle of one there would be too many beginnings.
_WORDS = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:sk|xai)-[A-Za-z0-9]{20,}+|hf_[A-Za-z0-9]{30,}+"
    r"|eyJ[A-Za-z0-9_-]{10,}+\.eyJ[A-Za-z0-9_-]{10,}+\.[A-Za-z0-9_-]{10,}+"  # JWT
    r"|mfa\.[A-Za-z0-9_-]{60,}+|[A-Za-z0-9_-]{23,28}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}+)"
)
_DIGIT = re.compile("[0-9]")
_WEBHOOKS = re.compile(
    r"(?:https?://)?(?:"
    r"(?:(?:ptb|canary)\.)?discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/[0-9]+/[\w-]+"
    r"|hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[\w/-]+)",
    re.IGNORECASE,
)
# Up to its end, or to the next one's beginning; without an end, as far as there are lines of it.
_KEYS = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----(?:"
    r"(?:[^-]++|-(?!----(?:BEGIN|END)))*+-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----"
    r"|(?:(?:\s|\\[nr])*+[A-Za-z0-9+/=]{20,}+)*+)"
)


def without_secrets(text: str, known: Collection[str] = ()) -> str:
    """Put SECRET in the place of known secrets, and of what looks like one.

    Known ones are also found with up to three blanks or marks between their letters. What is
    spelled backwards, in another alphabet or in two messages is not.
    """
    if any(len(one) >= _SHORTEST for one in known):
        text = _exactly(frozenset(known)).sub(SECRET, text)
    if "-----BEGIN" in text:
        text = _KEYS.sub(SECRET, text)
    if "hooks" in text.lower():
        text = _WEBHOOKS.sub(SECRET, text)
    return _WORDS.sub(_word, _TOKENS.sub(SECRET, text))


def _word(found: re.Match[str]) -> str:
    # What has no digit is a word of somebody's.
    return SECRET if _DIGIT.search(found[0]) else found[0]


@lru_cache(maxsize=4)
def _exactly(known: frozenset[str]) -> re.Pattern[str]:
    forms = {form for one in known if len(one) >= _SHORTEST for form in (one, quote(one, safe=""))}
    longest_first = sorted(forms, key=lambda one: (-len(one), one))
    return re.compile("|".join(_BETWEEN.join(map(re.escape, one)) for one in longest_first))


def without_paths(text: str, known: Collection[str]) -> str:
    """Cut the known folders of the agent's host off the paths in a text."""
    if not known:
        return text
    return _folders(frozenset(known)).sub(CUT_PATH, text)


async def masked(text: str, secrets: Collection[str], folders: Collection[str]) -> str:
    """Do both with a text as long as a file, and clean it; others get their turn meanwhile."""

    def done(piece: str) -> str:
        return without_paths(without_secrets(clean(piece), secrets), folders)

    if "-----BEGIN" in text:
        # One may be longer than a piece.
        text = _KEYS.sub(SECRET, text)
    finished, tail = [], ""
    for start in range(0, len(text), _PIECE):
        await asyncio.sleep(0)
        # Begun within the last piece, and ended in this one, it is whole in both together.
        together = done(tail + done(text[start : start + _PIECE]))
        cut = max(0, len(together) - _SEAM)
        finished.append(together[:cut])
        tail = together[cut:]
    return "".join((*finished, tail))


@lru_cache(maxsize=4)
def _folders(known: frozenset[str]) -> re.Pattern[str]:
    longest_first = sorted(known, key=lambda one: (-len(one), one))
    ends = r"(?:(?![\w-])|(?=(?i:https?://)))"
    return re.compile(f"(?:{'|'.join(map(re.escape, longest_first))}){ends}")


def folders_of(path: str) -> tuple[str, ...]:
    """Return a folder of the agent's host and the home it lies in; nothing for a common one."""
    path = path.rstrip("/\\")
    steps = re.split(r"[/\\]", path)
    # "/app" and "C:\\Windows" are in everybody's texts.
    if len(steps) < 3:
        return ()
    home = steps[1].lower() in ("home", "users") and len(steps) > 3
    return (path, path[: len("/".join(steps[:3]))]) if home else (path,)
