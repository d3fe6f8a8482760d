"""Agents, models, conversations and runs as the API shows them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from .ids import (
    ORGANIZATION,
    USER,
    new_id,
    row_date,
)
from .state import (
    Agent,
    Json,
    Run,
    Thread,
)
from .tools import ServerTool

PREFIX = "openai-proxy"
CONTEXT_WINDOW = 128_000
_FREE_URL = "https://inference.letta.com/v1/"
_EMBEDDING_MODELS = (
    ("text-embedding-3-large", 3072),
    ("text-embedding-3-small", 1536),
    ("text-embedding-ada-002", 1536),
)
# What a listing leaves out unless its name is among the includes.
PARTS = {
    "agent.tools": "tools",
    "agent.tags": "tags",
    "agent.blocks": "blocks",
    "agent.pending_approval": "pending_approval",
}
_PERSONA = (
    "The persona block: Stores details about your current persona, guiding how you behave and "
    "respond. This helps you to maintain consistency and personality in your interactions."
)


def model_config(name: str, url: str) -> Json:
    """Build what the server knows of a chat model."""
    return {
        "model": name,
        "display_name": None,
        "model_endpoint_type": "openai",
        "model_endpoint": url,
        "provider_name": "openai",
        "provider_category": "base",
        "model_wrapper": None,
        "context_window": CONTEXT_WINDOW,
        "put_inner_thoughts_in_kwargs": False,
        "handle": f"{PREFIX}/{name}",
        "temperature": 1.0,
        "max_tokens": 16384,
        "enable_reasoner": False,
        "reasoning_effort": None,
        "max_reasoning_tokens": 0,
        "effort": None,
        "frequency_penalty": None,
        "compatibility_type": None,
        "verbosity": None,
        "tier": None,
        "parallel_tool_calls": False,
        "response_format": None,
        "strict": False,
        "return_logprobs": False,
        "top_logprobs": None,
        "return_token_ids": False,
        "tool_call_parser": None,
    }


def models_json(names: Sequence[str], url: str) -> list[Json]:
    """Build the list of chat models: the server's own free one, and the provider's."""
    own = {
        **_model_json("letta-free", _FREE_URL),
        "handle": "letta/letta-free",
        "provider_name": "letta",
        "context_window": 30000,
        "max_tokens": 4096,
        "max_context_window": 30000,
    }
    return [own, *(_model_json(name, url) for name in names)]


def _model_json(name: str, url: str) -> Json:
    config = model_config(name, url)
    head = {"handle": config.pop("handle"), "name": name, "display_name": name}
    kinds = {"provider_type": "openai", "provider_name": "openai", "model_type": "llm"}
    del config["display_name"], config["provider_name"]
    rest = {"enable_reasoner": True, "max_context_window": CONTEXT_WINDOW}
    return {**head, **kinds, **config, **rest}


def embedding_config(name: str, size: int, url: str) -> Json:
    """Build what the server knows of an embedding model."""
    return {
        "embedding_endpoint_type": "openai",
        "embedding_endpoint": url,
        "embedding_model": name,
        "embedding_dim": size,
        "embedding_chunk_size": 300,
        "handle": f"openai/{name}",
        "batch_size": 32,
        "azure_endpoint": None,
        "azure_version": None,
        "azure_deployment": None,
    }


def embeddings_json(url: str) -> list[Json]:
    """Build the list of embedding models."""
    found = []
    for name, size in (("letta-free", 1536), *_EMBEDDING_MODELS):
        config = embedding_config(name, size, url)
        head = {"handle": config.pop("handle"), "name": name, "display_name": name}
        kinds = {"provider_type": "openai", "provider_name": "openai", "model_type": "embedding"}
        found.append({**head, **kinds, **config})
    found[0] |= {"handle": "letta/letta-free", "embedding_endpoint": _FREE_URL}
    return found


def block_json(label: str, value: str) -> Json:
    """Build a memory block."""
    return {
        "value": value,
        "limit": 100000,
        "project_id": None,
        "template_name": None,
        "is_template": False,
        "template_id": None,
        "base_template_id": None,
        "deployment_id": None,
        "entity_id": None,
        "preserve_on_migration": False,
        "label": label,
        "read_only": False,
        "description": _PERSONA if label == "persona" else None,
        "metadata": {},
        "hidden": None,
        "id": new_id("block"),
        "created_by_id": None,
        "last_updated_by_id": None,
        "tags": [],
    }


def agent_json(
    agent: Agent,
    main: Thread,
    tools: Mapping[str, ServerTool],
    url: str,
    include: Collection[str] = (),
) -> Json:
    """Build an agent; with `include` only the parts named there are filled."""
    name = agent.model.partition("/")[2]
    waiting = main.records[-1] if main.records and main.records[-1].waiting else None
    parts: Json = {
        "blocks": agent.blocks,
        "tools": [tools[tool].json for tool in agent.tools],
        "tags": agent.tags,
        "pending_approval": waiting.entries[-1] if waiting else None,
    }
    if include:
        wanted = {PARTS.get(part) for part in include}
        empty: Json = {"blocks": [], "tools": [], "tags": [], "pending_approval": None}
        parts = {key: parts[key] if key in wanted else empty[key] for key in parts}
    elif waiting:
        parts["pending_approval"] = None
    return {
        "created_by_id": USER,
        "last_updated_by_id": USER,
        "created_at": row_date(agent.created),
        "updated_at": row_date(agent.created),
        "id": agent.id,
        "name": agent.name,
        "tool_rules": _tool_rules(agent),
        "message_ids": [record.id for record in main.records],
        "system": agent.system,
        "agent_type": "letta_v1_agent",
        "llm_config": {
            **model_config(name, url),
            "parallel_tool_calls": agent.parallel_tool_calls,
        },
        "embedding_config": embedding_config("text-embedding-3-small", 1536, url),
        "model": agent.model,
        "embedding": "openai/text-embedding-3-small",
        "model_settings": {
            "max_output_tokens": 16384,
            "parallel_tool_calls": True,
            "provider_type": "openai",
            "temperature": 1.0,
            "reasoning": {"reasoning_effort": "minimal"},
            "response_format": None,
            "strict": False,
        },
        "compaction_settings": {
            "model": "openai/gpt-5-mini",
            "model_settings": None,
            "prompt": "Write a detailed summary of the messages that are being evicted.",
            "prompt_acknowledgement": False,
            "clip_chars": 50000,
            "mode": "sliding_window",
            "sliding_window_percentage": 0.3,
        },
        "response_format": None,
        "description": None,
        "metadata": None,
        "memory": {
            "agent_type": "letta_v1_agent",
            "git_enabled": False,
            "blocks": parts["blocks"],
            "file_blocks": [],
            "prompt_template": "",
        },
        "blocks": parts["blocks"],
        "tools": parts["tools"],
        "sources": [],
        "tags": parts["tags"],
        "tool_exec_environment_variables": [],
        "secrets": [],
        "project_id": None,
        "template_id": None,
        "base_template_id": None,
        "deployment_id": None,
        "entity_id": None,
        "identity_ids": [],
        "identities": [],
        "pending_approval": parts["pending_approval"],
        "message_buffer_autoclear": False,
        "enable_sleeptime": None,
        "multi_agent_group": None,
        "managed_group": None,
        "last_run_completion": None,
        "last_run_duration_ms": None,
        "last_stop_reason": agent.last_stop_reason,
        "timezone": "UTC",
        "max_files_open": 10,
        "per_file_view_window_char_limit": 25000,
        "hidden": None,
    }


def _tool_rules(agent: Agent) -> list[Json]:
    def rule(name: str, kind: str) -> Json:
        return {"tool_name": name, "type": kind, "prompt_template": None}

    goes_on = [rule(name, "continue_loop") for name in agent.tools]
    return goes_on + [rule(name, "requires_approval") for name in sorted(agent.approvals)]


def thread_json(thread: Thread, *, messages: bool = False) -> Json:
    """Build a conversation; only its own page lists the ids of its messages."""
    return {
        "created_by_id": USER,
        "last_updated_by_id": USER,
        "created_at": row_date(thread.created),
        "updated_at": row_date(thread.updated),
        "id": thread.id,
        "agent_id": thread.agent_id,
        "summary": thread.summary,
        "in_context_message_ids": [r.id for r in thread.records] if messages else [],
        "isolated_block_ids": [],
        "model": None,
        "model_settings": None,
        "last_message_at": row_date(thread.last_message),
    }


def run_json(run: Run, *, listed: bool = False) -> Json:
    """Build a run; only listings know how long it took."""
    took = None
    if listed and run.completed is not None:
        took = int((run.completed - run.created).total_seconds() * 1e9)
    error = {"error": run.error} if run.error else {}
    return {
        "id": run.id,
        "status": run.status,
        "created_at": row_date(run.created),
        "completed_at": row_date(run.completed),
        "agent_id": run.agent_id,
        "conversation_id": run.thread.id,
        "base_template_id": None,
        "background": run.background,
        "metadata": {"run_type": run.kind, **error},
        "request_config": {
            "use_assistant_message": True,
            "assistant_message_tool_name": "send_message",
            "assistant_message_tool_kwarg": "message",
            "include_return_message_types": run.return_types,
        },
        "stop_reason": run.stop_reason,
        "callback_url": None,
        "callback_sent_at": None,
        "callback_status_code": None,
        "callback_error": None,
        "ttft_ns": None,
        "total_duration_ns": took,
    }


def run_usage_json(run: Run) -> Json:
    """Build the tokens of a run."""
    keys = ("completion_tokens", "prompt_tokens", "total_tokens")
    sums = {key: sum(step[key] for step in run.steps) for key in keys}
    return {**sums, "prompt_tokens_details": None, "completion_tokens_details": None}


def step_json(step: Json, run: Run, model: str, url: str) -> Json:
    """Build one model call of a run."""
    return {
        "id": step["id"],
        "origin": None,
        "organization_id": ORGANIZATION,
        "provider_id": None,
        "run_id": run.id,
        "agent_id": run.agent_id,
        "provider_name": "openai",
        "provider_category": "base",
        "model": model,
        "model_handle": f"{PREFIX}/{model}",
        "model_endpoint": url,
        "context_window_limit": CONTEXT_WINDOW,
        "completion_tokens": step["completion_tokens"],
        "prompt_tokens": step["prompt_tokens"],
        "total_tokens": step["total_tokens"],
        "cached_input_tokens": None,
        "cache_write_tokens": None,
        "reasoning_tokens": None,
        "completion_tokens_details": None,
        "prompt_tokens_details": None,
        "stop_reason": run.stop_reason,
        "tags": [],
        "tid": None,
        "trace_id": None,
        "request_id": None,
        "messages": [],
        "feedback": None,
        "project_id": None,
        "error_type": None,
        "error_data": None,
        "status": "success",
    }
