"""The real App Server with the scripted model behind it, seen through its WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import aiohttp
import pytest

from doubles.llm import ScriptedLLM
from sandbox.letta import AppServer, AppServerError

ROOT = Path(__file__).resolve().parents[2]
CHANNEL = "300000000000000001"
MESSAGE = "300000000000000002"
NOWHERE = "http://127.0.0.1:9/v1"
FRAME = f'From: Alice (alice)\nChannel: #general (ID: "{CHANNEL}")\nMessage ID: "{MESSAGE}"\n'
TEXT = {"type": "string"}
SEND = {
    "name": "discord_send",
    "description": "Send a message.",
    "parameters": {
        "type": "object",
        "properties": {"channelId": TEXT, "message": TEXT, "replyToMessageId": TEXT},
        "required": ["channelId", "message"],
    },
    "timeout_ms": 20000,
    "auto_background": False,
}


@dataclass
class Turn:
    """What a turn looked like from the socket."""

    stop_reason: str = ""
    error: str = ""
    text: str = ""
    reasoning: str = ""
    retries: int = 0
    calls: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    returns: list[str] = field(default_factory=list)


class Talk:
    """A client with one conversation of its own."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._runtime: dict[str, str] = {}

    async def open(self, agent_id: str) -> None:
        """Start a conversation that offers discord_send and asks before each call."""
        start = await self._request(
            "runtime_start",
            agent_id=agent_id,
            create_conversation={"body": {"summary": "test"}},
            mode="standard",
            external_tools=[{"tools": [SEND]}],
        )
        self._runtime = start["runtime"]

    async def _request(self, kind: str, **fields: Any) -> dict[str, Any]:
        await self._socket.send_json({"type": kind, "request_id": "r", **fields})
        while True:
            frame: dict[str, Any] = await self._socket.receive_json(timeout=10)
            if frame.get("request_id") == "r":
                return frame

    async def say(self, text: str, *, tools: tuple[str, ...] = ("discord_send",)) -> Turn:
        """Send a message and play the client's part until the turn is finished."""
        key = secrets.token_hex(8)
        message = {"role": "user", "content": text, "client_message_id": key, "otid": key}
        await self._input(
            kind="create_message",
            messages=[message],
            client_toolset={"base": "none"},
            client_tool_allowlist=tools,
            exclude_interactive_tools=True,
        )
        turn = Turn()
        while not turn.stop_reason:
            await self._take(turn, await self._socket.receive_json(timeout=15))
        return turn

    async def _input(self, **payload: Any) -> None:
        frame = {"type": "input", "request_id": "i", "runtime": self._runtime}
        await self._socket.send_json({**frame, "payload": payload})

    async def _take(self, turn: Turn, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "control_request":
                turn.asked.append(frame["request"]["tool_name"])
                await self._input(
                    kind="approval_response",
                    request_id=frame["request_id"],
                    decision={"behavior": "allow"},
                )
            case "external_tool_call_request":
                turn.calls.append(frame["input"])
                await self._socket.send_json(
                    {
                        "type": "external_tool_call_response",
                        "request_id": frame["request_id"],
                        "result": {"content": [{"type": "text", "text": "sent 77"}]},
                    }
                )
            case "stream_delta":
                _take_delta(turn, frame["delta"])
            case "turn_finished":
                turn.stop_reason = frame["stop_reason"]
                turn.error = frame.get("error", "")


def _take_delta(turn: Turn, delta: dict[str, Any]) -> None:
    match delta["message_type"]:
        case "assistant_message":
            turn.text += "".join(part["text"] for part in delta["content"])
        case "reasoning_message":
            turn.reasoning += delta["reasoning"]
        case "retry":
            turn.retries += 1
            turn.text = ""
        case "tool_return_message":
            turn.returns.append(delta["tool_return"])


def start_server(home: Path, **options: Any) -> AppServer:
    """Start a server outside of any test's event loop."""
    provider = {"llm_url": NOWHERE, "llm_key": "none", "model": "scripted"}
    return asyncio.run(AppServer.start(home, **{**provider, **options}))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """Run one server for all tests here; it belongs to no event loop."""
    running = start_server(tmp_path_factory.mktemp("letta") / "home")
    yield running
    asyncio.run(running.stop())


@pytest.fixture(scope="module")
def agent_id(server: AppServer) -> str:
    """Create the agent that the turns here talk to."""
    return asyncio.run(server.create_agent("bot", model="scripted"))


@pytest.fixture
async def llm(server: AppServer) -> AsyncIterator[ScriptedLLM]:
    """Put a fresh model behind the server for one test."""
    model = ScriptedLLM()
    await model.start()
    await server.use_provider(model.url, model.key, model.model)
    yield model
    await model.stop()


@pytest.fixture
async def talk(server: AppServer, agent_id: str, llm: ScriptedLLM) -> AsyncIterator[Talk]:
    """Open a conversation with the model of this test behind it."""
    assert llm.url
    headers = {"Authorization": f"Bearer {server.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(server.url, max_msg_size=0) as socket,
    ):
        client = Talk(socket)
        await client.open(agent_id)
        yield client


async def test_a_text_turn_ends_with_its_text(talk: Talk) -> None:
    """Without tools the model's words come as assistant text."""
    turn = await talk.say("hello", tools=())
    assert (turn.stop_reason, turn.text) == ("end_turn", "Hello! Good to see you.")


async def test_the_usual_answer_is_a_guarded_send(talk: Talk) -> None:
    """The client is asked, then called with the real ids, then the turn ends in silence."""
    turn = await talk.say(FRAME + "hello")
    (call,) = turn.calls
    assert turn.asked == ["discord_send"]
    assert (call["channelId"], call["replyToMessageId"]) == (CHANNEL, MESSAGE)
    assert (turn.returns, turn.text, turn.stop_reason) == (["sent 77"], "", "end_turn")


async def test_two_sends_are_called_in_order(talk: Talk) -> None:
    """Parallel calls of one step reach the client one after the other."""
    turn = await talk.say(FRAME + "[[send2:one|two]]")
    assert [call["message"] for call in turn.calls] == ["one", "two"]


async def test_a_send_elsewhere_names_the_other_channel(talk: Talk) -> None:
    """The wrong channel is the client's to refuse; the server passes it on."""
    turn = await talk.say(FRAME + "[[sendto:42|psst]]")
    assert [call["channelId"] for call in turn.calls] == ["42"]


async def test_text_after_a_send_is_a_step_of_its_own(talk: Talk) -> None:
    """The model goes on after the tool's result."""
    turn = await talk.say(FRAME + "[[send:hi]][[after:more]]")
    assert (len(turn.calls), turn.text) == (1, "more")


async def test_a_tool_that_was_not_offered_is_refused(talk: Talk) -> None:
    """A call of Bash ends at the server, and the model hears of it."""
    turn = await talk.say('[[tool:Bash {"command":"id"}]][[after:ok]]')
    assert (turn.asked, turn.calls) == ([], [])
    assert turn.returns[0].startswith("Tool not found: Bash")


async def test_reasoning_is_apart_from_text(talk: Talk) -> None:
    """What the model thinks is never part of what it says."""
    turn = await talk.say("[[think:secret]][[say:open]]")
    assert (turn.reasoning, turn.text) == ("secret", "open")


async def test_an_empty_answer_has_no_text(talk: Talk) -> None:
    """Nothing at all is a finished turn, too."""
    turn = await talk.say("[[empty]]")
    assert (turn.stop_reason, turn.text, turn.calls) == ("end_turn", "", [])


async def test_a_long_answer_arrives_whole(talk: Talk) -> None:
    """No character is lost between the pieces."""
    assert len((await talk.say("[[long:5000]]")).text) == 5000


@pytest.mark.parametrize("status", [400, 401, 429, 500])
async def test_a_providers_error_ends_the_turn(talk: Talk, llm: ScriptedLLM, status: int) -> None:
    """The server asks once, and its error carries the status."""
    turn = await talk.say(f"[[err:{status}]]")
    assert (turn.stop_reason, len(llm.requests)) == ("error", 1)
    assert f"{status}: " in turn.error


async def test_an_error_after_the_tool_ends_the_turn(talk: Talk) -> None:
    """The message was sent, the turn failed: both are seen."""
    turn = await talk.say(FRAME + "[[send:hi]][[then]][[err:500]]")
    assert (len(turn.calls), turn.stop_reason) == (1, "error")


async def test_a_dropped_stream_is_tried_again(talk: Talk, llm: ScriptedLLM) -> None:
    """The server repeats the call by itself; the second answer counts."""
    turn = await talk.say("[[drop*1]][[say:" + "word " * 20 + "]]")
    assert (turn.retries, turn.stop_reason, len(llm.requests)) == (1, "end_turn", 2)
    assert turn.text.split() == ["word"] * 20


async def test_garbage_ends_the_turn_with_an_error(talk: Talk) -> None:
    """A broken event is an error, not an empty answer."""
    turn = await talk.say("[[garbage]]")
    assert turn.stop_reason == "error"
    assert "malformed" in turn.error


async def test_a_silent_model_keeps_the_turn_open(talk: Talk) -> None:
    """A model that never answers leaves the client waiting."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(talk.say("[[never]]"), 0.5)


async def test_a_slow_model_delays_its_turn(talk: Talk) -> None:
    """The wait comes before the first piece."""
    began = monotonic()
    await talk.say("[[sleep:0.4]]", tools=())
    assert monotonic() - began >= 0.4


async def test_directives_of_earlier_messages_are_over(talk: Talk) -> None:
    """The history above the last message tells the model nothing to do."""
    await talk.say("[[err:500]]")
    assert (await talk.say("hello", tools=())).text == "Hello! Good to see you."


async def test_an_agent_is_found_by_its_name(server: AppServer, agent_id: str) -> None:
    """A prepared HOME is used again by asking for the agent in it."""
    assert await server.find_agent("bot") == agent_id
    assert await server.find_agent("nobody") is None


async def test_a_refused_request_says_why(server: AppServer) -> None:
    """The server's own words reach the caller."""
    with pytest.raises(AppServerError, match=r"refused agent_retrieve: .*not found"):
        await server.request("agent_retrieve", agent_id="agent-local-nobody")


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}])
async def test_a_wrong_token_is_refused(server: AppServer, header: dict[str, str]) -> None:
    """Without the token there is no socket."""
    async with aiohttp.ClientSession(headers=header) as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await session.ws_connect(server.url)
    assert refusal.value.status == 401


async def test_the_right_token_opens_the_socket(server: AppServer) -> None:
    """With the token the server says who it is."""
    info = await server.request("app_server_info")
    assert info["backend"] == "local"


def test_the_token_is_readable_by_the_owner_alone(server: AppServer) -> None:
    """Whoever has the token owns the account, so the file is 0600."""
    (token_file,) = server.home.glob("*.token")
    assert token_file.read_text() == server.token
    assert token_file.stat().st_mode & 0o777 == 0o600


def test_the_server_inherits_no_environment(server: AppServer) -> None:
    """No variable of this account reaches agents, nor their provider's key."""
    environment = Path(f"/proc/{server.pid}/environ").read_bytes().split(b"\0")
    names = {entry.split(b"=")[0].decode() for entry in environment if entry}
    ours = {"HOME", "PATH", "LANG", "GIT_CONFIG_NOSYSTEM", "LETTA_CODE_TELEM", "DO_NOT_TRACK"}
    assert names - {"LETTA_CODE_DISTRIBUTION", "LC_CTYPE"} == ours


@pytest.mark.parametrize("way", ["stop", "kill"])
async def test_a_restart_keeps_agent_port_and_token(
    server: AppServer, agent_id: str, way: str
) -> None:
    """After a clean stop and after a crash the same server is back."""
    before = (server.url, server.token)
    await getattr(server, way)()
    await server.restart()
    assert (server.url, server.token) == before
    assert await server.find_agent("bot") == agent_id


async def test_stopping_leaves_no_process(server: AppServer) -> None:
    """The server's process group is empty afterwards, and stopping again does nothing."""
    pid = server.pid
    assert pid is not None
    await server.stop()
    await server.stop()
    assert server.pid is None
    with pytest.raises(ProcessLookupError):
        os.killpg(pid, 0)
    await server.restart()


async def test_a_stopped_server_is_named_in_the_error(server: AppServer) -> None:
    """A request to nobody says where nobody listened."""
    await server.stop()
    with pytest.raises(AppServerError, match=f"No App Server at {server.url}"):
        await server.find_agent("bot")
    await server.restart()


ORPHAN = """
import asyncio, sys, time
from pathlib import Path
from sandbox.letta import AppServer
start = AppServer.start(Path(sys.argv[1]), llm_url="http://127.0.0.1:9/v1", llm_key="k", model="m")
print(asyncio.run(start).pid, flush=True)
time.sleep(60)
"""
PR_SET_CHILD_SUBREAPER = 36


@pytest.fixture
def _adopting() -> Iterator[None]:
    """Adopt orphans, as the service manager of a desktop session does."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    yield
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0)


@pytest.mark.usefixtures("_adopting")
def test_the_server_dies_with_a_killed_parent(tmp_path: Path) -> None:
    """No server survives us, even where orphans do not go to process 1."""
    script = [sys.executable, "-c", ORPHAN, str(tmp_path / "home")]
    with subprocess.Popen(script, cwd=ROOT, stdout=subprocess.PIPE) as parent:  # noqa: S603
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    try:
        assert _ended(orphan, within=3)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(orphan, signal.SIGKILL)


def _ended(pid: int, within: float) -> bool:
    """Reap an adopted process, or give up."""
    deadline = monotonic() + within
    while monotonic() < deadline:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return True
        sleep(0.02)
    return False


def _program(tmp_path: Path, script: str) -> Path:
    path = tmp_path / "letta"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_server_that_ends_at_once_is_quoted(tmp_path: Path) -> None:
    """The error carries the exit code and the last lines of output."""
    program = _program(tmp_path, "echo the disk is full; exit 3")
    with pytest.raises(AppServerError, match=r"code 3.\n(.*\n)*.*the disk is full"):
        start_server(tmp_path / "home", program=program)


def test_a_server_that_never_listens_is_given_up(tmp_path: Path) -> None:
    """The wait has an end, and nothing is left of the server."""
    program = _program(tmp_path, "echo $$ > pid; exec sleep 30")
    with pytest.raises(AppServerError, match="was not ready"):
        start_server(tmp_path / "home", program=program, start_seconds=0.3)
    with pytest.raises(ProcessLookupError):
        os.killpg(int((tmp_path / "home" / "pid").read_text()), 0)


def test_a_missing_wheel_says_what_to_install(tmp_path: Path) -> None:
    """Without the wheel the error names the command that helps."""
    with pytest.raises(AppServerError, match="pip install letta=="):
        start_server(tmp_path / "home", program=tmp_path / "letta")


def test_missing_git_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git no agent could be made, so nothing is started."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AppServerError, match="git is not installed"):
        start_server(tmp_path / "home")
