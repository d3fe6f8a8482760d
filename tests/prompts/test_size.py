"""What a prompt costs beyond what people wrote."""

from __future__ import annotations

import pytest

from aurora.model import EventContext, Kind
from aurora.prompts import DISCORD_TOOLS, MEMORY_TOOL, build_prompt
from doubles.llm import tokens
from tests.support.events import make_context
from tests.support.payloads import make_quote

MOST = 350
MOST_FOR_A_FURTHER_MESSAGE = 35
ID = "1575843702142664708"
WRITTEN = "x"
SENT = 1_763_726_700.0


def worst(kind: Kind, *, chain: int = 0) -> EventContext:
    """Return a context with all that a frame may tell, in which people wrote letters."""
    base = make_context(
        message_id=int(ID),
        channel_id=int(ID),
        guild_id=None if kind == "dm" else int(ID),
        kind=kind,
    )
    base["message"] |= {"content": WRITTEN, "at": SENT}
    base["message"]["author"] |= {"id": ID, "display_name": WRITTEN, "username": "y"}
    base["place"]["channel_name"] = WRITTEN
    if kind != "dm":
        base["place"] |= {"type": "public_thread", "parent_id": ID, "parent_name": WRITTEN}
        base["place"]["guild_name"] = WRITTEN
    base["bot"] |= {"id": ID}
    base["chain"] = [make_quote(WRITTEN, id=ID) for _ in range(chain)]
    if chain:
        base["chain_end"] = "depth"
    return base


def cost(kind: Kind, *, by_text: bool, chain: int = 0, earlier: int = 0) -> int:
    """Count the tokens of a prompt, as the scripted model counts them."""
    return tokens(
        build_prompt(
            worst(kind, chain=chain),
            earlier=[worst(kind) for _ in range(earlier)],
            now=SENT + 59 * 60,
            guidance=True,
            tools={*DISCORD_TOOLS, MEMORY_TOOL},
            text_delivered=True,
            by_text=by_text,
        )
    )


@pytest.mark.parametrize("by_text", [False, True])
@pytest.mark.parametrize("kind", ["mention", "reply", "dm"])
def test_a_prompt_costs_at_most_350_tokens_beyond_what_people_wrote(
    kind: Kind, by_text: bool
) -> None:
    """It is paid at each call of the model, and again in every later turn of the conversation."""
    assert cost(kind, by_text=by_text) <= MOST


@pytest.mark.parametrize("kind", ["mention", "dm"])
@pytest.mark.parametrize("count", [1, 4])
def test_a_message_that_is_answered_too_costs_at_most_35_more(kind: Kind, count: int) -> None:
    """Which it is, when it was sent, and its block."""
    assert cost(kind, by_text=False, earlier=count) <= MOST + count * MOST_FOR_A_FURTHER_MESSAGE


@pytest.mark.parametrize("count", [1, 5, 10])
def test_a_message_of_the_reply_chain_costs_at_most_35_more(count: int) -> None:
    """Who wrote it, when, and its id."""
    most = MOST + count * MOST_FOR_A_FURTHER_MESSAGE
    assert cost("reply", by_text=False, chain=count) <= most
