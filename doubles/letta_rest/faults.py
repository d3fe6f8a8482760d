"""What goes wrong between the server and its client, on purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Fault:
    """A fault for requests whose method and path match.

    Everything but `delay` and `answer` concerns the wire alone: the run behind a stream goes on.

    Args:
        path: what the path must contain.
        method: the request's method; any when empty.
        times: how many requests it hits; None for all.
        delay: seconds before the request is looked at.
        answer: status, JSON body and headers of an answer in the server's place.
        hang_up: abort the connection in the place of an answer.
        after: the number of stream events after which the rest happens; 1 is the first ping.
        cut: abort the stream there, as a lost connection does.
        error: end the stream there with an error: error_type, message, detail.
        insert: raw events to put in there, such as a message of an unknown type.

    """

    path: str = ""
    method: str = ""
    times: int | None = 1
    delay: float = 0.0
    answer: tuple[int, Any, Mapping[str, str]] | None = None
    hang_up: bool = False
    after: int = 1
    cut: bool = False
    error: tuple[str, str, str] | None = None
    insert: Sequence[str] = ()
    hits: int = field(default=0, init=False)

    @property
    def on_stream(self) -> bool:
        """Say whether the fault shows in the middle of a stream."""
        return self.cut or self.error is not None or bool(self.insert)

    def take(self, method: str, path: str) -> bool:
        """Say whether this request is hit, and count it."""
        if self.method not in ("", method) or self.path not in path:
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        self.hits += 1
        return True
