"""Remedies: what to do fits what is wrong, and sentences that are put together read as such."""

from __future__ import annotations

import re

import pytest

from aurora.agents.outcomes import STATUSES, STOP_REASONS, of_provider
from aurora.reasons import REASONS, Reason
from aurora.words import Phrase, clause, in_order, remedies, say, servers, verbatim
from aurora.words import setup as w
from aurora.words.remedies import remedy_for
from tests.support.phrases import PHRASES

REMEDIES = [one for name, one in PHRASES.items() if name.startswith("remedies.")]


def advice(detail: Phrase | str) -> str:
    """Return the remedy for a detail, in English."""
    found = remedy_for(detail)
    return "" if found is None else str(found)


# -- the right one


@pytest.mark.parametrize(
    ("detail", "about"),
    [
        (servers.WITH_STATUS(what=servers.REFUSED_TOKEN, status=401), "set api letta token"),
        (servers.WITH_STATUS(what=servers.TOKEN_MAY_NOT, status=403), "rights"),
        (servers.PROVIDER_REFUSED_KEY, "provider's key"),
        (of_provider(401).detail, "provider's key"),
        (of_provider(403, "invalid_request_error").detail, "provider's key"),
        (of_provider(402).detail, "credits"),
        (of_provider(404).detail, "model"),
        (of_provider(429).detail, "limits"),
        (servers.CREDITS, "credits"),
        (servers.NO_SUCH_AGENT(agent="agent-1"), "agent's id"),
        ("Agent agent-1 not found", "agent's id"),
        ("Agent not found: agent-1.", "agent's id"),
        (servers.NOTHING_ANSWERS(address="h:1", reason="refused"), "server runs"),
        (servers.NOT_REACHED, "server runs"),
        (servers.NO_ANSWER, "server runs"),
        (servers.WITH_STATUS(what=servers.NO_REST_HERE, status=404), "address"),
        (servers.NO_APP_SERVER_AT_PATH, "address"),
        (servers.NOT_SECURE, "certificate"),
        (servers.WINDOW, "instructions"),
        (servers.WITH_STATUS(what=servers.PATIENCE, status=429), "again"),
    ],
)
def test_each_cause_has_its_remedy(detail: Phrase | str, about: str) -> None:
    """Who looks for the cause in the right place finds it."""
    assert about in advice(detail)


@pytest.mark.parametrize("detail", ["", "boom", "Conversation conv-1 not found", "no agent today"])
def test_where_nobody_can_know_nothing_is_advised(detail: str) -> None:
    """A guess costs the admin an hour."""
    assert remedy_for(detail) is None


def test_the_agents_id_is_named_for_an_unknown_agent_alone() -> None:
    """Neither a token nor a server that is away has to do with it."""
    known = [name for name, one in PHRASES.items() if remedy_for(one) is remedies.AGENT_ID]
    assert known == ["servers.NO_SUCH_AGENT"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_of_the_providers_sends_nobody_after_our_token(status: int) -> None:
    """In the alert to the owner, which is where it is read."""
    detail = of_provider(status, "authentication_error").detail
    told = str(REASONS[Reason.CONFIG].tell_admin(detail))
    assert "provider's key on the agent's server" in told
    assert "Check the server's address, the token" not in told


def test_a_cause_without_a_remedy_of_its_own_has_the_general_one() -> None:
    """In an alert; it lists what there is to look at."""
    told = str(REASONS[Reason.CONFIG].tell_admin(servers.REFUSED))
    assert "Check the server's address" in told


def test_each_remedy_is_of_some_use() -> None:
    """One for which there is no cause is never said."""
    said = {advice(one) for one in PHRASES.values()}
    said |= {advice(of_provider(status).detail) for status in (400, 401, 402, 404, 429)}
    assert {str(one) for one in REMEDIES} - said == set()


# -- sentences


DETAILS = {name: one for name, one in PHRASES.items() if name.startswith("servers.")}
THEIRS = ["Agent not found.", "What?", "Stop!", "Wait...", "", "e.g. this", "no `full` stop"]
ODD = re.compile(r"[.?!:,;][.?!]|\s[.?!,]|\. [a-z]|: *\.")


@pytest.mark.parametrize("name", DETAILS)
def test_a_half_sentence_has_no_full_stop_of_its_own(name: str) -> None:
    """Others are put around it."""
    assert not DETAILS[name].text.endswith((".", "?", "!", ":"))


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_half_a_sentence_too(reason: Reason) -> None:
    """So is what stands in `queue list`."""
    admin = REASONS[reason].admin
    assert admin is None or not str(admin).endswith((".", "?", "!"))


@pytest.mark.parametrize("one", [*REMEDIES, *(PHRASES[f"reasons.{n}"] for n in ("MEND_CONFIG",))])
def test_a_remedy_is_a_whole_sentence(one: Phrase) -> None:
    """It stands behind others."""
    assert one.text[0].isupper()
    assert one.text.endswith(".")


def composed(detail: Phrase | str) -> list[str]:
    """Return all that is made of a detail for people."""
    remedy = remedy_for(detail)
    said = [
        in_order(w.OUT_OF_REACH(url="ws://h", detail=clause(detail)), remedy),
        in_order(w.AGENT_NOT_FOUND(url="ws://h", detail=verbatim(clause(detail))), remedy),
        *(one.tell_admin(detail) for one in REASONS.values() if one.error is not None),
    ]
    return [say(one, "!") for one in said]


@pytest.mark.parametrize(
    "detail", [*DETAILS.values(), *THEIRS], ids=[*DETAILS, *map(repr, THEIRS)]
)
def test_what_is_put_together_reads_as_sentences(detail: Phrase | str) -> None:
    """No "?.", no "..", and no sentence that begins small."""
    if isinstance(detail, Phrase):
        detail = detail(**dict.fromkeys(re.findall(r"\{(\w+)\}", detail.text), "x"))
    for text in composed(detail):
        assert "?." not in text
        assert ".." not in text
        assert "None" not in text
        if detail:
            assert ODD.search(text.replace("e.g. ", "")) is None, text


def test_every_status_and_stop_reason_speaks_in_half_sentences() -> None:
    """Whichever an agent's server gives."""
    details = [*(one for _, one in STATUSES.values()), *(one for _, one in STOP_REASONS.values())]
    for detail in details:
        for text in composed(detail):
            assert "?." not in text
            assert ".." not in text
