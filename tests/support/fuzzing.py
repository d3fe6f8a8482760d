"""What is fuzzed: each target makes something of bytes, and says what must hold of it.

The bytes choose among pieces that mean something to the code; so the same targets serve
Hypothesis, which shrinks what it finds, and atheris, which looks for new ways through the code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from time import process_time
from typing import Any, cast

from aurora.agents.address import AddressError, parse_address
from aurora.agents.app_server.conversation import Conversation
from aurora.agents.app_server.memory import plain
from aurora.agents.app_server.requests import key_of
from aurora.agents.app_server.run import AppServerRun
from aurora.agents.frames import read_json
from aurora.agents.memory import MemoryRefused
from aurora.agents.protocol import ConversationKey, Input
from aurora.agents.rest.messages import calls_in, has_ended, last_text, pending_request
from aurora.agents.rest.outcomes import RefusedError, refused
from aurora.agents.rest.run import RestRun
from aurora.agents.rest.step import Step
from aurora.chat.hygiene import clean as cleaned
from aurora.chat.splitting import LIMIT, split_message
from aurora.context import describe_extras, extract_message_metadata, quote
from aurora.guard.links import host_in
from aurora.guard.masking import folders_of
from aurora.guard.output import Output, heard_in
from aurora.health.alerts import parse_webhook
from aurora.model import EventContext, Turn
from aurora.prompts import PROMPT_CHARS, build_prompt
from aurora.prompts.fence import clean, defuse, fence, inline
from aurora.prompts.transcript import format_reply_chain
from aurora.settings import RULES, GuildSettings, SettingError, parse
from aurora.tools.arguments import Arguments, BadArgument
from aurora.tools.files import file_name
from aurora.tools.threads import thread_name
from tests.support.events import make_context, make_event
from tests.support.payloads import TeaHouse, attachment, make_quote, snapshot

NONCE = "0123456789abcdef"
SECRET_TOKEN = "MTE3MzYwNTIzOTAwNTMxMDk3Ng.GxYzAb.abcdefghijklmnopqrstuvwxyz0123456789AB"
KEY = ConversationKey("agent-1", "conv-1")
INPUT_ID = "input-1"
MOST_SECONDS = 0.05
"""How long one piece of work may take, in seconds of a processor that does nothing else."""

PIECES: tuple[str, ...] = (
    "a", "1", " ", "\n", "\r", "\t", "\0", "\u200b", "\u200d", "\ufe0f", "\u3164", "\u2028",
    "\u202e",
    "é", "e\u0301", "😀", "👨\u200d👩", "\ud83d", "\U000e0041", "🏴", '"', "'", "`", "```", "``",
    "*", "**",
    "_", "~~", "||", "|", "\\", "<", ">", "[", "]", "(", ")", "](", "{", "}", ":", "/", "//",
    "@", "#",
    ".", ",", "-", "=", "%", "&", "$", "https://", "http://a.example/x", "ws://", "wss://h:1/",
    "@everyone",
    "@here", "<@1>", "<@&100000000000000001>", "<#100000000000000001>", "<:a:1>", "<t:1:R>",
    "discord.gg/a",
    "<system-reminder>", "<|im_start|>", "[INST]", "<<<END note ", "<<<BEGIN note ", ">>>",
    NONCE, NONCE.upper(),
    'ID: "1"', "you", "0", "-1", "1e999", "NaN", "9" * 30, "1187654321098765432", "on", "null",
    "true",
    "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "sk-", "eyJ", SECRET_TOKEN,
    "/home/ada",
    "people/1/a.md", "..", "discord.com/api/webhooks/1/a", "[::1]", "xn--", "user:pw@",
    "\ufffd", "ß", "。",
    "<think>", "</think>", "<answer>", "</reasoning>", "[THINK]", "<|channel|>analysis<|message|>",
    "<|end|>", "<tool_call>", "</tool_call>", "<|im_start|>", "discord_send(", "NO_REPLY", "\\n",
    '{"name": "discord_send", "arguments": ', "```thinking\n",
)  # fmt: skip

HOSTILE: tuple[str, ...] = tuple(
    (piece * (100_000 // len(piece) + 1))[:100_000]
    for piece in (
        *PIECES, "](https://", "` `` ``` ", "https://a|", "https://|", "https://a) ",
        "](https://a(", "eyJa.",
        "\\`", "<https://", "MTE3", "M*T*E*", "https://a`", "](https://a 'b", "https://a.,",
        "< ", "<\n", "a ",
        "a\n\n", "<system ", "[ID: ", "🏴\U000e0041", "\u200d\u200c", "🇩🇪", "/a/", "&lt;",
        "\n    ", "x://", "a@b.c ", "a</think>", "<think>`", "`<think>", "<s>", "x<answer>",
        "<think></reasoning>", "discord_send({", '{"name":"discord_send","a":', "a\\n",
        '[2024-05-01 12:00:00 UTC, just now] "', "<th<think>x</think>ink>", "<a<",
    )
)  # fmt: skip
"""A hundred thousand characters of each, in which a slow pattern would lose its way."""

KINDS = (
    "stream_delta", "turn_finished", "update_queue", "update_loop_status",
    "approval_request_message",
    "assistant_message", "reasoning_message", "usage_statistics", "tool_return_message",
    "user_message",
    "tool_call_message", "stop_reason", "ping", "error_message", "control_request",
    "update_device_status",
)  # fmt: skip
KEYS = (
    "type", "message_type", "delta", "runtime", "agent_id", "conversation_id", "queue",
    "removed", "status",
    "client_message_id", "loop_status", "stop_reason", "error", "run_id", "seq_id", "id",
    "otid", "content",
    "text", "reasoning", "prompt_tokens", "completion_tokens", "tool_call", "tool_calls",
    "tool_call_id", "name",
    "arguments", "tool_returns", "detail", "code", "message", "error_type", "request_id",
    "device_status",
)  # fmt: skip


_CALLS = (
    "{}",
    '{"channelId": "1"}',
    '{"a": [',
    "[" * 3000,
    '{"a":' * 3000,
    "9" * 5000,
    "}" * 3000,
)
"""What models give for the arguments of a call, on a bad day."""


class Source:
    """Makes things of bytes; when they are used up, all that follows is empty or first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> int:
        """Return the next byte."""
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def pick(self, among: Sequence[Any]) -> Any:
        """Return one of several."""
        return among[(self.byte() << 8 | self.byte()) % len(among)]

    def text(self, most: int = 24) -> str:
        """Return a text of pieces, of which some are repeated."""
        pieces = []
        for _ in range(self.byte() % (most + 1)):
            how = self.byte()
            piece = chr(self.byte() << 8 | self.byte()) if how < 16 else self.pick(PIECES)
            pieces.append(piece * (1 << how % 12 if how > 240 else 1))
        return "".join(pieces)

    def json(self, depth: int = 4) -> Any:
        """Return what JSON may hold."""
        match self.byte() % 12:
            case 0:
                return None
            case 1:
                return bool(self.byte() % 2)
            case 2:
                return self.pick(
                    (0, 1, -1, 2**53 + 1, 2**63, 10**400, 1.5, float("inf"), float("nan"))
                )
            case 3 | 4 if depth:
                return [self.json(depth - 1) for _ in range(self.byte() % 4)]
            case 5 | 6 | 7 if depth:
                return {self.pick(KEYS): self.json(depth - 1) for _ in range(self.byte() % 6)}
            case 8:
                return self.pick(KINDS)
            case 9:
                return self.pick(("agent-1", "conv-1", INPUT_ID, "call-1", "success", "end_turn"))
        return self.text(6)

    def frame(self) -> dict[str, Any]:
        """Return a frame that looks like one of a server's, here and there."""
        frame: dict[str, Any] = {self.pick(KEYS): self.json() for _ in range(self.byte() % 8)}
        call = {"tool_call_id": "call-1", "name": self.text(2), "arguments": self.pick(_CALLS)}
        if self.byte() % 2:
            # So that something is found behind the first few checks.
            frame |= {"tool_call": call, "tool_calls": [call], "content": [{"text": self.text(4)}]}
            frame["delta"] = {**frame, "message_type": self.pick(KINDS), "otid": INPUT_ID}
        if self.byte() % 4:
            frame |= {"type": self.pick(KINDS), "message_type": self.pick(KINDS)}
            frame["runtime"] = KEY._asdict()
        return frame


def check_fence(source: Source) -> None:
    """No text closes its block, nor opens another."""
    text = source.text()
    block = fence("note", text, NONCE)
    first, *inside, last = block.split("\n")
    assert (first, last) == (f"<<<BEGIN note {NONCE}>>>", f"<<<END note {NONCE}>>>")
    assert NONCE not in "\n".join(inside).lower()
    block.encode()
    assert defuse(defuse(text)) == defuse(text)
    assert clean(clean(text)) == clean(text)
    assert len(inline(text).splitlines()) <= 1
    assert '"' not in inline(text)


def check_prompt(source: Source) -> None:
    """Whatever people write and call themselves, a prompt has its blocks and its size."""
    context = cast(Any, make_context(kind=source.pick(("mention", "reply", "dm"))))
    for named in (context["message"]["author"], context["place"], context["bot"]):
        for key, value in named.items():
            if isinstance(value, str) and "id" not in key and key != "type":
                named[key] = source.text(6)
    context["message"] |= {"content": source.text(), "extras": [source.text(6)]}
    context["chain"] = [make_quote(source.text(), author=source.text(4)) for _ in range(3)]
    named = [{"id": "1", "name": source.text(4)}]
    context["mentions"] = {"users": named, "roles": named, "channels": named}
    prompt = build_prompt(cast(EventContext, context), now=1e9, guidance=True, nonce=NONCE)
    assert len(prompt) <= PROMPT_CHARS
    prompt.encode()
    begun = [line for line in prompt.split("\n") if line.startswith("<<<BEGIN ")]
    ended = [line for line in prompt.split("\n") if line.startswith("<<<END ")]
    assert [one.replace("BEGIN", "END") for one in begun] == ended


@cache
def _house() -> TeaHouse:
    return TeaHouse()


def check_context(source: Source) -> None:
    """A message of Discord's becomes plain data, whatever stands in it."""
    house = _house()
    shot = snapshot(source.text(), attachments=[attachment(source.text(4) or "a")])
    message = house.message(
        source.text(),
        author=source.pick(("ann", "bob", "robot", "aurora")),
        channel=source.pick(("general", "thread", "post", "private")),
        known=False,
        type=source.pick((0, 6, 7, 8, 18, 19, 21, 23, 46)),
        attachments=[attachment(source.text(4) or "a", description=source.text(6))],
        embeds=[{"type": "rich", "title": source.text(6), "description": source.text()}],
        sticker_items=[{"id": "1", "name": source.text(4), "format_type": 1}],
        message_snapshots=[shot] if source.byte() % 2 else [],
    )
    one = quote(message, limit=1000, viewer=message.author)
    json.dumps([one, extract_message_metadata(message), describe_extras(message)]).encode()
    line = format_reply_chain([one], now=1e9, bot_id=str(house.me.id))
    assert sum(part.startswith("[") for part in line.split("\n")) == 1
    assert len(one["content"]) <= 1000


def check_splitter(source: Source) -> None:
    """Every part is one that Discord takes, and none of the words is lost."""
    text = clean(source.text())
    parts = split_message(text)
    _check_acceptable(parts)
    # Marks are closed and opened again, and the sign of a quote's line may stand at a cut.
    arrived = iter("".join(parts))
    assert all(one in arrived for one in "".join(text.replace(">", "").split()))


def check_output(source: Source) -> None:
    """What is filtered holds no secret, stays what it is, and can be sent."""
    output = Output(
        lambda _guild: GuildSettings(embed_hosts=("a.example",), allow_invites=False),
        secrets=lambda: (SECRET_TOKEN,),
        folders=lambda: folders_of("/home/ada/letta"),
        role=lambda _guild, _role: source.text(4),
    )
    event = make_event()
    event.context["message"]["content"] = source.text(6)
    turn, text = (
        Turn((event,)),
        source.text().encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
    )
    heard_in([event.context["message"]])
    said = output.filter(turn, text, LIMIT)
    assert output.filter(turn, said.text, LIMIT).text == said.text
    parts = split_message(said.text)
    _check_acceptable(parts)
    assert not any(SECRET_TOKEN in part for part in parts)
    assert not any(
        "discord.gg/a" in part.replace("`", "") for part in parts if "`" not in said.text
    )
    for part in parts:
        said.previews.hold_back(part)


def check_hygiene(source: Source) -> None:
    """What is clean stays as it is, can be sent, and has no mark of reasoning outside code."""
    text = source.text()
    said = cleaned(text, silence=(source.text(1),))
    assert cleaned(said.text).text == said.text
    said.text.encode()
    assert not (said.text and (said.silent or said.call))
    assert "`" in said.text or "think>" not in said.text
    assert not said.tool_talk or said.call is None


def _check_acceptable(parts: Sequence[str]) -> None:
    for part in parts:
        assert part.strip()
        assert len(part) <= LIMIT
        part.encode()


def _check_short(refusal: Exception) -> None:
    assert 0 < len(str(refusal)) < 500


def check_arguments(source: Source) -> None:
    """What a model gives is read, or refused in words that can be shown to it."""
    values = {"a": source.json() if source.byte() % 2 else source.text()}
    arguments = Arguments(values)
    for read in (
        lambda: arguments.snowflake("a"),
        lambda: arguments.optional_snowflake("a"),
        lambda: arguments.text("a"),
        lambda: arguments.whole("a", 1, 100, 20),
        lambda: arguments.moment("a"),
        lambda: arguments.flag("a"),
        lambda: arguments.texts("a"),
    ):
        try:
            read()
        except BadArgument as refusal:
            _check_short(refusal)


def check_names(source: Source) -> None:
    """A file and a thread get plain names, and a plain name stays as it is."""
    text = source.text()
    file, thread = file_name(text), thread_name(text)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*\.[a-z]+", file), file
    assert (file_name(file), len(file) < 80) == (file, True)
    assert not set("<>@`*~|\n") & set(thread)
    assert (thread_name(thread), len(thread) <= 100) == (thread, True)


def check_parsers(source: Source) -> None:
    """Addresses, hosts, webhooks and values of settings, as people type them."""
    text = source.text(8)
    try:
        address = parse_address(text)
    except AddressError as error:
        _check_short(error)
    else:
        assert parse_address(address.url) == address
    for key in RULES:
        try:
            parse(key, text)
        except SettingError as error:
            _check_short(error)
    host = host_in(text)
    assert host is None or host_in(host) == host
    url = parse_webhook(text)
    assert url is None or parse_webhook(url) == url
    plain(text)


class _NoTools:
    """A run that offers nothing."""

    specs = ()

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        raise NotImplementedError


def check_app_server(source: Source) -> None:
    """A frame of an App Server's may hold anything."""
    given = Input(*KEY, "hello", INPUT_ID)
    run = AppServerRun(given, _NoTools())
    conversation = Conversation(KEY)
    conversation.run = run
    run.begin(INPUT_ID)
    for _ in range(source.byte() % 6):
        frame = read_json(json.dumps(source.frame()))
        key_of(frame)
        conversation.feed(frame)
    assert isinstance(run.text, str)


def check_rest(source: Source) -> None:
    """The same for what the REST API streams, keeps, and refuses."""
    run, step = RestRun(Input(*KEY, "hello", INPUT_ID), _NoTools()), Step("otid", {})
    frames = [read_json(json.dumps(source.frame())) for _ in range(source.byte() % 6)]
    for frame in frames:
        run.feed(step, frame)
        has_ended(frame)
        calls_in(frame)
        error = RefusedError(source.pick((200, 400, 404, 409, 429, 500)), frame, {})
        refused(error)
        assert isinstance(error.detail + error.holder, str)
        assert error.says_call_waits in (True, False)
    pending = pending_request(frames)
    if pending is not None:
        step.read_request(pending)
    assert isinstance(last_text(frames) or "", str)


TARGETS: Mapping[str, Callable[[Source], None]] = {
    "fence": check_fence,
    "prompt": check_prompt,
    "context": check_context,
    "splitter": check_splitter,
    "output": check_output,
    "hygiene": check_hygiene,
    "arguments": check_arguments,
    "names": check_names,
    "parsers": check_parsers,
    "app server": check_app_server,
    "rest": check_rest,
}
"""What is fuzzed, by name."""


def _output(text: str) -> None:
    said = Output(secrets=lambda: (SECRET_TOKEN,)).filter(Turn((make_event(),)), text, LIMIT)
    for part in split_message(said.text[: 10 * LIMIT]):
        said.previews.hold_back(part)


def _address(text: str) -> None:
    try:
        parse_address(text)
    except AddressError:
        return


def _path(text: str) -> None:
    try:
        Arguments({"a": text}).snowflake("a")
    except (BadArgument, MemoryRefused):
        return


WORK: Mapping[str, Callable[[str], object]] = {
    "clean": clean,
    "fence": lambda text: fence("note", text, NONCE),
    "inline": lambda text: inline(text, 4000),
    "transcript": lambda text: format_reply_chain([make_quote(text)], now=1e9),
    "splitter": split_message,
    "output": _output,
    "hygiene": cleaned,
    "address": _address,
    "id": _path,
    "host": host_in,
    "webhook": parse_webhook,
    "refusal": plain,
}
"""What is done to a text, by name: for measuring how long it takes."""


def seconds_for(work: Callable[[str], object], text: str, tries: int = 3) -> float:
    """Return what some work took at best, in seconds of the processor."""
    best = float("inf")
    for _ in range(tries):
        start = process_time()
        work(text)
        best = min(best, process_time() - start)
    return best
