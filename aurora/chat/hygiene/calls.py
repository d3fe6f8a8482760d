"""Read calls of tools that a model wrote as text, instead of making them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .arguments import read_arguments, read_json, tagged_arguments
from .code import codes_in, outside, unfenced
from .names import OWN, REASONING


class WrittenCall(NamedTuple):
    """A call of one of Aurora's tools, as a model meant it."""

    name: str
    arguments: Mapping[str, Any]


class Found(NamedTuple):
    """A text without the calls that stood in it, and those; None is one that can't be read."""

    text: str
    calls: Sequence[WrittenCall | None]


_NAMES = ("name", "tool", "tool_name", "function", "action", "function_name", "recipient_name")
_KEYS = "|".join(_NAMES)
_NAME = re.compile(rf"(?<![\w.])(?:functions?\.|default_api\.)?(?P<name>{OWN.pattern})(?!\w)")
_LOOSE = re.compile(
    # As in code, or with an object behind the name.
    rf"(?<![\w`\"'])(?:await )?(?:<?call:)?(?:functions?\.|default_api[.:])?"
    rf"(?P<name>{OWN.pattern})"
    r"\s{0,3}+(?P<open>[({])(?=\s{0,9}+(?:[\"']?\w{1,30}[\"']?\s{0,3}+[=:]|[{\"']))"
    # JSON that names a tool of Aurora's where calls do.
    r"|(?:\[\s{0,9}+)?+\{(?=(?:\s{0,9}+\"(?:type|function|tool_calls)\"[\s\"\w:,{\[]{0,80}?)?"
    rf"\s{{0,9}}+\"(?:(?:{_KEYS})\"\s{{0,9}}+:\s{{0,9}}+\"(?:functions\.)?{OWN.pattern}\""
    rf"|{OWN.pattern}\"\s{{0,9}}+:\s{{0,9}}+\{{))"
)
_CLOSING = {"(": ")", "{": "}"}
_NAMED = re.compile(rf"(?:name\s*+=|<(?:function|tool)\s*+=)\s*+[\"']?(?P<name>{OWN.pattern})\b")
_MARKS = re.compile(
    r"<[|\uff5c][^<>\n]{0,40}+>|<\w{1,30}+[|]>|\[/?[A-Z_]{4,20}\]|```(?:\w{0,20}\n)?|`"
)
_ACTION = re.compile(
    rf"(?:\AThought:[^\n]*\n\s*)?^(?P<call>Action: ?`?{OWN.pattern}`?\s*\nAction Input:"
    rf"|\[Tool Call: ?{OWN.pattern}\]\s*Arguments:)",
    re.MULTILINE,
)
_TAG = re.compile(r"</?(?P<name>[\w:.=-]{1,60}+)>")
_DSML = re.compile(r"(?<=[</])[|\uff5c]{1,2}DSML[|\uff5c]{1,2}\ ?")
_CHATTER = frozenset(
    {
        "assistant", "commentary", "analysis", "function", "functions", "call", "calls",
        "json", "to", "name", "tool", "tools", "tool_call", "tool_calls", "tool_code",
        "print", "default_api", "await", "action", "input", "arguments", "use",
        "assistantcommentary", "args", "recipient", "python", "type",
    }
)  # fmt: skip
"""Words that stand around a call and say nothing."""
_AFTER = " \n\t;)]/>"
_BEFORE = 200
_MOST_CALLS = 50
"""So many calls a text may show; what has more is not read on."""
_ORDER = {
    "discord_send": ("channelId", "message", "replyToMessageId"),
    "discord_add_reaction": ("channelId", "messageId", "emoji"),
}
_GIVEN = ("arguments", "parameters", "args", "input", "action_input", "params", "tool_input")


def read_call(text: str) -> WrittenCall | None:
    """Read a text that is one call, in any of the forms that models have; None if it is not."""
    text = _MARKS.sub(" ", _DSML.sub("", text).replace('<|"|>', '"')).strip()
    named = _NAMED.search(text[: _BEFORE * 2]) if "<" in text else None
    if named is not None or text.startswith("<"):
        return _from_tags(text, named)
    return _from_json(text) or _from_code(text)


def take_calls(text: str) -> Found:
    """Take out of a text the calls of Aurora's tools: if they are all of it, or stand in it.

    Code that shows something else, and a tool's bare name, stay.
    """
    if OWN.search(text) is None and not text.lstrip("` \njson").startswith(("{", "[")):
        return Found(text, ())
    whole = read_call(unfenced(text))
    if whole is not None:
        return Found("", (whole,))
    # As LangChain's prompts have it, and some chats: words, and behind them the call.
    action = _ACTION.search(text)
    if action is not None:
        return Found(text[: action.start()], (read_call(text[action.start("call") :]),))
    return _loose(*_in_fences(text))


def _in_fences(text: str) -> tuple[str, list[WrittenCall | None]]:
    """Take out blocks of code that are nothing but a call."""
    out: list[str] = []
    calls: list[WrittenCall | None] = []
    at = 0
    for start, code in codes_in(text) if "```" in text else ():
        inside = text[code.inside : code.end].rstrip("` \t\n")
        if code.language is None or OWN.search(inside) is None:
            continue
        if (call := read_call(inside)) is not None:
            out.append(text[at:start])
            calls.append(call)
            at = code.end
        if len(calls) == _MOST_CALLS:
            return "".join(out), calls
    return "".join([*out, text[at:]]), calls


def _loose(text: str, calls: list[WrittenCall | None]) -> Found:
    """Take out calls that stand between words, outside code; one without an end takes the rest."""
    out: list[str] = []
    at = 0
    for found in outside(text, _LOOSE.finditer(text)):
        if found.start() < at:
            continue
        call, end = _loose_call(text, found)
        out.append(text[at : found.start()])
        calls.append(call)
        at = end
        if len(calls) >= _MOST_CALLS:
            return Found("".join(out), calls)
    return Found("".join([*out, text[at:]]), calls)


def _loose_call(text: str, found: re.Match[str]) -> tuple[WrittenCall | None, int]:
    """Return the call that stands there, and where it ends."""
    if name := found["name"]:
        order = _ORDER.get(name, ())
        read = read_arguments(text, found.end(), _CLOSING[found["open"]], order)
        return (None, len(text)) if read is None else (WrittenCall(name, read.value), read.end)
    read = read_json(text, found.start())
    if read is None:
        return None, len(text)
    return _only(_calls_of(read.value)), read.end


def _from_json(text: str) -> WrittenCall | None:
    start = min((at for at in (text.find("{"), text.find("[{")) if at >= 0), default=-1)
    if start < 0:
        return None
    name = _only_name(text[:start])
    if name is None:
        return None
    read = read_json(text, start)
    if read is None:
        # `name{key: "value"}` is no JSON.
        read = read_arguments(text, start + 1, "}", ())
    if read is None or text[read.end :].strip(_AFTER + "}"):
        return None
    value = read.value
    if name and isinstance(value, dict) and not any(one in value for one in _GIVEN):
        return WrittenCall(name, value)
    return _only(_calls_of(value))


def _from_code(text: str) -> WrittenCall | None:
    opening = text.find("(", 0, _BEFORE)
    if text.startswith("print("):
        opening = text.find("(", opening + 1, _BEFORE)
    name = _only_name(text[:opening]) if opening > 0 else None
    read = read_arguments(text, opening + 1, ")", _ORDER.get(name, ())) if name else None
    if not name or read is None or text[read.end :].strip(_AFTER):
        return None
    return WrittenCall(name, read.value)


def _from_tags(text: str, named: re.Match[str] | None) -> WrittenCall | None:
    """Read a call that stands in tags, with its arguments in tags or as JSON."""
    if named is not None:
        if _NAMED.search(text, named.end()) is not None:
            return None
        name, body = named["name"], text[named.end() :]
    else:
        names = {one["name"] for one in _NAME.finditer(text[: _BEFORE * 2])}
        if len(names) != 1:
            return _from_json(_without_tags(text))
        name = names.pop()
        body = text[text.index(name) + len(name) :]
    arguments = tagged_arguments(body)
    if arguments:
        return WrittenCall(name, arguments)
    opening = body.find("{")
    bare = _without_tags(body[opening:]) if opening >= 0 else ""
    if named is not None and bare:
        return _from_json(f"{name} {bare}")
    inner = _without_tags(text).strip()
    return _from_json(inner) or _from_code(inner)


def _without_tags(text: str) -> str:
    """Leave tags out; but those around what is thought in a message, by which that is known."""
    return _TAG.sub(lambda found: found[0] if _is_thought(found["name"]) else " ", text)


def _is_thought(name: str) -> bool:
    return name.lower().replace("-", "_") in REASONING


def _only_name(before: str) -> str | None:
    """Return the tool named before its arguments, "" for none; None if words stand there."""
    if len(before) > _BEFORE:
        return None
    names = [one["name"] for one in _NAME.finditer(before)]
    others = re.findall(r"\w+", _NAME.sub(" ", before))
    if len(names) > 1 or any(one.lower() not in _CHATTER and not one.isdigit() for one in others):
        return None
    return names[0] if names else ""


def _only(calls: Iterable[WrittenCall | None]) -> WrittenCall | None:
    some = list(calls)
    return some[0] if len(some) == 1 else None


def _calls_of(value: Any) -> Iterator[WrittenCall | None]:
    """Yield the calls that some JSON stands for."""
    if isinstance(value, list):
        for one in value[:9]:
            yield from _calls_of(one)
    elif isinstance(value, dict):
        yield _call_of(value)


def _call_of(value: Mapping[str, Any]) -> WrittenCall | None:
    inner = value.get("function")
    if isinstance(inner, dict):
        return _call_of(inner)
    many = value.get("tool_calls")
    if isinstance(many, list) and len(many) == 1 and isinstance(many[0], dict):
        return _call_of(many[0])
    name = next((value[one] for one in _NAMES if isinstance(value.get(one), str)), None)
    if name is None:
        return _nameless(value)
    named = _NAME.fullmatch(name)
    given = next((value[one] for one in _GIVEN if one in value), None)
    if named is None:
        return None
    if given is None:
        given = {key: one for key, one in value.items() if key not in (*_NAMES, "type", "id")}
    if isinstance(given, str):
        read = read_json(given.strip(), 0)
        given = None if read is None else read.value
    return WrittenCall(named["name"], given) if isinstance(given, dict) else None


def _nameless(value: Mapping[str, Any]) -> WrittenCall | None:
    """Read `{"discord_send": {…}}`, or arguments that can only be those of one tool."""
    if len(value) == 1:
        ((name, given),) = value.items()
        if OWN.fullmatch(name) and isinstance(given, dict):
            return WrittenCall(name, given)
    keys = set(value)
    for name, needed in _ORDER.items():
        required = set(needed) - {"replyToMessageId"}
        if required <= keys and keys <= {*needed, "interim", "replyToMessageId"}:
            return WrittenCall(name, dict(value))
    return None
