"""Aurora from Downloader on a stock Red, wherever Red's shared `lib` has been: all answer.

Every cell is a Red of its own, started twice: `repo add`, `cog install`, `load`, token,
`lettaurl`, `enable`, a mention, an answer; then the second start, a mention, an answer.

"full" is a `lib` with pydantic 2.14 and anyio 4.16, which are too new for what Red pins. The
other cog imports them when it is loaded, with a newer typing_extensions in the place of Red's, as
cogs do that have to; with an empty `lib`, from a folder of its own. "fails" is a cog that knows
nothing of this: its import of pydantic breaks off halfway, its import of anyio works. In the
second start the other cog is always first: Aurora imports nothing before it is asked.

==========  =====  =========================  ==========================================
backend     lib    other cog imports          SDK folder
==========  =====  =========================  ==========================================
REST        empty  later (after an answer)    installed by the button that `lettaurl` shows
REST        empty  first (before Aurora)      already there
REST        full   later                      already there
REST        full   first                      already there
REST        full   fails, first               already there
App Server  empty  later                      none
App Server  empty  first                      none
App Server  full   later                      none
App Server  full   first                      none
App Server  full   fails, first               none
==========  =====  =========================  ==========================================

Six cells have every two values of these beside each other; `make soak ARGS=whole` has all ten.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.letta import AppServer
from tests.support.e2e.matrix import Cell, CellLife, NoRegistryError, live, new_land

_OTHERS = [("empty", "later"), ("empty", "first"), ("full", "later"), ("full", "first")]
REST = [Cell("rest", *one) for one in (*_OTHERS, ("full", "fails"))]
APP_SERVER = [Cell("ws", *one) for one in (*_OTHERS, ("full", "fails"))]
CELLS = [*REST, *APP_SERVER]
_SHORT = {
    "rest-empty-later",
    "rest-full-first",
    "rest-full-fails",
    "ws-empty-first",
    "ws-full-later",
    "ws-full-fails",
}
SHARED = ("pydantic", "anyio", "httpx")

# The first test of all waits for the lives of all cells.
pytestmark = pytest.mark.timeout(300)

Lives = dict[Cell, CellLife | BaseException]


def each(cells: list[Cell]) -> pytest.MarkDecorator:
    """Let a test see cells, of which the short form has some."""
    whole = pytest.mark.whole
    marked = [pytest.param(one, marks=() if str(one) in _SHORT else whole) for one in cells]
    return pytest.mark.parametrize("cell", marked, ids=str)


@pytest.fixture(scope="module")
def lives(
    tmp_path_factory: pytest.TempPathFactory,
    app_server: AppServer,
    request: pytest.FixtureRequest,
) -> Lives:
    """Live through the cells that this run asks for, all at once."""
    home = tmp_path_factory.mktemp("matrix")
    asked = [
        item.callspec.params["cell"]
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.path == Path(__file__)
        and hasattr(item, "callspec")
    ]

    async def everything() -> Lives:
        async with new_land(home, app_server) as land:
            return await live(land, [cell for cell in CELLS if cell in asked])

    try:
        return asyncio.run(everything())
    except NoRegistryError as error:
        pytest.skip(f"pip reaches no registry that has other cogs' packages: {error}")


@pytest.fixture
def life(lives: Lives, cell: Cell) -> CellLife:
    """What was seen of a cell; its test fails with what went wrong in it."""
    seen = lives[cell]
    if isinstance(seen, NoRegistryError):
        pytest.skip(f"pip reaches no registry that has the SDK: {seen}")
    if isinstance(seen, BaseException):
        raise seen
    return seen


@each(CELLS)
def test_every_mention_is_answered_once(life: CellLife, cell: Cell) -> None:
    """Before and after the other cog's import, and after the restart."""
    first = [["first"], ["second"]] if cell.other == "later" else [["first"]]
    assert life.answers == [*first, ["again"]]


@each(CELLS)
def test_the_cog_is_the_one_that_downloader_installed(life: CellLife, cell: Cell) -> None:
    """Nothing of this working tree is imported."""
    assert [start["aurora"] for start in life.whose] == ["Downloader's cogs"] * 2, cell


@each(REST)
def test_the_sdk_is_auroras_own(life: CellLife, cell: Cell) -> None:
    """What others have made work is shared with them; what they broke is replaced."""
    mine, theirs = "Aurora's SDK", "the other cog"
    starts = {"later": [mine, theirs], "first": [theirs, theirs], "fails": [mine, mine]}
    assert [start["letta_client"] for start in life.whose] == [mine, mine]
    wanted = [dict.fromkeys(SHARED, owner) for owner in starts[cell.other]]
    assert [{name: start[name] for name in SHARED} for start in life.whose] == wanted


@each(REST)
def test_the_sdk_is_offered_where_it_is_missing(lives: Lives, life: CellLife, cell: Cell) -> None:
    """The first cell has no other way to get it; the others find a copy and are not asked."""
    first = next(one for one in lives if one.backend == "rest")
    assert life.offered is (cell == first)


@each(APP_SERVER)
def test_the_app_server_needs_no_sdk(life: CellLife, cell: Cell) -> None:
    """Nothing is offered, installed or imported."""
    loaded = ["letta_client" in start for start in life.whose]
    assert (life.offered, life.has_sdk, loaded) == (False, False, [False, False]), cell


def test_red_itself_brings_nothing_of_the_sdk(tmp_path: Path) -> None:
    """So what the cells import comes from the folders that they were given."""
    program = (
        "from importlib.util import find_spec; import redbot; "
        f"print([name for name in {['aurora', 'letta_client', *SHARED]} if find_spec(name)])"
    )
    done = subprocess.run(  # noqa: S603 - a program of this file's own
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "[]"
