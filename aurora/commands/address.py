"""The address of the agent's server: shown, tried, and replaced."""

from __future__ import annotations

from redbot.core import commands

from ..agents.address import (
    Address,
    AddressError,
    Kind,
    parse_address,
)
from ..services import Services
from ..words import in_order
from ..words import setup as w
from .agents import plainly
from .asking import ask, confirm, refuse, tell, working
from .sdk import provide_sdk


async def show_address(ctx: commands.Context, services: Services) -> None:
    """Say which address is set, and whether the server answers there."""
    if services.settings.world.letta_base_url is None:
        await tell(ctx, w.NO_SERVER_YET)
        return
    backend = services.agents.backend
    if backend is None:
        # It may hold what must not be shown.
        await tell(ctx, w.UNUSABLE_ADDRESS)
        return
    async with working(ctx):
        trouble = await services.probe()
    known = w.THE_ADDRESS(kind=parse_address(backend.url).kind, url=backend.url)
    await tell(ctx, plainly(services, in_order(known, trouble or w.IT_ANSWERS)))


async def change_address(ctx: commands.Context, services: Services, text: str) -> None:
    """Use another address; one that works is not given up for one that does not, unasked."""
    try:
        address = parse_address(text)
    except AddressError as error:
        await refuse(ctx, error.phrase)
        return
    settings = services.settings
    before = settings.world.letta_base_url
    clear_ok: bool | None = False
    if not address.token_is_safe:
        clear_ok = await _ask_clear(ctx, services, address)
    if clear_ok is None:
        await tell(ctx, w.NOT_CONFIRMED)
        return
    trouble = await provide_sdk(ctx, services) if address.kind is Kind.REST else None
    async with working(ctx):
        trouble = trouble or await services.try_server(address, clear_ok=clear_ok)
        works = before not in (None, address.url) and await services.probe() is None
    if trouble and works and not await confirm(ctx, services, w.REPLACE(said=trouble, old=before)):
        await tell(ctx, w.STAYS(old=before))
        return
    if settings.world.letta_base_url != before:
        await tell(ctx, w.CHANGED_MEANWHILE)
        return
    async with working(ctx):
        await services.use_server(address.url, clear_ok=clear_ok)
    done = w.SERVER_ANSWERS(kind=address.kind, url=address.url)
    await tell(ctx, in_order(w.KEPT, trouble) if trouble else plainly(services, done))


async def _ask_clear(ctx: commands.Context, services: Services, address: Address) -> bool | None:
    """Ask whether a token may travel unencrypted; None without an answer."""
    better = "wss://" if address.kind is Kind.APP_SERVER else "https://"
    return await ask(ctx, services, w.ASK_CLEAR(url=address.url, better=better))
