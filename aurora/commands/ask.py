"""`/ask`, its typed forms, and the menu of a message: ways to ask without a mention."""

from typing import Any, Literal

import discord
from discord import app_commands
from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

from ..chat.languages import speak_to_person
from ..chat.places import Place
from ..guard.invoking import asks, listens
from ..guard.policy import Act
from ..guard.pressing import GuardedForm
from ..ids import task_id
from ..intake.asking import Question
from ..intake.asks import Request
from ..model import NO_WISH, Wish
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
        agent="Who answers; in a thread for good",
        mode="One answer, or what several agents say, compared",
        breakglass="For the bot's owner: the strongest model, before all others",
    )
    @listens(Act.ASK)
    async def slash_ask(
        self,
        interaction: discord.Interaction[Any],
        question: app_commands.Range[str, 1, _MOST_CHARS],
        where: Literal["here", "thread"] = "here",
        background: bool = False,
        agent: str = "",
        mode: Literal["answer", "compare"] = "answer",
        breakglass: bool = False,
    ) -> None:
        """Ask the agent; everybody here sees the question and the answer."""
        request = Request(question, thread=where == "thread", background=background)
        await speak_to_person(interaction)
        wish = await self.services.asks.wishes.read(
            interaction.user.id,
            interaction.guild_id,
            agent,
            compare=mode == "compare",
            breakglass=breakglass,
        )
        if isinstance(wish, Wish):
            await _ask(interaction, self.services, request._replace(wish=wish))
        elif not self.services.standing_by:
            await interaction.response.send_message(say(wish), ephemeral=True)

    @slash_ask.autocomplete("agent")
    async def slash_ask_agents(
        self, interaction: discord.Interaction[Any], typed: str
    ) -> list[app_commands.Choice[str]]:
        """Offer whom one may ask here; behind a comma, one more to compare."""
        before, _, last = typed.rpartition(",")
        taken = [one.strip() for one in before.split(",")]
        lead = f"{before}," if before else ""
        found = [
            one
            for one in self.services.asks.wishes.roles(interaction.guild_id)
            if last.strip().lower() in one and one not in taken
        ]
        return [app_commands.Choice(name=f"{lead}{one}", value=f"{lead}{one}") for one in found]

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

        `<name>`: the agent that answers here, by its id or name, or a role of this server.
        """
        guild_id = ctx.guild.id if ctx.guild else None
        if name.lower() in self.services.asks.wishes.roles(guild_id):
            await _ask_by_command(ctx, self.services, task, Wish(role=name.lower()))
            return
        agent_id = self.services.settings.agent_for(guild_id)
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
        request = Request(self.text or say(w.ABOUT_THIS), about=self._about)
        await _ask(interaction, self._services, request)


@listens(Act.ASK)
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


async def _ask(
    interaction: discord.Interaction[Any], services: Services, request: Request
) -> None:
    if services.standing_by:
        # The Aurora that works is about to answer.
        return
    await speak_to_person(interaction)
    refused = c.NOT_STARTED if services.failure is not None else None
    refused = refused or await services.asks.ask(interaction, request)
    if refused is not None:
        await interaction.response.send_message(say(refused), ephemeral=True)


async def _name_of(services: Services, agent_id: str | None) -> str | None:
    """Return what an agent is called; None if its server does not say."""
    found = await services.status.agents([agent_id]) if agent_id is not None else None
    return found[0].info.name if found and found[0].info is not None else None


async def _ask_by_command(
    ctx: commands.Context, services: Services, text: str, wish: Wish = NO_WISH
) -> None:
    message = ctx.message
    if not isinstance(ctx.channel, Place | discord.DMChannel):
        await refuse(ctx, w.NOT_HERE)
        return
    question = Question("ask", message.id, ctx.author, ctx.channel, text, message.id, wish)
    event = await services.intake.asking.submit(question)
    if isinstance(event, Reason):
        await refuse(ctx, REASONS[event].user or w.NOT_NOW)
        return
    await tell(ctx, w.TASK_STARTED(task=inline(task_id(event.id))))
