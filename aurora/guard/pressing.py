"""Buttons ask the guard: each press is asked for again, whoever asked before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord
from redbot.core import commands
from redbot.core.utils.views import ConfirmView, SimpleMenu

from ..chat.languages import speak_to
from ..words import Phrase, say
from ..words import commands as w
from .invoking import may_still

_FORM_SECONDS = 900.0
"""How long Discord knows a form."""


class Guarded(discord.ui.View):
    """A view that takes no press which the guard does not permit at that moment."""

    async def permits(self, interaction: discord.Interaction) -> bool:
        """Ask the guard for who presses."""
        # A view that forgets to ask fails closed: discord.py drops a press whose check raises.
        raise NotImplementedError

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        """Let a press through, or tell its person that they may not do this."""
        if not await super().interaction_check(interaction):
            return False
        return await self.permits(interaction) or await _refuse(interaction, w.NO_LONGER_YOURS)


class GuardedButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"aurora:guarded"
):
    """A button that outlives a restart, and takes no press that the guard does not permit."""

    refused: Phrase = w.NO_LONGER_YOURS

    async def permits(self, interaction: discord.Interaction[Any]) -> bool:
        """Ask the guard for who presses."""
        raise NotImplementedError  # fails closed, as above

    async def interaction_check(self, interaction: discord.Interaction[Any]) -> bool:
        """Let a press through, or tell its person that they may not do this."""
        return await self.permits(interaction) or await _refuse(interaction, self.refused)


class GuardedForm(discord.ui.Modal):
    """A form with one text, which is taken from nobody whom the guard does not permit."""

    def __init__(self, title: str, label: str, most: int) -> None:
        super().__init__(title=title, timeout=_FORM_SECONDS)
        self._text: discord.ui.TextInput[Any] = discord.ui.TextInput(
            label=label, style=discord.TextStyle.paragraph, required=False, max_length=most
        )
        self.add_item(self._text)

    @property
    def text(self) -> str:
        """What was written."""
        return self._text.value.strip()

    async def permits(self, interaction: discord.Interaction[Any]) -> bool:
        """Ask the guard for who sends it."""
        raise NotImplementedError  # fails closed, as above

    async def interaction_check(self, interaction: discord.Interaction[Any]) -> bool:
        """Take a form, or tell its person that they may not do this."""
        return await self.permits(interaction) or await _refuse(interaction, w.NO_LONGER_YOURS)


async def _refuse(interaction: discord.Interaction[Any], why: Phrase) -> bool:
    await interaction.response.send_message(say(why), ephemeral=True)
    return False


def view_of(button: GuardedButton) -> discord.ui.View:
    """Return a view with one button, which waits for ever."""
    view = discord.ui.View(timeout=None)
    view.add_item(button)
    return view


def options_under(
    event_id: str, options: Sequence[str], pressed: int | None = None
) -> discord.ui.View:
    """Return the buttons of an event's question; once one is `pressed` none can be any more."""
    view = _heard_by_id()
    for number, option in enumerate(options):
        chosen = pressed == number
        view.add_item(
            discord.ui.Button(
                label=option,
                custom_id=f"aurora:answer:{event_id}:{number}",
                style=discord.ButtonStyle.success if chosen else discord.ButtonStyle.secondary,
                disabled=pressed is not None,
            )
        )
    return view


def run_buttons(event_id: str, labels: Sequence[tuple[str, str]]) -> discord.ui.View:
    """Return buttons about an event's run, by their names, as intake/pressing.py has them."""
    view = _heard_by_id()
    for name, label in labels:
        view.add_item(discord.ui.Button(label=label, custom_id=f"aurora:{name}:{event_id}"))
    return view


def _heard_by_id() -> discord.ui.View:
    """Return a view whose presses are heard by their ids alone, and guarded there."""
    view = discord.ui.View(timeout=None)
    # discord.py would keep one that waits in memory for ever.
    view.stop()
    return view


class _OfCommand(Guarded):
    """A view under a command: who may not give the command any more can't press either."""

    ctx: commands.Context | None

    async def permits(self, interaction: discord.Interaction) -> bool:
        if self.ctx is None:
            return False
        allowed = await may_still(self.ctx, interaction)
        await speak_to(self.ctx)
        return allowed


class Question(_OfCommand, ConfirmView):
    """Yes or no, from the author of a command."""

    def __init__(self, ctx: commands.Context, *, timeout: float) -> None:
        super().__init__(ctx.author, timeout=timeout, disable_buttons=True)
        self.ctx = ctx


class Menu(_OfCommand, SimpleMenu):
    """Pages to turn, for the author of a command."""
