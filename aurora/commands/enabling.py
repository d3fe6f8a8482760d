"""Who may let which agent answer in a server, and how it is switched off there."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

from ..reasons import Reason
from ..runs.cancelling import in_guild
from ..services import Services
from ..words import Phrase
from ..words import setup as w
from .asking import refuse

_AGENTS_SHOWN = 20


async def may_enable(
    ctx: commands.Context, services: Services, guild: discord.Guild, agent_id: str
) -> bool:
    """Tell whether the person may let this agent answer in a server, and say so if not.

    The bot's owner may let in any, a server's admins those that the owner has allowed there.
    """
    allowed = services.settings.guild(guild.id).agents_allowed
    if agent_id in allowed or await ctx.bot.is_owner(ctx.author):
        return True
    # Whether there is such an agent is nobody else's to find out.
    await refuse(ctx, w.NOT_YOURS(agents=listed(allowed)))
    return False


async def switch_off(services: Services, guild_id: int) -> int:
    """Answer nobody in a server any more; return how many waiting messages were cancelled."""
    await services.settings.set_guild(guild_id, enabled=False)
    return await services.cancelling.cancel(in_guild(guild_id), Reason.DISABLED)


def listed(agent_ids: Sequence[str]) -> Phrase | str:
    """Write agents' ids, the first few of them."""
    shown = ", ".join(inline(one) for one in agent_ids[:_AGENTS_SHOWN])
    more = len(agent_ids) - _AGENTS_SHOWN
    return w.AND_MORE(names=shown, count=more) if more > 0 else shown or w.NONE_ALLOWED
