"""The marks by which models keep reasoning, tool calls and turns apart, and how they are read."""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache
from typing import NamedTuple

from .code import TICKS
from .names import (
    AGENTS,
    ANSWERS,
    BEGINS,
    BRACKETS,
    HALF,
    LANGUAGES,
    OTHERS,
    OURS,
    OWN,
    REASONING,
    SAME,
    STOPS,
    TOOLS,
)
from .silence import is_marker

_WHO = (
    r"\s?+[\w.:-]{0,60}+(?:\s{1,3}+to=[^\s<]{1,80}+)?+"
    r"(?:\s{0,3}+\w{1,20}+(?=\s{0,3}+<\|message\|>))?+\s{0,3}+"
)
_TOKEN = re.compile(
    # gpt-oss: who speaks, on which channel, to whom. Written by others too, with a role alone.
    r"<\|(?:start|im_start|start_header_id|header_start|channel)\|>"
    rf"{_WHO}(?:<\|(?:channel|constrain)\|>{_WHO}){{0,3}}+"
    r"(?:<\|(?:message|end_header_id|header_end|im_sep|im_middle)\|>)?"
    # Whatever stands between bars, with the wide ones of DeepSeek, and half-open as Gemma has it.
    r"|<[|\uff5c]{1,2}+(?!DSML)(?P<special>/?[\w\u2581./-]{1,40}+)[|\uff5c]{0,2}+>"
    r"|<(?P<opened>channel|tool_call|tool_response)[|]>"
    r"|<(?P<slash>(?:\\?/)?)\s{0,3}+(?:[|\uff5c]{1,2}+DSML[|\uff5c]{1,2}+\ ?)?"
    r"(?P<name>[a-z][\w.:-]{0,40}+)(?P<rest>[=\s/][^<>]{0,300}+)?>"
    r"|\[(?P<closed>/?)(?P<bracket>[A-Z_]{4,20}+)\](?!\()"
    r"|◁(?P<kimi>/?)think▷",
    re.IGNORECASE,
)
# Elsewhere it is what HTML strikes through.
_NEXT_TURN = re.compile(r"</s>(?=\s{0,9}+(?:<s>|\[INST\]))|(?<=</s>)<s>", re.IGNORECASE)
_FENCE = re.compile(f"(?<!`)`{{3,}}+(?:{'|'.join(sorted(LANGUAGES))})\\b", re.IGNORECASE)
_CUT = re.compile(
    r"<(?P<slash>/?)(?P<name>[a-z][\w.:-]{0,40}+)(?:[=\s][^<>]{0,300}+)?\Z", re.IGNORECASE
)
_RECIPIENT = re.compile(r"\bto=\s*+([^\s<]+)")
_CHANNEL = re.compile(r"<\|channel\|>\s*+(\w*)", re.IGNORECASE)
_ROLE = re.compile(r"<\|(?!channel)\w+\|>\s*+([\w.:-]*)", re.IGNORECASE)

_THOUGHTS = re.compile("think|thought|reason|reflect|scratch|monologue")
_CALLS = re.compile("tool|function|action|python|plugin|interpreter")
_INNER = re.compile("sep$|arg|message|constrain|middle|call_id|tool_declare")
_ENDS = re.compile("^/|end|close|stop")


class Kind(Enum):
    """What a mark is about."""

    REASONING = auto()
    TOOL = auto()
    OURS = auto()
    ANSWER = auto()
    TURN = auto()


class Act(Enum):
    """What a mark does."""

    OPEN = auto()
    CLOSE = auto()
    SHOW = auto()
    """From here on it is the answer, whatever was open."""
    HIDE = auto()
    """Up to the end of this turn it is no answer."""
    STOP = auto()
    """A turn ends."""
    DROP = auto()
    TICKS = auto()


MOST_MARKS = 1_000
"""So many marks a text may have; what has more was made to have them, and is not read on."""


class Token(NamedTuple):
    """A mark in a text, or ticks."""

    start: int
    end: int
    act: Act
    kind: Kind = Kind.TURN
    name: str = ""

    @property
    def family(self) -> str:
        """Return what is the same in names that models take for each other."""
        return SAME.get(self.name, self.name)


def tokens_in(text: str) -> tuple[list[Token], int]:
    """Return the marks of a text and its ticks, in their order, and where it is read no further.

    Without marks ticks mean nothing, and are not looked for.
    """
    marks: list[Token] = []
    for found in _TOKEN.finditer(text):
        if (token := _read(found)) is None:
            continue
        if len(marks) == MOST_MARKS:
            return _with_ticks(marks, text, token.start), token.start
        marks.append(token)
    cut = _CUT.match(text, text.rfind("<")) if "<" in text[-400:] else None
    if cut is not None and (token := _tag(cut, cut["slash"], "")) is not None:
        marks.append(token)
    return _with_ticks(marks, text, len(text)), len(text)


def _with_ticks(marks: list[Token], text: str, end: int) -> list[Token]:
    if not marks and ("```" not in text or _FENCE.search(text) is None):
        return marks
    ticks = (Token(*found.span(), Act.TICKS) for found in TICKS.finditer(text, 0, end))
    return sorted((*marks, *ticks))


def _read(found: re.Match[str]) -> Token | None:
    start, end = found.span()
    first = found.string[start]
    if first == "[":
        return _bracket(found)
    if first == "◁":
        return Token(start, end, _way(found["kimi"]), Kind.REASONING, "kimi")
    if found["name"]:
        return _tag(found, found["slash"], found["rest"] or "")
    if found["opened"]:
        kind = Kind.REASONING if found["opened"] == "channel" else Kind.TOOL
        return Token(start, end, Act.CLOSE, kind, HALF[found["opened"]])
    if found["special"]:
        return _special(found)
    return _header(found)


def _way(slash: str) -> Act:
    return Act.CLOSE if slash else Act.OPEN


def _bracket(found: re.Match[str]) -> Token | None:
    word = found["bracket"]
    name = BRACKETS.get(word.upper())
    # In small letters most of these are a reader's words.
    if name is None or not (word.isupper() or word.lower() in ("think", "thinking")):
        return None
    if name == "turn":
        return Token(*found.span(), Act.SHOW if found["closed"] else Act.HIDE)
    kind = Kind.TOOL if name.startswith("tool") else Kind.REASONING
    return Token(*found.span(), _way(found["closed"]), kind, f"[{name}")


def _tag(found: re.Match[str], slash: str, rest: str) -> Token | None:
    full = found["name"].lower()
    name, kind = _named(full)
    if kind is None or (name == "function" and not (rest or slash)):
        return _turn(full, found)
    if kind is Kind.REASONING and not slash and _is_type(found):
        return None
    if rest.rstrip().endswith("/") and kind is not Kind.TOOL:
        return Token(*found.span(), Act.DROP)
    return Token(*found.span(), _way(slash), kind, name)


@lru_cache(512)
def _named(full: str) -> tuple[str, Kind | None]:
    """Return what is the same in the names of a tag, and what it is about."""
    name = full.rpartition(":")[2].replace("-", "_").rstrip("_.")
    if OWN.fullmatch(name):
        return "own", Kind.TOOL
    kinds = {Kind.REASONING: REASONING, Kind.TOOL: TOOLS, Kind.OURS: OURS, Kind.ANSWER: ANSWERS}
    kind = next((kind for kind, names in kinds.items() if name in names), None)
    return name, kind


def _is_type(found: re.Match[str]) -> bool:
    """Tell whether a tag is the type in something like `List<Analysis>`."""
    text, start = found.string, found.start()
    return (
        found["name"] not in ("Think", "Thinking")
        and found["name"].istitle()
        and text[start - 1 : start].isalnum()
        and f"</{found['name']}>" not in text[start : start + 2000]
    )


def _turn(name: str, found: re.Match[str]) -> Token | None:
    span = found.span()
    if name == "s" and _NEXT_TURN.match(found.string, span[0]):
        return Token(*span, Act.STOP)
    if name in ("start_of_turn", "start_of_role"):
        return Token(*span, Act.SHOW)
    if name in ("end_of_turn", "seed:eos", "eos", "bos", "seed:bos", "sop", "end_of_utterance"):
        return Token(*span, Act.STOP)
    return None


def _special(found: re.Match[str]) -> Token | None:
    span = found.span()
    if is_marker(found["special"]):
        return None
    name = found["special"].lower().replace("\u2581", "_").replace("-", "_")
    if name in STOPS:
        return Token(*span, Act.STOP)
    if name in BEGINS:
        return Token(*span, Act.SHOW, Kind.ANSWER)
    if re.fullmatch(OTHERS, name.removeprefix("im_")):
        return Token(*span, Act.HIDE)
    if re.fullmatch(AGENTS, name.removeprefix("im_")):
        return Token(*span, Act.SHOW)
    if _INNER.search(name):
        return Token(*span, Act.DROP)
    act = Act.CLOSE if _ENDS.search(name) else Act.OPEN
    if (about := _THOUGHTS.search(name)) is not None:
        return Token(*span, act, Kind.REASONING, f"special {about[0]}")
    if (about := _CALLS.search(name)) is not None:
        return Token(*span, act, Kind.TOOL, f"special {about[0]}")
    if name == "channel":
        return Token(*span, Act.OPEN, Kind.REASONING, "channel")
    return Token(*span, Act.DROP)


def _header(found: re.Match[str]) -> Token:
    text, span = found[0], found.span()
    channel, role = _CHANNEL.search(text), _ROLE.match(text)
    recipient = _RECIPIENT.search(text)
    if recipient is not None and recipient[1] not in ("assistant", "user", "all"):
        return Token(*span, Act.HIDE, Kind.TOOL)
    speaker = role[1].lower() if role is not None else ""
    if role is not None and speaker and not re.fullmatch(AGENTS, speaker):
        if "." in speaker or re.fullmatch(OTHERS, speaker):
            return Token(*span, Act.HIDE)
        # No role, but the first word of what is said.
        return Token(span[0], found.start() + role.start(1), Act.SHOW)
    if channel is None:
        return Token(*span, Act.SHOW)
    if channel[1].lower() in REASONING:
        return Token(*span, Act.HIDE, Kind.REASONING)
    return Token(*span, Act.SHOW, Kind.ANSWER if channel[1].lower() == "final" else Kind.TURN)
