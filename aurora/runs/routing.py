"""Routing: one call of a model says who answers a turn, how hard it is, and whether at all.

Whatever is unclear, late or broken leaves the turn as it was: the default answers it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ..agents.protocol import AgentBackend, AgentFree, ConversationKey
from ..clock import Clock
from ..errors import Breakers
from ..model import NO_ROUTE, Route, Turn, read_wish
from ..prompts.routing import ROUTER, build_router_prompt, read_router
from ..reasons import AgentError, Outcome, Reason, StuckError
from ..settings import LIGHT, Settings
from .asides import Asides

log = logging.getLogger("red.aurora.worker")

ROUTER_SECONDS = 5.0
"""How long a turn waits for its router."""
BREAKER = "router"
"""The name of the router's breaker, beside those of agents."""
UNROUTED = "default"
"""What is kept of a turn that has been at the router, which did not say anything clear."""
_TITLE = "discord: router"


class Router:
    """Asks a model about a turn, in an agent-free conversation or of an agent made for it."""

    def __init__(
        self,
        settings: Settings,
        backend: Callable[[], AgentBackend | None],
        breakers: Breakers,
        clock: Clock,
        asides: Asides,
    ) -> None:
        self.asides = asides
        self._settings = settings
        self._backend = backend
        self._breakers = breakers
        self._clock = clock

    def is_asked(self, turn: Turn) -> bool:
        """Tell whether a turn is to be routed: once, and if nobody has said who answers it."""
        speaker = turn.speaker
        wanted = self._settings.guild(speaker.guild_id).router and not speaker.unasked
        return wanted and not (turn.routed or turn.attempts) and not any(read_wish(speaker.wish))

    async def route(self, turn: Turn) -> Route:
        """Return who answers a turn, as far as that is clear in time; never raise."""
        backend, permits = self._backend(), self._breakers.acquire(BREAKER)
        if backend is None or permits is None:
            return NO_ROUTE
        asking = asyncio.create_task(self._ask(turn, backend), name="aurora asks the router")
        done = asyncio.Event()
        asking.add_done_callback(lambda _: done.set())
        reason = Reason.CANCELLED
        try:
            await self._clock.wait(done, ROUTER_SECONDS)
            reason = Reason.TIMEOUT
            if asking.done():
                route = asking.result()
                reason = Reason.COMPLETED
                return route
        except AgentError as error:
            reason = error.outcome.reason
        except StuckError:
            reason = Reason.STUCK
        except Exception as error:
            reason = Reason.FAILED
            log.exception("Event %s: no route", turn.speaker.id, exc_info=error)
        finally:
            asking.cancel()
            await asyncio.wait({asking})
            permits.settle(reason)
        log.info("Event %s is not routed: %s", turn.speaker.id, reason)
        return NO_ROUTE

    async def _ask(self, turn: Turn, backend: AgentBackend) -> Route:
        speaker = turn.speaker
        roles = {
            name: about
            for name, (_, about) in self._settings.guild(speaker.guild_id).roles.items()
        }
        prompt = build_router_prompt(speaker.context, roles)
        world = self._settings.world
        if isinstance(backend, AgentFree):
            model = world.models.get(LIGHT) or await self._usual_model(turn, backend)
            conversation = await backend.open_free(ROUTER, model)
            key = ConversationKey("", conversation)
            answer = await self.asides.ask(turn, backend, key, prompt)
        elif (agent_id := world.router_agent_id) is not None:
            conversation = await backend.open_conversation(agent_id, _TITLE)
            key, model = ConversationKey(agent_id, conversation), world.models.get(LIGHT, "")
            text = f"{ROUTER}\n\n{prompt}"
            answer = await self.asides.ask(turn, backend, key, text, model)
        else:
            return NO_ROUTE
        return read_router(answer, roles)

    async def _usual_model(self, turn: Turn, backend: AgentBackend) -> str:
        agent_id = self._settings.agent_of(turn.speaker)
        if agent_id is None:
            raise AgentError(Outcome.CONFIG, "")
        return (await backend.model(agent_id)).name
