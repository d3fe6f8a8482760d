"""Fetch a file's bytes: from Discord's own hosts, within a size and a time, nowhere else."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection
from typing import NamedTuple

import aiohttp
import discord
import yarl
from discord.http import Route

from ..reasons import AuroraError
from .contents import HEAD_BYTES

FETCH_SECONDS = 6.0
"""How long one file may take on its way."""

_CDN = frozenset({"https://cdn.discordapp.com", "https://media.discordapp.net"})
_CHUNK = 64 * 1024
_PLAIN = re.compile("[!-~]+")


class NotFetched(AuroraError):  # noqa: N818 - named for what there is not
    """A file's bytes were not had; the text says why, for the agent."""


class Fetched(NamedTuple):
    """The bytes of a file, or its beginning."""

    data: bytes
    whole: bool


def discords_origins() -> frozenset[str]:
    """Return where Discord hands out files: its two hosts for that, and that of its API."""
    return _CDN | {str(yarl.URL(Route.BASE).origin())}


class Fetcher:
    """Fetches each file over a session of its own, so that nothing is left open behind it.

    discord.py's would follow redirects to anywhere, read without a limit, and unpack what a server
    says is packed.
    """

    def __init__(
        self,
        bot: discord.Client,
        origins: Callable[[], Collection[str]] = discords_origins,
        seconds: float = FETCH_SECONDS,
    ) -> None:
        self._bot = bot
        self._origins = origins
        self._seconds = seconds

    async def fetch(self, url: str, wanted: Callable[[bytes], int]) -> Fetched:
        """Return a file's bytes; raise NotFetched.

        `wanted` says by its beginning how many bytes are worth reading.
        """
        address = self._checked(url)
        try:
            async with asyncio.timeout(self._seconds):
                return await self._read(address, wanted)
        except TimeoutError:
            raise NotFetched("it did not come in time") from None
        except (aiohttp.ClientError, OSError):
            raise NotFetched("the way to Discord's files is cut") from None

    def _checked(self, url: str) -> yarl.URL:
        """Return an address that is one of Discord's own; raise NotFetched."""
        try:
            # As it is: the signature is of exactly this.
            address = yarl.URL(url, encoded=True)
            ours = (
                _PLAIN.fullmatch(url) is not None
                and str(address.origin()) in self._origins()
                and address.user is None
            )
        except ValueError:
            ours = False
        if not ours:
            raise NotFetched("its address is not one of Discord's own")
        return address

    async def _read(self, address: yarl.URL, wanted: Callable[[bytes], int]) -> Fetched:
        http = self._bot.http
        async with (
            aiohttp.ClientSession(
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept-Encoding": "identity"},
            ) as session,
            session.get(
                address, allow_redirects=False, proxy=http.proxy, proxy_auth=http.proxy_auth
            ) as response,
        ):
            _check(response)
            data = bytearray()
            limit: int | None = None
            async for chunk in response.content.iter_chunked(_CHUNK):
                data += chunk
                if limit is None and len(data) >= HEAD_BYTES:
                    limit = max(HEAD_BYTES, wanted(bytes(data[:HEAD_BYTES])))
                if limit is not None and len(data) > limit:
                    # What is left is not read, so the line can't be used again.
                    response.close()
                    return Fetched(bytes(data[:limit]), whole=False)
            return Fetched(bytes(data), whole=True)


def _check(response: aiohttp.ClientResponse) -> None:
    if response.status in (403, 404, 410):
        raise NotFetched("Discord has it no more")
    if 300 <= response.status < 400:
        raise NotFetched("its address leads elsewhere, which is not followed")
    if response.status != 200:
        raise NotFetched(f"Discord did not hand it out (status {response.status})")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise NotFetched("it comes packed, and is not unpacked")
