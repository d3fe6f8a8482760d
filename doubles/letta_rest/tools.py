"""Tools that run on the server."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .frames import tool_return
from .ids import (
    USER,
    message_date,
    new_id,
    now,
)
from .state import (
    Json,
    Record,
    Store,
    Thread,
)

_SEARCH_TEXT = (
    "Search prior conversation history using hybrid search (text + semantic similarity)."
)


@dataclass(frozen=True, slots=True)
class ServerTool:
    """A tool of the server: its schema, and what it does with an agent's id and its arguments."""

    name: str
    description: str = ""
    parameters: Json = field(default_factory=lambda: {"type": "object", "properties": {}})
    run: Callable[[str, Mapping[str, Any]], str] = lambda _agent_id, _arguments: "None"
    kind: str = "custom"
    id: str = field(default_factory=lambda: new_id("tool"))

    @property
    def function(self) -> Json:
        """Give the tool as the model is told of it."""
        schema = {"name": self.name, "description": self.description}
        return {"type": "function", "function": {**schema, "parameters": self.parameters}}

    @property
    def json(self) -> Json:
        """Give the tool as the API shows it."""
        schema = {"name": self.name, "description": self.description}
        return {
            "id": self.id,
            "tool_type": self.kind,
            "description": self.description,
            "source_type": "python",
            "name": self.name,
            "tags": [self.kind],
            "source_code": None,
            "json_schema": {**schema, "parameters": self.parameters},
            "args_json_schema": None,
            "return_char_limit": 50000,
            "pip_requirements": None,
            "npm_requirements": None,
            "default_requires_approval": None,
            "enable_parallel_execution": True,
            "created_by_id": USER,
            "last_updated_by_id": USER,
            "metadata_": {},
            "project_id": None,
        }


def search_tool(store: Store) -> ServerTool:
    """Build conversation_search, the tool that every server has."""

    def run(agent_id: str, arguments: Mapping[str, Any]) -> str:
        own = (store.main[agent_id], *store.threads.values())
        return str(_search([t for t in own if t.agent_id == agent_id], **arguments))

    # A description is cut to what tells the model enough.
    properties = {
        "query": {"type": "string", "description": "String to search for."},
        "roles": {"type": "array", "items": {"type": "string"}},
        "limit": {"type": "integer"},
        "start_date": {"type": "string"},
        "end_date": {"type": "string"},
    }
    schema = {"type": "object", "properties": properties, "required": []}
    return ServerTool("conversation_search", _SEARCH_TEXT, schema, run, kind="letta_core")


def _search(
    threads: Sequence[Thread],
    query: str | None = None,
    roles: list[str] | None = None,
    limit: int | None = None,
    start_date: str | None = None,
    end_date: str | None = None,
) -> Json:
    """Find messages of people and of the agent that contain the words."""
    del start_date, end_date
    wanted = set(roles or ("user", "assistant"))
    records = (record for thread in threads for record in thread.records)
    words = query or ""
    found = [_result(r) for r in records if r.role in wanted and words in _text(r)]
    found = found[-(limit or 50) :]
    if not found:
        return {"message": "No results found.", "results": []}
    return {"message": f"Showing {len(found)} results:", "results": found}


def _text(record: Record) -> str:
    return " ".join(str(entry.get("content", "")) for entry in record.entries)


def _result(record: Record) -> Json:
    return {
        "timestamp": record.entries[0]["date"] if record.entries else message_date(now()),
        "time_ago": "0s ago",
        "role": record.role,
        "relevance": {"search_mode": "sql"},
        "content": _text(record),
    }


def run_call(call: Json, tools: Mapping[str, ServerTool], agent_id: str) -> Json:
    """Run one call and build its return; a tool may fail in any way, the run goes on."""
    tool = tools.get(call["name"])
    if tool is None:
        return tool_return(call["tool_call_id"], "Tool not found", "error")
    try:
        text = tool.run(agent_id, json.loads(call["arguments"] or "{}"))
    except Exception as error:
        text = str(error).replace("_search()", f"LettaCoreToolExecutor.{tool.name}()")
        line = f"Error executing function {tool.name}: {type(error).__name__}: {text}"
        return tool_return(call["tool_call_id"], text, "error", stderr=[line])
    return tool_return(call["tool_call_id"], text, "success")
