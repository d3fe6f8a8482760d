"""What an agent writes in a run, and which of it is left when it has sent and read."""

from __future__ import annotations

from ..agents.protocol import RunEvent, ServerFound, Text, ToolCalled, ToolReturned
from ..model import Said
from .ports import RunTools


class Saying:
    """Follows one attempt's stream, in which texts, sends and calls stand in their order."""

    def __init__(self, tools: RunTools) -> None:
        self._tools = tools
        self._texts: list[str] = []
        self._open = ""
        self._begun = 0
        # How many texts stand before the last send where it was asked, and the last gathering.
        self._sent = self._gathered = 0
        self._answered_at: int | None = None
        self._sending: dict[str, tuple[int, int]] = {}
        self._gathering: set[str] = set()

    def saw(self, step: RunEvent) -> None:
        """Take a step."""
        match step:
            case Text(message_id, text):
                self._write(message_id, text)
            case ToolCalled():
                self._called(step)
            case ToolReturned():
                self._returned(step)
            case ServerFound(anew=True):
                # What it said before it was started over is void; what it sent is not.
                self._texts.clear()
                self._open, self._sent, self._gathered = "", 0, 0
                self._sending.clear()
                self._gathering.clear()

    def said(self, last: str = "") -> Said:
        """Return what was not sent; `last` is the agent's last message, whole."""
        texts = list(self._texts)
        if last and self._open:
            # Of a stream with holes the server knows better.
            texts[-1] = last
        elif last:
            texts.append(last)
        rest = texts[max(self._sent, self._gathered) :]
        earlier = "" if self._answered_at is not None else _last(texts[: len(texts) - len(rest)])
        return Said(tuple(filter(str.strip, rest)), earlier, self._went_on)

    @property
    def _went_on(self) -> bool:
        return self._answered_at is not None and self._begun > self._answered_at

    def _write(self, message_id: str, text: str) -> None:
        if self._open != message_id:
            self._begun += 1
            if self._open:
                # After a dropped stream the server says everything again under a new id.
                self._texts.pop()
            self._texts.append("")
            self._open = message_id
        self._texts[-1] += text

    def _called(self, call: ToolCalled) -> None:
        self._open = ""
        self._begun += 1
        if self._tools.speaks_here(call):
            self._sending[call.call_id] = (len(self._texts), self._begun)
        elif self._tools.gathers(call.name):
            self._gathering.add(call.call_id)
            self._gathered = len(self._texts)

    def _returned(self, end: ToolReturned) -> None:
        self._open = ""
        if end.call_id in self._gathering:
            # What was written beside the call knows nothing of what it brought.
            self._gathered = len(self._texts)
        if end.call_id in self._sending and not end.is_error:
            self._sent, self._answered_at = self._sending.pop(end.call_id)


def _last(texts: list[str]) -> str:
    return next((one for one in reversed(texts) if one.strip()), "")
