"""The way of a mention goes as its picture in EVENT_SYSTEM_DESIGN.md shows it."""

from __future__ import annotations

import sys
from types import FrameType

from tests.support.documents import way_of_a_mention
from tests.support.e2e.seen import mention, outcome_of, works
from tests.support.e2e.town import Town
from tests.support.house import ROOT

HOUSE = f"{ROOT / 'aurora'}/"


class Tracing:
    """Notes the functions of the house in the order in which they are first entered."""

    def __init__(self) -> None:
        self.entered: dict[tuple[str, str], None] = {}

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """Look at what the interpreter reports of this thread."""
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(HOUSE):
            self.entered.setdefault((code.co_filename.removeprefix(HOUSE), code.co_qualname))


async def test_a_mention_goes_the_way_of_the_picture(town: Town) -> None:
    """Every function that it names is entered, in its order."""
    await works(town)  # a conversation is open, so that nothing happens only once
    tracing = Tracing()
    sys.setprofile(tracing)
    try:
        seen = await outcome_of(town, mention(town, "[[send:Hello.]]"))
    finally:
        sys.setprofile(None)
    assert (seen.state, seen.reason) == ("answered", "sent")
    way = way_of_a_mention()
    assert [step for step in tracing.entered if step in way] == way
