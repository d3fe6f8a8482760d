"""Arguments: whatever a model writes is read as what it is, or is a wrong argument."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from aurora.ids import LARGEST_ID, snowflake
from aurora.tools.arguments import Arguments, BadArgument

DIGITS = st.text(st.characters(categories=["Nd", "No"]), max_size=60)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | DIGITS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.integers(1, LARGEST_ID))
def test_every_id_is_read_as_itself(number: int) -> None:
    """As a string, as a number, with white space around it."""
    for given_as in (str(number), number, f" {number}\n"):
        assert Arguments({"id": given_as}).snowflake("id") == number


@given(DIGITS)
def test_what_is_no_id_is_none(text: str) -> None:
    """Digits of other scripts, leading zeros and numbers that are too large are no ids."""
    plain = text.isascii() and text.isdigit() and not text.startswith("0") and len(text) < 20
    wanted = int(text) if plain and int(text) <= LARGEST_ID else None
    assert snowflake(text) == wanted


def refusal(read: Callable[[], object]) -> str:
    """Return what is said of an argument that can't be read; nothing if it can."""
    try:
        read()
    except BadArgument as error:
        return str(error)
    return ""


@given(VALUES)
def test_no_argument_escapes(value: object) -> None:
    """Each reader returns what it promises, or says what is wrong in a few words."""
    arguments = Arguments({"it": value})
    for read in (
        lambda: arguments.snowflake("it"),
        lambda: arguments.optional_snowflake("it"),
        lambda: arguments.text("it"),
        lambda: arguments.whole("it", 1, 100, 20),
    ):
        assert len(refusal(read)) < 300
