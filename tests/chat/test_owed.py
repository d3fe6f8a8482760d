"""What Discord makes the bot wait for is posted when Discord allows it, in real time."""

from __future__ import annotations

import pytest

from aurora.chat.delivery import Delivery
from aurora.chat.failures import PATIENCE
from aurora.chat.sender import Sender
from aurora.model import Said, Trace
from aurora.reasons import Reason
from aurora.tools.host import Toolbox
from tests.support.stage import ON_STAGE, Stage, send, together


@pytest.mark.long
async def test_a_send_that_has_to_wait_longer_than_a_tool_is_posted_at_the_end(
    stage: Stage,
) -> None:
    """With the waits of a real Aurora: a tool gives up after 15 s, and Discord says 17.

    Elsewhere they are shortened, which can't show that the two patiences fit together.
    """
    sender = Sender(stage.bot, stage.store, stage.guard, patience=PATIENCE)
    delivery = Delivery(stage.bot, stage.store, sender)
    toolbox = Toolbox(stage.bot, stage.store, sender, stage.guard, stage.clock)
    turn = together(await stage.ask())
    tools = toolbox.open(turn, ON_STAGE)
    # Asked again before that, Discord says how much of it is left.
    for seconds in (17.0, 2.0):
        stage.local.faults.rate_limit("POST", r"/messages$", retry_after=seconds)
    told = await send(tools, stage.channel, "It opened in 1932.")
    assert (told.is_error, stage.answers()) == (False, [])
    assert "as soon as Discord allows; do not send it again" in told.text
    reason = await delivery.settle(turn, Said(("I have sent it.",)), fallback=True)
    assert reason is Reason.SENT
    (answer,) = stage.answers()
    assert (answer.content, answer.reference) == ("It opened in 1932.", turn.speaker.message_id)
    assert all(one.owed is None for one in await stage.store.sends(turn.speaker.id))


async def test_before_the_bot_is_connected_nothing_is_given_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right after a crash no channel is known; the rest of a long text is not lost for that."""
    event = await stage.ask()
    faults, listeners = stage.local.faults, stage.local.world.listeners
    listeners.append(lambda _: faults.add("POST", r"/messages$", status=503, times=3))
    await send(stage.open(event), stage.channel, "a" * 1900 + "\n\n" + "b" * 1900)
    listeners.pop()
    faults.waiting.clear()
    with monkeypatch.context() as starting:
        starting.setattr(stage.bot, "is_ready", lambda: False)
        starting.setattr(stage.bot, "get_guild", lambda _id: None)
        assert await stage.trace(event) is Trace.LATER
    assert await stage.trace(event) is Trace.ANSWER
    assert [one.content[0] for one in stage.answers()] == ["a", "b"]
