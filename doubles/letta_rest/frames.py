"""The JSON of messages, in the field order of the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .ids import message_date, new_id, now
from .ids import otid as derived_otid
from .state import Json


def message(
    kind: str,
    message_id: str,
    *,
    otid: str | None,
    step_id: str | None,
    run_id: str | None,
    name: str | None = None,
    **rest: Any,
) -> Json:
    """Build a message of the stream or of a listing."""
    return {
        "id": message_id,
        "date": message_date(now()),
        "name": name,
        "message_type": kind,
        "otid": otid,
        "sender_id": None,
        "step_id": step_id,
        "is_err": None,
        "seq_id": None,
        "run_id": run_id,
        **rest,
    }


def ping(run_id: str, seq_id: int | None = None) -> Json:
    """Build a keepalive ping."""
    frame = message("ping", new_id("ping"), otid=None, step_id=None, run_id=run_id)
    return {**frame, "seq_id": seq_id}


def stop(reason: str) -> Json:
    """Build the frame that says why a run stopped."""
    return {"message_type": "stop_reason", "stop_reason": reason}


def usage(steps: Sequence[Json], *, tokens: bool) -> Json:
    """Build the usage of a run; with token streaming the cache's numbers are unknown."""
    sums = {
        key: sum(step[key] for step in steps)
        for key in ("completion_tokens", "prompt_tokens", "total_tokens")
    }
    rest = None if tokens else 0
    return {
        "message_type": "usage_statistics",
        **sums,
        "step_count": len(steps),
        "run_ids": None,
        "cached_input_tokens": rest,
        "cache_write_tokens": rest,
        "reasoning_tokens": rest,
        "context_tokens": steps[-1]["total_tokens"] if steps else None,
    }


def tool_return(call_id: str, text: str, status: str, *, stderr: list[str] | None = None) -> Json:
    """Build one tool's return as lists hold it."""
    return {
        "type": "tool",
        "tool_return": text,
        "status": status,
        "tool_call_id": call_id,
        "stdout": None,
        "stderr": stderr,
    }


def tool_return_message(
    message_id: str, returns: Sequence[Json], *, name: str | None, step_id: str, run_id: str
) -> Json:
    """Build the message of a step's tool returns; the first one is at its head, too."""
    head = {key: value for key, value in returns[0].items() if key != "type"}
    return message(
        "tool_return_message",
        message_id,
        otid=derived_otid(message_id, 0),
        step_id=step_id,
        run_id=run_id,
        name=name,
        **head,
        tool_returns=list(returns),
    )


def reasoning(text: str) -> Json:
    """Build the fields of a piece of reasoning."""
    return {"source": "reasoner_model", "reasoning": text, "signature": None}


def call(name: str, arguments: str, call_id: str) -> Json:
    """Build a whole tool call."""
    return {"name": name, "arguments": arguments, "tool_call_id": call_id}


def call_piece(call_id: str, *, approval: bool, name: str | None, arguments: str | None) -> Json:
    """Build the fields of a piece of a tool call: name first, then arguments.

    Approval requests write the other one as null, plain tool calls leave it out.
    """
    piece: Json = {"name": name, "arguments": arguments, "tool_call_id": call_id}
    if not approval:
        piece = {key: value for key, value in piece.items() if value is not None}
    return {"tool_call": piece, "tool_calls": piece}
