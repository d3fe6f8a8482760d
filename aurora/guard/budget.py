"""The budget of a run: how much its agent may do in Discord before Aurora ends it.

What a run costs at its own server (calls of the model, tokens, loops) shows in its stream, and is
bounded by `runs/loop_guard.py`.
"""

from __future__ import annotations

from ..reasons import StuckError
from ..settings import GuildSettings
from ..words.reasons import OVER_BUDGET
from .acts import READING, WRITING, Act
from .policy import Target

_MOST_IGNORED = 3
"""Up to which count a call is refused at least, where twice the limit is less."""

_REFUSALS = {
    "calls": "Not done: this is call {n} of at most {most} in one run. Call no more tools: "
    "write your answer as text and end your turn.",
    "reads": "Not read: this is read {n} of at most {most} in one run. "
    "Answer with what you have read.",
    "reactions": "Not added: this is reaction {n} of at most {most} in one run. End your turn.",
    "messages": "Not sent: this would be message {n} of at most {most} in one run. End your turn.",
    "places": "Not done: {most} other channels are the most that one run may write or react in. "
    "Use the channel that you were addressed in.",
    "ids": "Not done: {most} channel ids that lead nowhere are the most that one run may try. "
    "Use the channel id from the message you are answering.",
}


class Budget:
    """What one run may still do.

    Over a limit a call is refused, in words for the agent. An agent that goes on past twice the
    limit does not listen: StuckError ends its run.
    """

    def __init__(self, settings: GuildSettings, own_channel: int) -> None:
        self._settings = settings
        self._own = own_channel
        self._used = {"calls": 0, "reads": 0, "reactions": 0, "messages": 0}
        self._places: list[int] = []
        self._tried = {own_channel}
        self._nowhere: list[int] = []

    def spend(self, act: Act, target: Target) -> str | None:
        """Pay for a call; return in words why it can't be paid for, raise StuckError."""
        refused = self._count("calls")
        if act in READING:
            refused = refused or self._count("reads")
        if act is Act.REACT:
            refused = refused or self._count("reactions")
        if (channel := target.channel_id) is None or refused:
            return refused
        if act in WRITING and channel != self._own:
            refused = self._nth("places", self._places, channel)
        return refused or self._try(channel)

    def led_nowhere(self, target: Target) -> None:
        """Note that there is no such channel as a call was about."""
        channel = target.channel_id
        if channel in self._places:
            self._places.remove(channel)
        if channel is not None and channel not in self._nowhere:
            self._nowhere.append(channel)

    def room(self, sent: int) -> int:
        """Return how many messages may follow those `sent`, long texts counted in parts."""
        return max(0, self._most("messages") - sent)

    def no_room(self, sent: int) -> str:
        """Return in words that no message may follow those `sent`; raise StuckError."""
        self._used["messages"] += 1
        refused = sent + self._used["messages"]
        return self._over("messages", refused) or ""

    def _try(self, channel: int) -> str | None:
        """Try an id, unless too many have led nowhere: to look one up may cost a request."""
        known = channel in self._tried and channel not in self._nowhere
        if known or len(self._nowhere) < self._most("ids"):
            self._tried.add(channel)
            return None
        if channel not in self._nowhere:
            self._nowhere.append(channel)
        return self._over("ids", max(len(self._nowhere), self._most("ids") + 1))

    def _count(self, what: str) -> str | None:
        self._used[what] += 1
        return self._over(what, self._used[what])

    def _nth(self, what: str, seen: list[int], one: int) -> str | None:
        if one not in seen:
            seen.append(one)
        return self._over(what, seen.index(one) + 1)

    def _over(self, what: str, count: int) -> str | None:
        """Return the refusal of so many, None if so many may be; raise StuckError."""
        most = self._most(what)
        if count > max(2 * most, _MOST_IGNORED):
            raise StuckError(OVER_BUDGET(what=what))
        return _REFUSALS[what].format(n=count, most=most) if count > most else None

    def _most(self, what: str) -> int:
        most: int = getattr(self._settings, f"budget_{what}")
        return most
