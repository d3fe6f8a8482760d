"""The address of the agent's server: shown, tried, and replaced."""

from __future__ import annotations

from redbot.core import commands

from ..agents.address import Address, AddressError, Kind, parse_address
from ..agents.lookup import trouble_with
from ..agents.server import withheld
from ..reasons import AgentError
from ..services import Services
from ..words import Phrase, clause, in_order
from ..words import setup as w
from ..words.remedies import remedy_for
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
        trouble = await _probe(services)
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
        trouble = trouble or await _try(services, address, clear_ok=clear_ok)
        works = before not in (None, address.url) and await _probe(services) is None
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


async def _probe(services: Services) -> Phrase | None:
    """Ask the server in use whether it answers; return what is wrong, in plain words."""
    backend = services.agents.backend
    if backend is None:
        return w.NO_SERVER
    error = await trouble_with(backend)
    return _out_of_reach(backend.url, error) if error else None


async def _try(services: Services, address: Address, *, clear_ok: bool) -> Phrase | None:
    """Ask a server whether it answers, before it is used; return what is wrong."""
    token = (await services.bot.get_shared_api_tokens("letta")).get("token")
    error = await services.agents.try_out(address, token, clear_ok=clear_ok)
    if error is None:
        return None
    said = _out_of_reach(address.url, error)
    return w.WITHHELD(said=said) if withheld(address, token, clear_ok=clear_ok) else said


def _out_of_reach(url: str, error: AgentError) -> Phrase:
    said = w.OUT_OF_REACH(url=url, detail=clause(error.detail))
    return in_order(said, remedy_for(error.detail))


async def _ask_clear(ctx: commands.Context, services: Services, address: Address) -> bool | None:
    """Ask whether a token may travel unencrypted; None without an answer."""
    better = "wss://" if address.kind is Kind.APP_SERVER else "https://"
    return await ask(ctx, services, w.ASK_CLEAR(url=address.url, better=better))
