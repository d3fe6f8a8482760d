"""Take out what Aurora wrote itself and a model repeats: fences, heads, facts and instructions."""

from __future__ import annotations

import re
from pathlib import Path

from ... import prompts
from ...prompts.fence import NONCE_BYTES

_FENCE = re.compile(r"<<<(BEGIN|END) ([^<>\n]{1,200}+)>>>\n?")
_MARKS = ("<<<", " UTC", "ID: ", "[Discord]")
_NONCE = re.compile(rf"(?:.* )?[0-9a-f]{{{2 * NONCE_BYTES}}}")
_ECHOED = re.compile(
    r"(?:current message|message to route|answer of [\w-]+|reply chain|message \d+ of \d+|file \d+"
    r"|MESSAGES OF CHANNEL|SERVER \d+|FOUND IN CHANNEL|THREADS OF CHANNEL|FILES OF YOUR MEMORY"
    r"|MEMORY FILE|ATTACHMENT|NAMES)\b"
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
    r'|From: "[^"\n]{0,200}+" (?:\(@[^\n]{1,200}\) )?\(ID: "\d{1,20}"\)'
    r'|Message ID: "\d{1,20}"|Sent: (?:just now|\d{1,9} \w{1,9} ago)'
    r"|Mentioned (?:users|roles|channels): " + _NAMED + r"\)[^\n]*"
)
_LABEL = re.compile(
    r"Current message:|Message \d+ of \d+:|Reply chain, oldest first[^\n]{0,300}:"
    r"|Reply chain: nothing to show\.[^\n]*|Files that came along\. Their names[^\n]*"
    r'|File \d+, with (?:the current message|message "\d+"): [^\n]*'
)
_FACTS_TOGETHER = 3
"""So many lines of facts in a row are Aurora's; one alone may be what somebody asked for."""
_SENTENCE = 18
"""By so many characters of its own a sentence of the prompts is known."""


def _sentences() -> re.Pattern[str]:
    """Return what finds a line of the prompts' own text, whatever was filled in."""
    folder = Path(prompts.__file__).parent / "templates"
    known = set()
    for path in folder.glob("*.txt"):
        for line in path.read_text(encoding="utf-8").splitlines():
            first, *others = re.split(r"\$\w+", line.strip())
            if len(first) < _SENTENCE and others:
                first += f"\0{others[0]}"
            # What is shorter may begin an answer as well.
            if len(first) >= _SENTENCE:
                known.add(re.escape(first[: 2 * _SENTENCE]).replace("\0", r"[^\n]{1,80}?"))
    return re.compile(rf"^[ \t]{{0,4}}(?:{'|'.join(sorted(known))})", re.MULTILINE)


_SENTENCES = _sentences()


def take_scaffolding(text: str) -> str:
    """Take out what Aurora's prompts and tool results are made of; the model's words stay."""
    if not any(mark in text for mark in _MARKS) and _SENTENCES.search(text) is None:
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
        _SENTENCES.match(line) is not None or _LABEL.fullmatch(line.strip()) is not None
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
