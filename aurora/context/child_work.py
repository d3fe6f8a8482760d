"""The program of a child process: it parses one file, within the limits it gives itself first.

It runs alone: nothing of Aurora is imported, and what it says it says on one pipe.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import Any

CPU_SECONDS = 2


def limit(megabytes: int) -> None:
    """Bound what this process may take, before it looks at what a stranger made."""
    try:
        import resource
    except ImportError:  # Windows has no such thing; the clock outside is what ends it there
        return
    size = megabytes * 2**20
    for what, most in (
        (resource.RLIMIT_AS, size),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        # macOS knows some of them, and keeps none of others.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def say(facts: dict[str, Any], data: bytes = b"") -> None:
    """Tell what came of it: a line of facts, then bytes."""
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n" + data)
    sys.stdout.buffer.flush()


def picture(data: bytes, order: dict[str, Any]) -> None:
    """Make a picture that models take: upright, not too large, and nothing but a picture."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = order["pixels"]
    side = order["side"]
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "GIF", "WEBP")) as opened:
        # First, for of a JPEG only as much is unpacked as that takes.
        opened.thumbnail((side, side))
        image = ImageOps.exif_transpose(opened)
        clear = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
        image = image.convert("RGBA" if clear else "RGB")
    media, made = _written(
        image, clear=clear or opened.format in ("PNG", "GIF"), most=order["bytes"]
    )
    say({"type": media}, made)


def _written(image: Any, *, clear: bool, most: int) -> tuple[str, bytes]:
    """Write a picture without loss where that is small enough."""
    if clear:
        exact = io.BytesIO()
        image.save(exact, "PNG")
        if exact.tell() <= most:
            return "image/png", exact.getvalue()
    plain = io.BytesIO()
    image.convert("RGB").save(plain, "JPEG", quality=85)
    return "image/jpeg", plain.getvalue()


def pdf(data: bytes, order: dict[str, Any]) -> None:
    """Read the text of a PDF, page by page, until there is enough."""
    import logging

    from pypdf import PdfReader

    logging.disable()
    pages = PdfReader(io.BytesIO(data)).pages
    count, shown, left, texts = len(pages), 0, order["chars"] + 1, []
    for page in pages:
        text = page.extract_text()
        texts.append(text[:left])
        left -= len(text)
        shown += 1
        if left <= 0:
            break
    whole = "\n\n".join(texts).encode(errors="replace")
    say({"pages": count, "shown": shown}, whole)


def main() -> None:
    """Do what the order says with what comes in."""
    order = json.loads(sys.argv[1])
    limit(order["megabytes"])
    # Behind all else: what lies beside a library must not stand in for anything of Python's.
    sys.path.append(order["library"])
    {"picture": picture, "pdf": pdf}[order["what"]](sys.stdin.buffer.read(), order)


if __name__ == "__main__":
    main()
