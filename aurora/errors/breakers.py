"""One agent server's breakers: its own for acceptance, and of each agent for runs and limits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import NamedTuple, Self

from ..clock import Clock
from ..reasons import REASONS, Counts, Reason
from .breaker import (
    BreakerSnapshot,
    BreakerState,
    CircuitBreaker,
    Permit,
)
from .growth import LIMITED

log = logging.getLogger("red.aurora.errors")

_FORGOTTEN_AT_ONCE = 100


class Provider(NamedTuple):
    """The key of the breaker for an agent's provider, which limits how much it is asked."""

    agent_id: str


Key = str | Provider | None
"""Which breaker: an agent's, that of its provider, or (None) the server's."""
BreakersListener = Callable[[Key, BreakerState, BreakerState], None]


_NAMES = {type(None): "server", str: "{}", Provider: "provider of {}"}
"""What the probes of a breaker are counted under."""


class Permits:
    """Leave to run one turn: the server's permit and the agent's; first verdicts count.

    `provider` is a permit too, while the agent's provider is tried again; `limits` hears, with
    the seconds that were asked for, that it limits an agent that was not limited before.
    Leaving a `with` block without a verdict gives back what is still held.
    """

    __slots__ = ("_agent", "_another", "_limits", "_provider", "_server")

    def __init__(
        self,
        server: Permit,
        agent: Permit,
        provider: Permit | None,
        limits: Callable[[float | None], None],
        another: Callable[[], Permit | None],
    ) -> None:
        self._server = server
        self._agent = agent
        self._provider = provider
        self._limits = limits
        self._another = another

    def accepted(self) -> None:
        """Report that the server took the input; how the run ends is still open."""
        self._server.success()

    def spoke(self) -> None:
        """Report that the agent's model says something: its provider lets it."""
        if self._provider is not None:
            self._provider.success()

    def succeeded(self) -> None:
        """Report a run that ended well."""
        self._server.success()
        self._agent.success()
        self.spoke()

    def failed_to_accept(self) -> None:
        """Report that the server could not be reached; that tells nothing of the agent."""
        self._server.failure()
        self.release()

    def lost_server(self, *, accepted: bool) -> None:
        """Report that the server is gone, with a run that it had `accepted`: it takes none now."""
        self.failed_to_accept()
        # Its permit was given its verdict when the input was taken; this one needs another.
        if accepted and (permit := self._another()) is not None:
            permit.failure()

    def failed_run(self) -> None:
        """Report that the agent failed; without `accepted` before, the server gets no verdict."""
        self._agent.failure()
        self.release()

    def breached(self) -> None:
        """Report that a tool ran which the agent was not offered: no other run begins."""
        self._agent.breach()
        self.release()

    def limited(self, retry_after: float | None = None) -> None:
        """Report that the provider asks for patience, in seconds if it says for how much."""
        if self._provider is None:
            self._limits(retry_after)
        else:
            self._provider.failure(retry_after)
        self.release()

    def release(self) -> None:
        """Give back what is still held: cancelled, busy, misconfigured."""
        self._agent.release()
        self._server.release()
        if self._provider is not None:
            self._provider.release()

    def settle(self, reason: Reason, retry_after: float | None = None) -> None:
        """Report a run's end as its reason says."""
        match REASONS[reason].counts:
            case Counts.SUCCESS:
                self.succeeded()
            case Counts.SERVER:
                self.failed_to_accept()
            case Counts.AGENT:
                self.failed_run()
            case Counts.PROVIDER:
                self.limited(retry_after)
            case Counts.BREACH:
                self.breached()
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
    stops no other. A provider that asks for patience is tried with one run of its agent at a
    time; it has a breaker only until it answers again. Another server gets another instance.
    Who has subscribed hears (key; old; new). A breaker not asked for in `idle_after` seconds is
    forgotten.
    """

    def __init__(self, clock: Clock, *, idle_after: float = 3600.0) -> None:
        self._clock = clock
        self._listeners: list[BreakersListener] = []
        self._idle_after = idle_after
        # The agent that was asked for last stands last.
        self._agents: dict[str, _Agent] = {}
        self._providers: dict[str, CircuitBreaker] = {}
        # Those besides the server's that are not closed: mostly none, and each start asks often.
        self._troubled: set[Key] = set()
        self.limited_pauses = LIMITED
        """How long a provider that limits is left alone; holds for those that begin to."""
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
        provider = None
        if (limited := self._providers.get(agent_id)) is not None:
            provider = limited.acquire()
            if provider is None:
                agent.release()
                server.release()
                return None
        limits = partial(self._limit, agent_id)
        return Permits(server, agent, provider, limits, self.server.acquire)

    def retry_in(self, agent_id: str) -> float:
        """Return the seconds until `acquire` may succeed; see `CircuitBreaker.retry_in`."""
        if not self._troubled:
            return self.server.retry_in()
        return max([breaker.retry_in() for _, breaker in self._known(agent_id)])

    def probes_allowed(self, agent_id: str) -> Mapping[str, int]:
        """Return how many runs may be tried at a time, for each breaker that is half-open."""
        if not self._troubled and self.server.probes_allowed is None:
            return {}
        return {
            _NAMES[type(key)].format(agent_id): allowed
            for key, breaker in self._known(agent_id)
            if (allowed := breaker.probes_allowed) is not None
        }

    def failing_for(self, key: Key) -> float:
        """Return the seconds since the first failure of an outage; see `CircuitBreaker`."""
        breaker = self._find(key)
        return 0.0 if breaker is None else breaker.failing_for

    def is_open(self, key: Key) -> bool:
        """Tell whether nothing is let through at the moment."""
        breaker = self._find(key)
        return breaker is not None and breaker.state is BreakerState.OPEN

    def is_shut(self, agent_id: str) -> bool:
        """Tell whether nothing is tried with an agent at the moment."""
        return any(one.state is BreakerState.OPEN for _, one in self._known(agent_id))

    def is_limited(self, agent_id: str) -> bool:
        """Tell whether an agent's provider asked for patience, and has not answered since."""
        return agent_id in self._providers

    def agent(self, agent_id: str) -> CircuitBreaker:
        """Return an agent's own breaker."""
        known = self._agents.pop(agent_id, None)
        if known is None:
            known = _Agent(self._breaker(agent_id), 0.0)
        known.used_at = self._clock.monotonic()
        self._agents[agent_id] = known
        self._forget_idle()
        return known.breaker

    def reset(self) -> None:
        """Close every breaker."""
        self.server.reset()
        for known in self._agents.values():
            known.breaker.reset()
        for breaker in list(self._providers.values()):
            breaker.reset()

    def snapshot(self) -> Mapping[Key, BreakerSnapshot]:
        """Return each breaker by its key."""
        every: dict[Key, BreakerSnapshot] = {None: self.server.snapshot()}
        every.update((name, known.breaker.snapshot()) for name, known in self._agents.items())
        every.update((Provider(name), one.snapshot()) for name, one in self._providers.items())
        return every

    def _known(self, agent_id: str) -> list[tuple[Key, CircuitBreaker]]:
        """Return the breakers in front of an agent that there are."""
        found: list[tuple[Key, CircuitBreaker]] = [(None, self.server)]
        if (known := self._agents.get(agent_id)) is not None:
            found.append((agent_id, known.breaker))
        if (provider := self._providers.get(agent_id)) is not None:
            found.append((Provider(agent_id), provider))
        return found

    def _find(self, key: Key) -> CircuitBreaker | None:
        if key is None:
            return self.server
        if isinstance(key, Provider):
            return self._providers.get(key.agent_id)
        known = self._agents.get(key)
        return None if known is None else known.breaker

    def _limit(self, agent_id: str, retry_after: float | None) -> None:
        breaker = self._providers.get(agent_id)
        if breaker is None:
            breaker = self._providers[agent_id] = CircuitBreaker(
                self._clock,
                failure_threshold=1,
                recovery_timeout=self.limited_pauses,
                half_open_permits=1,
                successes_to_close=1,
                on_change=self._teller(Provider(agent_id)),
            )
        # Of runs that began before the others were told to wait the first has said it all.
        if (permit := breaker.acquire()) is not None:
            permit.failure(retry_after)

    def _breaker(self, key: str | None) -> CircuitBreaker:
        return CircuitBreaker(self._clock, on_change=self._teller(key))

    def _teller(self, key: Key) -> Callable[[BreakerState, BreakerState], None]:
        def changed(old: BreakerState, new: BreakerState) -> None:
            if new is BreakerState.CLOSED:
                self._troubled.discard(key)
            elif key is not None:
                self._troubled.add(key)
            if isinstance(key, Provider) and new is BreakerState.CLOSED:
                self._providers.pop(key.agent_id, None)
            for listener in self._listeners:
                try:
                    listener(key, old, new)
                except Exception:
                    # What one makes of it must not keep it from the others.
                    log.exception("a listener failed on the change from %s to %s", old, new)

        return changed

    def _forget_idle(self) -> None:
        """Forget those that were not asked for in too long, some at a time.

        Only the oldest is looked at, so that a turn costs the same however many agents there are.
        """
        now = self._clock.monotonic()
        for _ in range(_FORGOTTEN_AT_ONCE):
            name, known = next(iter(self._agents.items()))
            if now - known.used_at < self._idle_after:
                return
            # Who heard that it opened must hear that it is open no more.
            del self._agents[name]
            known.breaker.reset()
            if (provider := self._providers.get(name)) is not None:
                provider.reset()
