"""Conversations and their turns, as they live and die with the connections that follow them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from aiohttp import web

from .plan import Script

Frame = dict[str, Any]


class Input(NamedTuple):
    """An input that was accepted, and the tools that its turn may use."""

    id: str
    text: str
    allowed: frozenset[str]


class Peer:
    """A connection, and the tools it brought to each conversation it has started."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self.tools: dict[str, set[str]] = {}
        self._request = request
        self._socket = socket
        self._asked: dict[str, asyncio.Future[Frame]] = {}

    async def send(self, frame: Frame) -> None:
        """Send a frame, if anybody is there."""
        if not self._socket.closed:
            with contextlib.suppress(ConnectionError):
                await self._socket.send_str(json.dumps(frame))

    async def ask(self, request_id: str, frame: Frame) -> Frame:
        """Send a question and wait for its answer; cancelled when the connection goes."""
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._asked[request_id] = future
        try:
            await self.send({**frame, "request_id": request_id})
            return await future
        finally:
            del self._asked[request_id]

    def settle(self, request_id: str, frame: Frame) -> bool:
        """Take the answer to a question; False if nobody waits for it."""
        future = self._asked.get(request_id)
        if future is None or future.done():
            return False
        future.set_result(frame)
        return True

    def cut(self) -> None:
        """Cut the line."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def leave(self) -> None:
        """Leave every open question unanswered."""
        for future in self._asked.values():
            future.cancel()


class Talk:
    """A conversation; `unfinished` are inputs that were accepted and whose turn has not ended."""

    _runs = itertools.count(1)

    def __init__(self, talk_id: str, agent_id: str | None, peers: set[Peer]) -> None:
        self.id = talk_id
        self.agent_id = agent_id
        self.history: list[Frame] = []
        self.used: set[str] = set()
        self.unfinished: list[Input] = []
        self.aborted = False
        self.wedged = False
        self.archived = False
        self.model = self.system = ""
        self.orphan = False
        self.turn: asyncio.Task[None] | None = None
        self._asking = False
        self._peers = peers

    @property
    def runtime(self) -> Frame:
        """Name it as frames do."""
        return {"agent_id": self.agent_id, "conversation_id": self.id}

    def of(self, kind: str, **more: Any) -> Frame:
        """Word a frame about it."""
        return {"type": kind, "runtime": self.runtime, **more}

    def run(self, script: Script) -> None:
        """Begin with what was accepted, unless a turn is under way."""
        if self.turn is None and self.unfinished:
            self.turn = asyncio.create_task(self._turns(script), name=f"turn: {self.id}")

    def lose(self) -> None:
        """Lose the turn with the last connection; without an open question it wedges."""
        followed = any(self.id in peer.tools for peer in self._peers)
        if self.turn is not None and not followed:
            self.wedged |= not self._asking
            self.unfinished.clear()
            self.turn.cancel()

    async def tell(self, kind: str, **more: Any) -> None:
        """Send a frame to all connections that have started it."""
        frame = self.of(kind, **more)
        for peer in [one for one in self._peers if self.id in one.tools]:
            await peer.send(frame)

    async def _turns(self, script: Script) -> None:
        try:
            while self.unfinished:
                self.aborted = False
                end = await self._turn(self.unfinished[0], script)
                del self.unfinished[0]
                await self.tell("turn_finished", **end)
                if self.unfinished:
                    removed = [{"client_message_id": self.unfinished[0].id}]
                    await self.tell("update_queue", queue=[], removed=removed)
        finally:
            self.turn = None

    async def _turn(self, given: Input, script: Script) -> Frame:
        if self.wedged:
            error = f"Conversation {self.id} already has an active run (local-run-1)"
            return {"stop_reason": "error", "error": error}
        if self.orphan:
            return {"stop_reason": "error", "error": f"Agent {self.agent_id} not found"}
        run_id = f"local-run-{next(self._runs)}"
        await self._delta(message_type="user_message", otid=given.id)
        plan = script(given.text)
        await asyncio.sleep(plan.delay)
        if plan.oversteps:
            await self._overstep(run_id, plan.oversteps)
        for name, arguments in plan.calls:
            if not self.aborted:
                await self._call(run_id, name, arguments, given.allowed)
        if self.aborted:
            return {"stop_reason": "cancelled"}
        if plan.error:
            return {"stop_reason": "error", "error": plan.error}
        if plan.text:
            said: Frame = {"message_type": "assistant_message", "id": f"ui-{run_id}"}
            said["content"] = [{"type": "text", "text": plan.text}]
            self.history.append(said)
            await self._delta(run_id=run_id, **said)
        return {"stop_reason": "end_turn", "run_id": run_id}

    async def _overstep(self, run_id: str, name: str) -> None:
        """Run a tool of the server's own, as where nothing keeps it from that."""
        call_id = f"call-{next(self._runs)}"
        said = {"tool_call_id": call_id, "name": name, "arguments": "{}"}
        call: Frame = {"run_id": run_id, "tool_call_id": call_id}
        await self._delta(message_type="approval_request_message", run_id=run_id, tool_call=said)
        await self._delta(message_type="client_tool_start", tool_name=name, **call)
        await self._delta(message_type="tool_return_message", status="success", **call)

    async def _call(
        self, run_id: str, name: str, arguments: Mapping[str, Any], allowed: frozenset[str]
    ) -> None:
        """Ask for leave and have the client run a tool, as in modes `standard` and `strict`."""
        call_id = f"call-{next(self._runs)}"
        said = {"tool_call_id": call_id, "name": name, "arguments": json.dumps(arguments)}
        kind = "approval_request_message"
        await self._delta(message_type=kind, run_id=run_id, tool_call=said)
        peer = next((one for one in self._peers if name in one.tools.get(self.id, ())), None)
        ok = False
        if peer is not None and name in allowed:
            self._asking = True
            try:
                ok = await self._asked(peer, call_id, name, arguments)
            finally:
                self._asking = False
        status = "success" if ok else "error"
        kind = "tool_return_message"
        await self._delta(message_type=kind, tool_call_id=call_id, status=status)

    async def _asked(
        self, peer: Peer, call_id: str, name: str, arguments: Mapping[str, Any]
    ) -> bool:
        request = {"subtype": "can_use_tool", "tool_name": name, "input": arguments}
        asked = self.of("control_request", request=request)
        verdict = await peer.ask(f"perm-{call_id}", asked)
        if verdict.get("decision", {}).get("behavior") != "allow":
            return False
        call = {"tool_call_id": call_id, "tool_name": name, "input": arguments}
        asked = self.of("external_tool_call_request", **call)
        result = await peer.ask(f"external-tool-{call_id}", asked)
        return not result.get("result", {}).get("is_error", True)

    async def _delta(self, **delta: Any) -> None:
        await self.tell("stream_delta", delta={"type": "message", **delta})
