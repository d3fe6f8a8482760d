"""Runs of agents that act in Discord with tools of their own: nothing is offered, all is watched.

What they send is recorded like Aurora's own sends, so that delivery finds the answer. Aurora can
neither guard nor count what such an agent does (promises 6, 11 and 12).
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..agents.own_tools import Danger, danger_of
from ..agents.protocol import OwnTool, RunEvent, ToolCalled, ToolResult, ToolSpec
from ..chat.failures import SendFailed
from ..chat.fingerprints import Fingerprints
from ..chat.sender import Sender
from ..ids import LARGEST_ID, snowflake
from ..ledger import Store
from ..model import Event, Send, Turn
from .host import RunTools, Toolbox
from .seen import gathers

log = logging.getLogger("red.aurora.tools")

_TEXTS = ("message", "content", "text")
_CHANNELS = ("channelId", "channel_id")
_READS = re.compile(r"(?:^|[_\W])(?:read|get|list|search|fetch|view|find|recall)", re.IGNORECASE)
_REPLY_KEY = "mcp:reply"


class EitherToolbox:
    """Makes the tools of each run: guarded ones, or none where the agent's own are `watched`."""

    def __init__(
        self, guarded: Toolbox, store: Store, sender: Sender, watched: Callable[[Event], bool]
    ) -> None:
        self._guarded = guarded
        self._store = store
        self._sender = sender
        self._watched = watched

    def open(self, turn: Turn, agent_id: str) -> RunTools | WatchedTools:
        """Return the tools of a run for this turn, by this agent."""
        if self._watched(turn.speaker):
            return WatchedTools(turn, self._store, self._sender)
        return self._guarded.open(turn, agent_id)


class WatchedTools:
    """The ToolHost of one watched run; it observes the run, too."""

    watched = True

    def __init__(self, turn: Turn, store: Store, sender: Sender) -> None:
        self.broken: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self._turn = turn
        self._store = store
        self._sender = sender

    @property
    def specs(self) -> Sequence[ToolSpec]:
        """Offer nothing."""
        return ()

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:  # noqa: ARG002 - a ToolHost has them
        """Refuse; nothing was offered."""
        return ToolResult("Aurora offers no tools here; use your own.", is_error=True)

    def gathers(self, name: str) -> bool:
        """Tell whether an agent gets to know something by a tool: its name says so."""
        return _READS.search(name) is not None

    def speaks_here(self, call: ToolCalled) -> bool:
        """Tell whether a call posts something where the agent was asked."""
        send = _send(call, self._turn.speaker, self._sender.fingerprints)
        return send is not None and send.channel_id == self._turn.speaker.channel_id

    def begin_anew(self) -> None:
        """Do nothing: the agent's own tools are out of reach."""

    async def saw(self, step: RunEvent) -> None:
        """Record a text that the agent sends; whether it arrived is found out later."""
        event = self._turn.speaker
        if not isinstance(step, ToolCalled):
            return
        if self.gathers(step.name):
            await gathers(self._store, event)
        elif (send := _send(step, event, self._sender.fingerprints)) is not None:
            await self._store.record_send(event, send)

    async def close(self, reason: str) -> None:  # noqa: ARG002 - there is nobody to tell it to
        """Look for a reply whose call was not seen; the agent's tools themselves can't be shut."""
        speaker = self._turn.speaker
        try:
            for event in reversed(self._turn.events):
                key, message_id = f"{_REPLY_KEY}:{event.message_id}", event.message_id
                reply = Send(key, "message", "mcp", speaker.channel_id, "", message_id)
                if (await self._sender.lookup.look_up(speaker, reply)).message_ids:
                    return
        except SendFailed as failure:
            log.warning("No look for an answer to event %s: %s", speaker.id, failure.reason)


def _send(call: ToolCalled, event: Event, fingerprints: Fingerprints) -> Send | None:
    """Read a call as a send; None if it sends no text to Discord."""
    text = _first(call.arguments, _TEXTS)
    if not text or danger_of(OwnTool(call.name)) is not Danger.DISCORD:
        return None
    channel = _first(call.arguments, _CHANNELS)
    channel_id = snowflake(channel) or event.channel_id
    reply_to = event.message_id if channel_id == event.channel_id else None
    key = f"mcp:{call.call_id}"
    print_, length = fingerprints.of(text), len(text)
    return Send(key, "message", "mcp", channel_id, print_, reply_to, length=length)


def _first(arguments: Mapping[str, Any], names: Sequence[str]) -> str:
    values = (arguments.get(name) for name in names)
    # Python writes no number of more than 4,300 digits.
    return next(
        (
            str(one)
            for one in values
            if isinstance(one, str) or (isinstance(one, int) and abs(one) <= LARGEST_ID)
        ),
        "",
    )
