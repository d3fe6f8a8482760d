"""What wakes the agent in a server, as its admins and the bot's owner decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import discord
from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

from ..ids import snowflake
from ..reasons import Reason
from ..runs.cancelling import Running, by, in_guild
from ..services import Services
from ..settings import PREFIXES, TO_AGENT, TO_ANY, GuildSettings, typed
from ..words import Phrase, say
from ..words import triggers as w
from .asking import refuse, tell, unfenced
from .rows import Row

_OFF = "off"
_PREFIXES_MOST, _PREFIX_CHARS = 50, 10
_WORD_CHARS = 32
_TRUSTED_MOST = 25
_GIVEN_CHARS = 50
_QUIET: dict[str, Any] = {"allowed_mentions": discord.AllowedMentions.none()}


def calling_rows(mine: GuildSettings) -> Iterator[Row]:
    """Yield the name of each setting about calls, its value, and what values it takes."""
    values = w.REPLIES_VALUES(one=TO_AGENT, other=TO_ANY)
    yield "replies", mine.replies, values
    yield "ignoreprefixes", str(len(mine.prefixes_ignored)), w.PREFIXES_VALUES
    role = typed(mine.mention_role_id is not None)
    yield "mentionrole", role, w.ROLE_VALUES(off=_OFF)
    yield "wakeword", mine.wake_word or _OFF, w.WORD_VALUES(off=_OFF)
    trusted = len(mine.bots_trusted) + len(mine.webhooks_trusted)
    yield "trustbot", str(trusted), w.TRUSTED_VALUES


async def choose_replies(
    ctx: commands.GuildContext, services: Services, which: str | None
) -> None:
    """Choose which replies count, and say which do."""
    if which is not None:
        await services.settings.set_guild(ctx.guild.id, replies=which)
    any_counts = services.settings.guild(ctx.guild.id).replies == TO_ANY
    await tell(ctx, w.REPLIES_ANY if any_counts else w.REPLIES_AGENT)


async def change_prefixes(
    ctx: commands.GuildContext, services: Services, action: str, text: str
) -> None:
    """Add a prefix of other bots, remove one, or all, or have those of the beginning."""
    settings, prefix = services.settings, text.strip().lower()
    prefixes = list(settings.guild(ctx.guild.id).prefixes_ignored)
    if (why := _prefix_refused(prefixes, action, prefix)) is not None:
        await refuse(ctx, why)
        return
    match action:
        case "add":
            prefixes = [*(one for one in prefixes if one != prefix), prefix]
        case "remove":
            prefixes.remove(prefix)
        case "clear":
            prefixes = []
        case "default":
            prefixes = list(PREFIXES)
    if action != "show":
        await settings.set_guild(ctx.guild.id, prefixes_ignored=prefixes)
    listed = " ".join(_shown(one) for one in prefixes)
    await tell(ctx, w.PREFIXES(prefixes=listed) if prefixes else w.NO_PREFIXES)


def _prefix_refused(prefixes: Sequence[str], action: str, prefix: str) -> Phrase | None:
    """Return why a prefix is not added or removed."""
    if action not in ("add", "remove"):
        return None
    if not prefix:
        return w.NO_PREFIX(action=action)
    if action == "remove":
        return None if prefix in prefixes else w.NOT_LISTED(given=_shown(prefix))
    signs = prefix.removeprefix("*")
    blank = any(char.isspace() for char in signs)
    if blank or signs.isalnum() or not 0 < len(signs) <= len(prefix) <= _PREFIX_CHARS:
        return w.BAD_PREFIX(prefix=_shown(prefix), most=_PREFIX_CHARS)
    if prefix not in prefixes and len(prefixes) >= _PREFIXES_MOST:
        return w.TOO_MANY(most=_PREFIXES_MOST)
    return None


async def choose_mention_role(
    ctx: commands.GuildContext, services: Services, text: str | None
) -> None:
    """Choose a role of the bot's whose mention counts as the bot's; or none."""
    settings = services.settings
    if text is None:
        role_id = settings.guild(ctx.guild.id).mention_role_id
        role = ctx.guild.get_role(role_id) if role_id is not None else None
        await tell(ctx, w.ROLE_IS(role=role.mention) if role else w.ROLE_OFF, **_QUIET)
        return
    if text.strip().lower() == _OFF:
        await settings.set_guild(ctx.guild.id, mention_role_id=None)
        await tell(ctx, w.ROLE_OFF)
        return
    try:
        role = await commands.RoleConverter().convert(ctx, text.strip())
    except commands.BadArgument:
        await refuse(ctx, w.NO_ROLE(role=_shown(text)))
        return
    if role.is_default():
        await refuse(ctx, w.EVERYONES_ROLE)
    elif role not in ctx.guild.me.roles:
        await tell(ctx, w.NOT_MY_ROLE(role=role.mention), **_QUIET)
    else:
        await settings.set_guild(ctx.guild.id, mention_role_id=role.id)
        await tell(ctx, w.ROLE_IS(role=role.mention), **_QUIET)


async def choose_wake_word(
    ctx: commands.GuildContext, services: Services, text: str | None
) -> None:
    """Choose a nickname that a message can begin with; or none."""
    settings = services.settings
    if text is None:
        word = settings.guild(ctx.guild.id).wake_word
        await tell(ctx, w.WORD_IS(word=_shown(word)) if word else w.WORD_OFF, **_QUIET)
        return
    word = text.strip()
    if word.lower() == _OFF:
        await settings.set_guild(ctx.guild.id, wake_word=None)
        await tell(ctx, w.WORD_OFF)
        return
    fits = 2 <= len(word) <= _WORD_CHARS and word.isprintable()
    if not fits or not (word[0].isalnum() and word[-1].isalnum()):
        await refuse(ctx, w.BAD_WORD(word=_shown(word), most=_WORD_CHARS))
        return
    await settings.set_guild(ctx.guild.id, wake_word=word)
    await tell(ctx, w.WORD_IS(word=_shown(word)), **_QUIET)


async def change_trusted(
    ctx: commands.GuildContext, services: Services, action: str, text: str
) -> None:
    """Let a bot or a webhook ask in a server, or take that back; and say who may."""
    if action != "show":
        who = await _whom(ctx, text)
        why = who if isinstance(who, Phrase) else await _trust(ctx, services, action, who)
        if why is not None:
            await tell(ctx, why, **_QUIET)
            return
    mine = services.settings.guild(ctx.guild.id)
    named = [f"<@{one}>" for one in mine.bots_trusted]
    named += [say(w.A_WEBHOOK(id=one)) for one in mine.webhooks_trusted]
    trusted = w.TRUSTED(count=mine.bot_turns, who=", ".join(named))
    await tell(ctx, trusted if named else w.NOBODY_TRUSTED, **_QUIET)


async def _trust(
    ctx: commands.GuildContext,
    services: Services,
    action: str,
    who: discord.Member | discord.Object,
) -> Phrase | None:
    """Put a bot or webhook on its list, or take it off; return why not."""
    mine = services.settings.guild(ctx.guild.id)
    bots = [one for one in mine.bots_trusted if one != who.id]
    hooks = [one for one in mine.webhooks_trusted if one != who.id]
    if action == "add":
        if len(bots) + len(hooks) >= _TRUSTED_MOST:
            return w.TOO_MANY(most=_TRUSTED_MOST)
        (bots if isinstance(who, discord.Member) else hooks).append(who.id)
    elif who.id not in (*mine.bots_trusted, *mine.webhooks_trusted):
        return w.NOT_LISTED(given=f"`{who.id}`")
    await services.settings.set_guild(ctx.guild.id, bots_trusted=bots, webhooks_trusted=hooks)
    if action == "remove":
        here, theirs = in_guild(ctx.guild.id), by(who.id)
        await services.cancelling.cancel(
            lambda event: here(event) and theirs(event), Reason.INELIGIBLE, running=Running.STOP
        )
    return None


async def _whom(ctx: commands.GuildContext, text: str) -> discord.Member | discord.Object | Phrase:
    """Return the bot or webhook that is meant, or what to say of it."""
    try:
        member = await commands.MemberConverter().convert(ctx, text.strip())
    except commands.BadArgument:
        found = snowflake(text.strip().strip("<@!>"))
        return w.NO_BOT(given=_shown(text)) if found is None else discord.Object(found)
    if not member.bot:
        return w.A_PERSON(who=member.mention)
    return w.NO_BOT(given=member.mention) if member == ctx.guild.me else member


def _shown(text: str) -> str:
    return inline(unfenced(text.strip()[:_GIVEN_CHARS]) or " ")
