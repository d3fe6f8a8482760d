"""Files that mean harm, and some that mean well, made as they are needed."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from PIL import Image

MEGABYTE = 1_000_000


def png(width: int, height: int, rows: bytes | None = None) -> bytes:
    """Write a PNG that says it is this large; `rows` is what is packed in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    packed = zlib.compress((b"\0" + b"\xff\0\0" * width) * height if rows is None else rows)
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def jpeg(width: int = 640, height: int = 480) -> bytes:
    """Write a photograph."""
    made = io.BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(made, "JPEG")
    return made.getvalue()


def gif(frames: int) -> bytes:
    """Write an animation."""
    made = io.BytesIO()
    pictures = [Image.new("L", (8, 8), number % 250) for number in range(frames)]
    pictures[0].save(made, "GIF", save_all=True, append_images=pictures[1:])
    return made.getvalue()


def zip_bomb() -> bytes:
    """Pack a lot of nothing."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", b"\0" * 10 * MEGABYTE)
    return made.getvalue()


def pdf(content: bytes, *, kids: bytes = b"3 0 R") -> bytes:
    """Write a PDF of one page that draws this; `kids` are the pages it lists."""
    packed = zlib.compress(content, 9)
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [" + kids + b"] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    made, places = bytearray(b"%PDF-1.4\n"), []
    for number, one in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % place for place in places)
    made += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        table,
    )
    return bytes(made)


def written(text: str) -> bytes:
    """Draw a line of text, as a page of a PDF holds it."""
    return b"BT /F1 12 Tf 10 100 Td (%s) Tj ET\n" % text.encode()
