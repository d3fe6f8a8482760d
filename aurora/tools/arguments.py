"""The arguments of a tool call: their schema, and their check, for models mistype them."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..ids import LARGEST_ID, message_id_at
from ..ids import snowflake as read_snowflake
from ..reasons import AuroraError

_WORDS = {"true": True, "false": False, "": False, "null": None}


class BadArgument(AuroraError):  # noqa: N818 - the name discord.py gives the same thing
    """An argument is missing or wrong; the text names it and says what is expected."""


def snowflake(description: str) -> Mapping[str, Any]:
    """Return the schema of an id; as a number it would lose its last digits on the way."""
    return {"type": "string", "description": description}


def schema(required: tuple[str, ...], **properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of a tool's arguments."""
    return {"type": "object", "properties": properties, "required": list(required)}


class Arguments:
    """Reads arguments by name; every method raises BadArgument."""

    def __init__(self, values: object) -> None:
        if not isinstance(values, Mapping):
            raise BadArgument(
                f"The arguments could not be read: they must be one JSON object, "
                f"not {_shown(values)}."
            )
        self._values: Mapping[str, Any] = values

    def snowflake(self, name: str) -> int:
        """Return an id, given as a string or a whole number."""
        value = self._required(name)
        number = _id(value)
        if number is None:
            raise BadArgument(
                f"{name} must be the id of something in Discord as a string of digits, "
                f'such as "1187654321098765432", not {_shown(value)}.'
            )
        return number

    def optional_snowflake(self, name: str) -> int | None:
        """Return an id, or None if it was left out, null or empty."""
        return None if self._values.get(name) in (None, "") else self.snowflake(name)

    def moment(self, name: str) -> int | None:
        """Return a message's id, or of a date and time the least id then; None if left out."""
        value = self._values.get(name)
        if value in (None, ""):
            return None
        if (number := _id(value)) is not None:
            return number
        try:
            moment = datetime.fromisoformat(value if isinstance(value, str) else "")
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            raise BadArgument(
                f'{name} must be the id of a message or a date such as "2026-01-31", '
                f"not {_shown(value)}."
            ) from None
        return min(max(message_id_at(seconds), 0), LARGEST_ID)

    def snowflake_or_none(self, name: str) -> int | None:
        """Return an id, or None where there is none: for what may be left out just as well."""
        return _id(self._values.get(name))

    def flag(self, name: str) -> bool:
        """Return whether something is to be so; not if it was left out or null."""
        value = self._values.get(name)
        if isinstance(value, str):
            value = _WORDS.get(value.strip().lower(), value)
        if not isinstance(value, bool | None):
            raise BadArgument(f"{name} must be true or false, not {_shown(value)}.")
        return bool(value)

    def text(self, name: str) -> str:
        """Return a string, which may be empty."""
        value = self._required(name)
        if not isinstance(value, str):
            raise BadArgument(f"{name} must be a string, not {_shown(value)}.")
        return value

    def optional_text(self, name: str) -> str:
        """Return a string; an empty one if it was left out or null."""
        return self.text(name) if self.given(name) else ""

    def given(self, name: str) -> bool:
        """Tell whether an argument was given at all, and is not null."""
        return self._values.get(name) is not None

    def texts(self, name: str) -> list[str]:
        """Return a list of strings."""
        value = self._required(name)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise BadArgument(f"{name} must be a list of strings, not {_shown(value)}.")
        return value

    def whole(self, name: str, lowest: int, highest: int, default: int) -> int:
        """Return a whole number in a range, or the default if it was left out or null."""
        value = self._values.get(name)
        if value is None:
            return default
        if isinstance(value, str) and not value.isascii():
            value = ""
        try:
            number = int(value) if not isinstance(value, bool) and value == value else None
            exact = number is not None and (isinstance(value, str) or number == value)
        except (TypeError, ValueError, OverflowError):
            exact = False
        if not exact or number is None or not lowest <= number <= highest:
            raise BadArgument(
                f"{name} must be a whole number from {lowest} to {highest}, not {_shown(value)}."
            )
        return number

    def _required(self, name: str) -> Any:
        value = self._values.get(name)
        if value is None:
            raise BadArgument(f"{name} is missing.")
        return value


def _id(value: object) -> int | None:
    """Read the whole of a value as an id; None if it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 < value <= LARGEST_ID else None
    return read_snowflake(value.strip()) if isinstance(value, str) else None


def _shown(value: object) -> str:
    try:
        # Of what is nested only the outer parts: much fails on a thousand levels.
        text = reprlib.repr(value) if isinstance(value, dict | list) else repr(value)
    except (ValueError, RecursionError):
        # Python writes no number of more than 4,300 digits.
        return f"this {type(value).__name__}"
    return text if len(text) <= 40 else f"{text[:40]}…"
