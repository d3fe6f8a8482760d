"""`[p]aurora config channels|roles|users`: who may ask the agent in a server, and where."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Optional

import discord
from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

from ..guard.invoking import asks
from ..guard.looking import can_view
from ..guard.policy import Act
from ..services import Services
from ..settings import GuildSettings
from ..words import Phrase, in_order
from ..words import config as w
from .asking import refuse, tell, unfenced
from .config import ConfigCommands

Action = Literal["allow", "deny", "clear"]
"""What a person types; without a target `clear` empties both lists."""

_NAMES_SHOWN = 25
_GIVEN_CHARS = 50


class _Kind(NamedTuple):
    """A pair of lists: how it is called in settings, and what is said of it."""

    key: str
    what: Phrase
    open: Phrase
    allowed: Phrase
    denied: Phrase
    mention: str

    def of(self, mine: GuildSettings) -> tuple[Sequence[int], Sequence[int]]:
        """Return who or what is allowed, and denied."""
        return getattr(mine, f"{self.key}_allowed"), getattr(mine, f"{self.key}_denied")


_CHANNELS = _Kind(
    "channels", w.A_CHANNEL, w.CHANNELS_OPEN, w.CHANNELS_ALLOWED, w.CHANNELS_DENIED, "<#{}>"
)
_ROLES = _Kind("roles", w.A_ROLE, w.ROLES_OPEN, w.ROLES_ALLOWED, w.ROLES_DENIED, "<@&{}>")
_USERS = _Kind("users", w.A_USER, w.USERS_OPEN, w.USERS_ALLOWED, w.USERS_DENIED, "<@{}>")


class AccessCommands:
    """The access lists of a server."""

    services: Services

    @ConfigCommands.config.command(name="channels", with_app_command=False)
    @commands.guild_only()
    @asks(Act.CONFIGURE)
    async def config_channels(
        self,
        ctx: commands.GuildContext,
        # discord.py reads the annotation at run time and knows Optional.
        action: Optional[Action] = None,  # noqa: UP045
        *,
        target: Optional[str] = None,  # noqa: UP045
    ) -> None:
        """Choose in which channels the agent answers.

        `allow <channel>`: only where something is allowed. `deny <channel>`: not there, whatever
        is allowed. `clear [channel]` takes one off the lists, or all. A category stands for its
        channels, a channel for its threads. Who manages the server is answered everywhere.
        """
        await _change(ctx, self.services, _CHANNELS, action, target)

    @ConfigCommands.config.command(name="roles", with_app_command=False)
    @commands.guild_only()
    @asks(Act.CONFIGURE)
    async def config_roles(
        self,
        ctx: commands.GuildContext,
        action: Optional[Action] = None,  # noqa: UP045 - as above
        *,
        target: Optional[str] = None,  # noqa: UP045
    ) -> None:
        """Choose who may ask the agent, by roles.

        `allow <role>`: only who has an allowed role, or is an allowed user. `deny <role>`: who has
        it may not ask, whatever is allowed. `clear [role]` takes one off the lists, or all. The
        server's owner may always ask.
        """
        await _change(ctx, self.services, _ROLES, action, target)

    @ConfigCommands.config.command(name="users", with_app_command=False)
    @commands.guild_only()
    @asks(Act.CONFIGURE)
    async def config_users(
        self,
        ctx: commands.GuildContext,
        action: Optional[Action] = None,  # noqa: UP045 - as above
        *,
        target: Optional[str] = None,  # noqa: UP045
    ) -> None:
        """Choose who may ask the agent, by name.

        `allow <user>`: only who is an allowed user, or has an allowed role. `deny <user>`: who is
        denied may not ask, whatever is allowed. `clear [user]` takes one off the lists, or all.
        The server's owner may always ask.
        """
        await _change(ctx, self.services, _USERS, action, target)


async def _change(
    ctx: commands.GuildContext,
    services: Services,
    kind: _Kind,
    action: Action | None,
    target: str | None,
) -> None:
    """Put something on a list or take it off; say what the lists are."""
    allowed, denied = kind.of(services.settings.guild(ctx.guild.id))
    if action is None and target is not None:
        await refuse(ctx, w.WHICH_ACTION)
        return
    if action is None:
        await _show(ctx, _said(kind, allowed, denied))
        return
    if target is None and action != "clear":
        await refuse(ctx, w.WHICH_TARGET(action=action))
        return
    meant = None if target is None else await _find(ctx, kind, target, {*allowed, *denied})
    if target is not None and meant is None:
        given = inline(unfenced(target[:_GIVEN_CHARS]))
        await refuse(ctx, w.NO_TARGET(what=kind.what, given=given))
        return
    # What others have changed while Discord was asked stays.
    allowed, denied = kind.of(services.settings.guild(ctx.guild.id))
    allowed = [one for one in allowed if one != meant and meant is not None]
    denied = [one for one in denied if one != meant and meant is not None]
    if meant is not None and action != "clear":
        (allowed if action == "allow" else denied).append(meant)
    lists = {f"{kind.key}_allowed": allowed, f"{kind.key}_denied": denied}
    await services.change_guild(ctx.guild.id, **lists)
    await _show(ctx, w.LISTS_CHANGED(lists=_said(kind, allowed, denied)))


async def _show(ctx: commands.Context, what: Phrase) -> None:
    await tell(ctx, what, allowed_mentions=discord.AllowedMentions.none())


def _said(kind: _Kind, allowed: Sequence[int], denied: Sequence[int]) -> Phrase:
    return in_order(
        kind.allowed(names=_names(kind, allowed)) if allowed else None,
        kind.denied(names=_names(kind, denied)) if denied else None,
        None if allowed or denied else kind.open,
    )


def _names(kind: _Kind, ids: Sequence[int]) -> Phrase | str:
    shown = ", ".join(kind.mention.format(one) for one in ids[:_NAMES_SHOWN])
    more = len(ids) - _NAMES_SHOWN
    return w.LISTED_MORE(names=shown, count=more) if more > 0 else shown


async def _find(
    ctx: commands.GuildContext, kind: _Kind, text: str, listed: set[int]
) -> int | None:
    """Return the id of what a person means: somebody or something here, or a listed id."""
    text = text.strip()
    # It may be gone, and is to be cleared all the same.
    known = next((one for one in listed if str(one) == text), None)
    if known is not None:
        return known
    for converter in _CONVERTERS[kind.key]:
        try:
            found = await converter().convert(ctx, text)
        except commands.BadArgument:
            continue
        if isinstance(found, (discord.abc.GuildChannel, discord.Thread)) and not (
            found.guild == ctx.guild and await can_view(ctx.author, found)
        ):
            # Hidden and missing look alike.
            continue
        identifier: int = found.id
        return identifier
    return None


_CONVERTERS = {
    "channels": (commands.GuildChannelConverter, commands.ThreadConverter),
    "roles": (commands.RoleConverter,),
    "users": (commands.MemberConverter, commands.UserConverter),
}
