"""What becomes of a send that only its audience forbids: the asker is asked."""

from __future__ import annotations

from ..chat.failures import SendFailed
from ..chat.places import Place, find_place
from ..guard.naming import is_known
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
        named = await is_known(scope.guard.audiences, here, refused.place)
        await scope.offers.make(scope.turn, here, refused.place, text, named=named)
    except SendFailed as failure:
        raise refused from failure
    # Whoever reads the button knows better than what was refused before.
    scope.turn.refused = ""
    raise ToolError(_OFFERED)
