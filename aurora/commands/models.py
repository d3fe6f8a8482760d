"""`[p]aurora config models`: which models agents are given, and which for what is too hard."""

from typing import Literal, Optional

from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

from ..agents.protocol import ModelLister
from ..chat.splitting import shorten
from ..guard.invoking import asks
from ..guard.policy import Act
from ..reasons import AgentError
from ..services import Services
from ..settings import MODELS, STRONG
from ..words import Phrase, clause, say
from ..words import models as w
from .agents import find_agent, named
from .asking import refuse, tell, working
from .config import ConfigCommands

_HANDLE_CHARS, _LISTED_CHARS = 200, 900
_OFF = "off"


class ModelsCommands:
    """The owner's choice of models."""

    services: Services

    @ConfigCommands.config.command(name="models", with_app_command=False)
    @asks(Act.GOVERN)
    async def config_models(
        self,
        ctx: commands.Context,
        which: Literal["light", "normal", "strong", "show"] = "show",
        # discord.py reads the annotation at run time and knows Optional in slash commands.
        handle: Optional[str] = None,  # noqa: UP045
    ) -> None:
        """Choose the models that agents are given.

        `normal` takes the place of each agent's own; `strong` is for the next message where an
        agent got stuck, asked back, or is doubted; `light` is for the router. `<handle>` is as
        your Letta server names it, such as `openai/gpt-4.1`, or `off`.
        """
        settings = self.services.settings
        if which == "show" or handle is None:
            await self._show_models(ctx)
            return
        if handle.lower() == _OFF:
            rest = {one: name for one, name in settings.world.models.items() if one != which}
            await settings.set_world(models=rest)
            await tell(ctx, w.UNSET(which=which))
            return
        async with working(ctx):
            refused = await self._models_refusal(handle)
        if refused is not None:
            await refuse(ctx, refused)
            return
        await settings.set_world(models={**settings.world.models, which: handle})
        await tell(ctx, w.SET(which=which, handle=inline(handle)))

    @ConfigCommands.config.command(name="routeragent", with_app_command=False)
    @asks(Act.GOVERN)
    async def config_routeragent(self, ctx: commands.Context, agent_id: str) -> None:
        """Choose the agent that routes messages on a server of Letta's REST API.

        `<agent_id>`: one without tools, for it reads what people write; or `off`. An App Server
        needs none.
        """
        if agent_id.lower() == _OFF:
            await self.services.settings.set_world(router_agent_id=None)
            await tell(ctx, w.NO_ROUTER_AGENT)
        elif (found := await find_agent(ctx, self.services, agent_id)) is not None:
            await self.services.settings.set_world(router_agent_id=found.id)
            await tell(ctx, w.ROUTER_AGENT(agent=named(found)))

    async def _models_refusal(self, handle: str) -> Phrase | None:
        """Say why a model can't be chosen."""
        backend = self.services.agents.backend
        if not isinstance(backend, ModelLister):
            return w.NO_SERVER
        try:
            names = await backend.models()
        except AgentError as error:
            return w.NOT_LISTED(detail=clause(error.detail))
        if handle in names:
            return None
        listed = shorten(", ".join(map(inline, names)), _LISTED_CHARS)
        return w.NO_SUCH_MODEL(handle=inline(handle[:_HANDLE_CHARS]), names=listed)

    async def _show_models(self, ctx: commands.Context) -> None:
        chosen = self.services.settings.world.models
        if not chosen:
            await tell(ctx, w.NONE_CHOSEN)
            return
        lines = []
        for which in MODELS:
            if which in chosen:
                lines.append(say(w.CHOSEN(which=which, handle=inline(chosen[which]))))
            else:
                lines.append(say((w.NO_STRONG if which == STRONG else w.NOT_CHOSEN)(which=which)))
        await ctx.send("\n".join(lines))
