"""What a file is, by what stands in it: its name and the type that is told decide nothing."""

from __future__ import annotations

import codecs
import struct
from typing import NamedTuple

HEAD_BYTES = 4096
"""How much of a file is looked at to tell what it is."""

PDF = "application/pdf"

_BOMS = (
    # UTF-32 first: one of its marks begins like one of UTF-16's.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARIES = (
    (b"PK\x03\x04", "a ZIP archive, or an office document"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"MZ", "a program for Windows"),
    (b"\x7fELF", "a program"),
    (b"OggS", "a sound file"),
    (b"ID3", "a sound file"),
    (b"fLaC", "a sound file"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
)
_BRANDS = {b"heic": "a HEIC picture", b"avif": "an AVIF picture", b"M4A ": "a sound file"}
_FORMS = {b"WAVE": "a sound file", b"AVI ": "a video"}
_STEPS = 25_000
"""How many parts of a header are looked at: a file may be made of nothing but parts."""


class Extent(NamedTuple):
    """How large a picture says it is, in pixels, and whether it moves."""

    width: int
    height: int
    moves: bool = False


def media_type(head: bytes) -> str | None:
    """Return the media type of a picture that models take, or of a PDF; None for all else."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return PDF if head.startswith(b"%PDF-") else None


def kind_of_binary(head: bytes) -> str:
    """Say in words what a file is that is neither text nor anything that can be shown."""
    for magic, words in _BINARIES:
        if head.startswith(magic):
            return words
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "a video or sound file")
    if head[:4] == b"RIFF":
        return _FORMS.get(head[8:12], "a binary file")
    return "a binary file, or text in none of UTF-8, UTF-16 and UTF-32"


def decode(data: bytes, *, whole: bool) -> str | None:
    """Return the text that these bytes are, strictly; None if they are none.

    That is UTF-8, or what a byte order mark says. `whole` is false for the beginning of a longer
    text: its last character may be cut in two. A text holds no NUL.
    """
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
    try:
        text = codecs.getincrementaldecoder(encoding)("strict").decode(data, final=whole)
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text


def extent(data: bytes) -> Extent | None:
    """Read from its header how large a picture is; None if the header makes no sense.

    Nothing is decompressed.
    """
    try:
        match media_type(data):
            case "image/png":
                return _png(data)
            case "image/gif":
                return _gif(data)
            case "image/webp":
                return _webp(data)
            case "image/jpeg":
                return _jpeg(data)
    except (struct.error, IndexError):
        pass
    return None


def is_cut_off(data: bytes) -> bool:
    """Tell whether the end of a picture is missing."""
    match media_type(data):
        case "image/png":
            return b"IEND" not in data[-4096:]
        case "image/jpeg":
            # Phones and editors put things behind the end.
            return data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda")
        case "image/gif":
            return not data.rstrip(b"\x00").endswith(b";")
        case "image/webp":
            return len(data) < int.from_bytes(data[4:8], "little") + 8
    return True


def _png(data: bytes) -> Extent | None:
    if data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return Extent(width, height, b"acTL" in data[:HEAD_BYTES])


def _gif(data: bytes) -> Extent:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    return Extent(width, height, _gif_frames(data, 13 + _table(flags)) > 1)


def _gif_frames(data: bytes, place: int) -> int:
    """Count the frames of a GIF up to two."""
    frames, in_blocks = 0, False
    for _ in range(_STEPS):
        if frames == 2 or place >= len(data):
            break
        if in_blocks:
            in_blocks = data[place] > 0
            place += data[place] + 1
        elif data[place] == 0x21:  # an extension: its label, then blocks
            place, in_blocks = place + 2, True
        elif data[place] == 0x2C:  # a frame: its place and table, the size of its codes, blocks
            frames += 1
            place, in_blocks = place + 11 + _table(data[place + 9]), True
        else:
            break
    return frames


def _table(flags: int) -> int:
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0


def _webp(data: bytes) -> Extent | None:
    match data[12:16]:
        case b"VP8X":
            width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
            return Extent(width, height, bool(data[20] & 2))
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return Extent((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return Extent(width & 0x3FFF, height & 0x3FFF)
    return None


def _jpeg(data: bytes) -> Extent | None:
    place = 2
    for _ in range(_STEPS):
        if data[place] != 0xFF:
            break
        marker = data[place + 1]
        if marker == 0xFF:  # filling
            place += 1
            continue
        # Frame headers, but for the tables and the extension that stand among them.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, place + 5)
            return Extent(width, height)
        (length,) = struct.unpack_from(">H", data, place + 2)
        place += 2 + max(length, 2)
    return None
