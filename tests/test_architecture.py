"""The rules of the house, read from its source: who may import what, and what documents say."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from redbot import VersionInfo, version_info
from redbot.core import commands

from aurora.commands.config import ConfigCommands
from aurora.commands.events import EventsCommands
from aurora.commands.queue import QueueCommands
from aurora.commands.setup import SetupCommands
from aurora.settings import GUILD_DEFAULTS, KEYS, RULES

ROOT = Path(__file__).resolve().parents[1]
HOUSE = ROOT / "aurora"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(HOUSE.rglob("*.py"))
}
WITHOUT_DISCORD = (
    "queue", "runs", "errors", "prompts", "settings", "ledger", "agents", "model", "clock", "ids",
)  # fmt: skip
LONGEST = 400


def plain_modules() -> list[str]:
    """Return the modules that work without a bot."""
    roots = {f"aurora.{name}" for name in WITHOUT_DISCORD}
    return [name for name in MODULES if ".".join(name.split(".")[:2]) in roots]


@cache
def imports(module: str) -> frozenset[tuple[str, str]]:
    """Return what a module imports when it runs, as (module, name); name is "" for whole ones."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return frozenset(_imports(ast.parse(path.read_text(encoding="utf-8")), package))


def _imports(tree: ast.AST, package: str) -> Iterator[tuple[str, str]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from ((one.name, "") for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            home = ".".join([*base, *filter(None, [node.module])]) if node.level else node.module
            yield from ((home or "", one.name) for one in node.names)
        else:
            yield from _imports(node, package)


def needs(module: str) -> Iterator[str]:
    """Yield the modules of the house that a module loads."""
    for home, name in imports(module):
        for found in (home, f"{home}.{name}"):
            if found in MODULES:
                yield found


def way_to(module: str, forbidden: tuple[str, ...]) -> list[str] | None:
    """Return the chain of imports from a module to a forbidden one."""
    ways, seen = [[module]], {module}
    while ways:
        way = ways.pop()
        for home, _ in imports(way[-1]):
            if home.split(".")[0] in forbidden:
                return [*way, home]
        for further in needs(way[-1]):
            if further not in seen:
                seen.add(further)
                ways.append([*way, further])
    return None


@pytest.mark.parametrize("module", plain_modules())
def test_what_needs_no_bot_imports_none(module: str) -> None:
    """Neither discord nor redbot, directly or by way of another module."""
    way = way_to(module, ("discord", "redbot"))
    assert way is None, " imports ".join(way or [])


def test_the_rule_sees_an_import_by_way_of_others() -> None:
    """Or it would pass for want of sight."""
    assert way_to("aurora.chat.delivery", ("discord",)) is not None
    assert way_to("aurora.tools.host", ("discord",)) is not None


def test_the_rooms_without_discord_exist() -> None:
    """A renamed module would slip out of the rule."""
    assert all(f"aurora.{name}" in MODULES for name in WITHOUT_DISCORD), (
        f"one of {WITHOUT_DISCORD} is gone"
    )


def test_loading_the_package_needs_no_bot_either() -> None:
    """`setup` brings the cog in; before it, `aurora.queue` and its like can be used alone."""
    nodes = ast.parse((HOUSE / "__init__.py").read_text(encoding="utf-8")).body
    top = [node for node in nodes if isinstance(node, ast.ImportFrom | ast.Import)]
    assert not [
        node for node in top if "redbot" in ast.unparse(node) or ".aurora" in ast.unparse(node)
    ]


def test_nothing_imports_the_letta_client() -> None:
    """A stock Red has none: the REST backend finds it at run time, in Aurora's own folder."""
    users = [name for name in MODULES if any("letta_client" in home for home, _ in imports(name))]
    assert users == []


def test_only_the_rest_backend_and_its_folder_know_the_letta_client() -> None:
    """Also not under a name that is put together at run time."""
    knowing = {
        name
        for name, path in MODULES.items()
        if re.search(r"letta_client|httpx", path.read_text(encoding="utf-8"))
    }
    homes = ("aurora.agents.rest.", "aurora.agents.sdk")
    assert [name for name in knowing if not name.startswith(homes)] == []
    assert knowing, "the rule looks for the wrong words"


_LOAD = """
import asyncio, sys
from pathlib import Path
from doubles.local_discord import LocalDiscord
from sandbox.red import LocalRed

async def main():
    discord = LocalDiscord()
    await discord.start()
    home, house = Path(sys.argv[1]), Path(sys.argv[2])
    red = await LocalRed.boot(home, discord=discord, cogs=["aurora"], cog_paths=[house])
    print(*sorted({name.partition(".")[0] for name in sys.modules}))
    print(*sorted(name for name in sys.modules if name.startswith("aurora.agents.rest")))
    await red.close()
    await discord.stop()

asyncio.run(main())
"""


def test_loading_the_cog_loads_no_sdk(tmp_path: Path) -> None:
    """Who uses an App Server pays nothing for the other backend, not even its own code."""
    command = [sys.executable, "-c", _LOAD, str(tmp_path), str(ROOT)]
    done = subprocess.run(  # noqa: S603 - a fixed program, our arguments
        command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    packages, rest = done.stdout.splitlines()[-2:]
    assert "aurora" in packages.split()
    assert {"letta_client", "httpx", "pydantic", "anyio"} & set(packages.split()) == set()
    assert rest == ""


def reds_names() -> list[tuple[str, str, str]]:
    """Return (our module, Red's module, name) for all that is imported from Red."""
    return sorted(
        (module, home, name)
        for module in MODULES
        for home, name in imports(module)
        if home.split(".")[0] == "redbot"
    )


def test_only_public_names_of_red_are_imported() -> None:
    """What is in no `__all__`, or has an underscore, may be gone with any release."""
    wrong = []
    for module, home, name in reds_names():
        hidden = home.startswith("redbot.vendored") or any(
            part.startswith("_") for part in [*home.split("."), name]
        )
        public = getattr(importlib.import_module(home), "__all__", None)
        # `redbot.core` and `redbot.core.commands` are public as packages.
        package = hasattr(importlib.import_module(home), "__path__")
        is_module = package and home == "redbot.core" and name in ("commands", "app_commands")
        if hidden or not (is_module or public is None or name in public):
            wrong.append(f"{module}: from {home} import {name}")
    assert wrong == []


@pytest.mark.parametrize("module", MODULES)
def test_no_module_is_too_long(module: str) -> None:
    """Four hundred lines are the end."""
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= LONGEST


# -- documents


def rows(document: str) -> list[str]:
    """Return the rows of a document's tables."""
    lines = (ROOT / document).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.lstrip().startswith("|")]


def written(value: object) -> str:
    """Write a default as a person types it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize("document", ["README.md", "COMMANDS.md"])
@pytest.mark.parametrize("setting", KEYS)
def test_every_setting_stands_in_the_documents_with_its_default_and_range(
    setting: str, document: str
) -> None:
    """A row with `config <setting>`, the default and the range, as settings.py has them."""
    key = KEYS[setting]
    named = re.compile(rf"aurora config {setting}\b")
    found = [
        [cell.strip(" `") for cell in row.strip().strip("|").split("|")]
        for row in rows(document)
        if named.search(row)
    ]
    wanted = {written(GUILD_DEFAULTS[key]), RULES[key].values}
    assert any(wanted <= set(cells) for cells in found), (
        f"{document} has no table row with `[p]aurora config {setting}`, "
        f"{' and '.join(sorted(wanted))}; rows that name it: {found}"
    )


def commands_of_the_cog() -> list[str]:
    """Return the names of all commands, but for groups, which only hold others."""
    return sorted(
        command.qualified_name
        for command in SetupCommands.aurora.walk_commands()
        if not isinstance(command, commands.GroupMixin)
    )


def test_the_cogs_commands_are_known_here() -> None:
    """The group is made in one module and filled in four."""
    known = commands_of_the_cog()
    assert {"aurora enable", "aurora config show"} <= set(known)
    groups = (ConfigCommands.config, QueueCommands.queue, EventsCommands.events)
    assert [group.name for group in groups] == ["config", "queue", "events"]


def test_every_command_stands_in_commands_md() -> None:
    """With its full name, in code."""
    text = (ROOT / "COMMANDS.md").read_text(encoding="utf-8")
    missing = [
        name for name in commands_of_the_cog() if not re.search(rf"\[p\]{name}(?![\w-])", text)
    ]
    assert missing == [], f"COMMANDS.md does not name: {', '.join(missing)}"


def test_commands_md_names_no_command_that_does_not_exist() -> None:
    """A document outlives what it describes."""
    known = set(commands_of_the_cog())
    text = (ROOT / "COMMANDS.md").read_text(encoding="utf-8")
    wrong = [
        used
        for used in re.findall(r"\[p\](aurora [a-z]+(?: [a-z]+)?)", text)
        if not any(used == name or used.startswith(f"{name} ") for name in known)
        and not any(name.startswith(f"{used} ") for name in known)
    ]
    assert wrong == []


# -- info.json

TEXT_KEYS = ("name", "short", "description", "install_msg")
COG_TYPES = {
    **dict.fromkeys((*TEXT_KEYS, "end_user_data_statement", "type", "min_bot_version"), str),
    **dict.fromkeys(("author", "tags", "requirements", "min_python_version"), list),
}


def info(path: str) -> dict[str, object]:
    """Read an info.json."""
    found = json.loads((ROOT / path).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_the_cogs_info_has_all_that_downloader_shows() -> None:
    """With the right types; a wrong one is dropped with a warning that nobody reads."""
    told = info("aurora/info.json")
    assert {key: type(told.get(key)) for key in COG_TYPES} == COG_TYPES
    assert told.keys() - COG_TYPES.keys() <= {"$schema", "max_bot_version", "hidden", "disabled"}
    assert all(isinstance(one, str) and one for one in [*told["author"], *told["tags"]])  # type: ignore[misc]


def test_the_cog_requires_nothing_and_fits_the_red_it_is_tested_on() -> None:
    """What Downloader installs would come before what Red needs."""
    told = info("aurora/info.json")
    assert told["requirements"] == []
    assert VersionInfo.from_str(str(told["min_bot_version"])) <= version_info
    assert told["min_python_version"] == [3, 11, 0]
    assert told["type"] == "COG"


def test_the_install_message_discloses_where_messages_go() -> None:
    """To an outside service; and the commands in it exist."""
    told = info("aurora/info.json")
    assert "Letta server" in str(told["install_msg"])
    assert "Letta server" in str(told["end_user_data_statement"])
    used = re.findall(r"\[p\](aurora [a-z]+)", str(told["install_msg"]))
    assert used
    assert set(used) <= set(commands_of_the_cog())


def test_the_repositorys_info_is_one() -> None:
    """No key of a cog; Downloader knows four."""
    told = info("info.json")
    assert {key: type(told.get(key)) for key in TEXT_KEYS} == dict.fromkeys(TEXT_KEYS, str)
    assert told.keys() <= {"$schema", "author", *TEXT_KEYS}
