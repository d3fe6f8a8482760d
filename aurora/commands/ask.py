"""`/ask`, its typed forms, and the menu of a message: ways to ask without a mention."""

from typing import Any, Literal

import discord
from discord import app_commands
from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

from ..chat.languages import speak_to_person
from ..chat.places import Place
from ..guard.invoking import asks
from ..guard.policy import Act
from ..guard.pressing import GuardedForm
from ..ids import task_id
from ..intake.asking import Question
from ..intake.asks import Wish
from ..reasons import REASONS, Reason
from ..services import Services
from ..words import asks as w
from ..words import commands as c
from ..words import say
from .asking import refuse, tell, unfenced
from .setup import SetupCommands

_MOST_CHARS = 4000
_GIVEN_CHARS = 50
_COG = "Aurora"


class AskCommands:
    """Questions by command."""

    services: Services

    @app_commands.command(name="ask")  # type: ignore[type-var]  # it is a part of the cog
    @app_commands.describe(
        question="What you want to know, or to have done",
        where="In a thread of its own, or here",
        background="It may take its time, up to five minutes; you are called when it is done",
    )
    async def slash_ask(
        self,
        interaction: discord.Interaction[Any],
        question: app_commands.Range[str, 1, _MOST_CHARS],
        where: Literal["here", "thread"] = "here",
        background: bool = False,
    ) -> None:
        """Ask the agent; everybody here sees the question and the answer."""
        wish = Wish(question, thread=where == "thread", background=background)
        await _ask(interaction, self.services, wish)

    @SetupCommands.aurora.command(name="ask", with_app_command=False)
    @asks(Act.RUNS)
    async def aurora_ask(self, ctx: commands.Context, *, question: str) -> None:
        """Ask the agent, as `/ask` does.

        `<question>`: what you want to know, or to have done.
        """
        await _ask_by_command(ctx, self.services, question)

    @SetupCommands.aurora.command(name="run", with_app_command=False)
    @asks(Act.RUNS)
    async def aurora_run(
        self,
        ctx: commands.Context,
        what: Literal["agent"],  # noqa: ARG002 - there is no other
        name: str,
        *,
        task: str,
    ) -> None:
        """Do the same as `[p]aurora ask`: `run agent <name> <task>`.

        `<name>`: the agent that answers here, by its id or name.
        """
        agent_id = self.services.settings.agent_for(ctx.guild.id if ctx.guild else None)
        known = await _name_of(self.services, agent_id)
        if agent_id is not None and name not in (agent_id, known or name):
            given = inline(unfenced(name[:_GIVEN_CHARS]))
            await refuse(ctx, w.OTHER_AGENT(given=given, agent=inline(known or agent_id)))
            return
        await _ask_by_command(ctx, self.services, task)


class AskForm(GuardedForm):
    """Asks for a question about a message."""

    def __init__(self, services: Services, about: discord.Message) -> None:
        super().__init__(say(w.MODAL), say(w.LABEL), _MOST_CHARS)
        self._services = services
        self._about = about

    async def permits(self, interaction: discord.Interaction[Any]) -> bool:  # noqa: ARG002 - nobody is refused here
        """Let everybody ask; whether they may is asked where the question is kept."""
        return True

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        """Ask, with the person's own words or without."""
        await speak_to_person(interaction)
        wish = Wish(self.text or say(w.ABOUT_THIS), about=self._about)
        await _ask(interaction, self._services, wish)


async def ask_about(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    """Open the form of a question about a message."""
    cog: Any = interaction.client.get_cog(_COG)
    services: Services | None = getattr(cog, "services", None)
    if services is None or services.standing_by:
        return
    await speak_to_person(interaction)
    await interaction.response.send_modal(AskForm(services, message))


MENU = app_commands.ContextMenu(name="Ask Aurora about this", callback=ask_about)
"""The entry in the menu of each message."""


async def _ask(interaction: discord.Interaction[Any], services: Services, wish: Wish) -> None:
    if services.standing_by:
        # The Aurora that works is about to answer.
        return
    await speak_to_person(interaction)
    refused = c.NOT_STARTED if services.failure is not None else None
    refused = refused or await services.asks.ask(interaction, wish)
    if refused is not None:
        await interaction.response.send_message(say(refused), ephemeral=True)


async def _name_of(services: Services, agent_id: str | None) -> str | None:
    """Return what an agent is called; None if its server does not say."""
    found = await services.status.agents([agent_id]) if agent_id is not None else None
    return found[0].info.name if found and found[0].info is not None else None


async def _ask_by_command(ctx: commands.Context, services: Services, text: str) -> None:
    message = ctx.message
    if not isinstance(ctx.channel, Place | discord.DMChannel):
        await refuse(ctx, w.NOT_HERE)
        return
    question = Question("ask", message.id, ctx.author, ctx.channel, text, message.id)
    event = await services.intake.asking.submit(question)
    if isinstance(event, Reason):
        await refuse(ctx, REASONS[event].user or w.NOT_NOW)
        return
    await tell(ctx, w.TASK_STARTED(task=inline(task_id(event.id))))
