"""Take out what Aurora wrote itself and a model repeats: fences, heads, facts and instructions."""

from __future__ import annotations

import re
from pathlib import Path

from ... import prompts

_FENCE = re.compile(r"<<<(BEGIN|END) ([^<>\n]{1,200}+)>>>\n?")
_NONCE = re.compile(r"(?:.* )?[0-9a-f]{16}")
_ECHOED = re.compile(
    r"current message|reply chain|message \d+ of \d+|MESSAGES OF CHANNEL|SERVER \d|FILES OF YOUR"
    r"|MEMORY FILE|attachment|file"
)
"""What is fenced in what Aurora gives to agents, and not by agents in their answers."""

_ID = r'\[ID: "\d{1,20}"\]'
_AT = r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, [\w ]{1,30}\]"
_HEAD = re.compile(
    rf'^{_AT} (you, )?"[^"\n]{{0,300}}+"(?: \(@[^\n]{{0,120}}?\))?: ?', re.MULTILINE
)
_ID_AT_END = re.compile(rf"[ \t]{{0,4}}{_ID}[ \t]{{0,4}}$", re.MULTILINE)
_NAMED = r'"[^"\n]{0,200}+" \(ID: "\d{1,20}"'
_FACT = re.compile(
    r"Current time: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC|Server: " + _NAMED + r"\)"
    r"|(?:Parent channel|You are): " + _NAMED + r"\)|Channel: " + _NAMED + r", type: [^\n]{1,40}\)"
    r'|From: "[^"\n]{0,200}+" \(username "[^"\n]{0,200}+", ID: "\d{1,20}"\)'
    r'|Message ID: "\d{1,20}"|Sent: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \([\w ]{1,30}\)'
    r"|Mentioned (?:users|roles|channels): " + _NAMED + r"\)[^\n]*"
)
_LABEL = re.compile(
    r"Current message:|Message \d+ of \d+:|Reply chain, oldest first[^\n]{0,300}:"
    r"|Reply chain: nothing to show\.[^\n]*"
)
_FACTS_TOGETHER = 3
"""So many lines of facts in a row are Aurora's; one alone may be what somebody asked for."""
_SENTENCE = 20
"""By so many characters a sentence of the prompts is known."""


def _sentences() -> frozenset[str]:
    """Return how each line of the prompts' own text begins, up to what is filled in."""
    folder = Path(prompts.__file__).parent / "templates"
    lines = (
        line.partition("$")[0].strip()
        for path in folder.glob("*.txt")
        for line in path.read_text(encoding="utf-8").splitlines()
    )
    # What is shorter may begin an answer as well.
    return frozenset(line[:_SENTENCE] for line in lines if len(line) >= _SENTENCE)


_SENTENCES = _sentences()


def take_scaffolding(text: str) -> str:
    """Take out what Aurora's prompts and tool results are made of; the model's words stay."""
    if not any(mark in text for mark in ("<<<", " UTC", "[ID:", "[Discord]", "ID: ")) and not any(
        sentence in text for sentence in _SENTENCES
    ):
        return text
    return _take_lines(_take_heads(_take_fences(text)))


def _take_fences(text: str) -> str:
    """Take out fences: of what Aurora had fenced with what is in them, else their lines alone."""
    marks = [one for one in _FENCE.finditer(text) if _is_ours(one[2])]
    nearest_end: dict[str, int] = {}
    ends: dict[int, int] = {}
    for index in range(len(marks) - 1, -1, -1):
        if marks[index][1] == "END":
            nearest_end[marks[index][2]] = marks[index].end()
        elif marks[index][2] in nearest_end and _ECHOED.match(marks[index][2]):
            ends[marks[index].start()] = nearest_end[marks[index][2]]
    out, at = [], 0
    for mark in marks:
        if mark.start() >= at:
            out.append(text[at : mark.start()])
            at = ends.get(mark.start(), mark.end())
    return "".join([*out, text[at:]]) if marks else text


def _is_ours(label: str) -> bool:
    return _NONCE.fullmatch(label) is not None or _ECHOED.match(label) is not None


def _take_heads(text: str) -> str:
    """Take out the lines of a transcript; what the model says in the form of one stays."""
    heads = list(_HEAD.finditer(text))
    out, at = [], 0
    for index, head in enumerate(heads):
        out.append(text[at : head.start()])
        following = heads[index + 1].start() if index + 1 < len(heads) else len(text)
        end = _end_of_entry(text, head.end(), following)
        if head[1]:
            out.append(text[head.end() : end])
        at = end
    return _ID_AT_END.sub("", "".join([*out, text[at:]]))


def _end_of_entry(text: str, start: int, following: int) -> int:
    """Return where an entry of a transcript ends; its further lines are indented."""
    end = start
    while end < following:
        line_end = text.find("\n", end, following)
        end = following if line_end < 0 else line_end + 1
        if text[end : end + 4].strip() or not text[end : end + 4]:
            break
    return end


def _take_lines(text: str) -> str:
    """Take out lines that are Aurora's: sentences of its prompts, and facts if there are some."""
    lines = text.split("\n")
    facts = [_FACT.fullmatch(line.strip()) is not None for line in lines]
    taken = [
        line.lstrip()[:_SENTENCE] in _SENTENCES or _LABEL.fullmatch(line.strip()) is not None
        for line in lines
    ]
    sure = any(taken)
    run = 0
    for index, is_fact in enumerate([*facts, False]):
        if is_fact:
            run += 1
            continue
        if run >= _FACTS_TOGETHER or (run and sure):
            taken[index - run : index] = [True] * run
        run = 0
    if not any(taken):
        return text
    kept = [line for line, gone in zip(lines, taken, strict=True) if not gone]
    return "\n".join(kept)
