"""Two commits are compared by medians and spreads, in a checkout that leaves nothing behind."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks.against import Pair, table, tree_of


def pair(before: list[float], here: list[float], unit: str = "ms", name: str = "x") -> Pair:
    """Return a figure of both sides."""
    return Pair(name, unit, before, here)


@pytest.mark.parametrize(
    ("one", "verdict"),
    [
        (pair([10, 11, 12], [11, 13, 14]), ""),  # a fifth more, but the spreads overlap
        (pair([10, 11], [14, 15]), ""),  # two rounds prove nothing
        (pair([10, 11, 12], [12.1, 12.1, 12.2]), "worse"),
        (pair([10, 11, 12], [14, 15, 16]), "WORSE"),
        (pair([10, 11, 12], [7, 8, 9]), "better"),
        (pair([10, 11, 12], [14, 15, 16], unit="1/s"), "better"),
        (pair([10, 11, 12], [7, 8, 9], unit="1/s"), "WORSE"),
        (pair([10, 11, 12], [9.9, 9.9, 9.9], unit="1/s"), "worse"),
        (pair([10, 11, 12], [7, 8, 9], name="events_per_s"), "WORSE"),
        (pair([10, 11, 12], [0, 0, 0], unit="1/s"), "WORSE"),
        (pair([0, 0, 0], [0, 0, 0]), ""),
        (pair([0, 0, 0], [1, 1, 1]), "WORSE"),
    ],
)
def test_only_what_is_outside_the_spread_is_judged(one: Pair, verdict: str) -> None:
    """Whether more is better is a matter of the figure."""
    assert one.verdict == verdict


def test_the_table_has_both_medians_with_their_spreads_and_the_ratio() -> None:
    """Whoever doubts the ratio sees what it is made of."""
    _, row = table([pair([10, 11, 12], [5, 5.5, 6])], "main").splitlines()
    assert row.split() == ["x", "11", "(10–12)", "5.5", "(5–6)", "ms", "×0.50", "better"]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a repository with one commit, and later changes in its tree."""
    root = tmp_path / "house"
    for package in ("aurora", "benchmarks", "doubles"):
        (root / package).mkdir(parents=True)
        (root / package / "one.py").write_text("OLD = True\n")
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *words], check=True)  # noqa: S603 - git, in a folder of our own
    for package in ("aurora", "benchmarks", "doubles"):
        (root / package / "one.py").write_text("OLD = False\n")
    return root


def test_the_commit_before_is_measured_by_what_measures_here(house: Path) -> None:
    """Its Aurora is its own; measurement and surroundings are the same on both sides."""
    with tree_of("HEAD", house) as tree:
        assert (tree / "aurora" / "one.py").read_text() == "OLD = True\n"
        for package in ("benchmarks", "doubles"):
            assert (tree / package / "one.py").read_text() == "OLD = False\n"
    assert not tree.exists()
    listed = ["git", "-C", str(house), "worktree", "list"]
    seen = subprocess.run(listed, check=True, capture_output=True, text=True)  # noqa: S603 - git
    assert len(seen.stdout.splitlines()) == 1


def test_a_commit_that_is_unknown_is_named(house: Path) -> None:
    """With what git says about it."""
    with pytest.raises(SystemExit, match="nowhere"), tree_of("nowhere", house):
        pass
