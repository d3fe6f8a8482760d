"""Replies to approval requests: which are taken, and what they bring."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import frames
from .ids import message_date, new_id, now
from .problems import PendingApprovalError, unknown_error
from .state import (
    Json,
    Record,
    Run,
    Thread,
)
from .tools import ServerTool, run_call

_KEEP_ALIVE = (
    "<system-alert>Automated keep-alive ping. Ignore this message and continue from where you "
    "stopped.</system-alert>"
)
_NOTHING = (
    "Cannot process approval response: No tool call is currently awaiting approval. "
    "Please send a regular message to interact with the agent."
)
# How far back a reply that was already given is looked for.
_RECENT = 10


@dataclass(frozen=True, slots=True)
class Answered:
    """What a reply stores, and whether the server ran a tool for it."""

    records: list[Record]
    shown: Json
    executed: bool


def check_message(thread: Thread) -> None:
    """Refuse a plain message while a call waits.

    Raises:
        PendingApprovalError: the last message is an unanswered request.

    """
    if thread.records and thread.records[-1].waiting:
        raise PendingApprovalError(thread.records[-1].entries[-1]["id"])


def check_reply(thread: Thread, reply: Json) -> Record | None:
    """Find the request that a reply answers; None when it was answered before.

    Only the set of call ids counts: `approval_request_id` is not looked at.

    Raises:
        StreamError: nothing waits, or not for exactly these calls.

    """
    last = thread.records[-1] if thread.records else None
    if last is None or not last.waiting:
        given = frozenset(item["tool_call_id"] for item in reply.get("approvals") or ())
        if any(record.returned == given for record in thread.records[-_RECENT:] if given):
            return None
        raise unknown_error(_NOTHING)
    wanted = [call["tool_call_id"] for call in last.calls if call["tool_call_id"] in last.waiting]
    given_ids = [item["tool_call_id"] for item in answers(reply, last)]
    if set(given_ids) != set(wanted):
        raise unknown_error(
            f"Invalid tool call IDs. Expected '{wanted}', but received '{given_ids}'."
        )
    return last


def answers(reply: Json, request: Record) -> list[Json]:
    """List a reply's answers; the old short form speaks for all calls at once."""
    if reply.get("approvals"):
        return list(reply["approvals"])
    verdict = {"type": "approval", "approve": reply.get("approve"), "reason": reply.get("reason")}
    return [{**verdict, "tool_call_id": call_id} for call_id in sorted(request.waiting)]


def keep_alive() -> Json:
    """Build the message that the server gives the model after a repeated reply."""
    return {"role": "user", "content": _KEEP_ALIVE}


def answer(request: Record, reply: Json, run: Run, tools: Mapping[str, ServerTool]) -> Answered:
    """Carry out a reply: returns of the client first, then what the server ran itself."""
    given = answers(reply, request)
    calls = {call["tool_call_id"]: call for call in request.calls}
    results: list[Json] = []
    executed: list[str] = []
    for item in given:
        if item.get("type") == "tool":
            results.append(_client_return(item))
        elif item.get("approve"):
            executed.append(item["tool_call_id"])
        else:
            results.append(_denied(item))
    executed += [call_id for call_id in calls if call_id not in request.waiting]
    results += [run_call(calls[call_id], tools, run.agent_id) for call_id in executed]
    name = calls[executed[0]]["name"] if executed else None
    stored = returns_record(results, name=name, step_id=request.step_id or "", run_id=run.id)
    stored.returned = request.waiting
    records = [_response(given, run.id), stored]
    return Answered(records, stored.entries[0], executed=bool(executed))


def returns_record(
    results: Sequence[Json], *, name: str | None, step_id: str, run_id: str
) -> Record:
    """Build the stored message of a step's tool returns."""
    message_id = new_id("message")
    entry = frames.tool_return_message(
        message_id, results, name=name, step_id=step_id, run_id=run_id
    )
    chat = [
        {"role": "tool", "tool_call_id": r["tool_call_id"], "content": _packed(r)} for r in results
    ]
    ids = frozenset(result["tool_call_id"] for result in results)
    return Record(message_id, "tool", [entry], chat, returned=ids, step_id=step_id)


def _packed(result: Json) -> str:
    """Wrap a tool's text as the model gets it."""
    status = "OK" if result["status"] == "success" else "Failed"
    told = {"status": status, "message": result["tool_return"], "time": message_date(now())}
    return json.dumps(told, indent=2, ensure_ascii=False)


def _client_return(item: Json) -> Json:
    text = item.get("tool_return")
    if not isinstance(text, str):
        text = "".join(part.get("text", "") for part in text or ())
    return frames.tool_return(item["tool_call_id"], text, item.get("status") or "success")


def _denied(item: Json) -> Json:
    text = f"Error: request to call tool denied. User reason: {item.get('reason')}"
    return frames.tool_return(item["tool_call_id"], text, "error")


def _response(given: Sequence[Json], run_id: str) -> Record:
    message_id = new_id("message")
    approvals = [_client_return(item) if item.get("type") == "tool" else item for item in given]
    entry = frames.message(
        "approval_response_message",
        message_id,
        otid=None,
        step_id=None,
        run_id=run_id,
        approvals=approvals,
        approve=None,
        approval_request_id=None,
        reason=None,
    )
    return Record(message_id, "approval", [entry], [])
