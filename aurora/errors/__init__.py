"""What to do when something fails: breaker, retry, classification and statistics."""

from __future__ import annotations

from .breaker import (
    BreakerSnapshot,
    BreakerState,
    CircuitBreaker,
    Permit,
)
from .breakers import Breakers, Permits
from .retry import (
    RetryConfig,
    is_retryable,
    retry_delay,
    retry_with_backoff,
)
from .stats import (
    NOT_ERRORS,
    ErrorStats,
    Operation,
    Summary,
    mark,
)
from .verdicts import (
    VERDICTS,
    Cause,
    Counts,
    Retry,
    Verdict,
    verdict,
)

__all__ = [
    "NOT_ERRORS",
    "VERDICTS",
    "BreakerSnapshot",
    "BreakerState",
    "Breakers",
    "Cause",
    "CircuitBreaker",
    "Counts",
    "ErrorStats",
    "Operation",
    "Permit",
    "Permits",
    "Retry",
    "RetryConfig",
    "Summary",
    "Verdict",
    "is_retryable",
    "mark",
    "retry_delay",
    "retry_with_backoff",
    "verdict",
]
