"""The Letta servers that Aurora can be tried on, all used in one way."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from aurora.agents.sdk import SdkFolder
from aurora.installing import FolderState, InstallError
from doubles.letta_rest import LettaRest
from doubles.llm import Provider

from .letta import AppServer

if sys.platform != "win32":
    import fcntl

SDK = Path(sys.prefix) / "letta-sdk"
"""Where the SDK of the REST API lies; it outlives runs and goes with the virtual environment."""


class Backend(StrEnum):
    """Which of the two kinds."""

    APP_SERVER = "app-server"
    REST = "rest"


class LettaServer(Protocol):
    """A running Letta server, as far as the sandbox and its guests need it."""

    @property
    def url(self) -> str:
        """Give the address for `lettaurl`."""
        ...

    @property
    def token(self) -> str:
        """Give what Aurora must present."""
        ...

    async def create_agent(self, name: str) -> str:
        """Create an agent and return its id."""
        ...

    async def find_agent(self, name: str) -> str | None:
        """Return the id of an agent of this name, None if there is none."""
        ...

    async def stop(self) -> None:
        """Stop it; harmless when it is not running."""
        ...


class RestServer:
    """The double of the REST API, used like a real server."""

    def __init__(self, double: LettaRest) -> None:
        self.double = double

    @property
    def url(self) -> str:
        """Give the address for `lettaurl`."""
        return self.double.url

    @property
    def token(self) -> str:
        """Give the password; empty for an open server."""
        return self.double.token or ""

    async def create_agent(self, name: str) -> str:
        """Create an agent that may call tools side by side, as the App Server's do."""
        return self.double.create_agent(name, parallel_tool_calls=True)

    async def find_agent(self, name: str) -> str | None:
        """Return the id of an agent of this name, None if there is none."""
        agents = self.double.store.agents.values()
        return next((agent.id for agent in agents if agent.name == name), None)

    async def stop(self) -> None:
        """Stop it, and with it all that ran."""
        await self.double.stop()


async def start_server(backend: Backend, home: Path, provider: Provider) -> LettaServer:
    """Start a server with this model behind its agents.

    Args:
        backend: which kind.
        home: the App Server's folder; the double keeps nothing.
        provider: an OpenAI-compatible model.

    Raises:
        AppServerError: the App Server can't be started.

    """
    if backend is Backend.REST:
        double = LettaRest(provider)
        await double.start()
        return RestServer(double)
    return await AppServer.start(
        home, llm_url=provider.url, llm_key=provider.key, model=provider.model
    )


async def shared_sdk(path: Path = SDK) -> SdkFolder:
    """Return the SDK's folder, filled on its first use.

    Raises:
        RuntimeError: pip could not fill it; the message is one line.

    """
    folder = SdkFolder(path)
    async with _alone(path):
        if await asyncio.to_thread(folder.state) is FolderState.READY:
            return folder
        try:
            await folder.install()
        except InstallError as error:
            # Pip's own reason is the line before the advice.
            reason = str(error).splitlines()[-2:][0].removeprefix("ERROR: ")
            raise RuntimeError(
                f"Letta's SDK can't be installed into {path}: {reason} Where pip reaches a "
                f"registry, this does it: {folder.command()}"
            ) from None
    return folder


@asynccontextmanager
async def _alone(path: Path) -> AsyncIterator[None]:
    """Let one process after the other fill a folder, or they would mix their files."""
    with ExitStack() as held:
        # Where nothing can be written the installation says so, and better.
        with suppress(OSError):
            lock = held.enter_context(path.with_name(f"{path.name}.lock").open("w"))
            if sys.platform != "win32":
                await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        yield


def lend_sdk(instance: Path, path: Path = SDK) -> None:
    """Put the shared SDK where Aurora looks for its own, in the folder of a Red instance."""
    place = instance / "cogs" / "Aurora" / "sdk"
    if place.is_symlink() or not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(path, target_is_directory=True)
