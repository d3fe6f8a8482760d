"""A run on the REST API: the frames of its steps become events, its tool calls are told of."""

from __future__ import annotations

from ..frames import UNREADABLE, Frame
from ..protocol import Input, ModelCalled, ToolCalled, ToolHost, ToolResult, ToolReturned
from ..runs import Run
from .step import Call, Step


class RestRun(Run):
    """A run, and the calls of its agent's own tools, which may go on from one step to the next."""

    def __init__(self, given: Input, tools: ToolHost) -> None:
        super().__init__(given, tools)
        self.coming: dict[str, Call] = {}
        self.seen: set[str] = set()
        self._names: dict[str, str] = {}
        self._steps = 0

    def feed(self, step: Step, frame: Frame) -> None:
        """Take a frame of the run's stream."""
        self.accept()
        for event in step.take(frame):
            if isinstance(event, ModelCalled):
                self._steps += 1
            elif isinstance(event, ToolCalled):
                self._names[event.call_id] = event.name
            elif isinstance(event, ToolReturned) and not event.is_error:
                self._watch(event.call_id)
            self.emit(event)

    @property
    def steps_left(self) -> int | None:
        """Return how many calls of the model may follow, at least one; None if nobody counts."""
        most = self.given.max_steps
        return None if most is None else max(1, most - self._steps)

    def _watch(self, call_id: str) -> None:
        """Trip over the success of a tool that the agent did not have when the run began."""
        own, name = self.given.own_tools, self._names.get(call_id, "")
        if own is not None and name not in own:
            self.trip(name)

    async def call(self, call: Call) -> ToolResult:
        """Make a call of one of Aurora's tools, and tell of it."""
        arguments = call.parsed()
        self.emit(ToolCalled(call.id, call.name, arguments or {}))
        if arguments is None:
            result = ToolResult(UNREADABLE, is_error=True)
        else:
            result = await self.use(call.name, arguments)
        fault = hash(result.text) if result.is_error else 0
        self.emit(ToolReturned(call.id, result.is_error, fault))
        return result
