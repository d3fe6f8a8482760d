"""Ids; they sort by the time they were made."""

from __future__ import annotations

import random
import uuid

PEOPLE = "people"
PLACES = "places"
PRIVATE = "dm"
"""The folders of an agent's memory that hold notes on people and places."""


def new_event_id(at: float) -> str:
    """Return `evt_` and a UUIDv7 (RFC 9562): ids sort by time of acceptance, in seconds."""
    return "evt_" + _uuid7(at)


def new_turn_id(at: float) -> str:
    """Return `turn_` and a UUIDv7: ids sort by the time of a turn's first start, in seconds."""
    return "turn_" + _uuid7(at)


def task_id(event_id: str) -> str:
    """Return the short name of an event: all of its time, and enough of its noise.

    Within a millisecond one in 67 million would be named like another.
    """
    time, half, version, variant, _ = event_id.removeprefix("evt_").split("-")
    noise = int(version, 16) & 0xFFF, int(variant, 16) & 0x3FFF
    number = int(time + half, 16) << 26 | noise[0] << 14 | noise[1]
    return _TASK + "".join(_LETTERS[number >> shift & 31] for shift in range(70, -1, -5))


def ids_of_task(name: str) -> str | None:
    """Return how the id begins of the event that has a short name; None if it is no such name.

    Letters that look like digits are taken for them, and capitals for small letters.
    """
    letters = name.strip().lower().removeprefix(_TASK).translate(_LOOKALIKES)
    if name.strip().lower()[: len(_TASK)] != _TASK or len(letters) != _TASK_LETTERS:
        return None
    if letters.strip(_LETTERS) or letters[0] > _HIGHEST_FIRST:
        return None
    number = 0
    for letter in letters:
        number = number << 5 | _LETTERS.index(letter)
    return "evt_" + _first_groups(number >> 26, number & 0x3FFFFFF) + "-"


def new_input_id() -> str:
    """Return a random UUID: no other attempt, of this process or another, has the same."""
    return str(uuid.uuid4())


def oldest_turn_id(at: float) -> str:
    """Return what every id of a turn that first started at that time or later is above."""
    moment = max(0, int(at * 1000))
    return f"turn_{moment >> 16:08x}-{moment & 0xFFFF:04x}"


def person_folder(user_id: int | str) -> str:
    """Return where an agent's memory holds what is known of a person."""
    return f"{PEOPLE}/{user_id}/"


def private_folder(user_id: int | str) -> str:
    """Return where it holds what somebody said in their direct messages."""
    return f"{PEOPLE}/{user_id}/{PRIVATE}/"


def place_folder(channel_id: int | str) -> str:
    """Return where it holds what is known of a channel or thread."""
    return f"{PLACES}/{channel_id}/"


def message_id_at(seconds: float) -> int:
    """Return the least id that Discord gives to a message then, in seconds since the epoch."""
    return (int(seconds * 1000) - _DISCORD_EPOCH) << _SNOWFLAKE_BITS


def wake_id(schedule_id: int, due: float) -> int:
    """Return the id of the event by which a schedule wakes an agent at a time: always the same.

    Like Discord's it says when it was made.
    """
    return message_id_at(due) | schedule_id & (1 << _SNOWFLAKE_BITS) - 1


def written_at(message_id: int) -> float:
    """Return when a message was written, by Discord's clock, in seconds since the epoch."""
    return ((message_id >> _SNOWFLAKE_BITS) + _DISCORD_EPOCH) / 1000


def snowflake(text: str) -> int | None:
    """Return the id of something in Discord that is all of a text, in plain digits; else None."""
    # Asked first: reading thousands of digits is an error, and other scripts have digits, too.
    if not text or len(text) > _ID_DIGITS or text.strip("0123456789") or text[0] == "0":
        return None
    number = int(text)
    return number if number <= LARGEST_ID else None


def _uuid7(at: float) -> str:
    noise = _random.getrandbits(74)
    return "%s-%012x" % (_first_groups(int(at * 1000), noise >> 48), noise & 0xFFFFFFFFFFFF)  # noqa: UP031 - made ten times a mention, and faster


def _first_groups(moment: int, noise: int) -> str:
    # The bits that RFC 9562 fixes are the version, 7, and the variant, two bits after it.
    return "%08x-%04x-7%03x-%04x" % (  # noqa: UP031 - as above
        moment >> 16,
        moment & 0xFFFF,
        noise >> 14,
        0x8000 | noise & 0x3FFF,
    )


LARGEST_ID = 2**63 - 1
"""Discord's ids have 64 bits, the ledger's numbers a sign."""
_ID_DIGITS = 19

_TASK, _TASK_LETTERS = "task-", 15
# Crockford's: without letters that are taken for digits, or for one another.
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
# The letters hold a bit more than there is to hold.
_HIGHEST_FIRST = _LETTERS[15]
_LOOKALIKES = str.maketrans("oil", "011")

# Ids are to differ, not to be secret; the system's source lets go of the interpreter's lock.
_random = random.Random()  # noqa: S311

# 2015, in milliseconds; below the time stand bits that make ids differ.
_DISCORD_EPOCH = 1_420_070_400_000
_SNOWFLAKE_BITS = 22
