"""Audience: whenever a word may go from place to place, everybody there may read its source."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings

from aurora.guard.audience import Audiences, within
from aurora.guard.gates import Gate, gate_kept
from tests.support.random_towns import RandomTown, random_towns, truly_reads, truly_within


@pytest.mark.long
@given(random_towns(crowded=True))
@settings(max_examples=300)
def test_whoever_hears_a_word_could_read_its_source(town: RandomTown) -> None:
    """Over random guilds, by roles and overwrites alone; the oracle asks every member."""
    for here in town.places:
        for there in town.places:
            if within(town.known, town.gate(here), town.gate(there)):
                assert truly_within(town, here, there)


@pytest.mark.long
@given(random_towns())
@settings(max_examples=150)
def test_in_a_small_server_nothing_is_refused_for_less(town: RandomTown) -> None:
    """Asked one by one, people decide as the oracle does, but for a private thread's parent."""
    audiences = Audiences()
    for here in town.places:
        for there in town.places:
            mine, theirs = town.gate(here), town.gate(there)
            allowed = asyncio.run(audiences.within(town.known, mine, theirs))
            if theirs.parent_id == mine.place_id:
                assert not allowed
            else:
                assert allowed == truly_within(town, here, there)


@given(random_towns())
@settings(max_examples=30)
def test_a_gate_is_the_same_when_it_was_kept(town: RandomTown) -> None:
    """The ledger remembers by it who came to read a place when it was read."""
    for place in town.places:
        assert gate_kept(town.gate(place).kept()) == town.gate(place)


@pytest.mark.long
@given(random_towns())
@settings(max_examples=60)
def test_a_direct_message_has_one_reader_and_is_read_nowhere_else(town: RandomTown) -> None:
    """What was noted in a channel may be read to who could read it there, and to nobody more."""
    audiences = Audiences()
    for who, member in town.guild.members.items():
        if member.user is town.local.bot_user:
            continue
        alone = Gate(1, None, guests=frozenset({who}))
        for place in town.places:
            gate = town.gate(place)
            allowed = asyncio.run(audiences.within(town.known, alone, gate))
            assert allowed == truly_reads(place, member)
            assert not asyncio.run(audiences.within(town.known, gate, alone))
    stranger = Gate(1, None, guests=frozenset({2}))
    gate = town.gate(town.places[0])
    assert not asyncio.run(audiences.within(town.known, stranger, gate))
