"""A folder of one's own: what the sandbox keeps in it is there the next time."""

from __future__ import annotations

from pathlib import Path

from sandbox.stack import Stack


async def test_agents_are_kept_in_a_folder_that_is_not_removed(tmp_path: Path) -> None:
    """It is made if missing; the second start on it finds the agents of the first, and works."""
    folder, agents = tmp_path / "new" / "place", []
    for _ in range(2):
        async with Stack({}, data=folder, page_port=None) as stack:
            agents.append((stack.guild_agent, stack.dm_agent))
        assert {"letta", "red"} <= {one.name for one in folder.iterdir()}
    assert agents[0] == agents[1]
