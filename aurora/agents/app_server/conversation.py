"""A conversation of an App Server: which run holds it, who waits, what was said of it last."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ...clock import Clock
from ..frames import (
    Frame,
    items,
    part,
    word,
)
from ..protocol import ConversationKey, ToolSpec
from .connection import Connection
from .requests import IDLE
from .run import AppServerRun


class Conversation:
    """One conversation: at most one run at a time holds it, others wait for it.

    `stirs` says that the server has shown a turn here, running or queued, and not yet its end.
    """

    def __init__(self, key: ConversationKey) -> None:
        self.key = key
        self.run: AppServerRun | None = None
        self.connection: Connection | None = None
        self.specs: tuple[ToolSpec, ...] = ()
        self.model = ""
        """The model that it has in place of its agent's own, which is `agents_model`."""
        self.agents_model = ""
        self.queue: list[Frame] = []
        self.stirs = False
        self.settled = asyncio.Event()

    async def take(self, run: AppServerRun, clock: Clock, patience: float) -> bool:
        """Wait until no run holds it, then let `run` hold it (not if its caller leaves first).

        Only a holder whose caller has left is given up on, after `patience` seconds: then False,
        and the conversation stays with it.
        """
        while (holder := self.run) is not None and holder is not run:
            if holder.left.is_set():
                await clock.wait(holder.over, patience)
                if self.run is holder and not holder.over.is_set():
                    return False
            else:
                await _first(holder.left, holder.over, run.left)
            if run.left.is_set():
                return True
        self.run = run
        return True

    def release(self, run: AppServerRun) -> None:
        """Let go of it."""
        if self.run is run:
            self.run = None
        run.over.set()

    def started_with(self, connection: Connection, specs: Sequence[ToolSpec]) -> None:
        """Note that the server was told of it on this connection, with these tools."""
        self.connection = connection
        self.specs = tuple(specs)

    def learn(self, started: Frame) -> None:
        """Learn from the answer to its start by which model it goes on."""
        self.model = word(part(started, "conversation"), "model")
        self.agents_model = word(part(started, "agent"), "model")

    def feed(self, frame: Frame) -> None:
        """Take a frame of this conversation."""
        match word(frame, "type"):
            case "update_queue":
                self.queue = items(frame, "queue")
                self.stirs |= bool(self.queue)
            case "update_loop_status":
                self.stirs |= word(part(frame, "loop_status"), "status") != IDLE
            case "turn_finished":
                self.stirs = False
                self.settled.set()
        if self.run is not None:
            self.run.feed(frame)


async def _first(*events: asyncio.Event) -> None:
    """Return when one of the events is set."""
    tasks = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
