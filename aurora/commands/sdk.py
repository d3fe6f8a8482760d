"""The offer to install the SDK that Letta's REST API needs."""

from __future__ import annotations

import asyncio

from redbot.core import commands

from ..agents.sdk import SdkFolder
from ..installing import FolderState, InstallError
from ..services import Services
from ..words import Phrase, say
from ..words import setup as w
from .asking import boxed, confirm, working

_OFFERS = {
    FolderState.MISSING: w.SDK_OFFER,
    FolderState.OUTDATED: w.SDK_OUTDATED,
    FolderState.BROKEN: w.SDK_BROKEN,
}
_PIP_CHARS = 700
_COMMAND_CHARS = 700


async def provide_sdk(ctx: commands.Context, services: Services) -> Phrase | None:
    """Offer to install the SDK unless it is there; return what to say if it still is not."""
    sdk = services.sdk
    state = await asyncio.to_thread(sdk.state)
    if state is FolderState.READY:
        return None
    if not await confirm(ctx, services, _OFFERS[state](packages=sdk.packages)):
        return w.SDK_LATER(how=_how(sdk))
    try:
        async with working(ctx):
            await sdk.install()
    except InstallError as error:
        # The command is shown on its own; what pip wrote may be long.
        trouble = say(error.phrase).replace(sdk.command(), say(w.SDK_SEE_BELOW))
        return w.SDK_FAILED(trouble=boxed(trouble, _PIP_CHARS), how=_how(sdk))
    return None


def _how(sdk: SdkFolder) -> Phrase:
    return w.SDK_BY_HAND(command=boxed(sdk.command(), _COMMAND_CHARS))
