"""`[p]aurora forget`: a conversation that begins anew."""

from redbot.core import commands

from ..guard.invoking import asks
from ..guard.policy import Act
from ..model import lane_of
from ..runs.forgetting import Renewed
from ..services import Services
from ..words import forgetting as w
from ..words.commands import UNCHANGED
from .asking import confirm, tell, working
from .overview import show_commands
from .setup import SetupCommands

_SAID = {
    Renewed.NOTHING: w.NOTHING,
    Renewed.DONE: w.DONE,
    Renewed.LATER: w.LATER,
    Renewed.LEFT: w.LEFT,
}


class ForgetCommands:
    """What an agent is to know no more."""

    services: Services

    @SetupCommands.aurora.group(name="forget", autohelp=False, with_app_command=False)
    async def forget(self, ctx: commands.Context) -> None:
        """Let a conversation begin anew."""
        await show_commands(ctx)

    @forget.command(name="here", with_app_command=False)
    @asks(Act.RENEW)
    async def forget_here(self, ctx: commands.Context) -> None:
        """Begin a new conversation in this channel, thread or direct message.

        What was said before is put away on the agent's server, for everybody here. What the agent
        has in its memory stays.
        """
        services = self.services
        if not await confirm(ctx, services, w.ASK):
            await tell(ctx, UNCHANGED)
            return
        async with working(ctx):
            renewed = await services.forgetting.renew(lane_of(ctx.channel.id))
        await tell(ctx, _SAID[renewed])
