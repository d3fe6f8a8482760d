"""Say in data what the scripted model does, and read that from what a person typed.

Directives stand anywhere in the message; they work only in the message that is being answered,
never in the reply chain or the history above it.

=========================== ====================================================================
directive                   what the model does
=========================== ====================================================================
``[[say:TEXT]]``            writes TEXT, calls no tool
``[[send:TEXT]]``           sends TEXT with discord_send, as a reply to the message
``[[send2:A|B]]``           sends A as a reply, then B, in one step
``[[sendto:CHANNEL|TEXT]]`` sends TEXT to another channel
``[[react:EMOJI]]``         reacts to the message with discord_add_reaction
``[[tool:NAME {json}]]``    calls any tool
``[[tools:[["A",{}],…]]]``  calls several tools in one step
``[[think:TEXT]]``          reasons first
``[[long:N]]``              writes N characters of text
``[[empty]]``               writes nothing
``[[sleep:S]]``             waits S seconds before it answers
``[[slow:S]]``              waits S seconds between pieces of its text
``[[err:N]]``               answers HTTP status N
``[[err:N|BODY]]``          answers HTTP status N with that body
``[[drop]]``                cuts the connection in the middle of its answer
``[[garbage]]``             streams what is no answer
``[[never]]``               sends nothing until the client goes away
``[[then]]``                ends a step: what follows is played at the turn's next model call
``[[after:TEXT]]``          short for ``[[then]][[say:TEXT]]``
=========================== ====================================================================

``err``, ``drop`` and ``garbage`` take ``*K``: only the first K calls for this message fail
(``[[err:429*1]]``). Directives combine: ``[[sleep:2]]`` alone delays the usual answer,
``[[send:hi]][[then]][[err:500]]`` fails after the tool ran. When the last step is over, the model
ends the turn with empty text.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

Fault = Literal["error", "drop", "garbage", "never"]

_OPEN = re.compile(r"\[\[(?P<name>[a-z][a-z0-9]*)(?P<end>\]\]|:|(?=\*))")
_LIMIT = 200_000


class DirectiveError(ValueError):
    """A directive that cannot be read; the message says which and how it is written."""


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call; `arguments` is JSON text, sent as it is, valid or not."""

    name: str
    arguments: str

    @classmethod
    def to(cls, name: str, /, **arguments: Any) -> Call:
        """Build a call from keyword arguments."""
        return cls(name, json.dumps(arguments, ensure_ascii=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the model does at one call of a turn.

    `wait` and `pace` are seconds: before the answer, and between its pieces. A test holds the
    model back with `gate`, until it is set, and needs no time to pass. `fault` makes the
    call fail, at most the first `times` calls for one message (all when None); then the rest of
    the step is played. An error has its `status`, and a `body` where it is not the usual one.
    `usual` stands for the model's own answer in the place of `text` and `calls`.
    """

    text: str = ""
    calls: tuple[Call, ...] = ()
    thought: str = ""
    wait: float = 0.0
    pace: float = 0.0
    gate: asyncio.Event | None = None
    fault: Fault | None = None
    status: int = 500
    body: str = ""
    times: int | None = None
    usual: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """The message that is being answered; None where the prompt did not say."""

    channel_id: str | None = None
    message_id: str | None = None

    def send(self, text: str, *, reply: bool = True) -> Call | None:
        """Build the discord_send that answers, or None if the channel is not known."""
        if self.channel_id is None:
            return None
        arguments = {"channelId": self.channel_id, "message": text}
        if reply and self.message_id is not None:
            arguments["replyToMessageId"] = self.message_id
        return Call.to("discord_send", **arguments)


def read_directives(text: str, target: Target) -> tuple[Step, ...]:
    """Read the directives in `text` as steps, one per model call; none when there are none.

    Raises:
        DirectiveError: a directive's argument is not what it needs.

    """
    steps: list[Step] = []
    current = Step(usual=True)
    found = False
    for name, argument in _directives(text):
        found = True
        if name in ("then", "after"):
            steps.append(current)
            current = Step(usual=True)
        if name == "after":
            current = replace(current, text=argument, usual=False)
        elif name != "then":
            current = _READERS[name](current, argument, target)
    return (*steps, current) if found else ()


def _directives(text: str) -> list[tuple[str, str]]:
    """Find directives as (name, argument); an unknown name is just text in brackets."""
    found: list[tuple[str, str]] = []
    position = 0
    while match := _OPEN.search(text, position):
        name, position = match["name"], match.end()
        if name not in _READERS and name not in ("then", "after"):
            continue
        if match["end"] == "]]":
            found.append((name, ""))
            continue
        end = _end_of_argument(name, text, position)
        found.append((name, text[position:end].strip()))
        position = end + 2
    return found


def _end_of_argument(name: str, text: str, start: int) -> int:
    """Find the closing brackets; JSON may hold brackets of its own, so it is read as JSON."""
    if name in ("tool", "tools") and (json_start := re.search(r"[\[{]", text[start:])):
        try:
            _, length = json.JSONDecoder().raw_decode(text[start + json_start.start() :])
        except ValueError:
            pass
        else:
            start += json_start.start() + length
    end = text.find("]]", start)
    if end < 0:
        raise DirectiveError(f"[[{name}: is not closed: two square brackets belong at its end")
    return end


def _number(name: str, text: str, *, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= most:
        raise DirectiveError(f"[[{name}:…]] needs a number from 0 to {most:g}, not {text!r}")
    return number


def _say(step: Step, text: str, _: Target) -> Step:
    return replace(step, text=step.text + text, usual=False)


def _empty(step: Step, _text: str, _: Target) -> Step:
    return replace(step, usual=False)


def _think(step: Step, text: str, _: Target) -> Step:
    return replace(step, thought=step.thought + text)


def _long(step: Step, text: str, _: Target) -> Step:
    length = int(_number("long", text, most=_LIMIT))
    words = "All work and no play makes a long answer. "
    return replace(step, text=(words * (length // len(words) + 1))[:length], usual=False)


def _sleep(step: Step, text: str, _: Target) -> Step:
    return replace(step, wait=_number("sleep", text, most=3600))


def _slow(step: Step, text: str, _: Target) -> Step:
    return replace(step, pace=_number("slow", text, most=3600))


def _calls(step: Step, *calls: Call | None, text: str) -> Step:
    """Add calls; without a known channel the words are written instead, so none get lost."""
    known = tuple(call for call in calls if call is not None)
    spoken = step.text if known else step.text + text
    return replace(step, calls=step.calls + known, text=spoken, usual=False)


def _send(step: Step, text: str, target: Target) -> Step:
    return _calls(step, target.send(text), text=text)


def _send2(step: Step, text: str, target: Target) -> Step:
    first, bar, second = text.partition("|")
    if not bar:
        raise DirectiveError("[[send2:A|B]] needs two texts with a | between them")
    return _calls(step, target.send(first), target.send(second, reply=False), text=text)


def _sendto(step: Step, text: str, _: Target) -> Step:
    channel, bar, words = text.partition("|")
    if not bar:
        raise DirectiveError("[[sendto:CHANNEL_ID|TEXT]] needs a channel id and a text")
    return _calls(step, Target(channel.strip()).send(words), text=words)


def _react(step: Step, text: str, target: Target) -> Step:
    call = None
    if target.channel_id and target.message_id:
        where = {"channelId": target.channel_id, "messageId": target.message_id}
        call = Call.to("discord_add_reaction", **where, emoji=text)
    return _calls(step, call, text=text)


def _tool(step: Step, text: str, _: Target) -> Step:
    name, _space, arguments = text.partition(" ")
    if not name:
        raise DirectiveError('[[tool:NAME {"argument": "value"}]] needs the name of a tool')
    # Broken JSON is sent as it is: a model that writes it is one more thing to try out.
    return _calls(step, Call(name, arguments.strip() or "{}"), text="")


def _tools(step: Step, text: str, _: Target) -> Step:
    try:
        calls = [Call.to(name, **arguments) for name, arguments in json.loads(text)]
    except (ValueError, TypeError) as error:
        raise DirectiveError('[[tools:[["A",{}],["B",{}]]]] needs a JSON list of pairs') from error
    return _calls(step, *calls, text="")


def _fault(kind: Fault) -> Callable[[Step, str, Target], Step]:
    def read(step: Step, text: str, _: Target) -> Step:
        head, _bar, body = text.partition("|")
        value, star, times = head.partition("*")
        limit = int(_number(kind, times, most=1000)) if star else None
        status = 500
        if kind == "error":
            status = int(_number("err", value, most=599))
            if status < 400:
                raise DirectiveError(f"[[err:N]] needs a status from 400 to 599, not {status}")
        return replace(step, fault=kind, status=status, body=body, times=limit)

    return read


_READERS: dict[str, Callable[[Step, str, Target], Step]] = {
    "say": _say,
    "send": _send,
    "send2": _send2,
    "sendto": _sendto,
    "react": _react,
    "tool": _tool,
    "tools": _tools,
    "think": _think,
    "long": _long,
    "empty": _empty,
    "sleep": _sleep,
    "slow": _slow,
    "err": _fault("error"),
    "drop": _fault("drop"),
    "garbage": _fault("garbage"),
    "never": _fault("never"),
}
