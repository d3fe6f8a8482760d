"""Open what is attached to messages: text as text, pictures as pictures, all else in words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import discord

from ..files import File, Opened, Picture, in_units
from ..prompts.fence import NAME_CHARS, clean
from .child import ChildFailed, Children, NoLibrary, libraries
from .contents import PDF, Extent, decode, extent, is_cut_off, kind_of_binary, media_type
from .fetching import Fetcher, NotFetched

FILES_NAMED = 10
"""Most files of one message that are told of; Discord takes no more in one."""
TEXT_BYTES = 20_000
"""How much text of one file is shown, in bytes of UTF-8."""
TEXTS_BYTES = 60_000
"""How much text of all files of a turn is shown."""
PICTURES = 4
"""How many pictures a turn shows."""
PICTURES_BYTES = 5_000_000
"""How large they may be together: all of it is written into one frame."""
FILE_BYTES = 5_000_000
"""The largest picture or PDF that is opened."""
PIXELS, LONGEST_SIDE = 50_000_000, 16_000
"""The largest picture that is unpacked, in pixels."""
SHOWN_SIDE, SHOWN_BYTES = 1568, 1_000_000
"""How large a picture may be when it is shown, as its longer side and in bytes."""
AS_IS_SIDE = 8000
"""The longest side that a picture may have that can't be made smaller: what models take."""

_NOTHING = "its content can't be shown"


@dataclass(slots=True)
class Room:
    """What is left of what one turn may show; `sees` tells whether its model sees pictures."""

    sees: Callable[[], Awaitable[bool]]
    text: int = TEXTS_BYTES
    pictures: int = PICTURES
    bytes: int = PICTURES_BYTES

    def take(self, text: str, *, whole: bool = True) -> tuple[str, bool]:
        """Cut a text to the room there is, and tell whether that is all of it."""
        data = text.encode(errors="replace")
        kept = data[: min(TEXT_BYTES, self.text)].decode(errors="ignore")
        self.text -= len(kept.encode())
        return kept, whole and len(kept) == len(text)


def files_of(message: discord.Message) -> list[File]:
    """Name the files of a message, those that it forwards included."""
    return [_file(message, one) for one in found_attachments(message)[:FILES_NAMED]]


def found_attachments(message: discord.Message) -> list[discord.Attachment]:
    """Return the attachments of a message, those that it forwards included."""
    forwarded = (one for snapshot in message.message_snapshots for one in snapshot.attachments)
    return [*message.attachments, *forwarded]


def _file(message: discord.Message, attachment: discord.Attachment) -> File:
    file = File(
        id=str(attachment.id),
        channel_id=str(message.channel.id),
        message_id=str(message.id),
        name=clean(attachment.filename)[:NAME_CHARS],
        size=attachment.size,
        type=clean(attachment.content_type or "")[:NAME_CHARS],
    )
    if attachment.is_voice_message():
        file["seconds"] = attachment.duration or 0.0
    return file


class Opener:
    """Opens files, one at a time; it raises nothing for what a file is or does."""

    def __init__(
        self,
        bot: discord.Client,
        folder: Path | None = None,
        *,
        fetcher: Fetcher | None = None,
        children: Children | None = None,
    ) -> None:
        self._fetcher = fetcher or Fetcher(bot)
        self._children = children or Children(libraries(folder).place if folder else None)

    async def open(self, file: File, url: str, room: Room) -> Opened:
        """Fetch a file from its address of today, and open it as far as there is room."""
        if "seconds" in file:
            return Opened(f"a voice message of {file['seconds']:.0f} s, which you can't hear")
        try:
            data, whole = await self._fetcher.fetch(url, _worth)
        except NotFetched as why:
            return Opened(f"not shown, for {why}")
        kind = media_type(data)
        if kind is None:
            text = decode(data, whole=whole)
            if text is None:
                return Opened(f"{kind_of_binary(data)}: {_NOTHING}")
            return _text("text", text, file["size"], room, whole=whole)
        if not whole:
            what = "a PDF" if kind == PDF else "a picture"
            return Opened(f"{what} of over {in_units(FILE_BYTES)}, which is too large to be shown")
        return await (self._pdf(data, room) if kind == PDF else self._picture(data, room))

    async def _pdf(self, data: bytes, room: Room) -> Opened:
        try:
            facts, text = await self._children.work(
                "pdf", data, most=TEXT_BYTES * 4, chars=TEXT_BYTES
            )
        except NoLibrary:
            return Opened(f"a PDF: {_NOTHING}, for what reads PDFs is not installed here")
        except ChildFailed as why:
            return Opened(f"a PDF that can't be read, for {why}")
        read = text.decode(errors="replace").strip()
        pages, shown = facts.get("pages"), facts.get("shown")
        if not read:
            return Opened(f"a PDF of {pages} pages without text in it")
        what = f"the text of a PDF of {pages} pages"
        return _text(what, read, None, room, whole=pages == shown)

    async def _picture(self, data: bytes, room: Room) -> Opened:
        shape = extent(data)
        if shape is None or is_cut_off(data):
            return Opened("a picture that is damaged: it can't be shown")
        size = f"{shape.width} × {shape.height} pixels"
        if max(shape[:2]) > LONGEST_SIDE or shape.width * shape.height > PIXELS:
            return Opened(f"a picture of {size}, which is too large to be shown")
        if room.pictures <= 0:
            return Opened(f"a picture, not shown: at most {PICTURES} are, at a time")
        if not await room.sees():
            return Opened(f"a picture of {size}, which your model can't see", unseen=True)
        try:
            picture = await self._made(data, shape)
        except NoLibrary:
            what = "an animated picture" if shape.moves else "a picture"
            return Opened(
                f"{what} of {size}: it can't be shown, for what makes pictures fit is not "
                "installed here"
            )
        except ChildFailed as why:
            return Opened(f"a picture that can't be shown, for {why}")
        if len(picture.data) > room.bytes:
            most = in_units(PICTURES_BYTES)
            return Opened(f"a picture of {size}, not shown: at most {most} are, at a time")
        room.pictures -= 1
        room.bytes -= len(picture.data)
        what = "the first frame of an animated picture" if shape.moves else "a picture"
        return Opened(f"{what} of {size}", picture=picture)

    async def _made(self, data: bytes, shape: Extent) -> Picture:
        """Make a picture that models take; raise NoLibrary or ChildFailed."""
        try:
            facts, made = await self._children.work(
                "picture",
                data,
                most=FILE_BYTES,
                pixels=PIXELS,
                side=SHOWN_SIDE,
                bytes=SHOWN_BYTES,
            )
        except NoLibrary:
            kind = media_type(data)
            if kind is None or shape.moves or max(shape[:2]) > AS_IS_SIDE:
                raise
            return Picture(kind, data)
        if (kind := media_type(made)) in (None, PDF) or kind != facts.get("type"):
            raise ChildFailed("it is damaged")
        return Picture(kind, made)


def _worth(head: bytes) -> int:
    """Say by its beginning how much of a file is worth fetching."""
    if media_type(head) is not None:
        return FILE_BYTES
    # Four bytes are the longest that a character takes in any of these encodings.
    return 4 * TEXT_BYTES if decode(head, whole=False) is not None else 0


def _text(what: str, text: str, size: int | None, room: Room, *, whole: bool) -> Opened:
    if room.text <= 0:
        return Opened(f"{what}, not shown: at most {in_units(TEXTS_BYTES)} are, at a time")
    kept, all_of_it = room.take(text, whole=whole)
    if all_of_it:
        return Opened(f"{what}, all of it", kept)
    shown = len(kept.encode())
    of_all = f" of {in_units(size)}" if size and size > shown else ""
    return Opened(f"{what}, the first {in_units(shown)}{of_all}", kept)
