"""Answers by a button: the asker's alone, once, in the lane of the question."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from aurora.errors import Breakers
from aurora.guard.runs import RunGuard
from aurora.intake.answers import Answers
from aurora.intake.asking import Asking
from aurora.intake.pressing import AnswerButton
from aurora.model import Event
from aurora.prompts import build_prompt
from aurora.queue import MessageQueue
from aurora.queue.limits import WorkRules
from aurora.runs.background import Background
from doubles.local_discord import Interaction, Message, User
from tests.support.stage import Stage

OPTIONS = ["The old one", "The new one"]


async def _english(_guild: object) -> str:
    return "en-US"


async def _nobody(_event: Event) -> None:
    pass


class Asked:
    """A stage on which an agent has asked back, and presses are heard."""

    def __init__(self, stage: Stage, event: Event) -> None:
        self.stage, self.event = stage, event
        rules = WorkRules(stage.settings, Breakers(stage.clock))
        self.queue = MessageQueue(stage.store, rules, stage.clock)
        bot: Any = stage.bot
        gates: Any = SimpleNamespace(still_welcome=_nobody)
        asking = Asking(
            bot, stage.store, self.queue, stage.clock, gates, _nobody, Background(), stage.settings
        )
        services = SimpleNamespace(
            bot=bot,
            store=stage.store,
            run_guard=RunGuard(stage.bot),
            answers=Answers(bot, stage.settings, stage.store, asking, stage.clock),
            standing_by=False,
            failure=None,
        )
        cog = SimpleNamespace(services=services)
        # What Red has, and a client has not.
        bot.get_cog = lambda _name: cog
        bot._i18n_cache = SimpleNamespace(get_locale=_english, get_regional_format=_english)
        stage.bot.add_dynamic_items(AnswerButton)

    @property
    def question(self) -> Message:
        question, *_ = self.stage.answers()
        return question

    def press(self, user: User, number: int) -> Interaction:
        custom_id = f"aurora:answer:{self.event.id}:{number}"
        return self.stage.local.press(user, self.question, custom_id)

    async def told(self, interaction: Interaction) -> str:
        """Return what only who presses reads."""
        return await self.stage.local.wait_for(lambda: interaction.content)

    async def buttons(self) -> list[Any]:
        """Return the buttons, once they can't be pressed any more."""

        def shut() -> list[Any] | None:
            found = [one for row in self.question.components for one in row["components"]]
            return found if all(one.get("disabled") for one in found) else None

        return await self.stage.local.wait_for(shut)


@pytest.fixture
async def asked(stage: Stage) -> Asked:
    """Let an agent ask back."""
    event = await stage.ask()
    call = {"question": "Which one?", "options": OPTIONS}
    await stage.open(event).call("discord_ask", call)
    return Asked(stage, event)


async def test_what_the_asker_chooses_is_a_new_event_in_the_lane(
    asked: Asked, stage: Stage
) -> None:
    """Its agent reads what it asked, and what was chosen; the button shows it to all."""
    asked.press(stage.ada, 1)
    buttons = await asked.buttons()
    assert [one["style"] for one in buttons] == [2, 3]
    turn = await asked.queue.take()
    await asked.queue.start(turn)
    event = turn.speaker
    assert (event.author_id, event.lane) == (stage.ada.id, asked.event.lane)
    assert event.replies_to == asked.question.id
    said = event.context["message"]
    assert (said["content"], said["author"]["username"]) == ("The new one", "ada")
    asks = event.context["chain"][-1]
    assert (asks["content"], asks["author"]["id"]) == ("Which one?", str(stage.local.bot_user.id))
    prompt = build_prompt(event.context, now=stage.clock.time(), guidance=True)
    assert "The new one" in prompt
    assert "pressed a button under a message of yours" in prompt


async def test_it_is_for_the_asker_alone(asked: Asked, stage: Stage) -> None:
    """And others are told so where only they read it."""
    told = await asked.told(asked.press(stage.bob, 0))
    assert told == "Only the person who was asked can choose here."
    assert asked.queue.get_stats()["waiting"] == 0


async def test_a_second_press_says_so(asked: Asked, stage: Stage) -> None:
    """Also in the moment of the first one."""
    for number in (0, 1):
        asked.press(stage.ada, number)
    await asked.buttons()
    late = "This has been answered already."
    await stage.local.wait_for(lambda: late in [one.content for one in stage.answers()])
    assert asked.queue.get_stats()["waiting"] == 1
