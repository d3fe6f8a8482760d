from __future__ import annotations
from .conftest import Town
from .test_fairness import people, rooms, ends
from .seen import said_since
import pytest
@pytest.mark.parametrize("rnd", range(2))
async def test_probe(town: Town, rnd) -> None:
    places, askers = rooms(town, town.guild, 8), people(town, town.guild, 8)
    load = [town.discord.say(a, p, f"{town.mention} [[send:hi]]") for a, p in zip(askers, places)]
    await ends(town, load)
    print("FIRST", [(town.steps(m)[-1]) for m in load], [c.detail for c in town.changes if c.step in ("answered","failed","declined")])
    n = len(town.changes)
    load = [town.discord.say(a, p, f"{town.mention} [[send:hi]]") for a, p in zip(askers, places)]
    await ends(town, load)
    print("SECOND", [(town.steps(m)[-1]) for m in load], [c.detail for c in town.changes[n:] if c.step in ("answered","failed","declined")])
