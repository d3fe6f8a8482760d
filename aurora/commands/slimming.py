"""`[p]aurora agents slim`: a short system prompt for an agent, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from redbot.core import commands

from ..agents.protocol import AgentInfo, SystemKeeper
from ..agents.slim import SLIM
from ..reasons import AgentError
from ..services import Services
from ..words import Phrase, clause
from ..words import slimming as w
from ..words.commands import UNCHANGED
from .agents import find_agent, named
from .asking import confirm, refuse, tell, working


class _Found(NamedTuple):
    """An agent, what answers for its server, and the system prompt that it has."""

    backend: SystemKeeper
    agent: AgentInfo
    system: str

    @property
    def words(self) -> Mapping[str, object]:
        """What texts call it."""
        return {"agent": named(self.agent), "id": self.agent.id}


async def slim(ctx: commands.Context, services: Services, agent_id: str) -> None:
    """Replace an agent's system prompt by a short one, if the owner wants that; keep the old."""
    found = await _find(ctx, services, agent_id)
    if found is None:
        return
    if found.system == SLIM:
        await refuse(ctx, w.IS_SLIM(**found.words))
        return
    question = w.ASK_SLIM(**found.words, count=len(found.system), fewer=len(SLIM))
    if not await confirm(ctx, services, question):
        await tell(ctx, UNCHANGED)
        return
    settings = services.settings
    # Before it is replaced: a crash in between loses nothing.
    kept = {**settings.world.systems_kept, found.agent.id: found.system}
    await settings.set_world(systems_kept=kept)
    await _set(ctx, found, SLIM, w.SLIMMED(**found.words))


async def restore(ctx: commands.Context, services: Services, agent_id: str) -> None:
    """Give an agent back the system prompt that it had before it got the short one."""
    found = await _find(ctx, services, agent_id)
    if found is None:
        return
    old = services.settings.world.systems_kept.get(found.agent.id)
    if old is None:
        await refuse(ctx, w.NONE_KEPT(**found.words))
        return
    question = w.ASK_RESTORE(**found.words, count=len(old), fewer=len(found.system))
    if not await confirm(ctx, services, question):
        await tell(ctx, UNCHANGED)
        return
    if await _set(ctx, found, old, w.RESTORED(**found.words)):
        rest = dict(services.settings.world.systems_kept)
        rest.pop(found.agent.id, None)
        await services.settings.set_world(systems_kept=rest)


async def _find(ctx: commands.Context, services: Services, agent_id: str) -> _Found | None:
    """Look an agent up with its system prompt; if that can't be, tell the person why."""
    backend = services.agents.backend
    if backend is not None and not isinstance(backend, SystemKeeper):
        await refuse(ctx, w.NOT_THERE)
        return None
    agent = await find_agent(ctx, services, agent_id)
    if agent is None or backend is None:
        return None
    try:
        return _Found(backend, agent, await backend.system(agent.id))
    except AgentError as error:
        await tell(ctx, w.FAILED(why=clause(error.detail)))
        return None


async def _set(ctx: commands.Context, found: _Found, text: str, done: Phrase) -> bool:
    try:
        async with working(ctx):
            await found.backend.set_system(found.agent.id, text)
    except AgentError as error:
        await tell(ctx, w.FAILED(why=clause(error.detail)))
        return False
    await tell(ctx, done)
    return True
