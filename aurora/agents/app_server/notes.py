"""Notes in the shape in which the App Server keeps a memory file.

It wants a heading on every file and an index in every folder, and takes two levels of folders.
None of what Aurora writes for that is anybody's words, whatever of it the server tells its model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...ids import PRIVATE
from ..memory import note_of

INDEX = "MEMORY.md"
INDEX_TEXT = "# Notes\n\nAurora keeps the notes below this folder.\n"
_HEADING = "---\nname: {name}\ndescription: A note, kept by Aurora.\n---\n"
_ANY_HEADING = re.compile(r"\A---\n(?:\w+:.*\n)*---(?:\n|\Z)")
_FLAT = re.compile(rf"(.+)/{PRIVATE}\.([^/.]+\.md)")


def stored_path(path: str) -> str:
    """Return where the server keeps a file."""
    note = note_of(path)
    if note is None or not note.private:
        return path
    folder, _, name = path.rpartition("/")
    return f"{folder}.{name}"


def shown_path(stored: str) -> str:
    """Return what a file of the server's is called outside."""
    found = _FLAT.fullmatch(stored)
    path = f"{found[1]}/{PRIVATE}/{found[2]}" if found else stored
    return path if stored_path(path) == stored else stored


def stored_text(path: str, text: str) -> str:
    """Return a file's text as the server wants it; a note's heading is ours."""
    note = note_of(path)
    if note is None:
        return text
    return _HEADING.format(name=note.name) + shown_text(path, text)


def shown_text(path: str, stored: str) -> str:
    """Return a file's text without the heading of a note."""
    return stored if note_of(path) is None else _ANY_HEADING.sub("", stored, count=1)


def indexes(path: str) -> Iterator[str]:
    """Yield the indexes of the folders that a note is in, from above."""
    if note_of(path) is not None:
        folders = stored_path(path).split("/")[:-1]
        yield from ("/".join([*folders[:depth], INDEX]) for depth in range(1, len(folders) + 1))
