"""The address of an agent server: parsed as typed, and whether a token may travel there."""

from __future__ import annotations

import ipaddress
import re
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from ..reasons import ExplainedError
from ..words import agents as w

_SCHEMES = ("ws://", "wss://", "http://", "https://")
_LONGEST = 200
_AROUND = ("<>", "[]", "()", "``", '""', "''")
_UNFIT = re.compile(r"[\s<>\"'`\\|^{}\x00-\x1f]")


class AddressError(ExplainedError):
    """An address that can't be used.

    What is said never repeats what was typed: that may hold a secret, and whole channels read it.
    """


class Kind(StrEnum):
    """What listens there; the value is for people."""

    APP_SERVER = "Letta App Server"
    REST = "Letta REST API"


class Address(NamedTuple):
    """Where an agent server listens."""

    url: str
    kind: Kind
    encrypted: bool
    loopback: bool

    @property
    def token_is_safe(self) -> bool:
        """Tell whether a token may travel there without anybody reading it."""
        return self.encrypted or self.loopback


def parse_address(text: str) -> Address:
    """Read `ws(s)://host:port` or `http(s)://host`; raise AddressError with what to type."""
    text = _bare(text)
    # Looked for in the whole text: without a proper scheme no parser would see the password.
    if "@" in text:
        raise AddressError(w.CREDENTIALS)
    if not text.lower().startswith(_SCHEMES):
        raise AddressError(w.NO_SCHEME(example=w.EXAMPLE))
    if len(text) > _LONGEST or _UNFIT.search(text):
        raise AddressError(w.ODD_SIGNS(example=w.EXAMPLE))
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressError(w.NOT_READ(example=w.EXAMPLE)) from None
    if not host or port == 0:
        raise AddressError(w.NO_HOST(example=w.EXAMPLE))
    if "?" in text or "#" in text:
        raise AddressError(w.NO_QUERY(example=w.EXAMPLE))
    netloc = f"[{host}]" if ":" in host else host
    netloc += f":{port}" if port else ""
    kind = Kind.APP_SERVER if parts.scheme in ("ws", "wss") else Kind.REST
    path = parts.path if parts.path != "/" else ""
    if not path and kind is Kind.APP_SERVER:
        path = "/ws"
    encrypted = parts.scheme in ("wss", "https")
    return Address(f"{parts.scheme}://{netloc}{path}", kind, encrypted, _is_loopback(host))


def _bare(text: str) -> str:
    """Take off what people put around an address, as documents and Discord do."""
    text = text.strip()
    # What is far too long is none; a thousand quotes would be taken off one by one.
    while 1 < len(text) < 2 * _LONGEST and text[0] + text[-1] in _AROUND:
        text = text[1:-1].strip()
    return text


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
