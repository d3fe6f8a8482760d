"""Wishes: what who asks wants of a run besides an answer."""

from __future__ import annotations

from typing import NamedTuple


class Wish(NamedTuple):
    """What is wanted of a run: by whom it is answered, and how.

    `role` is the name of who is to answer, `strong` asks for the strongest model. Those named in
    `compare` each answer, beside each other. What is to be `first` waits for no other lane.
    """

    role: str = ""
    strong: bool = False
    compare: tuple[str, ...] = ()
    first: bool = False

    def __str__(self) -> str:
        """Write it as it is kept; nothing if nothing is wanted."""
        words = [f"role={self.role}"] if self.role else []
        words += ["strong"] if self.strong else []
        words += [f"compare={','.join(self.compare)}"] if self.compare else []
        return " ".join([*words, *(["first"] if self.first else [])])


NO_WISH = Wish()


def read_wish(kept: str) -> Wish:
    """Read a wish as it is kept."""
    said = dict(word.partition("=")[::2] for word in kept.split())
    compare = tuple(said.get("compare", "").split(",")) if "compare" in said else ()
    return Wish(said.get("role", ""), "strong" in said, compare, "first" in said)
