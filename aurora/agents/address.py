"""The address of an agent server, as an owner types it."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_EXAMPLE = "A Letta App Server on this machine is `ws://127.0.0.1:4500`."
_CREDENTIALS = (
    "An address must not hold a user name or password; please delete your message. "
    "The token has a place of its own: `[p]set api letta token,<token>`."
)
_REST = (
    "The Letta REST API (`http://` and `https://`) is not supported yet. "
    f"Use the address of a Letta App Server. {_EXAMPLE}"
)
_LONGEST = 200
_UNFIT = re.compile(r"[\s<>\"'`\\|^{}\x00-\x1f]")


class AddressError(ValueError):
    """An address that can't be used; the text is for the person who typed it.

    It never repeats what was typed: that may hold a secret, and whole channels read the answer.
    `[p]` in it stands for the bot's prefix.
    """


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
    text = text.strip()
    # Looked for in the whole text: without a proper scheme no parser would see the password.
    if "@" in text:
        raise AddressError(_CREDENTIALS)
    if text.lower().startswith(("http://", "https://")):
        raise AddressError(_REST)
    if not text.lower().startswith(("ws://", "wss://")):
        raise AddressError(f"An address begins with `ws://` or `wss://`. {_EXAMPLE}")
    if len(text) > _LONGEST or _UNFIT.search(text):
        raise AddressError(f"That is no address: it is too long or has odd signs. {_EXAMPLE}")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressError(f"Host or port of that address can't be read. {_EXAMPLE}") from None
    if not host or port == 0:
        raise AddressError(f"That address names no host, or port 0. {_EXAMPLE}")
    if "?" in text or "#" in text:
        raise AddressError(f"An address has no `?` or `#` in it. {_EXAMPLE}")
    netloc = f"[{host}]" if ":" in host else host
    netloc += f":{port}" if port else ""
    path = parts.path if parts.path not in ("", "/") else "/ws"
    encrypted = parts.scheme == "wss"
    return Address(f"{parts.scheme}://{netloc}{path}", encrypted, _is_loopback(host))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
