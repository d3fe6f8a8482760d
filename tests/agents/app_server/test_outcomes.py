"""How turns end, in words; and which memory paths are none."""

from __future__ import annotations

import json

import pytest

from aurora.agents.app_server import MemoryRefused
from aurora.agents.app_server.memory import check_path, plain
from aurora.agents.app_server.outcomes import WEDGED, ending
from aurora.reasons import Outcome


def provider(status: int, words: str = "secret words") -> str:
    """Build the error of a turn as the server writes it."""
    said = f'{status}: {{"message":"{words}"}}'
    inner = {"type": "local_backend_error", "message": said, "detail": said}
    return json.dumps({"error": {"error": inner, "run_id": "local-run-1"}})


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(status, Outcome.CONFIG) for status in (400, 401, 402, 403, 404, 422)]
    + [(409, Outcome.BUSY), (429, Outcome.OVERLOADED)]
    + [(status, Outcome.FAILED) for status in (418, 500, 502, 503)],
)
def test_a_status_decides(status: int, outcome: Outcome) -> None:
    """The provider's body is not repeated."""
    result = ending("error", provider(status))
    assert result.outcome is outcome
    assert (
        str(result.detail) == f"the agent's model provider answered {status} (local_backend_error)"
    )


@pytest.mark.parametrize(
    ("stop_reason", "outcome"),
    [
        ("end_turn", Outcome.COMPLETED),
        ("max_steps", Outcome.COMPLETED),
        ("cancelled", Outcome.CANCELLED),
        ("llm_api_error", Outcome.FAILED),
        ("requires_approval", Outcome.FAILED),
        ("something new", Outcome.FAILED),
        ("", Outcome.FAILED),
    ],
)
def test_a_stop_reason_decides_without_an_error(stop_reason: str, outcome: Outcome) -> None:
    """What nobody knows is a failure, not a success."""
    assert ending(stop_reason, "").outcome is outcome


def test_an_error_is_never_a_success() -> None:
    """Whatever the stop reason says."""
    assert ending("end_turn", "boom").outcome is Outcome.FAILED


@pytest.mark.parametrize("error", ["user said 404 times hello", "{", "[]", '{"error": 5}'])
def test_a_number_in_a_users_words_is_no_status(error: str) -> None:
    """Only a status in its place counts, and no words get through."""
    result = ending("error", error)
    assert result.outcome is Outcome.FAILED
    assert "hello" not in str(result.detail)


def test_a_wedge_is_recognised() -> None:
    """The input that met it has not run."""
    error = "Conversation local-conv-1 already has an active run (local-run-1)"
    assert ending("error", error) is WEDGED


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd.md", "../x.md", "a//b.md", ".git/config", ".git/hooks/x.md", "a/.b/c.md",
     "a\\..\\b.md", "notes.txt", "people"],
)  # fmt: skip
def test_a_path_that_is_no_memory_file_is_refused(path: str) -> None:
    """A written .git/config would run commands on the server's host."""
    with pytest.raises(MemoryRefused):
        check_path(path)


def test_a_refusal_shows_no_path_of_the_host() -> None:
    """The file's own name is enough for the agent."""
    error = "Command failed: git commit\nENOENT: open '/home/x/.letta/memory/people/a.md'"
    assert plain(error) == "ENOENT: open 'a.md'"
