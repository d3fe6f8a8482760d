"""Judging: 👍 and 👎 at any part of an answer."""

from __future__ import annotations

from ..ledger import Store
from ..runs.feedback import Feedback
from .reactions import Reaction

GOOD, BAD = "👍", "👎"
_ANSWERS = ("tool", "mcp", "delivery")


async def judge_by(store: Store, feedback: Feedback, reaction: Reaction) -> None:
    """Keep what who has reacted thinks of an answer, or that they take it back."""
    if reaction.sent is None:
        return
    sends = await store.sends(reaction.event.id)
    answers = [one for one in sends if one.by in _ANSWERS and one.kind == "message"]
    if not any(reaction.message_id in one.message_ids for one in answers):
        return
    keep = feedback.judge if reaction.added else feedback.take_back
    await keep(reaction.event, reaction.user_id, good=reaction.emoji == GOOD)
