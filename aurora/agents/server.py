"""The agent server in use: one at a time, replaced when its address or token changes."""

from __future__ import annotations

from collections.abc import Callable

from ..clock import Clock
from .address import Address, AddressError, parse_address
from .app_server import AppServer
from .protocol import AgentBackend


class AgentServer:
    """Holds the backend that answers now, or None while no address is set."""

    def __init__(self, clock: Clock, changed: Callable[[], None]) -> None:
        self._clock = clock
        self._changed = changed
        self._key: tuple[str, str | None] | None = None
        self.backend: AppServer | None = None
        self.withheld_token = False
        """Whether there is a token that was not used, for the address would leak it."""

    async def configure(self, url: str | None, token: str | None, *, clear_ok: bool) -> None:
        """Use the server at `url`; a token goes unencrypted to another host only if `clear_ok`."""
        address = _usable(url)
        self.withheld_token = bool(token and address and not (address.token_is_safe or clear_ok))
        key = (address.url, None if self.withheld_token else token) if address else None
        if key == self._key:
            return
        old, self._key = self.backend, key
        self.backend = AppServer(key[0], key[1], clock=self._clock) if key else None
        self._changed()
        if old is not None:
            await old.close()

    def current(self) -> AgentBackend | None:
        """Return the backend in use."""
        return self.backend

    async def close(self) -> None:
        """Abort what runs and disconnect."""
        backend, self.backend, self._key = self.backend, None, None
        if backend is not None:
            await backend.close()


def _usable(url: str | None) -> Address | None:
    """Parse a stored address; one that an older version accepted and this one can't is none."""
    try:
        return parse_address(url) if url else None
    except AddressError:
        return None
