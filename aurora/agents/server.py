"""The agent server in use: one at a time, replaced when its address or token changes."""

from __future__ import annotations

from collections.abc import Callable

from ..clock import Clock
from ..reasons import AgentError, Outcome
from ..words import servers as w
from .address import (
    Address,
    AddressError,
    Kind,
    parse_address,
)
from .lookup import trouble_with
from .protocol import AgentBackend
from .sdk import SdkFolder


class AgentServer:
    """Holds the backend that answers now, or None while no address is set."""

    def __init__(self, clock: Clock, sdk: SdkFolder, changed: Callable[[], None]) -> None:
        self._clock = clock
        self._sdk = sdk
        self._changed = changed
        self._key: tuple[str, str | None] | None = None
        self._closed = False
        self._tried: set[AgentBackend] = set()
        self.backend: AgentBackend | None = None
        self.token: str | None = None
        """The token as it was given, whether or not it is used."""
        self.withheld_token = False
        """Whether there is a token that was not used, for the address would leak it."""

    async def configure(self, url: str | None, token: str | None, *, clear_ok: bool) -> None:
        """Use the server at `url`; a token goes unencrypted to another host only if `clear_ok`.

        Once closed, nothing is used any more: a command may outlive the cog by a long question.
        """
        if self._closed:
            return
        self.token = token
        address = _usable(url)
        self.withheld_token = withheld(address, token, clear_ok=clear_ok)
        sent = None if self.withheld_token else token
        key = (address.url, sent) if address else None
        if key == self._key:
            return
        old, self._key = self.backend, key
        self.backend = self._connect(address, sent) if address else None
        self._changed()
        if old is not None:
            await old.close()

    async def try_out(
        self, address: Address, token: str | None, *, clear_ok: bool
    ) -> AgentError | None:
        """Ask a server that is not in use whether it could be; nothing of it is kept."""
        if self._closed:
            return AgentError(Outcome.UNREACHABLE, w.CLOSED)
        sent = None if withheld(address, token, clear_ok=clear_ok) else token
        backend = self._connect(address, sent)
        self._tried.add(backend)
        try:
            return await trouble_with(backend)
        finally:
            self._tried.discard(backend)
            await backend.close()

    def _connect(self, address: Address, token: str | None) -> AgentBackend:
        """Make the backend for an address; the code of the other kind is not even imported."""
        if address.kind is Kind.REST:
            from .rest import LettaRest

            return LettaRest(
                address.url,
                token,
                load=self._sdk.activate,
                direct=address.loopback,
                clock=self._clock,
            )
        from .app_server import AppServer

        return AppServer(address.url, token, clock=self._clock)

    async def close(self) -> None:
        """Abort what runs and disconnect, for good."""
        self._closed = True
        backend, self.backend, self._key = self.backend, None, None
        for one in [*self._tried, *([backend] if backend is not None else [])]:
            await one.close()


def withheld(address: Address | None, token: str | None, *, clear_ok: bool) -> bool:
    """Tell whether a token is not sent to an address, for that would leak it."""
    return bool(token and address and not (address.token_is_safe or clear_ok))


def _usable(url: str | None) -> Address | None:
    """Parse a stored address; one that an older version accepted and this one can't is none."""
    try:
        return parse_address(url) if url else None
    except AddressError:
        return None
