"""What the scripted model sees of pictures: the colour of their first pixel, if they are plain."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

_COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 160, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
}


def pictures_in(message: dict[str, Any]) -> list[tuple[str, bytes]]:
    """List the pictures of a message as (media type, bytes)."""
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    found = []
    for part in parts:
        if isinstance(part, dict) and part.get("type") == "image_url":
            head, _, data = str(part["image_url"]["url"]).partition(",")
            media = head.removeprefix("data:").removesuffix(";base64")
            found.append((media, _bytes(data)))
    return found


def colour_of(picture: bytes) -> str:
    """Name the colour of a picture, as far as a model without eyes can."""
    try:
        start = picture.index(b"IDAT")
        length = int.from_bytes(picture[start - 4 : start], "big")
        rows = zlib.decompress(picture[start + 4 : start + 4 + length])
    except (ValueError, zlib.error):
        return "many colours"
    seen = tuple(rows[1:4])
    return next((name for name, value in _COLOURS.items() if value == seen), "many colours")


def _bytes(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        return b""
