"""Files that hang on messages, and the place from which Discord hands them out.

An address is signed and ends: `ex` and `is` are hexadecimal seconds, `hm` belongs to both and the
path. Each time a message is told of, its files have fresh ones.
"""

from __future__ import annotations

import hashlib
import hmac
import mimetypes
import secrets
from collections.abc import Callable
from urllib.parse import quote

from aiohttp import web

from .message import Attachment
from .snowflakes import Snowflakes

LASTING_SECONDS = 24 * 3600
PATH = "/attachments/{place}/{key}/{filename}"


class Files:
    """All files of a local Discord; `home` returns the address of its server."""

    def __init__(self, ids: Snowflakes, now: Callable[[], float], home: Callable[[], str]) -> None:
        self._ids = ids
        self._now = now
        self._home = home
        self._secret = secrets.token_bytes(32)
        self._kept: dict[str, Attachment] = {}

    def keep(
        self,
        filename: str,
        data: bytes,
        *,
        content_type: str | None = None,
        description: str | None = None,
        voice_seconds: float | None = None,
    ) -> Attachment:
        """Keep an uploaded file; its type is guessed from its name, as Discord does."""
        if content_type in (None, "application/octet-stream"):
            content_type = mimetypes.guess_type(filename)[0]
        file_id, place = self._ids.new(), self._ids.new()
        path = PATH.format(place=place, key=file_id, filename=quote(filename, safe=""))
        file = Attachment(
            file_id,
            filename,
            data,
            lambda: self._signed(path),
            content_type,
            description,
            voice_seconds,
        )
        self._kept[str(file_id)] = file
        return file

    async def serve(self, http: web.Request) -> web.Response:
        """Hand out a file to whoever has an address of it that is signed and has not ended."""
        file = self._kept.get(http.match_info["key"])
        query = http.query
        try:
            ends = int(query.get("ex", "0"), 16)
        except ValueError:
            ends = 0
        if file is None or ends <= self._now():
            return web.Response(status=404, text="This content is no longer available.")
        wanted = self._mark(http.rel_url.raw_path, query["ex"], query.get("is", ""))
        if not hmac.compare_digest(wanted.encode(), query.get("hm", "").encode()):
            return web.Response(status=403, text="Forbidden")
        kind = file.content_type or "application/octet-stream"
        return web.Response(body=file.data, headers={"Content-Type": kind})

    def _signed(self, path: str) -> str:
        issued = int(self._now())
        ends, since = f"{issued + LASTING_SECONDS:x}", f"{issued:x}"
        mark = self._mark(path, ends, since)
        return f"{self._home()}{path}?ex={ends}&is={since}&hm={mark}&"

    def _mark(self, path: str, ends: str, since: str) -> str:
        told = f"{path}\n{ends}\n{since}".encode()
        return hmac.new(self._secret, told, hashlib.sha256).hexdigest()
