"""Tell how an attempt ended whose Aurora died before it heard the end."""

from __future__ import annotations

from ...reasons import Outcome
from ..frames import Frame, word
from ..protocol import Finished, Input
from .api import Api
from .messages import has_ended, last_text, otid_of
from .outcomes import REQUIRES_APPROVAL, ending_of

# A message is sent again only after it was refused; more often than this it never is.
_REPEATS = 5


async def recall(api: Api, given: Input) -> Finished | None:
    """Find an attempt in the conversation's tail and return how it ended.

    None if it did not end, or left nothing: then a new attempt may be sent, which ends whatever
    of the old one still runs or waits. Raises CutError and RefusedError.
    """
    key = given.conversation
    otids = {otid_of(key, given.input_id, number) for number in range(_REPEATS)}
    tail = await api.tail(key)
    mine: list[Frame] = []
    for one in reversed(tail):
        is_input = word(one, "message_type") == "user_message"
        if not mine:
            mine = [one] if is_input and word(one, "otid") in otids else []
        elif is_input and word(one, "run_id") not in {word(old, "run_id") for old in mine}:
            # The next person's message; a note of compaction belongs to the run it is in.
            break
        else:
            mine.append(one)
    if not mine:
        return None
    mine.reverse()
    run = await api.retrieve_run(word(mine[0], "run_id"))
    if not has_ended(run) or word(run, "stop_reason") == REQUIRES_APPROVAL:
        return None
    ending = ending_of(run)
    text = last_text(mine) if ending.outcome is Outcome.COMPLETED else ""
    return Finished(ending.outcome, text or "", ending.detail)
