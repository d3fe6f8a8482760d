"""Trouble on demand: what a request meets instead of its answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .model import Payload

CUT = 0  # as a status: the line is cut without an answer


@dataclass(slots=True)
class Fault:
    """One kind of trouble for the requests that match it.

    Attributes:
        applied: The request is carried out and only its answer is lost.
        times: How many requests it still hits.

    """

    method: str
    route: re.Pattern[str]
    status: int
    body: Payload
    headers: dict[str, str]
    applied: bool
    times: int


@dataclass(slots=True)
class Faults:
    """The trouble that is still to come, in the order it was asked for."""

    waiting: list[Fault] = field(default_factory=list)

    def add(
        self,
        method: str,
        route_regex: str,
        *,
        status: int,
        code: int = 0,
        message: str = "",
        times: int = 1,
        headers: dict[str, str] | None = None,
        applied: bool = False,
    ) -> None:
        """Let requests fail.

        Args:
            method: Such as ``POST``; ``*`` for every method.
            route_regex: Searched in the path after ``/api/v10``.
            status: The HTTP status; 0 cuts the connection without an answer.
            code: Discord's JSON error code.
            message: The text beside the code.
            times: How many requests it hits.
            headers: Sent along.
            applied: Carry the request out and lose only its answer.

        """
        body: Payload = {"code": code, "message": message or f"{status}: fault"}
        self.waiting.append(
            Fault(method, re.compile(route_regex), status, body, headers or {}, applied, times)
        )

    def rate_limit(
        self, method: str, route_regex: str, *, retry_after: float, times: int = 1
    ) -> None:
        """Answer with 429, the way Discord itself (not its proxy) does.

        Args:
            method: As for `add`.
            route_regex: As for `add`.
            retry_after: Seconds to wait.
            times: How many requests it hits.

        """
        headers = {
            "Via": "1.1 google",  # discord.py takes a 429 without it for a ban by the proxy
            "Retry-After": str(max(1, round(retry_after))),
            "X-RateLimit-Limit": "5",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset-After": str(retry_after),
            "X-RateLimit-Bucket": "limited",
            "X-RateLimit-Scope": "user",
        }
        body: Payload = {
            "message": "You are being rate limited.",
            "retry_after": retry_after,
            "global": False,
        }
        fault = Fault(method, re.compile(route_regex), 429, body, headers, False, times)
        self.waiting.append(fault)

    def unindexed(self, *, retry_after: float, times: int = 1) -> None:
        """Have no index of a guild's words yet when it is searched: a 202 without results.

        Args:
            retry_after: In how many seconds there may be one.
            times: How many searches it hits.

        """
        body: Payload = {
            "message": "Index not yet available. Try again later",
            "code": 110000,
            "documents_indexed": 0,
            "retry_after": retry_after,
        }
        route = re.compile("/messages/search$")
        self.waiting.append(Fault("GET", route, 202, body, {}, False, times))

    def take(self, method: str, path: str) -> Fault | None:
        """Return what hits this request, and count it."""
        for fault in self.waiting:
            if fault.method in ("*", method) and fault.route.search(path):
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None
