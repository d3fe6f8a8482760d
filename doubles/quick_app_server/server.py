"""The server itself: its door, its requests and its conversations."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
from collections.abc import Callable

from aiohttp import WSMsgType, web

from .plan import Plan, Script
from .talk import (
    Frame,
    Input,
    Peer,
    Talk,
)

_MAX_FRAME = 64 * 2**20
MODELS = ("quick/normal", "quick/strong", "quick/light")
_MODES = {"standard", "acceptEdits", "unrestricted", "strict"}


class QuickAppServer:
    """An App Server for load and outages.

    `script` is called with each input as its turn begins. `stop` and `start` are a restart: what
    had been accepted and was not finished is run again, as on the real one. `inputs` counts what
    was accepted, `compacted` how often a conversation was shortened. With `refusal` new
    connections are answered with that status, and while it is `mute` the server hears everything
    and says nothing.
    """

    def __init__(self, script: Script = lambda _text: Plan("Hello.")) -> None:
        self.script = script
        self.token = secrets.token_urlsafe(16)
        self.port = 0
        self.agents: dict[str, str] = {}
        self.inputs = 0
        self.compacted = 0
        self.refusal: int | None = None
        self.mute = False
        self._talks: dict[str, Talk] = {}
        self._peers: set[Peer] = set()
        self._ids = itertools.count(1)
        self._runner: web.AppRunner | None = None
        self._answers: dict[str, Callable[[Peer, Frame], Frame | None]] = {
            "app_server_info": lambda _peer, _frame: {"backend": "local", "protocol_version": 1},
            "agent_retrieve": self._agent,
            "runtime_start": self._start,
            "runtime_external_tools_update": self._update_tools,
            "set_reflection_settings": lambda _peer, _frame: {},
            "conversation_messages_list": self._history,
            "conversation_fork": self._fork,
            "conversation_compact": self._compact,
            "conversation_update": self._update,
            "list_memory": lambda _peer, _frame: {"entries": [], "done": True},
            "abort_message": self._abort,
            "remove_queue_item": self._remove,
            "list_models": self._models,
            "update_model": self._use_model,
        }

    @property
    def url(self) -> str:
        """Give the address for `lettaurl`."""
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def archived(self) -> int:
        """Count the conversations that were put away."""
        return sum(talk.archived for talk in self._talks.values())

    @property
    def busy(self) -> int:
        """Count the turns that are under way."""
        return sum(talk.turn is not None for talk in self._talks.values())

    async def start(self) -> None:
        """Listen, on the port it had before if there was one."""
        app = web.Application()
        app.router.add_get("/ws", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Go away without a word, in mid-turn too: connections break, new ones are refused."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        for site in list(runner.sites):
            await site.stop()
        turns = [talk.turn for talk in self._talks.values() if talk.turn is not None]
        for turn in turns:
            turn.cancel()
        self.cut()
        await asyncio.gather(*turns, return_exceptions=True)
        await runner.cleanup()
        for talk in self._talks.values():
            talk.wedged = False

    def cut(self) -> None:
        """Cut every connection."""
        for peer in self._peers:
            peer.cut()

    async def delete_agent(self, agent_id: str) -> None:
        """Delete an agent; its conversations stay, and each turn in them fails."""
        del self.agents[agent_id]

    async def create_agent(self, name: str) -> str:
        """Create an agent and return its id."""
        agent_id = f"agent-local-{len(self.agents) + 1:08d}"
        self.agents[agent_id] = name
        return agent_id

    async def find_agent(self, name: str) -> str | None:
        """Return the id of an agent of this name, None if there is none."""
        return next((one for one, known in self.agents.items() if known == name), None)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self.refusal is not None:
            return web.Response(status=self.refusal)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401)
        socket = web.WebSocketResponse(max_msg_size=_MAX_FRAME, timeout=0.1)
        await socket.prepare(request)
        peer = Peer(request, socket)
        self._peers.add(peer)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT and not self.mute:
                    await self._take(peer, message.data)
        finally:
            self._peers.discard(peer)
            self._left(peer)
        return socket

    def _left(self, peer: Peer) -> None:
        # A server that goes itself keeps its turns, and runs them again.
        lost = [] if self._runner is None else [self._talks[one] for one in peer.tools]
        for talk in lost:
            talk.lose()
        peer.leave()

    async def _take(self, peer: Peer, data: str) -> None:
        """Answer a frame; one that does not validate gets no answer at all."""
        try:
            frame = json.loads(data)
            kind, request_id = frame["type"], frame["request_id"]
            if kind == "external_tool_call_response":
                peer.settle(request_id, frame)
                return
            if kind == "input":
                await self._input(peer, frame)
                return
            answer = self._answers[kind](peer, frame)
        except (ValueError, KeyError, TypeError):
            return
        if kind == "runtime_start" and answer is not None:
            await self._replay(peer, answer)
        if answer is not None:
            head = {"type": f"{kind}_response", "request_id": request_id, "success": True}
            await peer.send({**head, **answer})

    async def _replay(self, peer: Peer, answer: Frame) -> None:
        """Tell who starts a conversation what runs in it."""
        if answer.get("runtime") is not None:
            talk = self._talks[answer["runtime"]["conversation_id"]]
            status = "WAITING_ON_INPUT" if talk.turn is None else "PROCESSING_API_RESPONSE"
            await peer.send(talk.of("update_loop_status", loop_status={"status": status}))

    # -- requests; None is no answer

    def _agent(self, _peer: Peer, frame: Frame) -> Frame:
        agent_id = frame["agent_id"]
        if agent_id not in self.agents:
            return {"success": False, "error": f"Agent {agent_id} not found"}
        return {"agent": self._shown(agent_id)}

    def _shown(self, agent_id: str) -> Frame:
        return {"id": agent_id, "name": self.agents[agent_id], "model": MODELS[0]}

    def _models(self, _peer: Peer, _frame: Frame) -> Frame:
        return {"entries": [{"handle": one} for one in MODELS]}

    def _use_model(self, _peer: Peer, frame: Frame) -> Frame:
        talk = self._talks[frame["runtime"]["conversation_id"]]
        talk.model = frame["payload"]["model_handle"]
        return {"applied_to": "conversation", "model_handle": talk.model}

    def _start(self, peer: Peer, frame: Frame) -> Frame | None:
        if frame.get("mode", "standard") not in _MODES:
            return None
        agent_id, tools = frame.get("agent_id"), _tools(frame.get("external_tools", []))
        if agent_id is None and "create_conversation" in frame:
            free, body = self._open(None), frame["create_conversation"]["body"]
            free.system, free.model = body["system"], body["model"]
            peer.tools[free.id] = tools
            return {"runtime": free.runtime, "agent": None, "conversation": {"id": free.id}}
        if agent_id not in self.agents:
            return {"success": False, "runtime": None, "error": f"Agent {agent_id} not found"}
        talk_id = frame.get("conversation_id")
        talk = self._open(agent_id) if talk_id is None else self._talks.get(talk_id)
        if talk is None:
            error = f"Conversation {talk_id} not found"
            return {"success": False, "runtime": None, "error": error}
        peer.tools[talk.id] = tools
        talk.run(self.script)
        shown = {"id": talk.id} | ({"model": talk.model} if talk.model else {})
        return {"runtime": talk.runtime, "agent": self._shown(agent_id), "conversation": shown}

    def _update_tools(self, peer: Peer, frame: Frame) -> Frame:
        for update in frame["updates"]:
            tools = _tools(update["external_tools"])
            peer.tools.update((one["conversation_id"], tools) for one in update["runtimes"])
        return {}

    def _history(self, _peer: Peer, frame: Frame) -> Frame:
        limit = int(frame["query"].get("limit", 20))
        return {"messages": self._talks[frame["conversation_id"]].history[::-1][:limit]}

    def _fork(self, _peer: Peer, frame: Frame) -> Frame:
        old = self._talks[frame["conversation_id"]]
        copy = self._open(old.agent_id)
        through = frame["body"].get("message_id")
        ids = [one.get("id") for one in old.history]
        copy.history = old.history[: ids.index(through) + 1 if through else None]
        return {"conversation": {"id": copy.id}}

    def _compact(self, _peer: Peer, frame: Frame) -> Frame:
        talk = self._talks[frame["conversation_id"]]
        before, self.compacted = len(talk.history), self.compacted + 1
        talk.history = [{"message_type": "summary_message", "id": f"ui-{next(self._ids)}"}]
        return {"compaction": {"num_messages_before": before, "num_messages_after": 1}}

    def _update(self, _peer: Peer, frame: Frame) -> Frame:
        talk = self._talks.get(frame["conversation_id"])
        if talk is None:
            error = f"Conversation {frame['conversation_id']} not found"
            return {"success": False, "conversation": None, "error": error}
        talk.archived = frame["body"].get("archived", talk.archived)
        return {"conversation": {"id": talk.id, "archived": talk.archived}}

    def _abort(self, _peer: Peer, frame: Frame) -> Frame:
        talk = self._talks[frame["runtime"]["conversation_id"]]
        talk.aborted = talk.turn is not None
        return {"aborted": talk.aborted}

    def _remove(self, _peer: Peer, frame: Frame) -> Frame:
        talk = self._talks[frame["runtime"]["conversation_id"]]
        running, queued = talk.unfinished[:1], talk.unfinished[1:]
        kept = [one for one in queued if one.id != frame["item_id"]]
        talk.unfinished = running + kept
        return {"success": len(kept) < len(queued)}

    def _open(self, agent_id: str | None) -> Talk:
        talk_id = f"local-conv-{next(self._ids)}"
        talk = self._talks[talk_id] = Talk(talk_id, agent_id, self._peers)
        return talk

    async def _input(self, peer: Peer, frame: Frame) -> None:
        payload, talk = frame["payload"], self._talks[frame["runtime"]["conversation_id"]]
        taken = talk.of("input_accepted", request_id=frame["request_id"], accepted=True)
        if payload["kind"] == "approval_response":
            found = peer.settle(payload["request_id"], payload)
            await peer.send({**taken, "accepted": found})
            return
        message = payload["messages"][0]
        given = Input(
            message["client_message_id"],
            message["content"],
            frozenset(payload["client_tool_allowlist"]),
        )
        waits = talk.turn is not None
        if given.id in talk.used:
            # An id that was used is taken, and never answered.
            await peer.send({**taken, "disposition": "started"})
            return
        self.inputs += 1
        talk.used.add(given.id)
        said = {"message_type": "user_message", "id": f"ui-{next(self._ids)}", "otid": given.id}
        talk.history.append(said)
        talk.unfinished.append(given)
        talk.orphan = talk.agent_id is not None and talk.agent_id not in self.agents
        await peer.send({**taken, "disposition": "queued" if waits else "started"})
        if waits:
            queue = [{"id": one.id, "client_message_id": one.id} for one in talk.unfinished[1:]]
            await talk.tell("update_queue", queue=queue, removed=[])
        talk.run(self.script)


def _tools(groups: list[Frame]) -> set[str]:
    return {tool["name"] for group in groups for tool in group["tools"] if tool["parameters"]}
