"""The server's refusals, word for word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .ids import AGENT_PATTERN, THREAD_PATTERN, now

_ACTOR = (
    "actor='id='user-00000000-0000-4000-8000-000000000000' "
    "organization_id='org-00000000-0000-4000-8000-000000000000' name='default_user' "
    "created_at=None updated_at={at!r} is_deleted=False'"
)


class ApiError(Exception):
    """An answer that is no success: its status, JSON body and extra headers."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


class StreamError(Exception):
    """A turn that fails after its stream has opened.

    `twice` marks an answer of the model that broke off, or was none: it brings a stop reason of
    its own, and no [DONE], and a foreground run's record tells of it as of one that went well.
    `status` is what a request without a stream answers.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        detail: str,
        *,
        stop_reason: str = "error",
        status: int = 500,
        twice: bool = False,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.message = message
        self.detail = detail
        self.stop_reason = stop_reason
        self.status = status
        self.twice = twice

    def frame(self, run_id: str) -> dict[str, Any]:
        """Build the error_message of the stream."""
        return {
            "message_type": "error_message",
            "run_id": run_id,
            "error_type": self.kind,
            "message": self.message,
            "detail": self.detail,
            "seq_id": None,
        }


class PendingApprovalError(StreamError):
    """A message was sent while a tool call waits for its approval."""

    def __init__(self, request_id: str) -> None:
        text = (
            "CONFLICT: Cannot send a new message: The agent is waiting for approval on a tool "
            "call. Please approve or deny the pending request before continuing."
        )
        super().__init__("internal_error", text, text, status=409)
        self.request_id = request_id


def unknown_error(detail: str) -> StreamError:
    """Build the error that stands for everything the server has no name for."""
    text = "An unknown error occurred with the LLM streaming request."
    return StreamError("internal_error", text, detail)


def detail(status: int, text: str) -> ApiError:
    """Build the usual refusal."""
    return ApiError(status, {"detail": text})


def missing(what: str, row_id: str) -> ApiError:
    """Build the 404 of a conversation or a run, which shows the server's query."""
    actor = _ACTOR.format(at=now())
    # Conversations are soft-deleted, so their query has one more condition.
    end = ", is_deleted=False" if what == "Conversation" else ""
    text = f"{what} not found with id='['{row_id}']', access level in ['read'] for {actor}{end}"
    return detail(404, text)


def no_agent(agent_id: str) -> ApiError:
    """Build the 404 of an agent."""
    return detail(404, f"Agent with ID {agent_id} not found")


def no_model(handle: str) -> ApiError:
    """Build the 404 of a model handle; the list is empty on the real server, too."""
    return detail(404, f"NOT_FOUND: Handle {handle} not found, must be one of []")


def busy(run_id: str) -> ApiError:
    """Build the 409 of a conversation in which a run is active."""
    text = (
        f"CONFLICT: Cannot send a new message: Another request (run_id={run_id}) is currently "
        "being processed for this conversation. Please wait for it to complete."
    )
    return ApiError(409, {"detail": text, "run_id": run_id})


def nothing_to_compact() -> ApiError:
    """Build the 400 of a conversation that gets no shorter by a summary."""
    text = (
        "Summarization failed to reduce the number of messages. You may not have enough messages "
        "to compact or need to use a different CompactionSettings (e.g. using `all` mode)."
    )
    return detail(400, text)


def lost_redis() -> ApiError:
    """Build the 500 of whatever needs Redis, where there was one and it is gone."""
    return detail(500, "An unknown error occurred")


def no_redis(prefix: str = "INTERNAL_SERVER_ERROR: ") -> ApiError:
    """Build the 503 of background streams without Redis."""
    text = (
        f"{prefix}Background streaming requires Redis to be running. Please ensure Redis is "
        "properly configured. LETTA_REDIS_HOST: None, LETTA_REDIS_PORT: 6379"
    )
    return detail(503, text)


def invalid(
    kind: str, loc: tuple[str | int, ...], msg: str, value: Any, **context: Any
) -> ApiError:
    """Build the 422 of a request that fails validation."""
    error = {"type": kind, "loc": loc, "msg": msg, "input": value}
    if context:
        error["ctx"] = context
    return ApiError(422, {"trace_id": "", "detail": str([error])})


def bad_agent_id(value: str) -> ApiError:
    """Build the 422 of a malformed agent id."""
    error = invalid(
        "string_pattern_mismatch",
        ("path", "agent_id"),
        "String should match pattern 'agent-{uuid4}'",
        value,
        pattern=AGENT_PATTERN,
    )
    error.body["examples"] = ["agent-123e4567-e89b-42d3-8456-426614174000"]
    return error


def bad_thread_id(value: str) -> ApiError:
    """Build the 422 of a malformed conversation id where 'default' is allowed."""
    return invalid(
        "string_pattern_mismatch",
        ("path", "conversation_id"),
        f"String should match pattern '{THREAD_PATTERN}'",
        value,
        pattern=THREAD_PATTERN,
    )
