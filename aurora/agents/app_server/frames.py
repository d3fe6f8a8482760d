"""The frames that Aurora sends to an App Server, and which runtime one is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..frames import Frame
from ..protocol import ToolSpec

CLIENT = {"name": "aurora", "version": "1"}
IDLE = "WAITING_ON_INPUT"


class Runtime(NamedTuple):
    """What the server calls a runtime: an agent in a conversation."""

    agent_id: str
    conversation_id: str


def runtime_of(frame: Frame) -> Runtime | None:
    """Read which runtime a frame is about; None if it does not say."""
    scope = frame.get("runtime")
    if not isinstance(scope, dict):
        return None
    agent_id, conversation_id = scope.get("agent_id"), scope.get("conversation_id")
    if not isinstance(agent_id, str) or not isinstance(conversation_id, str):
        return None
    return Runtime(agent_id, conversation_id)


def tool_groups(specs: Sequence[ToolSpec], timeout: float) -> list[Frame]:
    """Describe Aurora's tools; left to itself the server would background calls after 10 s."""
    tools = [
        {
            "name": spec.name,
            "description": spec.description,
            "parameters": dict(spec.parameters),
            "timeout_ms": round(timeout * 1000),
            "auto_background": False,
        }
        for spec in specs
    ]
    return [{"tools": tools}] if tools else []


def start(agent_id: str, groups: list[Frame], **conversation: Any) -> Frame:
    """Start a runtime. Without a mode a new conversation would be `unrestricted`.

    The answer waits for the replay, so that what the server still runs is known with it.
    """
    return {
        "type": "runtime_start",
        "agent_id": agent_id,
        **conversation,
        "mode": "standard",
        "client_info": CLIENT,
        "wait_for_replay": True,
        "external_tools": groups,
    }


def update_tools(runtime: Runtime, groups: list[Frame]) -> Frame:
    """Replace the tools of a started runtime."""
    update = {"runtimes": [runtime._asdict()], "external_tools": groups}
    return {"type": "runtime_external_tools_update", "updates": [update]}


def reflection_off(runtime: Runtime) -> Frame:
    """Switch off the subagent that has a shell on the server's host and asks nobody."""
    return {
        "type": "set_reflection_settings",
        "runtime": runtime._asdict(),
        "settings": {"trigger": "off", "step_count": 25},
        "scope": "both",
    }


def message(runtime: Runtime, text: str, input_id: str, tools: Sequence[str]) -> Frame:
    """Give the agent its input, with these tools and no other."""
    user = {"role": "user", "content": text, "client_message_id": input_id, "otid": input_id}
    return _input(
        runtime,
        {
            "kind": "create_message",
            "messages": [user],
            "client_toolset": {"base": "none"},
            "client_tool_allowlist": list(tools),
            "exclude_interactive_tools": True,
        },
    )


def verdict(runtime: Runtime, request_id: str, refusal: str | None) -> Frame:
    """Answer a control_request: allowed, or denied with a reason that the model reads."""
    decision = (
        {"behavior": "allow"} if refusal is None else {"behavior": "deny", "message": refusal}
    )
    return _input(
        runtime,
        {"kind": "approval_response", "request_id": request_id, "decision": decision},
    )


def tool_result(request_id: str, text: str, *, is_error: bool) -> Frame:
    """Answer an external tool call."""
    return {
        "type": "external_tool_call_response",
        "request_id": request_id,
        "result": {"content": [{"type": "text", "text": text}], "is_error": is_error},
    }


def abort(runtime: Runtime) -> Frame:
    """Ask the server to end the turn that runs."""
    return {"type": "abort_message", "runtime": runtime._asdict()}


def remove_queued(runtime: Runtime, item_id: str) -> Frame:
    """Take an input back that has not begun."""
    return {"type": "remove_queue_item", "runtime": runtime._asdict(), "item_id": item_id}


def history(runtime: Runtime, limit: int) -> Frame:
    """Ask for the newest messages of a conversation, newest first."""
    return {
        "type": "conversation_messages_list",
        "conversation_id": runtime.conversation_id,
        "agent_id": runtime.agent_id,
        "query": {"limit": limit},
    }


def fork(runtime: Runtime) -> Frame:
    """Copy a conversation with its history into a new one."""
    return {
        "type": "conversation_fork",
        "conversation_id": runtime.conversation_id,
        "body": {},
    }


def _input(runtime: Runtime, payload: Frame) -> Frame:
    return {"type": "input", "runtime": runtime._asdict(), "payload": payload}
