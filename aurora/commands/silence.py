"""`[p]aurora config silence`: by which words a server's agent says that it says nothing."""

from collections.abc import Sequence
from typing import Literal

import discord
from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

from ..chat.hygiene.silence import is_marker, is_same
from ..guard.invoking import asks
from ..guard.policy import Act
from ..services import Services
from ..words import Phrase
from ..words import silence as w
from .asking import refuse, tell, unfenced
from .config import ConfigCommands

_ACTIONS = ("add", "remove", "clear", "show")
_MOST = 20
_MOST_CHARS = 60
_KNOWN = "`NO_REPLY`"


class SilenceCommands:
    """A server's own markers of silence."""

    services: Services

    @ConfigCommands.config.command(name="silence", with_app_command=False)
    @commands.guild_only()
    @asks(Act.CONFIGURE)
    async def config_silence(
        self,
        ctx: commands.GuildContext,
        action: Literal["add", "remove", "clear", "show"] | str = "show",
        *,
        word: str = "",
    ) -> None:
        """List words by which the agent says that it has nothing to say.

        `<word>`: one or some, such as `PASS` or `nothing to add`. An answer that is nothing else
        is not posted; case, markup and punctuation make no difference. `remove <word>` takes one
        off the list, `clear` all.
        """
        action = action.lower() if action.lower() in _ACTIONS else action
        if action not in _ACTIONS:
            # `config silence <word>` adds it.
            action, word = "add", f"{action} {word}"
        word = " ".join(word.split())
        settings = self.services.settings
        words = settings.guild(ctx.guild.id).silence_words
        why = _refusal(action, word, words)
        if why is not None:
            await refuse(ctx, why)
            return
        if action != "show":
            words = [] if action == "clear" else [one for one in words if not is_same(one, word)]
            words = [*words, word] if action == "add" else words
            await self.services.change_guild(ctx.guild.id, silence_words=words)
        listed = ", ".join(map(_shown, words))
        said = w.LISTED(words=listed, known=_KNOWN) if words else w.NONE_LISTED(known=_KNOWN)
        await tell(ctx, said, allowed_mentions=discord.AllowedMentions.none())


def _refusal(action: str, word: str, words: Sequence[str]) -> Phrase | None:
    """Say why a word can't be added or removed."""
    if action not in ("add", "remove"):
        return None
    if not word:
        return w.WHICH
    if len(word) > _MOST_CHARS:
        return w.TOO_LONG(count=len(word), most=_MOST_CHARS)
    listed = any(is_same(one, word) for one in words)
    if action == "remove":
        return None if listed else w.NOT_LISTED(word=_shown(word))
    if is_marker(word):
        return w.KNOWN(word=_shown(word))
    return w.TOO_MANY(most=_MOST) if len(words) >= _MOST and not listed else None


def _shown(word: str) -> str:
    return inline(unfenced(word))
