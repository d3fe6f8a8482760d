"""The budget of a run: what is refused, when a run is ended, and what never counts."""

from __future__ import annotations

import pytest

from aurora.guard.budget import Budget
from aurora.guard.policy import Act, Target
from aurora.reasons import StuckError
from aurora.settings import GuildSettings

HERE = Target(1)


def spent(budget: Budget, act: Act, *targets: Target) -> list[bool]:
    """Tell of each call whether it could be paid for."""
    return [budget.spend(act, target) is None for target in targets]


@pytest.mark.parametrize(
    ("act", "most", "named"),
    [(Act.READ, 10, "reads"), (Act.REACT, 5, "reactions"), (Act.LOOK, 50, "calls")],
)
def test_past_a_limit_it_says_so_and_past_twice_the_run_is_ended(
    act: Act, most: int, named: str
) -> None:
    """An agent that listens goes on with what it has."""
    budget = Budget(GuildSettings(), 1)
    assert spent(budget, act, *[HERE] * 2 * most) == [True] * most + [False] * most
    with pytest.raises(StuckError, match=f"budget of {named}"):
        budget.spend(act, HERE)


def test_each_refusal_reads_differently() -> None:
    """Else three of them would be the same error three times in a row."""
    budget = Budget(GuildSettings(), 1)
    texts = [budget.spend(Act.READ, HERE) for _ in range(20)][10:]
    assert len(set(texts)) == 10
    assert texts[0] is not None
    assert "11 of at most 10" in texts[0]


def test_what_a_server_sets_counts() -> None:
    """Each guild decides for itself."""
    budget = Budget(GuildSettings(budget_reads=2), 1)
    assert spent(budget, Act.READ, HERE, HERE, HERE) == [True, True, False]


def test_two_other_places_may_be_written_in_as_often_as_one_likes() -> None:
    """The place of the event is none of them, and reading is no writing."""
    budget = Budget(GuildSettings(), 1)
    others = [Target(number) for number in (1, 2, 3, 2, 3, 1)]
    assert spent(budget, Act.SEND, *others) == [True] * 6
    assert spent(budget, Act.SEND, Target(4)) == [False]
    assert spent(budget, Act.REACT, Target(5), Target(3)) == [False, True]
    assert spent(budget, Act.READ, Target(6)) == [True]
    with pytest.raises(StuckError, match="budget of places"):
        budget.spend(Act.SEND, Target(7))


def test_no_other_place_at_all_can_be_set() -> None:
    """An agent is told before its run is ended, whatever the limit."""
    budget = Budget(GuildSettings(budget_places=0), 1)
    assert spent(budget, Act.SEND, Target(1), Target(2)) == [True, False]


def test_after_five_ids_that_led_nowhere_only_known_ones_are_tried() -> None:
    """Each unknown one may cost a request to Discord."""
    budget = Budget(GuildSettings(), 1)
    assert spent(budget, Act.READ, Target(2)) == [True]
    for number in range(100, 105):
        assert spent(budget, Act.LOOK, Target(number)) == [True]
        budget.led_nowhere(Target(number))
    assert spent(budget, Act.READ, Target(1), Target(2), Target(100)) == [True, True, False]
    assert spent(budget, Act.LOOK, *map(Target, range(200, 205))) == [False] * 5
    with pytest.raises(StuckError, match="budget of ids"):
        budget.spend(Act.LOOK, Target(205))


def test_a_place_that_is_none_uses_up_no_place() -> None:
    """A wrong id costs an id."""
    budget = Budget(GuildSettings(), 1)
    for number in (100, 101, 102):
        assert spent(budget, Act.SEND, Target(number)) == [True]
        budget.led_nowhere(Target(number))
    assert spent(budget, Act.SEND, Target(2), Target(3)) == [True, True]


def test_messages_are_counted_by_what_is_out() -> None:
    """In parts; those refused count only towards the end of the run."""
    budget = Budget(GuildSettings(), 1)
    assert [budget.room(sent) for sent in (0, 11, 12, 15)] == [12, 1, 0, 0]
    assert "13 of at most 12" in budget.no_room(12)
    for _ in range(11):
        budget.no_room(12)
    with pytest.raises(StuckError, match="budget of messages"):
        budget.no_room(12)
