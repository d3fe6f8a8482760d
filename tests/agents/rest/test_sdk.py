"""The SDK's folder: installed, broken, outdated, and beside what other cogs brought."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from aurora.agents.sdk import PINS, SdkFolder
from aurora.installing import FolderState, InstallError
from tests.support.house import ROOT

EMPTY = "an empty lib"


def copy_of(folder: SdkFolder, home: Path) -> SdkFolder:
    """Copy an installed folder, so that it can be broken."""
    copy = SdkFolder(home)
    shutil.copytree(folder.place, copy.place)
    return copy


def fill(folder: Path, files: dict[str, str]) -> None:
    """Write packages the way pip lays them out."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")


def start_a_bot(folder: SdkFolder, *lines: str) -> list[str]:
    """Run lines in a process of its own, with the SDK's folder at hand; return what it printed."""
    begin = (
        "import asyncio, sys",
        "from pathlib import Path",
        f"sys.path.insert(0, {str(ROOT)!r})",
        "from aurora.agents.sdk import SdkFolder",
        "from aurora.agents.rest import LettaRest",
        f"sdk = SdkFolder(Path({str(folder.place.parent)!r}))",
        "async def ask():",
        "    backend = LettaRest('http://127.0.0.1:9', load=sdk.activate, direct=True)",
        "    try:",
        "        await backend.ping()",
        "    except Exception as error:",
        "        print(error)",
        "    await backend.close()",
    )
    program = "\n".join([*begin, *lines])
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - a program of this file's own
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


ASK = "asyncio.run(ask())"
ASKED = "the agent server can't be reached"


@pytest.fixture(scope="module")
def lib(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Red's shared lib as another cog's requirements fill it today: too new for Red's pins."""
    lib = tmp_path_factory.mktemp("lib")
    pip = [sys.executable, "-m", "pip", "install", "-q", "-U", "-t", str(lib)]
    wanted = ["pydantic==2.14.*", "anyio==4.16.*", "httpx"]
    done = subprocess.run([*pip, *wanted], capture_output=True, text=True, check=False)  # noqa: S603 - Red's own command
    if done.returncode and "No matching distribution" in done.stderr:
        pytest.skip(f"pip reaches no registry that has these: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    return lib


def process_in(mark: Path) -> int:
    """Wait until a process has written its id."""
    while not mark.exists() or not mark.read_text("utf-8").strip():
        time.sleep(0.01)
    return int(mark.read_text("utf-8"))


def red_lib(lib: Path) -> str:
    """Append the lib to the path, as Red does."""
    return f"sys.path.append({str(lib)!r})"


def test_without_it_nothing_is_loaded() -> None:
    """Importing the backend costs nothing of the SDK."""
    names = ["letta_client", "pydantic", "httpx", "anyio"]
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import aurora.agents.rest; "
        f"print([name for name in {names} if name in sys.modules])"
    )
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - a program of this file's own
    assert done.stdout.strip() == "[]"


def test_the_sdk_works_with_an_empty_lib(sdk_folder: SdkFolder) -> None:
    """A real request leaves; nobody listens there."""
    assert start_a_bot(sdk_folder, ASK) == [ASKED]


def test_it_works_beside_packages_too_new_for_red(sdk_folder: SdkFolder, lib: Path) -> None:
    """The folder comes first."""
    said = start_a_bot(
        sdk_folder, red_lib(lib), ASK, "import pydantic, anyio", "print(pydantic.VERSION)"
    )
    assert said == [ASKED, "2.11.10"]


def test_it_works_after_another_cogs_failed_import(sdk_folder: SdkFolder, lib: Path) -> None:
    """Of that one parts may be left behind."""
    cog = ("try: import pydantic", "except ImportError: print('the other cog failed')")
    assert start_a_bot(sdk_folder, red_lib(lib), *cog, ASK) == ["the other cog failed", ASKED]


def test_it_works_after_another_cog_imported_what_fails_later(
    sdk_folder: SdkFolder, lib: Path
) -> None:
    """That anyio can be imported, and can't make a request."""
    cog = "import anyio, httpx; print(anyio.__file__.startswith(sys.path[-1]))"
    assert start_a_bot(sdk_folder, red_lib(lib), cog, ASK) == ["True", ASKED]


def test_it_uses_what_another_cog_has_made_work(sdk_folder: SdkFolder, lib: Path) -> None:
    """Some cogs bring a newer typing_extensions along; their pydantic is left to them."""
    cog = (
        f"sys.path.insert(0, {str(lib)!r})",
        "import typing_extensions, pydantic, anyio",
        "theirs = sys.modules['pydantic']; sys.path.pop(0)",
    )
    same = "print(sys.modules['pydantic'] is theirs, pydantic.VERSION[:4])"
    assert start_a_bot(sdk_folder, red_lib(lib), *cog, ASK, same) == [ASKED, "True 2.14"]


def test_it_works_after_a_reload_of_the_cog(sdk_folder: SdkFolder, lib: Path) -> None:
    """Red forgets the cog's modules then, and keeps the SDK's."""
    reload = (
        "for name in [one for one in sys.modules if one.startswith('aurora')]:",
        "    del sys.modules[name]",
        "from aurora.agents.sdk import SdkFolder",
        "from aurora.agents.rest import LettaRest",
        f"sdk = SdkFolder(Path({str(sdk_folder.place.parent)!r}))",
    )
    assert start_a_bot(sdk_folder, red_lib(lib), ASK, *reload, ASK) == [ASKED, ASKED]


def test_it_works_on_when_a_link_to_its_folder_is_gone(
    sdk_folder: SdkFolder, tmp_path: Path
) -> None:
    """What was imported through it still reads certificates from beside itself."""
    link = tmp_path / "link"
    link.symlink_to(sdk_folder.place.parent, target_is_directory=True)
    gone = (
        f"Path({str(link)!r}).unlink()",
        f"sdk = SdkFolder(Path({str(sdk_folder.place.parent)!r}))",
    )
    assert start_a_bot(SdkFolder(link), ASK, *gone, ASK) == [ASKED, ASKED]


def test_orphans_of_another_version_are_not_mixed_in(
    sdk_folder: SdkFolder, tmp_path: Path
) -> None:
    """A submodule stays in memory when its package's import fails after it."""
    fill(
        tmp_path,
        {
            "pydantic/__init__.py": "from . import version\nraise ImportError('too new')\n",
            "pydantic/version.py": "VERSION = '9.9'\n",
        },
    )
    cog = ("try: import pydantic", "except ImportError: print('pydantic.version' in sys.modules)")
    said = start_a_bot(
        sdk_folder, red_lib(tmp_path), *cog, ASK, "import pydantic", "print(pydantic.VERSION)"
    )
    assert said == ["True", ASKED, "2.11.10"]


def test_an_empty_folder_is_missing(tmp_path: Path) -> None:
    """And can't be used; the message names the command."""
    folder = SdkFolder(tmp_path / "sdk")
    assert folder.state() is FolderState.MISSING
    with pytest.raises(InstallError, match=r"is missing.*-m pip install"):
        folder.activate()


def test_an_installed_folder_is_ready(sdk_folder: SdkFolder) -> None:
    """As pip left it."""
    assert sdk_folder.state() is FolderState.READY


@pytest.mark.parametrize("harm", ["remove", "cut"])
def test_a_harmed_folder_is_broken(sdk_folder: SdkFolder, tmp_path: Path, harm: str) -> None:
    """One file that is gone or cut short is enough."""
    folder = copy_of(sdk_folder, tmp_path / "sdk")
    victim = folder.place / "httpx" / "_client.py"
    if harm == "remove":
        victim.unlink()
    else:
        victim.write_bytes(victim.read_bytes()[:100])
    assert folder.state() is FolderState.BROKEN
    with pytest.raises(InstallError, match="is broken"):
        folder.activate()


def test_other_pins_make_it_outdated(sdk_folder: SdkFolder, tmp_path: Path) -> None:
    """An update of the cog may bring other versions."""
    copy_of(sdk_folder, tmp_path / "sdk")
    pins = tmp_path / "sdk.txt"
    pins.write_text(PINS.read_text(encoding="utf-8").replace("1.12.1", "1.12.0"), "utf-8")
    assert SdkFolder(tmp_path / "sdk", pins).state() is FolderState.OUTDATED


async def test_installing_again_mends_and_leaves_nothing_old(
    sdk_folder: SdkFolder, tmp_path: Path
) -> None:
    """What other pins left is removed with it."""
    folder = copy_of(sdk_folder, tmp_path / "sdk")
    (folder.place / "httpx" / "_client.py").unlink()
    (tmp_path / "sdk" / "3.11-older").mkdir()
    await folder.install()
    assert folder.state() is FolderState.READY
    assert list((tmp_path / "sdk").iterdir()) == [folder.place]


async def test_a_pin_that_does_not_exist_is_told_with_the_command(tmp_path: Path) -> None:
    """The last lines of pip say why; by hand it may work."""
    pins = tmp_path / "sdk.txt"
    pins.write_text("letta-client==0.0.0\n", "utf-8")
    folder = SdkFolder(tmp_path / "sdk", pins)
    with pytest.raises(InstallError, match=r"(?s)letta-client==0\.0\.0.*run: .*-m pip install"):
        await folder.install()
    assert folder.state() is FolderState.MISSING


async def test_pip_that_does_not_end_is_stopped(tmp_path: Path) -> None:
    """The bot goes on without."""
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 60\n", "utf-8")
    slow.chmod(0o755)
    with pytest.raises(InstallError, match=r"no end in 0\.2 s"):
        await SdkFolder(tmp_path / "sdk").install(str(slow), timeout=0.2)


async def test_what_pip_installed_is_tried_before_it_is_used(
    sdk_folder: SdkFolder, tmp_path: Path
) -> None:
    """An SDK that can't be imported beside Red's packages never replaces one that can."""
    folder = copy_of(sdk_folder, tmp_path / "sdk")
    pretender = tmp_path / "python"
    pretender.write_text("#!/bin/sh\ncase $2 in pip) exit 0;; esac\necho no; exit 1\n", "utf-8")
    pretender.chmod(0o755)
    with pytest.raises(InstallError, match="does not work"):
        await folder.install(str(pretender))
    assert folder.state() is FolderState.READY


async def test_an_interpreter_that_is_gone_is_told(tmp_path: Path) -> None:
    """Without a traceback."""
    with pytest.raises(InstallError, match="can't be started"):
        await SdkFolder(tmp_path / "sdk").install(str(tmp_path / "nothing"))


async def test_a_cancelled_install_leaves_no_process(tmp_path: Path) -> None:
    """The cog may be unloaded meanwhile."""
    slow, mark = tmp_path / "python", tmp_path / "pid"
    slow.write_text(f"#!/bin/sh\necho $$ > {mark}\nexec sleep 60\n", "utf-8")
    slow.chmod(0o755)
    install = asyncio.create_task(SdkFolder(tmp_path / "sdk").install(str(slow)))
    process = await asyncio.to_thread(process_in, mark)
    install.cancel()
    await asyncio.gather(install, return_exceptions=True)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_the_pins_are_exact(sdk_folder: SdkFolder) -> None:
    """And the command by hand names them, the folder and nothing that runs code."""
    lines = [line for line in PINS.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert all(line.count("==") == 1 for line in lines)
    assert str(sdk_folder.place) in sdk_folder.command("python3")
    assert "--only-binary=:all:" in sdk_folder.command("python3")
