"""What the info.json files tell Red's Downloader."""

from __future__ import annotations

import json
import re

from redbot import VersionInfo, version_info

from tests.support.commands import commands_of_the_cog
from tests.support.house import ROOT

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
