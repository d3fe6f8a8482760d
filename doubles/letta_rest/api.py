"""What every route works with: the tables, the model, and the tasks of running turns."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from . import frames, problems, shapes
from .faults import Fault
from .ids import (
    AGENT_PATTERN,
    RUN_PATTERN,
    THREAD_PATTERN,
    is_id,
    message_date,
    new_id,
    now,
)
from .model import Model
from .state import (
    Agent,
    Json,
    Record,
    Redis,
    Run,
    Store,
    Stream,
    Thread,
)
from .tools import ServerTool, search_tool
from .turn import Turn

_THREAD_ID_LENGTH = 41
FAULT = "fault"


class Api:
    """The server behind its routes."""

    def __init__(self, model: Model, redis: Redis | None, *, keepalive: float) -> None:
        self.model = model
        self.store = Store(redis)
        self.keepalive = keepalive
        self.tools: dict[str, ServerTool] = {}
        self.crashes: list[BaseException] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.add_tool(search_tool(self.store))

    def add_tool(self, tool: ServerTool) -> None:
        """Make a tool known to the server."""
        self.tools[tool.name] = tool

    def add_agent(self, agent: Agent) -> Agent:
        """Store an agent with its main thread."""
        self.store.agents[agent.id] = agent
        self.store.main[agent.id] = self._with_system(Thread(agent.id))
        return agent

    def add_thread(self, thread: Thread) -> Thread:
        """Store a conversation."""
        thread.id = new_id("conv")
        self.store.threads[thread.id] = self._with_system(thread)
        return thread

    def play(self, turn: Turn) -> asyncio.Task[None]:
        """Start a turn; it belongs to nobody's request."""
        # The name tells a run that is being played from a dead one.
        task = asyncio.create_task(turn.play(), name=turn.run.id)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def die(self) -> None:
        """Stop all turns where they are: nothing is written, no lock is freed."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def agent(self, agent_id: str) -> Agent:
        """Find an agent by an id from a path."""
        if not is_id(AGENT_PATTERN, agent_id):
            raise problems.bad_agent_id(agent_id)
        if agent_id not in self.store.agents:
            raise problems.no_agent(agent_id)
        return self.store.agents[agent_id]

    def thread(self, thread_id: str) -> Thread:
        """Find a conversation by its own id."""
        if len(thread_id) < _THREAD_ID_LENGTH:
            raise problems.invalid(
                "string_too_short",
                ("path", "conversation_id"),
                f"String should have at least {_THREAD_ID_LENGTH} characters",
                thread_id,
                min_length=_THREAD_ID_LENGTH,
            )
        if thread_id not in self.store.threads:
            raise problems.missing("Conversation", thread_id)
        return self.store.threads[thread_id]

    def any_thread(self, thread_id: str, agent_id: str | None) -> Thread:
        """Find a conversation, or an agent's main thread by 'default' or the agent's id."""
        thread = self.thread_if_any(thread_id, agent_id)
        if thread is None:
            raise problems.missing("Conversation", thread_id)
        return thread

    def thread_if_any(self, thread_id: str, agent_id: str | None) -> Thread | None:
        """Find what `any_thread` finds; None for a conversation that is unknown or deleted."""
        if not is_id(THREAD_PATTERN, thread_id):
            raise problems.bad_thread_id(thread_id)
        if thread_id == "default" and agent_id:
            thread_id = agent_id
        if thread_id.startswith("agent-"):
            return self.store.main[self.agent(thread_id).id]
        return self.store.threads.get(thread_id)

    def run(self, run_id: str) -> Run:
        """Find a run by an id from a path."""
        if not is_id(RUN_PATTERN, run_id):
            text = f"Invalid run ID format: {run_id}. Expected format: 'run-<uuid4>'"
            raise problems.detail(400, f"INVALID_ARGUMENT: {text}")
        if run_id not in self.store.runs:
            raise problems.missing("Run", run_id)
        return self.store.runs[run_id]

    def cancel(self, runs: Sequence[Run]) -> Json:
        """Cancel runs: the conversation is free at once, the turn notices when it looks."""
        playing = {task.get_name() for task in self._tasks}
        for run in runs:
            run.end("cancelled", "cancelled")
            if self.store.redis is None:
                continue
            self.store.redis.unlock(run.thread.lock_key, run.id)
            stream = self.store.redis.streams.get(run.id)
            if stream is not None and not stream.closed and run.id not in playing:
                stream.put(frames.stop("cancelled"))
                stream.done()
        return {run.id: "cancelled" for run in runs}

    def check_model(self, handle: str) -> str:
        """Return the handle of a model that the provider has."""
        provider = self.model.provider
        if handle not in [f"{shapes.PREFIX}/{one}" for one in (provider.model, *provider.more)]:
            raise problems.no_model(handle)
        return handle

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.crashes.append(error)

    def _with_system(self, thread: Thread) -> Thread:
        agent = self.store.agents[thread.agent_id]
        message_id = new_id("message")
        text = _system_text(agent, thread)
        entry = frames.message(
            "system_message", message_id, otid=None, step_id=None, run_id=None, content=text
        )
        chat = [{"role": "system", "content": text}]
        thread.records.append(Record(message_id, "system", [entry], chat))
        return thread


def _system_text(agent: Agent, thread: Thread) -> str:
    """Write the system message: the agent's own words, its memory, and where it is."""
    blocks = "\n\n".join(
        f"<{block['label']}>\n<description>\n{block['description']}\n</description>\n<metadata>\n"
        f"- chars_current={len(block['value'])}\n- chars_limit={block['limit']}\n</metadata>\n"
        f"<value>\n{block['value']}\n</value>\n</{block['label']}>"
        for block in agent.blocks
    )
    return (
        f"{agent.system}\n\n<memory_blocks>\nThe following memory blocks are currently engaged in "
        f"your core memory unit:\n\n{blocks}\n\n</memory_blocks>\n\n<memory_metadata>\n"
        f"- AGENT_ID: {agent.id}\n- CONVERSATION_ID: {thread.id or 'default'}\n"
        f"- System prompt last recompiled: {message_date(now())}\n"
        "- 0 previous messages between you and the user are stored in recall memory\n"
        "</memory_metadata>"
    )


def respond(body: Any, status: int = 200) -> web.Response:
    """Answer with JSON as the server writes it."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    headers = {"Content-Type": "application/json"}
    return web.Response(body=text.encode(), status=status, headers=headers)


async def read_body(request: web.Request) -> Json:
    """Read a JSON object; no body at all is an empty one.

    Raises:
        ApiError: the body is no JSON object.

    """
    text = await request.text()
    if not text:
        return {}
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        raise problems.invalid(
            "json_invalid", ("body", error.pos), "JSON decode error", {}, error=error.msg
        ) from error
    if body is not None and not isinstance(body, dict):
        text = "Input should be a valid dictionary or object to extract fields from"
        raise problems.invalid("model_attributes_type", ("body",), text, body)
    return body or {}


def page(
    request: web.Request,
    rows: Sequence[Json],
    *,
    limit: int,
    order: str | None = None,
    cursors: Mapping[str, str] | None = None,
) -> list[Json]:
    """Cut a page out of rows that are newest first, by order, before, after and limit.

    `cursors` leads from ids that clients have seen to those of the rows.
    """
    query = request.query
    found = list(reversed(rows))
    after, cut = (
        (cursors or {}).get(query.get(name, ""), query.get(name)) for name in ("after", "before")
    )
    positions = {row["id"]: number for number, row in enumerate(found)}
    if after in positions:
        found = found[positions[after] + 1 :]
    elif cut in positions:
        found = found[: positions[cut]]
    if (order or query.get("order", "desc")) == "desc":
        found.reverse()
    # Zero means no limit.
    return found[: _limit(query.get("limit", str(limit))) or None]


def _limit(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        reason = "Input should be a valid integer, unable to parse string as an integer"
        raise problems.invalid("int_parsing", ("query", "limit"), reason, text) from error


def fault_of(request: web.Request) -> Fault | None:
    """Give the fault that was chosen for this request's stream."""
    fault: Fault | None = request.get(FAULT)
    return fault


def stream_of(api: Api, run_id: str) -> Stream:
    """Find a background stream; one that is not there stays silent, as Redis does."""
    assert api.store.redis is not None  # noqa: S101 - callers have refused without Redis
    return api.store.redis.streams.get(run_id) or Stream(numbered=True)
