"""Which files of an agent's memory somebody may have it list, read, write and delete, and where.

An agent has one memory for all servers and DMs. Three kinds of files are in it. *Notes* are about
a person or a place, and it is known in which place they were written; a *private* note comes from
somebody's DMs. All else is *shared*: files in the root stand in the agent's system prompt.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from ..agents.memory import Note, note_of
from ..ids import PEOPLE, PLACES, person_folder, place_folder, private_folder
from ..prompts.fence import clean, inline
from ..reasons import Reason
from .policy import Act, Denied

NOTES_KEPT = 20
"""How many notes a folder may have; a server tells all texts of all files at once."""
PATH_CHARS = 200
_FOLDERS = 3
_SHOWN_CHARS = 60


class Asker(NamedTuple):
    """For whom the agent acts, and where.

    `manages` says that the bot's owner named a role of theirs for the agents' memory; the `owner`
    manages as well.
    """

    user_id: int
    channel_id: int
    guild_id: int | None
    manages: bool = False
    owner: bool = False

    @property
    def folders(self) -> tuple[str, ...]:
        """Return the folders that they may have notes written into, whoever they are."""
        if self.guild_id is None:
            return (private_folder(self.user_id),)
        return person_folder(self.user_id), place_folder(self.channel_id)


def denial(
    asker: Asker, act: Act, path: str, *, written: bool = False, readable: bool = False
) -> Denied | None:
    """Tell why this may not be done with a file; None if it may.

    Args:
        asker: for whom.
        act: MEMORY_READ, MEMORY_WRITE or MEMORY_DELETE.
        path: as the agent wrote it.
        written: whether it is known in which place the note was written last.
        readable: whether it is, and everybody who reads here may read there.

    """
    if not _is_tidy(path):
        return _denied(f"{_shown(path)} is no path of a memory file. {_grammar(asker)}")
    note = note_of(path)
    if note is None:
        return _of_shared(asker, act, path)
    if note.private:
        if asker.guild_id is not None or note.id != asker.user_id:
            return _denied("Notes from direct messages are used in that direct message only.")
        return None
    if act is Act.MEMORY_READ:
        return None if readable else _unreadable(path)
    if not _may_change(asker, act, note):
        return _denied(f"The person who asked may not have {path} changed. {_grammar(asker)}")
    if act is Act.MEMORY_WRITE and written and not readable:
        # The new text would take the place of one that nobody here could know of.
        return _denied(
            f"There is a {path} from another place, which people here may not read. "
            "Use another name, or delete it first if it is about the person who asks."
        )
    return None


def _may_change(asker: Asker, act: Act, note: Note) -> bool:
    """Tell whether somebody may have a note that is not private written or deleted."""
    if asker.manages or asker.owner:
        return True
    if asker.guild_id is None:
        return False
    if note.about == PEOPLE:
        return note.id == asker.user_id
    return act is Act.MEMORY_WRITE and note.id == asker.channel_id


def _of_shared(asker: Asker, act: Act, path: str) -> Denied | None:
    # On some file systems these are the same folders; what is written there must be a note.
    if path.split("/")[0].casefold() in (PEOPLE, PLACES):
        return _denied(f"{_shown(path)} is no note. {_grammar(asker)}")
    if act is Act.MEMORY_READ or asker.manages or asker.owner:
        return None
    return _denied(
        f"{_shown(path)} is shared by all places; only the bot's owner, and whom they named, may "
        f"have it changed. {_grammar(asker)}"
    )


def _is_tidy(path: str) -> bool:
    """Tell whether a path means on every file system what it looks like."""
    parts = path[: PATH_CHARS + 1].split("/")
    return (
        len(path) <= PATH_CHARS
        and len(parts) <= _FOLDERS + 1
        and path == clean(path) == unicodedata.normalize("NFKC", path)
        and path.isprintable()
        and not any(mark in path for mark in '\\:*?"<>|')
        and all(part and part == part.strip(". ") for part in parts)
        and path.endswith(".md")
    )


def _grammar(asker: Asker) -> str:
    where = " or ".join(f"{folder}<name>.md" for folder in asker.folders)
    return f"Write to {where}; a name has small letters a to z, digits, - and _."


def _unreadable(path: str) -> Denied:
    return _denied(
        f"There is no {path} that may be read here: a note is read only where everybody may read "
        "the place in which it was written."
    )


def _shown(path: str) -> str:
    return f'"{inline(path, _SHOWN_CHARS)}"'


def crowded(asker: Asker) -> Denied:
    """Refuse one more note in a folder that has as many as it may have."""
    return _denied(
        f"That folder has {NOTES_KEPT} notes already. Write into one of them, or have one about "
        f"the person who asks deleted. {_grammar(asker)}"
    )


def _denied(text: str) -> Denied:
    return Denied(Reason.MEMORY_DENIED, text)
