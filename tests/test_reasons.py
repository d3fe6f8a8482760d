"""The one list of reasons: complete, the only one, and what the document says of it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from itertools import groupby

import pytest

from aurora.errors import NOT_ERRORS
from aurora.guard import policy
from aurora.model import State
from aurora.reasons import (
    GATES,
    REASONS,
    Counts,
    Entry,
    Outcome,
    Reason,
    Retry,
    sent_before,
)
from tests.support.house import ROOT, modules_of

MODULES = modules_of("aurora")
DOCUMENT = ROOT / "EVENT_SYSTEM_DESIGN.md"

CAUSES = [*(outcome.reason for outcome in Outcome), Reason.TIMEOUT, Reason.STUCK, Reason.CRASH]
CODES = frozenset(Reason)
BAD = [cause for cause in CAUSES if cause is not Reason.COMPLETED]

OTHER_THINGS = {
    ("model", "failed"): "a state",
    ("model", "cancelled"): "a state",
    ("commands.queue", "failed"): "a state, as it is typed",
    ("commands.queue", "cancelled"): "a state, as it is typed",
    ("commands.config", "config"): "a group of commands",
    ("intake.prefixes", "config"): "where another cog keeps its settings",
    ("settings", "timeout"): "a setting",
    ("settings", "disabled"): "a word for off",
    ("context.chain", "forbidden"): "where a reply chain ends",
    ("prompts.transcript", "forbidden"): "where a reply chain ends",
    ("prompts.transcript", "bot"): "a key of a person",
    ("prompts.building", "bot"): "a key of the context",
    ("guard.output", "bot"): "a key of a person",
    ("runs.observers", "failed"): "how a call of a tool ended, for the log",
    ("chat.hygiene.silence", "empty"): "what agents write for saying nothing",
    ("agents", "completed"): "what a Letta server calls the end of a run",
    ("agents", "failed"): "what a Letta server calls the end of a run",
    ("agents", "cancelled"): "what a Letta server calls the end of a run",
}
"""Words that are codes of reasons elsewhere, by who uses them, and what they mean there."""


# -- complete


def test_every_reason_has_its_entry() -> None:
    """One without would leave an event without an end, or a person without a word."""
    assert set(REASONS) == set(Reason)


@pytest.mark.parametrize("reason", [one for one in Reason if REASONS[one].state is not None])
def test_who_ends_has_a_final_state(reason: Reason) -> None:
    """Nobody waits for ever."""
    state = REASONS[reason].state
    assert state is not None
    assert state.final


@pytest.mark.parametrize("cause", BAD)
def test_an_answer_that_was_out_counts(cause: Reason) -> None:
    """However its run ended."""
    assert REASONS[sent_before(cause)].state is State.ANSWERED


@pytest.mark.parametrize(
    ("cause", "state", "retry", "counts"),
    [
        (Reason.COMPLETED, None, Retry.NEVER, Counts.SUCCESS),
        (Reason.CANCELLED, State.CANCELLED, Retry.NEVER, Counts.NOTHING),
        (Reason.CONFIG, State.FAILED, Retry.NEVER, Counts.NOTHING),
        (Reason.BUSY, State.EXPIRED, Retry.UNTIL_EXPIRY, Counts.NOTHING),
        (Reason.OVERLOADED, State.EXPIRED, Retry.RETRY_AFTER, Counts.PROVIDER),
        (Reason.FAILED, State.FAILED, Retry.ATTEMPTS, Counts.AGENT),
        (Reason.CONTENT_REFUSED, State.FAILED, Retry.NEVER, Counts.NOTHING),
        (Reason.IMAGE_REFUSED, State.FAILED, Retry.NEVER, Counts.NOTHING),
        (Reason.CONTEXT_FULL, State.FAILED, Retry.NEVER, Counts.NOTHING),
        (Reason.COMPACTED, State.FAILED, Retry.ATTEMPTS, Counts.NOTHING),
        (Reason.UNREACHABLE, State.EXPIRED, Retry.UNTIL_EXPIRY, Counts.SERVER),
        (Reason.LOST, State.FAILED, Retry.ATTEMPTS, Counts.AGENT),
        (Reason.OWN_TOOLS, State.FAILED, Retry.NEVER, Counts.NOTHING),
        (Reason.TRIPPED, State.FAILED, Retry.NEVER, Counts.BREACH),
        (Reason.TIMEOUT, State.FAILED, Retry.NEVER, Counts.AGENT),
        (Reason.STUCK, State.FAILED, Retry.NEVER, Counts.NOTHING),
        (Reason.CRASH, None, Retry.ATTEMPTS, Counts.NOTHING),
    ],
)
def test_each_end_of_a_run_has_the_consequences_the_design_gives_it(
    cause: Reason, state: State | None, retry: Retry, counts: Counts
) -> None:
    """The table, written a second time, so that no row changes by accident."""
    found = REASONS[cause]
    assert (found.state, found.retry, found.counts) == (state, retry, counts)


def test_attempts_are_given_back_where_time_is_the_bound() -> None:
    """An outage, a busy conversation and a rate limit use up no attempt."""
    given_back = {cause for cause in CAUSES if REASONS[cause].returns_attempt}
    assert given_back == {Reason.UNREACHABLE, Reason.BUSY, Reason.OVERLOADED}


def test_only_what_a_person_must_mend_alerts_at_once() -> None:
    """A wrong configuration, and a conversation that has no room left."""
    alerting = {reason for reason in Reason if REASONS[reason].alert}
    assert alerting == {Reason.CONFIG, Reason.OWN_TOOLS, Reason.CONTEXT_FULL, Reason.COMPACTED}


def test_waiting_and_cancelling_are_no_errors() -> None:
    """They must not raise the error rate."""
    neutral = {cause for cause in CAUSES if REASONS[cause].error in NOT_ERRORS}
    assert neutral == {
        Reason.CANCELLED,
        Reason.BUSY,
        Reason.CONTENT_REFUSED,
        Reason.IMAGE_REFUSED,
    }


def test_a_timeout_is_counted_under_its_documented_name() -> None:
    """The README tells people to look for TimeoutError."""
    assert REASONS[Reason.TIMEOUT].error == "TimeoutError"


@pytest.mark.parametrize("cause", [*BAD, Reason.POISON, Reason.CRASHED, Reason.WAITED_TOO_LONG])
def test_people_are_told_plainly(cause: Reason) -> None:
    """A short sentence, without placeholders and without words from the machine room."""
    text = str(REASONS[cause].user)
    assert 0 < len(text) <= 120
    assert text.endswith(".")
    for word in ("{", "server", "error", "Letta", "HTTP", "429", "token", "breaker", "`"):
        assert word not in text


@pytest.mark.parametrize("cause", [*BAD, Reason.POISON, Reason.CRASHED])
def test_admins_are_told_the_detail(cause: Reason) -> None:
    """What the backend said stands in the admin's text, braces and all, with one full stop."""
    text = str(REASONS[cause].tell_admin("404: no such agent {x}."))
    assert "404: no such agent {x}" in text
    assert ".." not in text
    assert "None" not in text


def test_a_missing_detail_leaves_no_hole() -> None:
    """An empty detail is said to be missing."""
    assert "no details were given" in str(REASONS[Reason.FAILED].tell_admin(""))


@pytest.mark.parametrize("reason", [one for one in Reason if REASONS[one].state is State.ANSWERED])
def test_the_person_reads_nothing_of_a_success(reason: Reason) -> None:
    """The answer speaks for itself."""
    entry = REASONS[reason]
    assert (entry.user, entry.mark) == (None, "")


@pytest.mark.parametrize("reason", [one for one in Reason if REASONS[one].state is not None])
def test_an_end_has_half_a_sentence_for_admins(reason: Reason) -> None:
    """About "it", to be put after a colon: no capital for a sentence, no full stop."""
    text = str(REASONS[reason].admin)
    assert text[0].islower() or text.startswith(("Aurora", "Discord", "I "))
    assert not text.endswith(".")


def test_every_mark_can_be_said_in_words() -> None:
    """Where Discord refuses reactions."""
    assert [one for one in Reason if REASONS[one].mark and REASONS[one].user is None] == []


def test_what_forbids_an_answer_ends_an_event() -> None:
    """A text may go no further than a tool, so that each denial of a send has a state."""
    denials = {one.code for one in vars(policy).values() if isinstance(one, policy.Denied)}
    # Nothing of these is accepted in the first place.
    denials -= {policy.NO_PERSON.code, policy.NO_STANDING.code}
    # What is read is no text.
    denials.remove(policy.NARROWER.code)
    denials.add(policy.MISSING[policy.Act.SEND].code)
    ends = {State.FAILED, State.CANCELLED}
    assert {reason for reason in denials if REASONS[reason].state not in ends} == set()


# -- the only one


def codes_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the codes of reasons that stand as strings in a module, as (line, code)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            code = node.value
            if code in CODES or code.startswith("sent_before"):
                yield node.lineno, code


def meant_otherwise(module: str, code: str) -> tuple[str, str] | None:
    """Return the row of OTHER_THINGS that says what else a word means there."""
    for who, word in OTHER_THINGS:
        if word == code and f"{module}.".startswith(f"aurora.{who}."):
            return who, word
    return None


def test_no_reason_is_a_literal() -> None:
    """But in `reasons/`; in `words/` a code is just a word."""
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: write Reason.{code.upper()}"
        for module, path in MODULES.items()
        if not module.startswith(("aurora.reasons", "aurora.words"))
        for line, code in codes_in(ast.parse(path.read_text(encoding="utf-8")))
        if meant_otherwise(module, code) is None
    ]
    assert wrong == []


def test_every_word_that_means_something_else_is_used() -> None:
    """A row that is not would allow what nobody has thought of."""
    used = {
        meant_otherwise(module, code)
        for module, path in MODULES.items()
        for _, code in codes_in(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert set(OTHER_THINGS) - used == set()


@pytest.mark.parametrize(
    ("source", "codes"),
    [
        ("finish(event, 'poison')", ["poison"]),
        ("f'sent_before_{cause}'", ["sent_before_"]),
        ("Reason.POISON", []),
        ("'a poison'", []),
    ],
)
def test_a_literal_is_seen(source: str, codes: list[str]) -> None:
    """Alone, or as the beginning of one that is put together."""
    assert [code for _, code in codes_in(ast.parse(source))] == codes


# -- the document


def seen(entry: Entry) -> str:
    """Say what the person sees of an end."""
    if entry.state is State.ANSWERED:
        return "an answer"
    notice = "one notice" if entry.user else "nothing"
    return f"{entry.mark} and {notice}" if entry.spoken else entry.mark or notice


def row(*cells: str) -> str:
    """Write a row of a table."""
    return f"| {' | '.join(cells)} |"


def states() -> Iterator[str]:
    """Yield the rows of the table of states: what looks the same to an admin is one row."""
    yield row("State", "People see", "Reason", "When, as `queue list` says it", "What to do")
    yield "|---|---|---|---|---|"
    for state in State:
        ends = [one for one in Reason if REASONS[one].state is state]
        for (sees, when), some in groupby(ends, lambda one: (seen(REASONS[one]), said(one))):
            reasons = list(some)
            todo = REASONS[reasons[0]].todo
            codes = ", ".join(f"`{one}`" for one in reasons)
            yield row(f"`{state}`", sees, codes, when, str(todo or ""))


def said(reason: Reason) -> str:
    """Return an admin's half sentence, with dots for what depends on another reason."""
    admin = REASONS[reason].admin
    assert admin is not None
    return admin.text.format_map(dict.fromkeys(admin.values, "…"))


def refusals() -> Iterator[str]:
    """Yield the rows of the table of refusals."""
    yield row("Refusal", "When", "What to do")
    yield "|---|---|---|"
    for reason, entry in GATES.items():
        yield row(f"`{reason}`", str(entry.admin), str(entry.todo or ""))


@pytest.mark.parametrize(
    ("title", "rows"), [("States", states()), ("Triggers and refusals", refusals())]
)
def test_the_document_has_the_table(title: str, rows: Iterable[str]) -> None:
    """If it has not, the message of this test is the table that it needs."""
    text = DOCUMENT.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    found = [line for line in text.splitlines() if line.startswith("|")]
    wanted = list(rows)
    assert found == wanted, f"the table of {title!r} should be:\n" + "\n".join(wanted)
