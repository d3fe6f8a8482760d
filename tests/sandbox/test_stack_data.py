"""A folder of one's own: what the sandbox keeps in it is there the next time."""

from __future__ import annotations

from pathlib import Path

from sandbox.stack import Stack


async def test_agents_are_kept(tmp_path: Path) -> None:
    """The second start on a folder finds the agents of the first, and works."""
    agents = []
    for _ in range(2):
        async with Stack({}, data=tmp_path, page_port=None) as stack:
            agents.append((stack.guild_agent, stack.dm_agent))
    assert agents[0] == agents[1]


async def test_a_kept_folder_is_not_removed(tmp_path: Path) -> None:
    """Only temporary folders go; a given one is made if missing and stays."""
    folder = tmp_path / "new" / "place"
    async with Stack({}, data=folder, page_port=None):
        pass
    assert {"letta", "red"} <= {one.name for one in folder.iterdir()}
