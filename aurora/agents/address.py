"""The address of an agent server, as an owner types it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit


class AddressError(ValueError):
    """An address that can't be used; the text is for the person who typed it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where an agent server listens."""

    url: str
    encrypted: bool
    loopback: bool

    @property
    def token_is_safe(self) -> bool:
        """Tell whether a token may travel there without anybody reading it."""
        return self.encrypted or self.loopback


def parse_address(text: str) -> Address:
    """Read `ws://host:port` or `wss://host`; raise AddressError with what to type instead."""
    try:
        parts = urlsplit(text.strip())
        host, port, scheme = parts.hostname, parts.port, parts.scheme.lower()
    except ValueError:
        raise AddressError(f"`{text[:80]}` is no address. {_EXAMPLE}") from None
    if parts.username or parts.password:
        # The address is not repeated: it holds a password.
        raise AddressError(
            "An address must not hold a user name or password. "
            "Set the token with `[p]set api letta token,<token>` instead."
        )
    if scheme not in ("ws", "wss"):
        raise AddressError(f"`{text[:80]}` does not begin with `ws://` or `wss://`. {_EXAMPLE}")
    if not host:
        raise AddressError(f"`{text[:80]}` names no host. {_EXAMPLE}")
    if parts.query or parts.fragment:
        raise AddressError(f"An address has no `?` or `#` in it. {_EXAMPLE}")
    netloc = f"[{host}]" if ":" in host else host
    netloc += f":{port}" if port else ""
    path = parts.path if parts.path not in ("", "/") else "/ws"
    return Address(f"{scheme}://{netloc}{path}", scheme == "wss", _is_loopback(host))


_EXAMPLE = "A Letta App Server on this machine is `ws://127.0.0.1:4500`."


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
