"""Put a model's answer together, and show it piece by piece while it comes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from . import frames
from .ids import before, new_id, otid
from .state import Json, Record


class Answer:
    """One step's answer.

    `waits` says of a tool's name whether its call waits for the client.
    """

    def __init__(self, run_id: str, waits: Callable[[str], bool]) -> None:
        self.id = new_id("message")
        self.step_id = new_id("step")
        self.usage: Json = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        self._run_id = run_id
        self._waits = waits
        self._reasoning = ""
        self._text = ""
        self._calls: dict[int, Json] = {}
        # The kinds of parts in the order in which they came: the otid counts them.
        self._parts: list[str] = []
        self._approval_id: str | None = None

    def feed(self, chunk: Mapping[str, Any]) -> Iterator[Json]:
        """Take a chunk of the model and yield the frames that token streaming shows of it."""
        if chunk.get("usage"):
            self.usage = {key: chunk["usage"][key] for key in self.usage}
        for choice in chunk.get("choices") or ():
            delta = choice.get("delta") or {}
            if piece := delta.get("reasoning_content"):
                self._reasoning += piece
                yield self._part("reasoning_message", frames.reasoning(piece))
            if piece := delta.get("content"):
                self._text += piece
                yield self._part("assistant_message", {"content": piece})
            for call in delta.get("tool_calls") or ():
                yield from self._call(call)

    def record(self, *, parallel: bool) -> Record:
        """Build the stored message; without `parallel` only the first call is kept."""
        calls = list(self._calls.values())
        calls = calls if parallel else calls[:1]
        waiting = [call for call in calls if self._waits(call["name"])]
        plain = [call for call in calls if call not in waiting]
        for call in plain:
            call["arguments"] = _tidy(call["arguments"])
        entries: list[Json] = []
        if self._reasoning:
            entries.append(self._part("reasoning_message", frames.reasoning(self._reasoning)))
        if self._text:
            entries.append(self._part("assistant_message", {"content": self._text}))
        for kind, some in (("tool_call_message", plain), ("approval_request_message", waiting)):
            if some:
                entries.append(self._part(kind, {"tool_call": some[0], "tool_calls": some}))
        return Record(
            self.id,
            "approval" if waiting else "assistant",
            entries,
            [self._chat(calls)],
            calls=tuple(calls),
            waiting=frozenset(call["tool_call_id"] for call in waiting),
            step_id=self.step_id,
        )

    def _call(self, delta: Mapping[str, Any]) -> Iterator[Json]:
        function = delta.get("function") or {}
        call = self._calls.get(delta["index"])
        if call is None:
            call = frames.call(function["name"], "", delta["id"])
            self._calls[delta["index"]] = call
            yield self._call_piece(call, function["name"], None)
        if piece := function.get("arguments"):
            call["arguments"] += piece
            yield self._call_piece(call, None, piece)

    def _call_piece(self, call: Json, name: str | None, arguments: str | None) -> Json:
        approval = self._waits(call["name"])
        kind = "approval_request_message" if approval else "tool_call_message"
        piece = frames.call_piece(
            call["tool_call_id"], approval=approval, name=name, arguments=arguments
        )
        return self._part(kind, piece)

    def _part(self, kind: str, fields: Json) -> Json:
        """Build a frame of one kind of part; all frames of a part share id and otid."""
        if kind == "approval_request_message":
            if self._approval_id is None:
                # A request beside other parts is a message of its own.
                self._approval_id = before(self.id) if self._parts else self.id
            message_id = part_otid = self._approval_id
        else:
            if kind not in self._parts:
                self._parts.append(kind)
            message_id, part_otid = self.id, otid(self.id, self._parts.index(kind))
        return frames.message(
            kind, message_id, otid=part_otid, step_id=self.step_id, run_id=self._run_id, **fields
        )

    def _chat(self, calls: list[Json]) -> Json:
        chat: Json = {"role": "assistant", "content": self._text}
        if calls:
            chat["content"] = self._text or None
            chat["tool_calls"] = [
                {
                    "id": call["tool_call_id"],
                    "type": "function",
                    "function": {"name": call["name"], "arguments": call["arguments"]},
                }
                for call in calls
            ]
        return chat


def _tidy(arguments: str) -> str:
    """Write the arguments of a server tool as the server stores them; a client's stay verbatim."""
    try:
        return json.dumps(json.loads(arguments), ensure_ascii=False)
    except ValueError:
        return arguments
