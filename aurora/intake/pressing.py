"""Buttons under what a run shows: each press is asked of the guard, also after a restart."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Protocol, Self, cast

import discord
from redbot.core.bot import Red

from ..chat.languages import speak_in
from ..chat.questions import options_of
from ..guard.pressing import GuardedButton, options_under, view_of
from ..guard.runs import RunAct, RunGuard
from ..ledger import Store
from ..model import Event, Wish
from ..runs.escalation import Escalation
from ..runs.stopping import Stopping
from ..words import Phrase, say
from ..words import runs as w
from .answers import Answers

_COG = "Aurora"
EVENT_ID = r"(?P<event>evt_[0-9a-f-]{1,40})"
"""How a custom id names the event that it is about; it carries no more."""


class Wired(Protocol):
    """What buttons use of Services, which stand above them."""

    bot: Red
    store: Store
    run_guard: RunGuard
    stopping: Stopping
    answers: Answers
    escalation: Escalation
    standing_by: bool
    failure: Phrase | None


def services_of(interaction: discord.Interaction[Any]) -> Wired | None:
    """Return what is wired together; None where another process answers, or nobody."""
    cog = interaction.client.get_cog(_COG)
    services = cast("Wired | None", getattr(cog, "services", None))
    if services is None or services.standing_by or services.failure is not None:
        return None
    return services


class RunButton(GuardedButton, template=r"aurora:run"):
    """A button about an event's run, for whom the guard permits its `act`.

    A subclass has an act, a label, and a `name` in the custom id: `template=of_run(name)`.
    """

    act: ClassVar[RunAct]
    name: ClassVar[str]
    label: ClassVar[Phrase | None] = None
    emoji: ClassVar[str | None] = None

    def __init__(self, event_id: str, *more: int) -> None:
        label = say(self.label) if self.label is not None else None
        custom_id = ":".join(map(str, ("aurora", self.name, event_id, *more)))
        super().__init__(discord.ui.Button(label=label, emoji=self.emoji, custom_id=custom_id))
        self._event_id = event_id

    @classmethod
    async def from_custom_id(
        cls,
        _interaction: discord.Interaction[Any],
        _item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """Make a button again from its id."""
        event_id, *more = match.groups()
        return cls(event_id, *map(int, more))

    async def permits(self, interaction: discord.Interaction[Any]) -> bool:
        """Ask the guard for who presses, as things stand now."""
        services = services_of(interaction)
        if services is None:
            return False
        await speak_in(services.bot, interaction.guild_id)
        event = await services.store.get(self._event_id)
        if event is None or event.guild_id != interaction.guild_id:
            return False
        return await services.run_guard.may(self.act, interaction.user.id, event)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do what was pressed, for who was let through."""
        services = services_of(interaction)
        event = await services.store.get(self._event_id) if services is not None else None
        if services is not None and event is not None:
            await self.pressed(interaction, services, event)

    async def pressed(
        self, interaction: discord.Interaction[Any], services: Wired, event: Event
    ) -> None:
        """Do it."""
        raise NotImplementedError


def of_run(name: str, *more: str) -> re.Pattern[str]:
    """Return the template of a run's button; `more` are numbers that it needs besides."""
    return re.compile(":".join((f"aurora:{name}", EVENT_ID, *more)))


class StopButton(RunButton, template=of_run("stop")):
    """Stops a run, for who asked and for moderators."""

    act = RunAct.STOP
    name = "stop"
    label = w.STOP
    emoji = "⏹️"
    refused = w.NOT_YOURS_TO_STOP

    async def pressed(
        self, interaction: discord.Interaction[Any], services: Wired, event: Event
    ) -> None:
        """Stop it; what is shown then says who has."""
        await interaction.response.defer()
        if not await services.stopping.stop(event, interaction.user.id):
            await interaction.followup.send(say(w.NOTHING_TO_STOP), ephemeral=True)


class AnswerButton(RunButton, template=of_run("answer", r"(?P<number>[0-3])")):
    """Answers what the agent asks back, for who asked it first."""

    act = RunAct.ANSWER
    name = "answer"
    refused = w.NOT_YOURS_TO_ANSWER

    def __init__(self, event_id: str, number: int) -> None:
        super().__init__(event_id, number)
        self._number = number

    async def pressed(
        self, interaction: discord.Interaction[Any], services: Wired, event: Event
    ) -> None:
        """Let the answer wait in the lane, once; show which it was."""
        await interaction.response.defer()
        question, number = interaction.message, self._number
        options = options_of(question) if question is not None else []
        if question is None or number >= len(options):
            return
        refused = await services.answers.answer(event, question, interaction.user, options[number])
        if refused is not None:
            await interaction.followup.send(say(refused), ephemeral=True)
            return
        view = options_under(event.id, options, number)
        await interaction.edit_original_response(view=view)


class StrongerButton(RunButton, template=of_run("stronger")):
    """Has the strong model try what got stuck, for who asked: as a new event in the lane."""

    act = RunAct.GO_ON
    name = "stronger"
    label = w.STRONGER
    refused = w.NOT_YOURS_TO_RETRY

    async def pressed(
        self, interaction: discord.Interaction[Any], services: Wired, event: Event
    ) -> None:
        """Let it wait, once; there is nothing left to press then."""
        await interaction.response.defer()
        if (notice := interaction.message) is None:
            return
        said, wish = say(w.STRONGER), Wish(strong=True)
        refused = await services.answers.answer(event, notice, interaction.user, said, wish)
        if refused is not None:
            await interaction.followup.send(say(refused), ephemeral=True)
            return
        await interaction.edit_original_response(view=None)


class LetBeButton(RunButton, template=of_run("let-be")):
    """Leaves what got stuck, for who asked: what comes next has the model that there is."""

    act = RunAct.GO_ON
    name = "let-be"
    label = w.LET_BE
    refused = w.NOT_YOURS_TO_RETRY

    async def pressed(
        self, interaction: discord.Interaction[Any], services: Wired, event: Event
    ) -> None:
        """Take the buttons away."""
        await interaction.response.defer()
        await services.escalation.let_be(event.lane)
        await interaction.edit_original_response(view=None)


def stop_view(event: Event) -> Any:
    """Return the button under a progress line."""
    return view_of(StopButton(event.id))
