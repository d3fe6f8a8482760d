"""What becomes of a send that only its audience forbids: the asker is asked."""

from __future__ import annotations

import discord

from ..chat.failures import SendFailed
from ..chat.places import Place, find_place
from ..guard.audience import gate_with_guests
from .offers import OFFER_CHARS
from .tool import Scope, ToolError, WiderAudience

_OFFERED = (
    "Not sent: not everybody there may read this place. Your text is shown here with a button by "
    "which the person who asked can post it there. Do not send it again; end your turn, or say "
    "here what is left to say."
)


async def offer(scope: Scope, refused: WiderAudience, text: str) -> str:
    """Show the text to the asker with a button, once in a turn; raise ToolError whatever comes."""
    event, text = scope.event, scope.sender.filtered(scope.turn, text).text
    if not text or await scope.offers.made(event):
        raise refused
    if len(text) > OFFER_CHARS:
        raise ToolError(
            f"{refused} With at most {OFFER_CHARS} characters, the person could be asked to post "
            "it there themselves.",
            refused.reason,
        )
    here = await find_place(scope.bot, event, event.channel_id)
    if not isinstance(here, Place):
        raise refused
    scope.ensure_open()
    try:
        named = await _is_named(scope, here, refused.place)
        await scope.offers.make(scope.turn, here, refused.place, text, named=named)
    except SendFailed as failure:
        raise refused from failure
    # Whoever reads the button knows better than what was refused before.
    scope.turn.refused = ""
    raise ToolError(_OFFERED)


async def _is_named(scope: Scope, here: Place, there: Place) -> bool:
    """Tell whether everybody here sees that the other place exists."""
    gate = await gate_with_guests(here)
    shown = there.parent if isinstance(there, discord.Thread) else there
    if gate is None or shown is None or (isinstance(there, discord.Thread) and there.is_private()):
        return False
    return await scope.guard.audiences.sees(here.guild, gate, shown)
