"""Which hosts' addresses an agent may have previewed, as a server's admins list them."""

from __future__ import annotations

from redbot.core import commands

from ..guard.links import host_in
from ..services import Services
from ..words import config as w
from .asking import refuse, tell

_MOST = 50


async def change_hosts(
    ctx: commands.GuildContext, services: Services, action: str, text: str
) -> None:
    """Add a host, remove one, or all; and say which there are."""
    settings, host = services.settings, host_in(text)
    hosts = list(settings.guild(ctx.guild.id).embed_hosts)
    if action in ("add", "remove") and host is None:
        await refuse(ctx, w.NO_HOST)
        return
    if action == "add" and host is not None and host not in hosts:
        if len(hosts) >= _MOST:
            await refuse(ctx, w.TOO_MANY_HOSTS(most=_MOST))
            return
        hosts.append(host)
    elif action == "remove" and host is not None:
        if host not in hosts:
            await refuse(ctx, w.HOST_NOT_LISTED(host=f"`{host}`"))
            return
        hosts.remove(host)
    elif action == "clear":
        hosts = []
    if action != "show":
        await settings.set_guild(ctx.guild.id, embed_hosts=hosts)
    listed = ", ".join(f"`{one}`" for one in hosts)
    await tell(ctx, w.HOSTS(hosts=listed) if hosts else w.NO_HOSTS)
