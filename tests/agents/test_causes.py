"""Why providers refuse, told from errors as each of them words it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from aurora.agents.app_server.outcomes import ending
from aurora.agents.causes import CAUSES, cause_of
from aurora.agents.rest.outcomes import failed
from aurora.reasons import Outcome


def listed() -> Iterator[tuple[str, str]]:
    """Yield the errors of the list, with the heading that each stands under."""
    heading = ""
    for line in (Path(__file__).parent / "refusals.txt").read_text("utf-8").splitlines():
        if line.startswith("== "):
            heading = line.removeprefix("== ")
        elif line and not line.startswith("#"):
            yield line, heading


NAMED = [(said, Outcome(heading)) for said, heading in listed() if heading != "none"]
OTHERS = [said for said, heading in listed() if heading == "none"]


def quoted(said: str) -> str:
    """Return an error as Letta's REST API quotes it: a provider's body as Python writes it."""
    status, colon, body = said.partition(": ")
    if not (colon and status.isdigit()):
        return said
    with contextlib.suppress(ValueError):
        body = str(json.loads(body))
    return f"INVALID_ARGUMENT: Bad request to the endpoint: Error code: {status} - {body}"


def over_app_server(said: str) -> Outcome:
    """Return how a turn ends on an App Server whose provider says this."""
    inner = {"type": "local_backend_error", "message": said, "detail": said}
    return ending("error", json.dumps({"error": {"error": inner}}, ensure_ascii=False)).outcome


def over_rest(said: str) -> Outcome:
    """Return how a run ends on the REST API whose provider says this."""
    return failed({"error_type": "llm_error", "message": "", "detail": quoted(said)}).outcome


@pytest.mark.parametrize(("said", "outcome"), NAMED)
def test_a_cause_is_named_on_both_servers(said: str, outcome: Outcome) -> None:
    """However the provider words it."""
    assert (over_app_server(said), over_rest(said)) == (outcome, outcome)


@pytest.mark.parametrize(("said", "outcome"), NAMED)
def test_a_proxy_that_quotes_a_provider_names_its_cause(said: str, outcome: Outcome) -> None:
    """An error in a string in an error, as most proxies pass it on."""
    error = {"error": {"message": said, "type": "upstream_error"}}
    assert over_app_server(f"400: {json.dumps(error, ensure_ascii=False)}") is outcome


@pytest.mark.parametrize("said", ["", *OTHERS])
def test_what_names_no_cause_is_left_to_its_status(said: str) -> None:
    """Who is sent after the wrong cause gives up the right thing."""
    named = {cause.outcome for cause in CAUSES}
    assert not {over_app_server(said), over_rest(said)} & named


@pytest.mark.parametrize("status", [401, 402, 408, 409, 425, 429])
@pytest.mark.parametrize("said", [NAMED[0][0], NAMED[-1][0]])
def test_keys_money_and_patience_are_no_matter_of_the_message(status: int, said: str) -> None:
    """Whatever is written beside them."""
    assert cause_of(said) is not None
    assert cause_of(said, status) is None


def test_a_long_error_is_read_in_no_time() -> None:
    """Patterns that go back and forth would hold up the bot."""
    for word in ("blocked ", "image ", "exceeds ", "context window ", '{"code":"', "\\" * 9):
        cause_of(word * 100_000)
