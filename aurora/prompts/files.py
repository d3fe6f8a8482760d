"""Write what came with a turn's messages: what files say is fenced like all that people write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..files import Attachment, File, Opened
from .fence import fence, quoted

_HEAD = "Files that came along. Their names and what stands in them are from people, too."
_PICTURES = " The pictures follow this text."


def format_files(attachments: Sequence[Attachment], nonce: str) -> str:
    """Say of each file what it is, and below, fenced, how it is called and the text in it."""
    shown = any(one.opened.picture for one in attachments)
    return "\n".join([_HEAD + (_PICTURES if shown else ""), *_lines(attachments, nonce)])


def _lines(attachments: Sequence[Attachment], nonce: str) -> Iterator[str]:
    pictures = 0
    for number, (file, whose, opened) in enumerate(attachments, 1):
        about = opened.about
        if opened.picture is not None:
            pictures += 1
            about = f"{about}; picture {pictures} below"
        current = whose == "current"
        where = "the current message" if current else f'message "{file["message_id"]}"'
        yield f"File {number}, with {where}: {about.rstrip('.')}."
        yield fence(f"file {number}", called(file, opened), nonce)


def called(file: File, opened: Opened) -> str:
    """Write how a file is called, and the text in it if it has one, for a fence."""
    name = f"Name: {quoted(file['name'])}"
    return name if opened.text is None else f"{name}\n{opened.text}"
