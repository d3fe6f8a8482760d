"""Strains: whether what a lane talks about is too hard for the model that it has."""

from __future__ import annotations

from typing import NamedTuple


class Strain(NamedTuple):
    """What is kept of a lane between its turns.

    `strong` says that its next turn is for the strong model, `doubts` in how many turns in a row
    people have thought little of its agent.
    """

    strong: bool = False
    doubts: int = 0


NO_STRAIN = Strain()
