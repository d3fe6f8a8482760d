"""The offer to install the SDK that Letta's REST API needs."""

from __future__ import annotations

import asyncio

from redbot.core import commands
from redbot.core.utils.chat_formatting import box

from ..agents.sdk import SdkError, SdkFolder, SdkState
from ..chat.splitting import shorten
from ..services import Services
from ..words import say
from .asking import confirm, unfenced, working

_OFFER = (
    "Letta's REST API needs Letta's SDK{why}. I can install it now with one call of pip: "
    "{packages} packages into Aurora's own data folder; Red's own packages stay untouched. "
    "Install now?"
)
_WHY = {
    SdkState.MISSING: "",
    SdkState.OUTDATED: ", and the one that is installed is for another version of me or of Python",
    SdkState.BROKEN: ", and files of the one that is installed are missing or damaged",
}
_LATER = "The address is kept, but nobody is answered from there before Letta's SDK is installed. "
_BY_HAND = "To install it by hand, run this where the bot runs:"
_AFTERWARDS = "Then use `{prefix}aurora lettaurl` again to see whether the server answers."
_PIP_CHARS = 700
_COMMAND_CHARS = 700


async def provide_sdk(ctx: commands.Context, services: Services) -> str | None:
    """Offer to install the SDK unless it is there; return what to say if it still is not."""
    sdk = services.sdk
    state = await asyncio.to_thread(sdk.state)
    if state is SdkState.READY:
        return None
    if not await confirm(ctx, services, _OFFER.format(why=_WHY[state], packages=sdk.packages)):
        return _LATER + _how(ctx, sdk)
    try:
        async with working(ctx):
            await sdk.install()
    except SdkError as error:
        # The command is shown on its own; what pip wrote may be long.
        trouble = say(error.phrase).replace(sdk.command(), "see below")
        return f"{_LATER}\n{_boxed(trouble, _PIP_CHARS)}{_how(ctx, sdk)}"
    return None


def _how(ctx: commands.Context, sdk: SdkFolder) -> str:
    command = _boxed(sdk.command(), _COMMAND_CHARS)
    return f"{_BY_HAND}\n{command}{_AFTERWARDS.format(prefix=ctx.clean_prefix)}"


def _boxed(text: str, limit: int) -> str:
    return box(shorten(unfenced(text), limit))
