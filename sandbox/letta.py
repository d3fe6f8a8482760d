"""The real Letta App Server from the `letta` wheel, run as a child process of the sandbox."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp

BLIND, SEEING = "openai-compatible", "lmstudio"
"""Kinds of provider: of the first no model is shown pictures, of the other those that see."""

_LISTENING = re.compile(rb"^Listening on ws://[^\s:]+:(\d+)\s*$", re.MULTILINE)
_STOP_SECONDS = 5.0
_REQUEST_SECONDS = 20.0
_POLL_SECONDS = 0.01
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class AppServerError(RuntimeError):
    """The App Server could not be started or refused a request; the message says why."""


class AppServer:
    """One App Server: its own HOME, its own token, bound to no event loop.

    All state lies in `home`: starting again on the same folder finds the same agents and token.
    Its output is in `home/app-server.log`.
    """

    def __init__(
        self, home: Path, program: Path | None = None, start_seconds: float = 30.0
    ) -> None:
        self.home = home.absolute()
        self.token = ""
        self.port = 0
        self._start_seconds = start_seconds
        self._program = program or Path(sys.executable).with_name("letta")
        self._model = ""
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    async def start(
        cls,
        home: Path,
        *,
        llm_url: str,
        llm_key: str,
        model: str,
        port: int = 0,
        program: Path | None = None,
        start_seconds: float = 30.0,
    ) -> AppServer:
        """Start a server with `home` as its HOME and an OpenAI-compatible provider behind it.

        Args:
            home: a folder of its own; made if missing, and reused with all that is in it.
            llm_url: base URL of the provider, with /v1.
            llm_key: the provider's key.
            model: the model's id there; agents are created on it.
            port: 0 takes a free one, and `restart` keeps it.
            program: another binary than the installed wheel's.
            start_seconds: how long it may take until it is ready.

        Raises:
            AppServerError: the wheel or git is missing, or the server does not come up.

        """
        server = cls(home, program, start_seconds)
        server.port = port
        server.token = server._prepare_home()
        try:
            await server._launch()
            await server.use_provider(llm_url, llm_key, model)
        except BaseException:
            await server.stop()
            raise
        return server

    @property
    def url(self) -> str:
        """Give the WebSocket's address."""
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def pid(self) -> int | None:
        """Give the process id while the server runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    async def use_provider(
        self, llm_url: str, llm_key: str, model: str, *, kind: str = BLIND
    ) -> None:
        """Put another model provider behind all agents of a kind, from their next turn on."""
        fields = {"baseUrl": llm_url, "apiKey": llm_key}
        await self.request("connect_provider", target="local", provider_id=kind, fields=fields)
        self._model = f"{kind}/{model}"

    async def create_agent(self, name: str, *, model: str | None = None) -> str:
        """Create an agent without a personality and return its id."""
        created = await self.request(
            "create_agent",
            personality="blank",
            model=f"{BLIND}/{model}" if model else self._model,
            pin_global=False,
        )
        agent_id = str(created["agent_id"])
        await self.request("agent_update", agent_id=agent_id, body={"name": name})
        return agent_id

    async def find_agent(self, name: str) -> str | None:
        """Return the id of an agent of this name, None if there is none."""
        listed = await self.request("agent_list", query={"name": name})
        return next(
            (str(agent["id"]) for agent in listed["agents"] if agent["name"] == name), None
        )

    async def request(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send one request over a socket of its own and return its response.

        Raises:
            AppServerError: the server refused it, or did not answer within 20 s.

        """
        frame = {"type": kind, "request_id": secrets.token_hex(4), **fields}
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            async with (
                asyncio.timeout(_REQUEST_SECONDS),
                aiohttp.ClientSession(headers=headers) as session,
                session.ws_connect(self.url, max_msg_size=0) as socket,
            ):
                await socket.send_json(frame)
                async for message in socket:
                    answer: dict[str, Any] = message.json()
                    if answer.get("request_id") == frame["request_id"]:
                        break
                else:
                    raise AppServerError(f"The App Server hung up on {kind}.{self._tail()}")
        except TimeoutError:
            raise AppServerError(f"The App Server did not answer {kind}.{self._tail()}") from None
        except aiohttp.ClientError as error:
            raise AppServerError(f"No App Server at {self.url}: {error}.{self._tail()}") from error
        if not answer.get("success"):
            raise AppServerError(f"The App Server refused {kind}: {answer.get('error')}")
        return answer

    async def stop(self) -> None:
        """Stop the server and everything it started; harmless when it is not running."""
        if self._process is not None:
            self._signal(signal.SIGTERM)
            await self._wait(_STOP_SECONDS)
        await self.kill()

    async def kill(self) -> None:
        """Kill the server and everything it started, without warning."""
        process = self._process
        if process is None:
            return
        # The group outlives its leader while a child of the server is left in it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await self._wait(_STOP_SECONDS)
        self._process = None

    async def restart(self) -> None:
        """Start it again on the same HOME, port and token, whether or not it still runs."""
        await self.stop()
        await self._launch()

    def _prepare_home(self) -> str:
        """Make HOME and its token file, readable by this account only; return the token."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._token_file.exists():
            return self._token_file.read_text().strip()
        token = secrets.token_urlsafe(32)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(self._token_file, flags, 0o600), "w") as file:
            file.write(token)
        return token

    @property
    def _token_file(self) -> Path:
        return self.home / "app-server.token"

    @property
    def _log(self) -> Path:
        return self.home / "app-server.log"

    def _tail(self, lines: int = 12) -> str:
        """Give the end of the server's output, for an error message."""
        try:
            last = self._log.read_text(errors="replace").splitlines()[-lines:]
        except OSError:
            last = []
        return "\nIts last words:\n  " + "\n  ".join(last) if any(last) else ""

    async def _launch(self) -> None:
        self._process = self._spawn()
        deadline = monotonic() + self._start_seconds
        while not await self._ready():
            if (code := self._process.poll()) is not None:
                raise AppServerError(f"The App Server ended with code {code}.{self._tail()}")
            if monotonic() > deadline:
                raise AppServerError(
                    f"The App Server was not ready after {self._start_seconds:.0f} s."
                    f"{self._tail()}"
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def _ready(self) -> bool:
        """Learn the port from the output, then ask the server itself."""
        found = _LISTENING.search(self._log.read_bytes())
        if found is None:
            return False
        self.port = int(found[1])
        ready = f"http://127.0.0.1:{self.port}/readyz"
        try:
            async with aiohttp.ClientSession() as session, session.get(ready) as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    def _spawn(self) -> subprocess.Popen[bytes]:
        git = shutil.which("git")
        if git is None:
            raise AppServerError(
                "git is not installed; the App Server keeps agents' memory in it."
            )
        if not self._program.is_file():
            raise AppServerError(
                f"{self._program} does not exist: the Letta App Server is not installed beside "
                f"{sys.executable}. Install it there with: python -m pip install letta==0.34.12"
            )
        # A file, not a pipe: nobody has to read it for the server to go on.
        with self._log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - a fixed program, its arguments are ours
                self._command(),
                cwd=self.home,
                env=_environment(self.home, git),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal is for us; we then stop the server in good order.
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - two system calls, no lock taken
            )

    def _command(self) -> list[str]:
        listen = f"ws://127.0.0.1:{self.port}"
        auth = ["--ws-auth", "capability-token", "--ws-token-file", str(self._token_file)]
        return [str(self._program), "server", "--backend", "local", "--listen", listen, *auth]

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    async def _wait(self, seconds: float) -> None:
        # Polled, because a child watcher would tie the server to the loop that started it.
        for _ in range(int(seconds / _POLL_SECONDS)):
            if self.pid is None:
                return
            await asyncio.sleep(_POLL_SECONDS)


def _environment(home: Path, git: str) -> dict[str, str]:
    """Give the server nothing of this account but the way to git."""
    return {
        "HOME": str(home),
        "PATH": os.pathsep.join([str(Path(git).parent), os.defpath]),
        "LANG": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "LETTA_CODE_TELEM": "0",
        "DO_NOT_TRACK": "1",
    }


def _die_with_parent() -> None:
    """Have the kernel stop the server when we are killed.

    The server's own watch notices only a new parent with id 1, and orphans of a desktop session
    are adopted by its service manager instead. Only Linux has this call; macOS needs none.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
