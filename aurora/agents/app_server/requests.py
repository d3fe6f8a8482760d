"""The frames that Aurora sends to an App Server, and which conversation a frame is about."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from ..frames import Frame
from ..protocol import ConversationKey, ToolResult, ToolSpec

CLIENT = {"name": "aurora", "version": "1"}
IDLE = "WAITING_ON_INPUT"


def key_of(frame: Frame) -> ConversationKey | None:
    """Read which conversation a frame is about; None if it does not say.

    What the server calls a runtime is an agent in a conversation.
    """
    scope = frame.get("runtime")
    if not isinstance(scope, dict):
        return None
    # Without an agent it is null.
    agent_id, conversation_id = scope.get("agent_id") or "", scope.get("conversation_id")
    if not isinstance(agent_id, str) or not isinstance(conversation_id, str):
        return None
    return ConversationKey(agent_id, conversation_id)


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

    In `strict` mode the server asks before each call, of built-in tools too: were the list of
    tools lost that an input names, they would still be denied.
    Skills are read by built-in tools, which no input offers: listed, they only cost. The answer
    waits for the replay, so that what the server still runs is known with it.
    """
    agent = {"agent_id": agent_id} if agent_id else {}
    return {
        "type": "runtime_start",
        **agent,
        **conversation,
        "mode": "strict",
        "skill_sources": [],
        "client_info": CLIENT,
        "wait_for_replay": True,
        "external_tools": groups,
    }


def update_tools(key: ConversationKey, groups: list[Frame]) -> Frame:
    """Replace the tools of a started runtime."""
    update = {"runtimes": [_runtime(key)], "external_tools": groups}
    return {"type": "runtime_external_tools_update", "updates": [update]}


def reflection_off(key: ConversationKey) -> Frame:
    """Switch off the subagent that has a shell on the server's host and asks nobody."""
    return {
        "type": "set_reflection_settings",
        "runtime": _runtime(key),
        "settings": {"trigger": "off", "step_count": 25},
        "scope": "both",
    }


def message(
    key: ConversationKey, said: str | list[Frame], input_id: str, tools: Sequence[str]
) -> Frame:
    """Give the agent its input, with these tools and no other."""
    user = {"role": "user", "content": said, "client_message_id": input_id, "otid": input_id}
    return _input(
        key,
        {
            "kind": "create_message",
            "messages": [user],
            "client_toolset": {"base": "none"},
            "client_tool_allowlist": list(tools),
            "exclude_interactive_tools": True,
        },
    )


def verdict(key: ConversationKey, request_id: str, refusal: str | None) -> Frame:
    """Answer a control_request: allowed, or denied with a reason that the model reads."""
    decision = (
        {"behavior": "allow"} if refusal is None else {"behavior": "deny", "message": refusal}
    )
    return _input(
        key,
        {"kind": "approval_response", "request_id": request_id, "decision": decision},
    )


def tool_result(request_id: str, result: ToolResult) -> Frame:
    """Answer an external tool call; a picture is worded otherwise here than in an input."""
    told: list[Frame] = [{"type": "text", "text": result.text}]
    if (picture := result.picture) is not None:
        data = base64.b64encode(picture.data).decode("ascii")
        told.append({"type": "image", "mimeType": picture.media_type, "data": data})
    return {
        "type": "external_tool_call_response",
        "request_id": request_id,
        "result": {"content": told, "is_error": result.is_error},
    }


def abort(key: ConversationKey) -> Frame:
    """Ask the server to end the turn that runs."""
    return {"type": "abort_message", "runtime": _runtime(key)}


def remove_queued(key: ConversationKey, item_id: str) -> Frame:
    """Take an input back that has not begun."""
    return {"type": "remove_queue_item", "runtime": _runtime(key), "item_id": item_id}


def use_model(key: ConversationKey, model: str) -> Frame:
    """Let a conversation go on with another model; the agent's others keep theirs."""
    payload = {"model_handle": model}
    return {"type": "update_model", "runtime": _runtime(key), "payload": payload}


def history(key: ConversationKey, limit: int) -> Frame:
    """Ask for the newest messages of a conversation, newest first."""
    return {
        "type": "conversation_messages_list",
        "conversation_id": key.conversation_id,
        "agent_id": key.agent_id or None,
        "query": {"limit": limit},
    }


def agent(agent_id: str) -> Frame:
    """Look an agent up."""
    return {"type": "agent_retrieve", "agent_id": agent_id}


def set_system(agent_id: str, text: str) -> Frame:
    """Replace an agent's system prompt, from the next input of each conversation on."""
    return {"type": "agent_update", "agent_id": agent_id, "body": {"system": text}}


def fork(key: ConversationKey, through: str = "") -> Frame:
    """Copy a conversation with its history into a new one, up to a message if one is named."""
    return {
        "type": "conversation_fork",
        "conversation_id": key.conversation_id,
        "body": {"message_id": through} if through else {},
    }


def compact(key: ConversationKey) -> Frame:
    """Put a summary into the place of the whole history.

    What the server does by itself leaves most of it, and has been tried when a turn ends.
    """
    return {
        "type": "conversation_compact",
        "conversation_id": key.conversation_id,
        "body": {"compaction_settings": {"mode": "all"}},
    }


def archive(key: ConversationKey) -> Frame:
    """Put a conversation away; the server deletes none."""
    return {
        "type": "conversation_update",
        "conversation_id": key.conversation_id,
        "body": {"archived": True},
    }


def _input(key: ConversationKey, payload: Frame) -> Frame:
    return {"type": "input", "runtime": _runtime(key), "payload": payload}


def _runtime(key: ConversationKey) -> Frame:
    return {"agent_id": key.agent_id or None, "conversation_id": key.conversation_id}
