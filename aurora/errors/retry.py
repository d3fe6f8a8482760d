"""When to try again, for idempotent calls in memory and for turns through the ledger."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from ..clock import Clock, sleep
from ..reasons import REASONS, AgentError, Reason, Retry

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryConfig:
    """Exponential backoff; delays in seconds, `jitter` as a fraction to either side."""

    max_attempts: int = 3
    base_delay: float = 1.0
    exponential_base: float = 2.0
    max_delay: float = 30.0
    jitter: float = 0.25

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise ValueError(f"max_attempts is at least 1, not {self.max_attempts}")
        if min(self.base_delay, self.max_delay) < 0:
            raise ValueError("base_delay and max_delay are at least 0 seconds")
        if self.exponential_base < 1:
            raise ValueError(f"exponential_base is at least 1, not {self.exponential_base}")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter is 0 to 1, not {self.jitter}")

    def delay(self, attempt: int, rng: Callable[[], float] = random.random) -> float:
        """Return the seconds to wait after a failed attempt; the first is attempt 1.

        Jitter comes after the cap: events that failed together must not come back together.
        """
        try:
            grown = self.base_delay * self.exponential_base ** (max(attempt, 1) - 1)
        except OverflowError:
            grown = self.max_delay
        return min(grown, self.max_delay) * (1 + self.jitter * (2 * rng() - 1))


def is_retryable(error: Exception) -> bool:
    """Tell whether an idempotent call may go better next time."""
    if not isinstance(error, AgentError):
        return False
    return REASONS[error.outcome.reason].retry is not Retry.NEVER


async def retry_with_backoff(
    call: Callable[[], Awaitable[T]],
    *,
    config: RetryConfig,
    clock: Clock,
    retryable: Callable[[Exception], bool] = is_retryable,
    rng: Callable[[], float] = random.random,
) -> T:
    """Call until it succeeds, and return its result.

    Only for what may happen twice (look-ups, creating a conversation): a turn is retried through
    the ledger instead, see `retry_delay`. Raises the last error once the attempts are used up or
    the error is not retryable; a cancellation passes at once.
    """
    attempt = 1
    while True:
        try:
            return await call()
        except Exception as error:
            if attempt >= config.max_attempts or not retryable(error):
                raise
        await sleep(clock, config.delay(attempt, rng))
        attempt += 1


def retry_delay(
    reason: Reason,
    attempt: int,
    *,
    config: RetryConfig,
    visible: bool,
    retry_after: float | None = None,
    rng: Callable[[], float] = random.random,
) -> float | None:
    """Return the seconds until a turn may run again, or None if it may not.

    `attempt` counts the failures of this kind so far, this one included; `visible` tells whether
    the turn has sent anything. The caller gives up when the delay ends past the event's expiry.
    """
    how = REASONS[reason].retry
    if visible or how is Retry.NEVER:
        return None
    if how is Retry.ATTEMPTS and attempt >= config.max_attempts:
        return None
    delay = config.delay(attempt, rng)
    # Later than the server asked is polite; earlier would only be refused again.
    return max(delay, retry_after or 0.0) if how is Retry.RETRY_AFTER else delay
