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


def chart(data: bytes, order: dict[str, Any]) -> None:
    """Draw what days took, in stacked bars: numbers and dates alone, for there are many languages.

    Of a day are given its name, the heights of its parts, and whether something of it is unknown.
    """
    from PIL import Image, ImageDraw, ImageFont

    days = json.loads(data)
    width, height, left, top, foot = 900, 360, 70, 24, 34
    image = Image.new("RGB", (width, height), "#2b2d31")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(16)
    floor, room = height - foot, height - foot - top
    most = max((sum(parts) for _, parts, _ in days), default=0) or 1
    for share in (0, 0.5, 1):
        line = floor - room * share
        draw.line((left, line, width - 12, line), fill="#4e5058")
        draw.text((left - 8, line), _short(most * share), "#b5bac1", font, anchor="rm")
    step = (width - 12 - left) / max(1, len(days))
    named = max(1, -(-len(days) // 10))
    for number, (name, parts, unknown) in enumerate(days):
        start, level = left + step * number, float(floor)
        for part, colour in zip(parts, order["colours"], strict=True):
            higher = level - room * part / most
            if part:
                draw.rectangle((start + step * 0.12, higher, start + step * 0.88, level), colour)
            level = higher
        if unknown:
            draw.text((start + step / 2, level - 2), "?", "#f0b232", font, anchor="mb")
        if number % named == 0:
            draw.text((start + step / 2, floor + 8), name, "#b5bac1", font, anchor="mt")
    made = io.BytesIO()
    image.save(made, "PNG")
    say({}, made.getvalue())


def _short(number: float) -> str:
    """Write a number in a few characters."""
    units = iter(("", "k", "M", "G"))
    unit = next(units)
    while number >= 1000 and (larger := next(units, None)):
        number, unit = number / 1000, larger
    return f"{number:.3g}{unit}"


def main() -> None:
    """Do what the order says with what comes in."""
    order = json.loads(sys.argv[1])
    limit(order["megabytes"])
    # Behind all else: what lies beside a library must not stand in for anything of Python's.
    sys.path.append(order["library"])
    {"picture": picture, "pdf": pdf, "chart": chart}[order["what"]](sys.stdin.buffer.read(), order)


if __name__ == "__main__":
    main()
