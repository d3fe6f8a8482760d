"""One agent server's breakers: its own for acceptance, and one per agent for runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ..clock import Clock
from ..reasons import REASONS, Counts, Reason
from .breaker import (
    BreakerSnapshot,
    BreakerState,
    CircuitBreaker,
    Permit,
)

log = logging.getLogger("red.aurora.errors")

BreakersListener = Callable[[str | None, BreakerState, BreakerState], None]


class Permits:
    """Leave to run one turn: the server's permit and the agent's; first verdicts count.

    Leaving a `with` block without a verdict gives back what is still held.
    """

    __slots__ = ("_agent", "_another", "_server")

    def __init__(
        self, server: Permit, agent: Permit, another: Callable[[], Permit | None]
    ) -> None:
        self._server = server
        self._agent = agent
        self._another = another

    def accepted(self) -> None:
        """Report that the server took the input; how the run ends is still open."""
        self._server.success()

    def succeeded(self) -> None:
        """Report a run that ended well."""
        self._server.success()
        self._agent.success()

    def failed_to_accept(self) -> None:
        """Report that the server could not be reached; that tells nothing of the agent."""
        self._server.failure()
        self._agent.release()

    def lost_server(self, *, accepted: bool) -> None:
        """Report that the server is gone, with a run that it had `accepted`: it takes none now."""
        self.failed_to_accept()
        # Its permit was given its verdict when the input was taken; this one needs another.
        if accepted and (permit := self._another()) is not None:
            permit.failure()

    def failed_run(self) -> None:
        """Report that the agent failed; without `accepted` before, the server gets no verdict."""
        self._agent.failure()
        self._server.release()

    def release(self) -> None:
        """Give back what is still held: cancelled, busy, overloaded, misconfigured."""
        self._agent.release()
        self._server.release()

    def settle(self, reason: Reason) -> None:
        """Report a run's end as its reason says."""
        match REASONS[reason].counts:
            case Counts.SUCCESS:
                self.succeeded()
            case Counts.SERVER:
                self.failed_to_accept()
            case Counts.AGENT:
                self.failed_run()
            case Counts.NOTHING:
                self.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


@dataclass(slots=True)
class _Agent:
    breaker: CircuitBreaker
    used_at: float


class Breakers:
    """The breakers in front of one agent server.

    Failures to accept count for the server, failed runs for the agent alone, so that a bad agent
    stops no other. Another server gets another instance. Who has subscribed hears (agent id, or
    None for the server; old; new). A breaker not asked for in `idle_after` seconds is forgotten.
    """

    def __init__(self, clock: Clock, *, idle_after: float = 3600.0) -> None:
        self._clock = clock
        self._listeners: list[BreakersListener] = []
        self._idle_after = idle_after
        self._agents: dict[str, _Agent] = {}
        self.server = self._breaker(None)

    def subscribe(self, listener: BreakersListener) -> None:
        """Tell a listener of every change from now on; it must not block."""
        self._listeners.append(listener)

    def acquire(self, agent_id: str) -> Permits | None:
        """Return leave to run a turn of an agent, or None: `retry_in` says when to ask again."""
        server = self.server.acquire()
        if server is None:
            return None
        agent = self.agent(agent_id).acquire()
        if agent is None:
            server.release()
            return None
        return Permits(server, agent, self.server.acquire)

    def retry_in(self, agent_id: str) -> float:
        """Return the seconds until `acquire` may succeed; see `CircuitBreaker.retry_in`."""
        known = self._agents.get(agent_id)
        return max(self.server.retry_in(), known.breaker.retry_in() if known else 0.0)

    def probes_allowed(self, agent_id: str) -> Mapping[str, int]:
        """Return how many runs may be tried at a time, for each breaker that is half-open."""
        found = {}
        if (allowed := self.server.probes_allowed) is not None:
            found["server"] = allowed
        known = self._agents.get(agent_id)
        if known is not None and (allowed := known.breaker.probes_allowed) is not None:
            found[agent_id] = allowed
        return found

    def agent(self, agent_id: str) -> CircuitBreaker:
        """Return an agent's own breaker."""
        now = self._clock.monotonic()
        known = self._agents.get(agent_id)
        if known is None:
            known = self._agents[agent_id] = _Agent(self._breaker(agent_id), now)
        known.used_at = now
        self._forget_idle(now)
        return known.breaker

    def reset(self) -> None:
        """Close every breaker."""
        self.server.reset()
        for known in self._agents.values():
            known.breaker.reset()

    def snapshot(self) -> Mapping[str | None, BreakerSnapshot]:
        """Return each breaker by agent id, and the server's under None."""
        every: dict[str | None, BreakerSnapshot] = {None: self.server.snapshot()}
        every.update((name, known.breaker.snapshot()) for name, known in self._agents.items())
        return every

    def _breaker(self, key: str | None) -> CircuitBreaker:
        def changed(old: BreakerState, new: BreakerState) -> None:
            for listener in self._listeners:
                try:
                    listener(key, old, new)
                except Exception:
                    # What one makes of it must not keep it from the others.
                    log.exception("a listener failed on the change from %s to %s", old, new)

        return CircuitBreaker(self._clock, on_change=changed)

    def _forget_idle(self, now: float) -> None:
        idle = [
            name for name, known in self._agents.items() if now - known.used_at >= self._idle_after
        ]
        for name in idle:
            # Who heard that it opened must hear that it is open no more.
            self._agents.pop(name).breaker.reset()
