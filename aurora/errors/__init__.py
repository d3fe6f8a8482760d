"""What to do when something fails: breaker, retry and statistics; and the tree of exceptions.

AuroraError              every exception of Aurora's own (reasons)
    AgentError           an agent server refused or failed a look-up (reasons)
    BadArgument          what an agent gave to a tool is of no use (tools)
    BrokenOffError       what was being done for a turn was stopped (runs)
        UnloadedError    Aurora is being unloaded
        WithheldError    the turn must come to nothing
    ChildFailed          a file could not be opened in a child process (context)
    Concluded            a turn needs no further step (runs)
    ConnectionLostError  the socket to an App Server went away (agents)
    CutError             the way to a REST server failed (agents)
    ExplainedError       an error that a person gets to read (reasons)
        AddressError     an agent server's address that can't be used (agents)
        InstallError     what is optional can't be installed or used (installing)
        LedgerError      the ledger can't be used (ledger)
            InUseError   another process has it open
        NotUndone        a change of an agent's memory can't be undone (tools)
        SettingError     a value that a setting does not take (settings)
        StuckError       an agent goes round in circles, or far over its budget (reasons)
        TimeError        what was typed is no time for a schedule (runs)
        WebhookError     a webhook can't be used (health)
    GuildNotHereError    Discord has not told yet what is in a guild (chat)
    MemoryRefused        an agent's memory did not do what was asked (agents)
    NoLibrary            what opens a file is not installed (context)
    NotFetched           a file's bytes were not had (context)
    RefusedError         a REST server answered with an error (agents)
    RunBrokenError       the run of an agent had to be broken off (reasons)
    SendFailed           Discord did not take a message or a reaction (chat)
        NotAllowed       the guard forbids what is to be sent
    StandingByError      a command is left to another process (commands)
    ToolError            a tool refuses, and tells the agent why (tools)
        WiderAudience    only the readers of a place forbid a send to it
"""

from __future__ import annotations

from .breaker import (
    BreakerSnapshot,
    BreakerState,
    CircuitBreaker,
    Permit,
)
from .breakers import (
    Breakers,
    Key,
    Permits,
    Provider,
)
from .growth import LIMITED, PINGS, Growth
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
    "LIMITED",
    "NOT_ERRORS",
    "PINGS",
    "BreakerSnapshot",
    "BreakerState",
    "Breakers",
    "CircuitBreaker",
    "ErrorStats",
    "Growth",
    "Key",
    "Operation",
    "Permit",
    "Permits",
    "Provider",
    "RetryConfig",
    "Summary",
    "is_retryable",
    "mark",
    "retry_delay",
    "retry_with_backoff",
]
