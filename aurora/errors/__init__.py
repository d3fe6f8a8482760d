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

__all__ = [
    "NOT_ERRORS",
    "BreakerSnapshot",
    "BreakerState",
    "Breakers",
    "CircuitBreaker",
    "ErrorStats",
    "Operation",
    "Permit",
    "Permits",
    "RetryConfig",
    "Summary",
    "is_retryable",
    "mark",
    "retry_delay",
    "retry_with_backoff",
]
