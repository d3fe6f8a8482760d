"""Access lists: whom and from where a server's admins let ask."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurora.guard.access import Asker, has_lists, places_of, refusal
from aurora.reasons import Reason
from aurora.settings import GuildSettings
from tests.support.payloads import TeaHouse, snowflake

ANN, BO, MODS, GUESTS, GENERAL, RULES, CATEGORY = range(1, 8)


def asked(
    user: int = ANN,
    roles: Collection[int] | None = (MODS,),
    places: Collection[int] = (GENERAL, CATEGORY),
    *,
    above_people: bool = False,
    above_places: bool = False,
    **lists: Any,
) -> Reason | None:
    """Ask whether somebody may ask somewhere, with these lists."""
    asker = Asker(user, roles, above_people, above_places)
    return refusal(GuildSettings(**lists), asker, places)


@pytest.mark.parametrize(
    ("lists", "reason"),
    [
        ({}, None),
        ({"users_denied": [ANN]}, Reason.KEPT_OUT),
        ({"users_denied": [BO]}, None),
        ({"roles_denied": [MODS]}, Reason.KEPT_OUT),
        ({"roles_denied": [GUESTS]}, None),
        ({"users_allowed": [ANN]}, None),
        ({"users_allowed": [BO]}, Reason.KEPT_OUT),
        ({"roles_allowed": [MODS]}, None),
        ({"roles_allowed": [GUESTS]}, Reason.KEPT_OUT),
        ({"roles_allowed": [GUESTS], "users_allowed": [ANN]}, None),
        ({"roles_allowed": [MODS], "users_allowed": [BO]}, None),
        ({"channels_denied": [GENERAL]}, Reason.OFF_LIMITS),
        ({"channels_denied": [CATEGORY]}, Reason.OFF_LIMITS),
        ({"channels_denied": [RULES]}, None),
        ({"channels_allowed": [GENERAL]}, None),
        ({"channels_allowed": [CATEGORY]}, None),
        ({"channels_allowed": [RULES]}, Reason.OFF_LIMITS),
    ],
)
def test_each_list_does_what_it_says(lists: dict[str, Any], reason: Reason | None) -> None:
    """An allow list shuts out all else of its kind; those of people are one."""
    assert asked(**lists) is reason


@pytest.mark.parametrize(
    "lists",
    [
        {"users_allowed": [ANN], "roles_denied": [MODS]},
        {"roles_allowed": [MODS], "users_denied": [ANN]},
        {"channels_allowed": [GENERAL], "channels_denied": [CATEGORY]},
        {"channels_allowed": [CATEGORY], "channels_denied": [GENERAL]},
    ],
)
def test_deny_beats_allow(lists: dict[str, Any]) -> None:
    """Whichever of them is the narrower."""
    assert asked(**lists) is not None


def test_who_stands_above_a_list_is_not_asked_for_it_and_for_the_other_all_the_same() -> None:
    """As with Red's: its allow and block lists, and its ignored channels, are two things."""
    both: dict[str, Any] = {"users_denied": [ANN], "channels_denied": [GENERAL]}
    assert asked(above_people=True, **both) is Reason.OFF_LIMITS
    assert asked(above_places=True, **both) is Reason.KEPT_OUT
    assert asked(above_people=True, above_places=True, **both) is None


@pytest.mark.parametrize("lists", [{"roles_denied": [MODS]}, {"roles_allowed": [GUESTS]}])
def test_roles_that_nobody_knows_are_no_reason(lists: dict[str, Any]) -> None:
    """A member who is in no cache must not be refused for that."""
    assert asked(roles=None, **lists) is None


_ids = st.lists(st.integers(1, 6), max_size=4)
_lists = st.fixed_dictionaries(
    {
        f"{kind}_{how}": _ids
        for kind in ("users", "roles", "channels")
        for how in ("allowed", "denied")
    }
)


@given(lists=_lists, user=st.integers(1, 6), roles=_ids, places=_ids)
def test_it_is_what_the_document_says(
    lists: dict[str, Any], user: int, roles: list[int], places: list[int]
) -> None:
    """The rule, written a second time as sets."""
    of = {name: set(ids) for name, ids in lists.items()}
    people, mine = of["users_allowed"] | {-one for one in of["roles_allowed"]}, {user}
    mine |= {-one for one in roles}
    denied = of["users_denied"] | {-one for one in of["roles_denied"]}
    out = bool(mine & denied) or (bool(people) and not mine & people)
    here = set(places)
    away = bool(here & of["channels_denied"]) or (
        bool(of["channels_allowed"]) and not here & of["channels_allowed"]
    )
    expected = Reason.KEPT_OUT if out else Reason.OFF_LIMITS if away else None
    assert asked(user, roles, places, **lists) is expected
    assert has_lists(GuildSettings(**lists)) == any(of.values())


def test_a_thread_follows_its_channel_and_a_channel_its_category(world: TeaHouse) -> None:
    """So one entry stands for all that is below."""
    general, thread, post = (world.channel(name) for name in ("general", "thread", "post"))
    general.category_id = CATEGORY
    assert set(places_of(general)) == {general.id, CATEGORY}
    assert set(places_of(thread)) == {thread.id, general.id, CATEGORY}
    assert set(places_of(post)) == {post.id, post.parent_id}


def test_a_thread_whose_channel_nobody_knows_is_listed_by_its_own_id_and_that(
    world: TeaHouse,
) -> None:
    """Its category can't be looked up, which is no crash."""
    parent = snowflake()
    world.thread("orphan", parent_id=str(parent))
    orphan = world.channel("orphan")
    assert set(places_of(orphan)) == {orphan.id, parent}
