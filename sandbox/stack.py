"""Everything at once: a Discord, a Red with Aurora, a Letta agent with a model, and the page."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from importlib import import_module
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from doubles.llm import Provider, ScriptedLLM
from doubles.local_discord import Channel, LocalDiscord, Message

from .letta import AppServerError
from .neighbourhood import Neighbourhood, found
from .page import (
    Page,
    PageError,
    RealBot,
    listen,
)
from .provider import ABOUT_THE_SCRIPTED, provider_from_env
from .servers import (
    SDK,
    Backend,
    LettaServer,
    lend_sdk,
    shared_sdk,
    start_server,
)

if TYPE_CHECKING:
    from aurora.model import Change

    from .red import LocalRed

_ROOT = Path(__file__).resolve().parent.parent
_ANSWER_SECONDS = 20.0
_SERVERS = {
    Backend.APP_SERVER: "Letta App Server",
    Backend.REST: "double of the Letta REST API",
}
_INVITE = "https://discord.com/oauth2/authorize?client_id={id}&scope=bot+applications.commands"
# View, send (also in threads), history, reactions, embeds, files: what the README asks for.
_INVITE_PERMISSIONS = 1 << 10 | 1 << 11 | 1 << 38 | 1 << 16 | 1 << 6 | 1 << 14 | 1 << 15

Report = Callable[[str], None]


class StackError(RuntimeError):
    """The sandbox cannot start; the message says what is missing and what to do."""


# What the parts raise for people to read; anything else is a bug and keeps its traceback.
_EXPECTED = (AppServerError, PageError, StackError, OSError, ValueError, RuntimeError)


class Stack:
    """The running sandbox. Use it as a context manager, or call `start` and `stop`.

    Args:
        env: AURORA_LLM_* put a real model, DISCORD_TOKEN a real Discord in place of ours.
        backend: the kind of Letta server.
        data: folder that is kept; without it a temporary one is used and removed.
        sdk: where the SDK of the REST API lies, or is put.
        page_port: where to serve the page; 0 takes a free port, None serves none.
        report: gets a line for every part that is up.

    """

    letta: LettaServer
    red: LocalRed
    guild_agent: str
    dm_agent: str

    def __init__(
        self,
        env: Mapping[str, str],
        *,
        backend: Backend = Backend.APP_SERVER,
        data: Path | None = None,
        sdk: Path = SDK,
        page_port: int | None = 0,
        report: Report = lambda _line: None,
    ) -> None:
        self.llm: ScriptedLLM | None = None
        self.discord: LocalDiscord | None = None
        self.places: Neighbourhood | None = None
        self.page: Page | None = None
        self._env = env
        self._backend = backend
        self._data = data
        self._sdk = sdk
        self._page_port = page_port
        self._report = report
        self._began = monotonic()
        # Both halves start side by side, but they stop one after the other: a bot that loses its
        # agents while it still runs would complain.
        self._agents_half = contextlib.AsyncExitStack()
        self._bot_half = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Bring everything up, as much as possible at the same time.

        Raises:
            StackError: something is missing or taken; nothing is left running.

        """
        try:
            await self._start()
        except BaseException as error:
            await self.stop()
            cause = _first(error)
            if isinstance(cause, _EXPECTED):
                raise StackError(str(cause) or repr(cause)) from error
            raise

    async def stop(self) -> None:
        """Stop everything, the bot first; harmless when nothing runs."""
        try:
            await self._bot_half.aclose()
        finally:
            await self._agents_half.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _start(self) -> None:
        provider = provider_from_env(self._env)
        listener = None if self._page_port is None else listen(self._page_port)
        if listener is not None:
            self._bot_half.callback(listener.close)
        home = self._folder()
        if self._backend is Backend.REST:
            await shared_sdk(self._sdk)
            lend_sdk(home / "red", self._sdk)
            self._done("SDK of the Letta REST API")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._start_agents(home / "letta", provider))
            group.create_task(self._start_bot(home / "red"))
        if self.discord is not None and self.places is not None:
            await self._configure(self.discord, self.places)
        else:
            await self._configure_real()
        self._done("Aurora is set up")
        if listener is not None:
            await self._start_page(listener)

    def _folder(self) -> Path:
        if self._data is not None:
            self._data.mkdir(parents=True, exist_ok=True)
            return self._data.resolve()
        folder = Path(tempfile.mkdtemp(prefix="aurora-sandbox-"))
        self._agents_half.callback(shutil.rmtree, folder, ignore_errors=True)
        return folder

    async def _start_agents(self, home: Path, provider: Provider | None) -> None:
        if provider is None:
            self.llm = ScriptedLLM(ABOUT_THE_SCRIPTED)
            await self.llm.start()
            self._agents_half.push_async_callback(self.llm.stop)
            provider = self.llm.provider
        self.letta = await start_server(self._backend, home, provider)
        self._agents_half.push_async_callback(self.letta.stop)
        self._done(_SERVERS[self._backend])
        self.guild_agent, self.dm_agent = await asyncio.gather(
            self._agent(f"Aurora on {provider.model}"),
            self._agent(f"Aurora in private on {provider.model}"),
        )
        self._done("two agents")

    async def _agent(self, name: str) -> str:
        return await self.letta.find_agent(name) or await self.letta.create_agent(name)

    async def _start_bot(self, home: Path) -> None:
        # Importing Red takes most of a second, in which the Letta server can start.
        red = await asyncio.to_thread(import_module, ".red", __package__)
        from discord import LoginFailure, PrivilegedIntentsRequired

        token = self._env.get("DISCORD_TOKEN")
        if not token:
            self.discord = LocalDiscord(bot_name="Aurora")
            await self.discord.start()
            self._bot_half.push_async_callback(self.discord.stop)
            self.places = found(self.discord)
            self._done("local Discord")
        try:
            self.red = await red.LocalRed.boot(
                home,
                discord=self.discord,
                token=token,
                cogs=("aurora",),
                cog_paths=(_ROOT,),
                owner=self.places.ada if self.places else None,
            )
        except LoginFailure:
            raise StackError(
                "Discord does not accept the token in DISCORD_TOKEN; copy it again from the "
                "Developer Portal."
            ) from None
        except PrivilegedIntentsRequired:
            raise StackError(
                "Switch on the privileged intents of this bot on its page in Discord's "
                "Developer Portal."
            ) from None
        self._bot_half.push_async_callback(self.red.close)
        self._done("Red with Aurora")

    async def _configure(self, discord: LocalDiscord, places: Neighbourhood) -> None:
        """Set Aurora up as an owner does: the token, then commands."""
        await self.red.bot.set_shared_api_tokens("letta", token=self.letta.token)

        async def order(channel: Channel, command: str, expected: str) -> None:
            said = discord.say(places.ada, channel, f"!aurora {command}")
            answer = await _answer_to(discord, said)
            if expected not in answer:
                raise StackError(f"Aurora answered `{said.content}` with: {answer}")

        await order(places.setup, f"lettaurl {self.letta.url}", "Done")
        await order(places.setup, f"config dm agent {self.dm_agent}", f"`{self.dm_agent}`")
        await asyncio.gather(
            order(places.setup, f"enable {self.guild_agent}", "Done"),
            order(places.bench, f"enable {self.guild_agent}", "Done"),
        )

    async def _configure_real(self) -> None:
        """Set the address for a bot on the real Discord; enabling it is up to its owner."""
        services: Any = self.red.bot.get_cog("Aurora").services  # type: ignore[union-attr]  # it was loaded at boot, or boot had failed
        await services.settings.set_world(letta_base_url=self.letta.url, dm_agent_id=self.dm_agent)
        await self.red.bot.set_shared_api_tokens("letta", token=self.letta.token)

    async def _start_page(self, listener: socket.socket) -> None:
        bot = self.red.bot
        real = None
        if self.places is None and bot.user is not None:
            invite = _INVITE.format(id=bot.user.id) + f"&permissions={_INVITE_PERMISSIONS}"
            real = RealBot(str(bot.user), invite, (f"!aurora enable {self.guild_agent}",))
        people = self.places.people if self.places else ()
        self.page = Page(self.discord, people=people, real=real)
        await self.page.start(listener)
        self._bot_half.push_async_callback(self.page.stop)
        self.watch(self.page.on_change)
        self._done("chat page")

    def watch(self, hear: Callable[[Change], Coroutine[Any, Any, None]]) -> None:
        """Call `hear` with every step in the life of every event."""
        bot = self.red.bot
        bot.add_listener(hear, "on_aurora_event")
        self._bot_half.callback(bot.remove_listener, hear, "on_aurora_event")

    def _done(self, part: str) -> None:
        self._report(f"{monotonic() - self._began:5.1f} s  {part}")


async def _answer_to(discord: LocalDiscord, said: Message) -> str:
    """Wait for the next thing the bot writes in the channel of a command."""

    def answer() -> Message | None:
        later = [one for one in discord.messages(said.channel) if one.id > said.id]
        return next((one for one in later if one.author is discord.bot_user), None)

    try:
        return (await discord.wait_for(answer, _ANSWER_SECONDS)).content
    except TimeoutError:
        raise StackError(f"Aurora did not answer `{said.content}`.") from None


def _first(error: BaseException) -> BaseException:
    """Return the first thing that went wrong; what failed beside it is a consequence."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
