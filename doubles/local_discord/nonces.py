"""Sending with a nonce happens once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from .message import Message
from .model import User

_WINDOW = 300.0  # Discord says "the past few minutes"


class Nonces:
    """The nonces of the last minutes and what was sent with them."""

    def __init__(self, now: Callable[[], float], window: float = _WINDOW) -> None:
        self.window = window
        self._now = now
        self._sent: OrderedDict[tuple[int, str], tuple[float, Message]] = OrderedDict()

    def first(self, author: User, nonce: str) -> Message | None:
        """Return what an author already sent with a nonce."""
        known = self._sent.get((author.id, nonce))
        if known is None or self._now() - known[0] > self.window:
            return None
        return known[1]

    def remember(self, message: Message) -> None:
        """Keep a message's nonce, and forget the old ones."""
        if message.nonce is None:
            return
        self._sent[message.author.id, message.nonce] = (self._now(), message)
        self._sent.move_to_end((message.author.id, message.nonce))
        oldest = self._now() - self.window
        while self._sent and next(iter(self._sent.values()))[0] < oldest:
            self._sent.popitem(last=False)
