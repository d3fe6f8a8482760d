"""A real Red, in this process or as the real `redbot` binary, against a local Discord."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import discord as discord_py
import redbot.core.bot  # first: `_events` and `_drivers` cannot be imported before it
import rich
from redbot import version_info
from redbot.core import _cog_manager, _drivers, _events, bank, config, data_manager, modlog
from redbot.core._cli import parse_cli_flags
from redbot.core._drivers import json as json_driver

from .pointing import pointed_at

if TYPE_CHECKING:
    from doubles.local_discord import LocalDiscord, User

ADDRESS_VARIABLE = "AURORA_SANDBOX_DISCORD"
_SITE = Path(__file__).parent / "site"
_READY_TIMEOUT = 60.0


class LocalRed:
    """A running Red; `boot` makes one, `close` leaves nothing of it.

    Red keeps much of itself in module globals, so a process holds one at a time.
    """

    _running: ClassVar[LocalRed | None] = None

    def __init__(self, bot: redbot.core.bot.Red, undo: ExitStack) -> None:
        self.bot = bot
        self._undo = undo
        self._run: asyncio.Task[None] | None = None

    @classmethod
    async def boot(
        cls,
        data_path: Path,
        *,
        discord: LocalDiscord | None,
        token: str | None = None,
        prefix: str = "!",
        cogs: Sequence[str] = (),
        cog_paths: Sequence[Path] = (),
        owner: User | int | None = None,
        patience: float | None = 0.02,
        listener: Callable[..., Coroutine[Any, Any, None]] | None = None,
    ) -> LocalRed:
        """Start Red and return when it is ready and its first cogs are loaded.

        Args:
            data_path: Where its instance lives; the same path again is the same instance.
            discord: The Discord to log in to; None for the real one.
            token: Needed for the real one; the local one knows its own.
            prefix: Of its commands.
            cogs: Packages to load.
            cog_paths: Folders that hold them.
            owner: Who owns the bot; None for the application's owner.
            patience: How long discord.py waits for another guild before it is ready, in seconds.
                A local Discord sends its guilds at once; what depends on their coming late, or on
                messages before readiness, shows with Red's own patience alone (None).
            listener: Hears events from the first on; called as its name says.

        Raises:
            RuntimeError: Another Red is running here, or a cog did not load.
            ValueError: There is no token.

        """
        if cls._running is not None:
            raise RuntimeError("one Red is already running in this process; close it first")
        secret = token or (discord.token if discord is not None else None)
        if secret is None:
            raise ValueError("a token is needed to log in to the real Discord")
        flags = _flags(prefix, cogs, cog_paths, owner)
        undo = ExitStack()
        try:
            _prepare(undo, data_path, cogs)
            _point_at(undo, discord)
            await _drivers.get_driver_class().initialize(**data_manager.storage_details())
            options: dict[str, Any] = {}
            if discord is not None and patience is not None:
                options["guild_ready_timeout"] = patience
            bot = redbot.core.bot.Red(
                cli_flags=parse_cli_flags(flags), description="Red V3", dm_help=None, **options
            )
            if listener is not None:
                bot.add_listener(listener)
        except BaseException:
            undo.close()
            raise
        red = cls._running = cls(bot, undo)
        try:
            await red._start(secret, cogs)
        except BaseException:
            await red.close()
            raise
        return red

    async def close(self) -> None:
        """Log out and put everything back as it was before `boot`."""
        if LocalRed._running is not self:
            return
        bot, run = self.bot, self._run
        try:
            # Red cannot be closed before it has logged in: there is nothing to close yet.
            if not bot.is_closed() and hasattr(bot, "_AutoShardedClient__queue"):
                await bot.close()
            if run is not None:
                run.cancel()
                await asyncio.gather(run, return_exceptions=True)
            await _end_stray_tasks()
            # The transports of the closed session end in the loop's next turns.
            for _ in range(3):
                await asyncio.sleep(0)
        finally:
            LocalRed._running = None
            self._undo.close()

    async def _start(self, token: str, cogs: Sequence[str]) -> None:
        run = self._run = asyncio.create_task(self.bot.start(token), name="red")
        ready = asyncio.create_task(self.bot.wait_until_red_ready(), name="red ready")
        try:
            # Waiting for readiness alone would never end if the start died.
            done, _ = await asyncio.wait(
                {run, ready}, timeout=_READY_TIMEOUT, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            ready.cancel()
        if run in done:
            run.result()
            raise RuntimeError("Red ended before it was ready")
        if ready not in done:
            raise RuntimeError(f"Red was not ready after {_READY_TIMEOUT:.0f} s")
        missing = [cog for cog in cogs if cog not in self.bot.extensions]
        if missing:
            raise RuntimeError(f"Red's log says why it did not load: {', '.join(missing)}")


def _flags(
    prefix: str, cogs: Sequence[str], cog_paths: Sequence[Path], owner: User | int | None
) -> list[str]:
    """Word the options of `boot` as Red's command line does."""
    flags = ["--no-prompt", "--prefix", prefix]
    if owner is not None:
        flags += ["--owner", str(owner if isinstance(owner, int) else owner.id)]
    if cogs:
        flags += ["--load-cogs", *cogs]
    if cog_paths:
        flags += ["--cog-path", *map(str, cog_paths)]
    return flags


def _prepare(undo: ExitStack, data_path: Path, cogs: Sequence[str]) -> None:
    """Give Red an instance of its own and remember which globals to put back."""
    settings = {"DATA_PATH": str(data_path), "COG_PATH_APPEND": "cogs", "CORE_PATH_APPEND": "core"}
    settings |= {"STORAGE_TYPE": "JSON"}
    _set(undo, data_manager, "basic_config", settings | {"STORAGE_DETAILS": {}})
    _set(undo, data_manager, "_instance_name", "sandbox")
    lib = seed_instance(data_path)
    sys.path.append(str(lib))
    undo.callback(_remove_path, str(lib))
    undo.callback(_forget_globals)
    undo.callback(_restore_modules, set(cogs), dict(sys.modules))
    # Red greets in block letters; a quiet console would still lay them out, for each boot.
    _set(undo, rich.get_console(), "print", lambda *_, **__: None)


def _point_at(undo: ExitStack, discord: LocalDiscord | None) -> None:
    _set(undo, _events, "fetch_latest_red_version_info", _no_newer_version)
    if discord is not None:
        undo.enter_context(pointed_at(discord))


async def _no_newer_version() -> tuple[Any, None]:
    return version_info, None


def _set(undo: ExitStack, where: Any, name: str, value: Any) -> None:
    undo.callback(setattr, where, name, getattr(where, name))
    setattr(where, name, value)


def seed_instance(data_path: Path) -> Path:
    """Make a folder into a Red instance that loads cogs on its first boot.

    A new instance takes itself for one whose Python was just changed and would load none.

    Returns:
        The folder for the requirements of cogs, which Red wants to exist.

    """
    core = data_path / "core"
    core.mkdir(parents=True, exist_ok=True)
    settings = core / "settings.json"
    if not settings.exists():
        system = {"python_version": list(sys.version_info[:2])}
        known = {"0": {"GLOBAL": {"schema_version": 3, "last_system_info": system}}}
        settings.write_text(json.dumps(known), encoding="utf-8")
    lib = data_path / "cogs" / "Downloader" / "lib"
    lib.mkdir(parents=True, exist_ok=True)
    return lib


def _forget_globals() -> None:
    """Let the next Red start from nothing.

    The drivers' reference counts stay: their finalizers run late, and without the counts they
    would throw away the data of the Red after this one.
    """
    bank._config = modlog._config = modlog._bot_ref = None  # type: ignore[assignment]
    bank._cache_is_global = None
    for key in bank._cache:
        bank._cache[key] = None
    _cog_manager._TEMP_PATHS.clear()
    config._config_cache.clear()
    json_driver._shared_datastore.clear()
    json_driver._locks.clear()


def _restore_modules(cogs: set[str], before: Mapping[str, ModuleType]) -> None:
    """Take the cogs' modules away; what was imported before keeps its identity."""
    for name in [name for name in sys.modules if name.partition(".")[0] in cogs]:
        del sys.modules[name]
    kept = {name: item for name, item in before.items() if name.partition(".")[0] in cogs}
    sys.modules.update(kept)


def _remove_path(path: str) -> None:
    with suppress(ValueError):
        sys.path.remove(path)


async def _end_stray_tasks() -> None:
    """End what Red and discord.py started and nobody owns; a cog's leftovers stay to be seen."""
    homes = tuple(str(Path(module.__path__[0])) for module in (discord_py, redbot))
    left = [
        task
        for task in asyncio.all_tasks()
        if task is not asyncio.current_task() and _source(task).startswith(homes)
    ]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _source(task: asyncio.Task[Any]) -> str:
    code = getattr(task.get_coro(), "cr_code", None)
    return "" if code is None else str(code.co_filename)


def environment(discord: LocalDiscord, home: Path) -> dict[str, str]:
    """Return the environment in which the real `redbot` talks to a local Discord.

    Args:
        discord: Where it shall log in; already started.
        home: A folder for all that Red writes outside its instance.

    """
    paths = [str(_SITE), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        ADDRESS_VARIABLE: discord.url,
        "RED_TOKEN": discord.token,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
    }
