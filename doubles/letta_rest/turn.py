"""Play one run: ask the model, call tools, until the turn ends or waits for the client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from uuid import uuid4

from . import approvals, frames
from .answer import Answer
from .ids import new_id
from .model import Model
from .problems import StreamError, unknown_error
from .state import (
    Agent,
    Json,
    Record,
    Run,
    Store,
    Stream,
)
from .tools import ServerTool, run_call

MAX_STEPS = 50


@dataclass(frozen=True, slots=True)
class Send:
    """What a client asked for: the messages, and how it wants to see the answer."""

    messages: Sequence[Json]
    tokens: bool = False
    max_steps: int = MAX_STEPS
    client_tools: Sequence[Json] = ()
    return_types: Sequence[str] | None = None
    model: str | None = None


@dataclass(slots=True)
class Turn:
    """A run being played into its stream."""

    store: Store
    model: Model
    tools: Mapping[str, ServerTool]
    agent: Agent
    run: Run
    stream: Stream
    send: Send
    failure: StreamError | None = None
    shown: list[Json] = field(default_factory=list)
    _chat: list[Json] = field(default_factory=list)
    _unstored: list[Record] = field(default_factory=list)
    _position: int = 0

    async def play(self) -> None:
        """Play to the end, and free the conversation."""
        try:
            reason = await self._turn()
        except StreamError as error:
            self._fail(error)
        else:
            self._end(reason)

    async def _turn(self) -> str:
        records = self.run.thread.records
        self._position = len(records)
        self._chat = _chats(records)
        steps = self.send.max_steps
        if self._read_input():
            # Carrying out a reply is a step, too.
            steps -= 1
        for _ in range(steps):
            reason = await self._step()
            if reason is not None:
                return reason
        return "max_steps"

    def _read_input(self) -> bool:
        """Take the messages in; True when they were a reply that has been carried out."""
        first, thread = self.send.messages[0], self.run.thread
        if first.get("type") == "tool_return":
            first = {"type": "approval", "approvals": first.get("tool_returns") or []}
        if first.get("type") != "approval":
            approvals.check_message(thread)
            self._take(self.send.messages)
            return False
        request = approvals.check_reply(thread, first)
        follow_up = [m for m in self.send.messages[1:] if m.get("type", "message") == "message"]
        if request is None:
            self._take(follow_up or [approvals.keep_alive()])
            return False
        answered = approvals.answer(request, first, self.run, self.tools)
        request.waiting = frozenset()
        self._store(answered.records)
        if answered.executed or not self.send.tokens:
            self._show(answered.shown)
        self._take(follow_up)
        return True

    def _take(self, messages: Sequence[Json]) -> None:
        """Hold messages of the user; they are stored together with the first step."""
        for message in messages:
            content = message.get("content")
            if not content:
                raise unknown_error("Message content is empty or invalid")
            self._unstored.append(_input(message, self.run.id))

    async def _step(self) -> str | None:
        """Play one step; say why the turn stops, or None when it goes on."""
        if self.run.cancelled:
            return "cancelled"
        answer = Answer(self.run.id, self._waits)
        if not await self._ask(answer):
            return "cancelled"
        record = answer.record(parallel=self.agent.parallel_tool_calls)
        returns = self._returns(record)
        for held in self._unstored:
            held.step_id = held.entries[0]["step_id"] = answer.step_id
        self._store([*self._unstored, record, *returns])
        self._unstored.clear()
        self.run.steps.append({"id": answer.step_id, **answer.usage})
        # Without token streaming the server looks only now, when the late answer is stored.
        if self.run.cancelled:
            return "cancelled"
        for entry in () if self.send.tokens else record.entries:
            self._show(entry)
        for stored in returns:
            self._show(stored.entries[0])
        if record.waiting:
            return "requires_approval"
        return None if record.calls else "end_turn"

    async def _ask(self, answer: Answer) -> bool:
        """Ask the model; False when the run was cancelled while tokens were streamed."""
        asked = [*self._chat, *_chats(self._unstored)]
        chunks = self.model.ask(self._model_name(), asked, self._offered())
        async with aclosing(chunks):
            async for chunk in chunks:
                if self.run.cancelled and self.send.tokens:
                    return False
                for frame in answer.feed(chunk):
                    if self.send.tokens:
                        self._show(frame)
        return not (self.run.cancelled and self.send.tokens)

    def _returns(self, record: Record) -> list[Record]:
        """Call a step's tools; they see what is stored, which this step is not yet."""
        if record.waiting or not record.calls:
            return []
        results = [self._call(call) for call in record.calls]
        name, step_id = record.calls[0]["name"], record.step_id or ""
        return [approvals.returns_record(results, name=name, step_id=step_id, run_id=self.run.id)]

    def _call(self, call: Json) -> Json:
        if call["name"] in self.agent.tools:
            return run_call(call, self.tools, self.agent.id)
        valid = [*self.agent.tools, *(tool["name"] for tool in self.send.client_tools)]
        text = f"[ToolConstraintError] Cannot call {call['name']}, valid tools include: {valid}."
        return frames.tool_return(call["tool_call_id"], text, "error")

    def _waits(self, name: str) -> bool:
        ours = any(tool["name"] == name for tool in self.send.client_tools)
        return ours or name in self.agent.approvals

    def _offered(self) -> list[Json]:
        own = [self.tools[name].function for name in self.agent.tools if name in self.tools]
        keys = ("name", "description", "parameters")
        theirs = [
            {"type": "function", "function": {k: tool[k] for k in keys if tool.get(k)}}
            for tool in self.send.client_tools
        ]
        return [*own, *theirs]

    def _model_name(self) -> str:
        return (self.send.model or self.agent.model).partition("/")[2]

    def _store(self, records: Sequence[Record]) -> None:
        self._position = self.run.thread.add(records, self._position)
        self.run.records += records
        self._chat += _chats(records)

    def _show(self, frame: Json) -> None:
        types = self.send.return_types
        if types is None or frame["message_type"] in types:
            self.shown.append(frame)
            self.stream.put(frame)

    def _end(self, reason: str) -> None:
        self.run.end("completed", reason)
        self._free()
        if self.run.cancelled:
            reason = "cancelled"
        self.stream.put(frames.stop(reason))
        if reason != "cancelled":
            self.stream.put(frames.usage(self.run.steps, tokens=self.send.tokens))
        elif not self.run.background:
            self.stream.close()
            return
        self.stream.done()

    def _fail(self, error: StreamError) -> None:
        self.failure = error
        frame = error.frame(self.run.id)
        if error.twice and not self.run.background:
            self.run.end("completed", error.stop_reason)
        else:
            self.run.end("failed", error.stop_reason, frame)
        self._free()
        if error.twice and self.send.tokens:
            self.stream.put(frames.stop("error"))
        self.stream.put(frames.stop(error.stop_reason))
        self.stream.put(frame, error=True)
        if self.run.background or error.twice:
            self.stream.close()
        else:
            self.stream.done()

    def _free(self) -> None:
        self.agent.last_stop_reason = self.run.stop_reason
        if self.store.redis is not None:
            self.store.redis.unlock(self.run.thread.lock_key, self.run.id)


def _chats(records: Sequence[Record]) -> list[Json]:
    return [message for record in records for message in record.chat]


def _input(message: Json, run_id: str) -> Record:
    """Build the stored form of a message that a client sent."""
    role = message.get("role", "user")
    message_id = new_id("message")
    entry = frames.message(
        f"{role}_message",
        message_id,
        otid=message.get("otid") or str(uuid4()),
        step_id=None,
        run_id=run_id,
        name=message.get("name"),
        content=message["content"],
    )
    chat = {"role": role, "content": _for_model(message["content"])}
    return Record(message_id, role, [entry], [chat])


def _for_model(content: str | list[Json]) -> str | list[Json]:
    """Write content the way the provider reads it."""
    if isinstance(content, str):
        return content
    parts: list[Json] = []
    for part in content:
        if part.get("type") == "image":
            source = part["source"]
            url = source.get("url") or f"data:{source['media_type']};base64,{source['data']}"
            parts.append({"type": "image_url", "image_url": {"url": url}})
        else:
            parts.append({"type": "text", "text": part.get("text", "")})
    return parts
