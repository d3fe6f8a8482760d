"""Read the prompt as the model gets it, and think of something friendly to say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from .script import Call, Step, Target

_FENCE = re.compile(
    r"^<<<BEGIN (?P<label>[^\n]+) (?P<nonce>[0-9a-f]+)>>>\n"
    r"(?P<body>.*?)\n"
    r"^<<<END (?P=label) (?P=nonce)>>>$",
    re.DOTALL | re.MULTILINE,
)
_CHAIN_LINE = re.compile(
    r'^\[[^\]\n]+\] (?:you, )?"(?P<author>[^"\n]+)"(?: \(@[^)\n]*\))?: '
    r'(?P<text>.*?) \[ID: "\d+"\]$',
    re.DOTALL | re.MULTILINE,
)
_CHANNEL = re.compile(r'^Channel: .*\(ID: "(\d+)"', re.MULTILINE)
_MESSAGE = re.compile(r'^Message ID: "(\d+)"', re.MULTILINE)
# As today's prompts have it, and as those did that benchmarks are compared with.
_AUTHOR = re.compile(r'^From: "?(.+?)"? \((?:@|ID: |username )', re.MULTILINE)
_BY_TEXT = re.compile(r"^Answer .* by text: ", re.MULTILINE)
_NO_WORDS = re.compile(r"<[@#][!&]?\d+>|<a?:\w+:\d+>|(?<!\w)@\w+|\[\[.*?\]\]+", re.DOTALL)
_REFUSED = re.compile(
    r"\b(error|missing|forbidden|refused|not allowed|cannot|unknown|fail\w*|denied|may not)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a prompt says: the message to answer, who wrote it, the chain above it, and how.

    `colours` are those of the pictures that came with it.
    """

    text: str
    target: Target = field(default_factory=Target)
    author: str = ""
    chain: tuple[tuple[str, str], ...] = ()
    colours: tuple[str, ...] = ()
    by_text: bool = False


def read_prompt(prompt: str) -> Prompt:
    """Take a prompt in Aurora's wording apart; any other text is all message.

    This is the one place among the doubles that knows how her prompts are worded.
    """
    blocks = {block["label"]: block["body"] for block in _FENCE.finditer(prompt)}
    # What people wrote must not say where the answer goes, so it is looked for outside.
    frame = _FENCE.sub("", prompt)
    lines = _CHAIN_LINE.finditer(blocks.get("reply chain", ""))
    return Prompt(
        text=blocks.get("current message", prompt).strip(),
        target=Target(_first(_CHANNEL, frame), _first(_MESSAGE, frame)),
        author=_first(_AUTHOR, frame) or "",
        chain=tuple((line["author"], line["text"]) for line in lines),
        by_text=_BY_TEXT.search(frame) is not None,
    )


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1] if found else None


def usual_step(prompt: Prompt, *, about: str, can_send: bool, returned: str | None) -> Step:
    """Give the model's own next step: answer once, through Discord if it may, then be quiet.

    Args:
        prompt: the message to answer.
        about: what it says of itself when it is asked.
        can_send: discord_send is offered.
        returned: what the turn's last tool call gave back, None before the first.

    """
    if returned is not None:
        refused = _REFUSED.search(returned)
        return Step(text=f"I could not send that: {returned}" if refused else "")
    words = reply_to(prompt, about)
    call: Call | None = prompt.target.send(words) if can_send and not prompt.by_text else None
    return Step(calls=(call,)) if call else Step(text=words)


def reply_to(prompt: Prompt, about: str) -> str:
    """Answer what a newcomer is likely to write; `about` answers who it is."""
    said = re.sub(r"\s+", " ", _NO_WORDS.sub("", prompt.text)).strip()
    lowered = said.lower()
    if _WHO.search(lowered):
        return about
    for pattern, answer in _INTENTS:
        if re.search(pattern, lowered):
            return answer(prompt, said)
    if said in ("", "[nothing visible]"):
        return f"You called{_name(prompt)}? Write a few words with the mention and I will answer."
    verb = "You asked" if said.endswith("?") else "You said"
    followed = (
        f" That makes {len(prompt.chain) + 1} messages in this thread." if prompt.chain else ""
    )
    return f"{verb}: “{_short(said)}”{_name(prompt)}. I hear you.{followed}"


def _name(prompt: Prompt) -> str:
    return f", {prompt.author}" if prompt.author else ""


def _short(text: str, limit: int = 80) -> str:
    """Cut a quotation at a word."""
    if len(text) <= limit:
        return text
    return text[:limit].rsplit(" ", 1)[0] + "…"


def _help(_: Prompt, _said: str) -> str:
    return (
        "Ask me who I am, what time it is, or what this thread was about. To see me misbehave, "
        "write `[[say:only text]]`, `[[sleep:5]]`, `[[send2:one|two]]` or `[[err:500]]`."
    )


def _time(_: Prompt, _said: str) -> str:
    return f"It is {datetime.now(UTC):%H:%M} UTC."


def _chain(prompt: Prompt, _said: str) -> str:
    if not prompt.chain:
        return "There is nothing above your message: it is the first one here."
    author, text = prompt.chain[0]
    count = len(prompt.chain) + 1
    words = _short(" ".join(text.split()))
    return f"{author} wrote first: “{words}”. With yours I count {count} messages."


def _colour(prompt: Prompt, _said: str) -> str:
    return ", ".join(prompt.colours) or "none"


def _greet(prompt: Prompt, said: str) -> str:
    rest = re.sub(r"^\W*(?:hello|hi|hey|moin|good \w+)\b[\s,.!]*", "", said, flags=re.I)
    if not rest:
        return f"Hello{_name(prompt)}! Good to see you."
    return f"Hello{_name(prompt)}! You wrote “{_short(rest)}”. Good to hear from you."


def _thanks(prompt: Prompt, _said: str) -> str:
    return f"You are welcome{_name(prompt)}."


_WHO = re.compile(r"\bwho are you\b|\bwhat are you\b")
_INTENTS = (
    (r"\bwhat colou?r\b", _colour),
    (r"^\W*help\b|\bwhat can you do\b", _help),
    (r"\bwhat time\b|\btime is it\b", _time),
    (r"\bwho (wrote|started|said|began)\b|\bhow many messages\b|\bwhat was this about\b", _chain),
    (r"^\W*(hello|hi|hey|moin|good (morning|evening|day))\b", _greet),
    (r"\bthank(s| you)\b", _thanks),
)
