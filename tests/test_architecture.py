"""The rules of the house, read from its source: who may import what, and how big a module is."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.house import (
    PACKAGES,
    ROOT,
    Import,
    defined,
    imports,
    modules_of,
    read_imports,
)

MODULES = modules_of("aurora")
GROUND = (
    "model",
    "files",
    "settings",
    "reasons",
    "words",
    "clock",
    "ids",
    "markdown",
    "installing",
)
GROUND_FLOOR = {"__init__", "aurora", "services", *GROUND}
LAYERS: tuple[tuple[str, ...], ...] = (
    ("ground",),
    ("ledger", "errors"),
    ("queue", "agents", "context", "prompts", "events"),
    ("guard", "chat"),
    ("tools",),
    ("runs",),
    ("intake", "health"),
    # Commands take what they need from the services, which know of no command.
    ("services",),
    ("commands",),
    ("aurora",),
)
"""From below. A room imports only what stands below it; `ground` is the modules of GROUND."""

EXCEPTIONS = {
    ("context.building", "guard.roles"): "a channel's name is told where all see the channel",
    ("context", "prompts.fence"): "names are cleaned by the rules of the fence they will stand in",
    ("context", "prompts.transcript"): "the document has two functions of prompts in context",
    ("guard", "chat.places"): "a place is found before anybody is asked what is allowed there",
    ("chat.sender", "guard.output"): "what an agent says is filtered where all of it leaves",
    ("chat.delivery", "guard.policy"): "a text may go no further than a tool of the agent's",
    ("guard", "chat.failures"): "what Discord does not tell is no permission",
    ("guard.pressing", "chat.languages"): "who presses in vain is told so in their language",
    ("chat.long_texts", "guard.pressing"): "a question goes out with its buttons",
    ("chat.sender", "guard"): "the guard is asked before each part of what is sent",
    ("chat.delivery", "guard.pressing"): "what got stuck is told with buttons",
    ("chat.deeds", "guard"): "the guard is asked before whatever else people see",
}
"""What is imported against the layers: (who, what of the house), and why."""

WITHOUT_DISCORD = ("ledger", "errors", "queue", "agents", "prompts", "events", "runs", *GROUND)
STRANGERS = {
    "aurora": {"doubles", "sandbox", "benchmarks", "tests"},
    "doubles": {"aurora", "sandbox", "benchmarks", "tests"},
    "sandbox": {"benchmarks", "tests"},
    "benchmarks": {"tests"},
}
"""What the packages of the repository do not import of each other."""

SUPPORT = modules_of("tests/support")
SOAKING = {
    "tests.soak.outage.OutageReport": "what a run of the soak has found",
    "tests.soak.outage.run_outage": "the soak is a programme of its own; a test runs it briefly",
}
"""What tests import although it is not in `tests/support`, and why."""

LONG, LONGEST = 300, 400


# -- layers


def room(module: str) -> str:
    """Return the room that a module of the house is in."""
    first = module.split(".")[1] if "." in module else "aurora"
    return "ground" if first in GROUND else first


def layer(name: str) -> int:
    """Return how high a room stands."""
    return next(height for height, rooms in enumerate(LAYERS) if name in rooms)


def excuse(module: str, imported: str) -> tuple[str, str] | None:
    """Return the exception that allows an import against the layers."""
    for who, what in EXCEPTIONS:
        if _within(module, f"aurora.{who}") and _within(imported, f"aurora.{what}"):
            return who, what
    return None


def breaches(module: str, found: tuple[Import, ...]) -> Iterator[tuple[int, str]]:
    """Yield the imports of a module that go up or sideways, as (line, what)."""
    mine = room(module)
    for one in found:
        full = one.full
        if not full.startswith("aurora."):
            continue
        theirs = room(full)
        if theirs != mine and layer(theirs) >= layer(mine):
            yield one.line, full


def _within(name: str, home: str) -> bool:
    return name == home or name.startswith(f"{home}.")


def test_a_room_imports_only_what_stands_below_it() -> None:
    """But for what stands in the table of exceptions with its reason."""
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {room(module)} may not import {imported}"
        for module, path in MODULES.items()
        for line, imported in breaches(module, imports(path))
        if excuse(module, imported) is None
    ]
    assert wrong == []


def test_every_exception_is_used() -> None:
    """One that is not would allow what nobody has thought of."""
    used = {
        excuse(module, imported)
        for module, path in MODULES.items()
        for _, imported in breaches(module, imports(path))
    }
    assert set(EXCEPTIONS) - used == set()


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        ("aurora.queue.lanes", "\n\nfrom ..chat import places", [(3, "aurora.chat.places")]),
        ("aurora.queue.lanes", "from ..prompts import fence", [(1, "aurora.prompts.fence")]),
        ("aurora.model", "def f():\n from .words import TEXT, say", []),
        ("aurora.ids", "if TYPE_CHECKING:\n from . import queue", [(2, "aurora.queue")]),
        ("aurora.health.alerts", "import aurora.commands.setup", [(1, "aurora.commands.setup")]),
        ("aurora.commands.setup", "from ..services import Services\nimport discord", []),
    ],
)
def test_an_import_against_the_layers_is_seen_with_its_line(
    module: str, source: str, found: list[tuple[int, str]]
) -> None:
    """Upwards and sideways, also inside functions and for type checkers alone."""
    package = tuple(module.split(".")[:-1])
    assert list(breaches(module, tuple(read_imports(source, package)))) == found


@pytest.mark.parametrize("package", PACKAGES)
def test_the_packages_of_the_repository_know_each_other_in_one_direction(package: str) -> None:
    """What imitates a server knows nothing of Aurora, and Aurora of nothing but itself."""
    wrong = [
        f"{path.relative_to(ROOT)}:{one.line}: {package} may not import {one.full}"
        for path in modules_of(package).values()
        for one in imports(path)
        if one.home.split(".")[0] in STRANGERS[package]
    ]
    assert wrong == []


def test_the_ground_floor_is_complete() -> None:
    """What is new has a room."""
    loose = {path.stem for path in (ROOT / "aurora").glob("*.py")}
    assert loose - GROUND_FLOOR == set()
    rooms = {path.parent.name for path in (ROOT / "aurora").glob("*/__init__.py")}
    assert rooms - {name for rooms in LAYERS for name in rooms} - set(GROUND) == set()


# -- what tests share


def is_shared(module: str, one: Import) -> bool:
    """Tell whether a module of the tests may import this of the tests."""
    if any(part == "conftest" or part.startswith("test_") for part in one.full.split(".")):
        return False
    at_home = _within(module, "tests.soak") and _within(one.home, "tests.soak")
    return at_home or _within(one.home, "tests.support") or one.full in SOAKING


def test_what_tests_share_stands_in_support() -> None:
    """A test module is nobody's harness, and a conftest.py has fixtures, which nobody imports."""
    wrong = [
        f"{path.relative_to(ROOT)}:{one.line}: {one.full}"
        for module, path in modules_of("tests").items()
        for one in imports(path)
        if _within(one.home, "tests") and not is_shared(module, one)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        ("from tests.support.house import ROOT", True),
        ("from tests.support import house", True),
        ("from tests.soak.outage import run_outage", True),
        ("from tests.soak.town import Fate", False),
        ("from tests.e2e.conftest import town", False),
        ("from .conftest import town", False),
        ("from . import conftest", False),
        ("from .test_way import send", False),
        ("import tests.e2e.test_way", False),
        ("from .looking import at", False),
    ],
)
def test_an_import_among_tests_is_judged(source: str, allowed: bool) -> None:
    """Whatever form it has."""
    (one,) = read_imports(source, ("tests", "e2e"))
    assert is_shared("tests.e2e.test_town", one) is allowed


def test_what_tests_share_is_imported_from_where_it_is_defined() -> None:
    """Else a thing is found in two places."""
    wrong = [
        f"{path.relative_to(ROOT)}:{one.line}: {one.full}"
        for path in modules_of("tests").values()
        for one in imports(path)
        if one.home in SUPPORT and one.full not in SUPPORT
        if one.name not in defined(SUPPORT[one.home])
    ]
    assert wrong == []


def test_a_name_means_one_thing_in_what_tests_share() -> None:
    """Two modules that define the same public name would be mistaken for each other."""
    homes: dict[str, list[str]] = {}
    for module, path in SUPPORT.items():
        for name in defined(path):
            homes.setdefault(name, []).append(module)
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}
    assert "Town" in homes


# -- without a bot


def plain_modules() -> list[str]:
    """Return the modules that work without a bot."""
    roots = {f"aurora.{name}" for name in WITHOUT_DISCORD}
    return [name for name in MODULES if ".".join(name.split(".")[:2]) in roots]


def loads(module: str) -> Iterator[Import]:
    """Yield what a module imports when it runs."""
    return (one for one in imports(MODULES[module]) if not one.typing)


def needs(module: str) -> Iterator[str]:
    """Yield the modules of the house that a module loads."""
    for one in loads(module):
        for found in (one.home, one.full):
            if found in MODULES:
                yield found


def way_to(module: str, forbidden: tuple[str, ...]) -> list[str] | None:
    """Return the chain of imports from a module to a forbidden one."""
    ways, seen = [[module]], {module}
    while ways:
        way = ways.pop()
        for one in loads(way[-1]):
            if one.home.split(".")[0] in forbidden:
                return [*way, one.home]
        for further in needs(way[-1]):
            if further not in seen:
                seen.add(further)
                ways.append([*way, further])
    return None


def test_what_needs_no_bot_imports_none() -> None:
    """Neither discord nor redbot, directly or by way of another module."""
    ways = [way_to(module, ("discord", "redbot")) for module in plain_modules()]
    assert [" imports ".join(way) for way in ways if way is not None] == []


def test_the_rule_sees_an_import_by_way_of_others() -> None:
    """Or it would pass for want of sight."""
    assert way_to("aurora.chat.delivery", ("discord",)) is not None
    assert way_to("aurora.tools.host", ("discord",)) is not None


def test_the_rooms_without_discord_are_rooms() -> None:
    """A renamed one would slip out of the rule."""
    assert set(WITHOUT_DISCORD) - {name for rooms in LAYERS for name in rooms} == set(GROUND)


def test_loading_the_package_needs_no_bot_either() -> None:
    """`setup` brings the cog in; before it, `aurora.queue` and its like can be used alone."""
    nodes = ast.parse(MODULES["aurora"].read_text(encoding="utf-8")).body
    top = [node for node in nodes if isinstance(node, ast.ImportFrom | ast.Import)]
    assert not [
        node for node in top if "redbot" in ast.unparse(node) or ".aurora" in ast.unparse(node)
    ]


# -- the Letta client, and Red's public names


def test_nothing_imports_the_letta_client() -> None:
    """A stock Red has none: the REST backend finds it at run time, in Aurora's own folder."""
    users = [name for name in MODULES if any("letta_client" in one.home for one in loads(name))]
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
        (module, one.home, one.name)
        for module in MODULES
        for one in loads(module)
        if one.home.split(".")[0] == "redbot"
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


# -- size


def test_nine_in_ten_modules_are_short_and_none_is_long() -> None:
    """A module that fills three screens is two."""
    lengths = {
        name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}
    long = sorted(name for name, lines in lengths.items() if lines >= LONG)
    assert len(long) * 10 <= len(lengths), f"over {LONG} lines: {', '.join(long)}"
