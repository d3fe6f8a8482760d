"""A commit from before and this tree, measured in turns in one run."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from .figures import BARS, Figure, aligned
from .processes import (
    ROOT,
    MeasurementError,
    load,
    run_group,
)

_CARRIED = ("benchmarks", "doubles")
"""What both sides run alike: what measures, and the world around Aurora."""
_TOLERATED = 0.1
_FEWEST_ROUNDS = 3  # one or two values have no spread to speak of
_MORE_IS_BETTER = {"1/s"}


class Pair(NamedTuple):
    """A figure of both sides, a value for each round."""

    name: str
    unit: str
    before: Sequence[float]
    here: Sequence[float]

    @property
    def ratio(self) -> float:
        """Return how many times the median before the one here is."""
        was, now = median(self.before), median(self.here)
        return now / was if was else 1.0 if now == was else math.inf

    @property
    def apart(self) -> bool:
        """Whether no value of one side lies among those of the other."""
        if len(self.before) < _FEWEST_ROUNDS:
            return False
        return min(self.here) > max(self.before) or max(self.here) < min(self.before)

    @property
    def verdict(self) -> str:
        """Say better or worse only outside the spread, and loudly above a tenth."""
        if not self.apart:
            return ""
        bar = BARS.get(self.name)
        more = bar.at_least if bar is not None else self.unit in _MORE_IS_BETTER
        if (self.ratio > 1) is more:
            return "better"
        return "WORSE" if abs(self.ratio - 1) > _TOLERATED else "worse"


async def compare(ref: str, names: Iterable[str], rounds: int) -> None:
    """Measure groups so often on both sides, and print JSON lines and a table.

    Raises:
        SystemExit: Something is worse by more than a tenth and outside the spread, could not be
            measured, or there is no such commit.

    """
    pairs: list[Pair] = []
    failed: list[str] = []
    with tree_of(ref) as before:
        for name in names:
            try:
                found = await _in_turns(name, before, rounds)
            except MeasurementError:
                failed.append(name)
                continue
            for pair in found:
                _print(pair)
            pairs += found
    sys.stdout.flush()
    print(f"\n{table(pairs, ref)}", file=sys.stderr)
    if failed:
        raise SystemExit(f"Not measured, for reasons that are above: {', '.join(failed)}.")
    if worse := [pair.name for pair in pairs if pair.verdict == "WORSE"]:
        raise SystemExit(f"More than a tenth worse, outside the spread: {', '.join(worse)}.")


async def _in_turns(name: str, before: Path, rounds: int) -> list[Pair]:
    taken: dict[Path, list[list[Figure]]] = {before: [], ROOT: []}
    loads = [load()]
    for number in range(rounds):
        # Who goes first alternates too: a machine that drifts favours neither.
        for tree in (before, ROOT) if number % 2 == 0 else (ROOT, before):
            taken[tree].append(await run_group(name, tree=tree))
            loads.append(load())
    said = " ".join(f"{one:.2f}" for one in loads)
    print(f"{name}: load before, and after each of {2 * rounds} rounds: {said}", file=sys.stderr)
    sides = [_by_name(taken[tree]) for tree in (before, ROOT)]
    for side, label in zip(sides, ("before", "here"), strict=True):
        for lone in sorted(side.keys() - (sides[0].keys() & sides[1].keys())):
            unit, values = side[lone]
            print(f"{lone}: {median(values):,.10g} {unit}, {label} alone", file=sys.stderr)
    return [
        Pair(figure, unit, values, sides[1][figure][1])
        for figure, (unit, values) in sides[0].items()
        if figure in sides[1]
    ]


def _by_name(rounds: Sequence[Sequence[Figure]]) -> dict[str, tuple[str, list[float]]]:
    found: dict[str, tuple[str, list[float]]] = {}
    for figure in (one for figures in rounds for one in figures):
        found.setdefault(figure.name, (figure.unit, []))[1].append(figure.value)
    return found


def _print(pair: Pair) -> None:
    sides = {
        side: {"value": median(values), "least": min(values), "most": max(values)}
        for side, values in (("before", pair.before), ("here", pair.here))
    }
    line = {"name": pair.name, "unit": pair.unit, **sides, "ratio": round(pair.ratio, 3)}
    print(json.dumps({**line, "outside_spread": pair.apart}), flush=True)


def table(pairs: Iterable[Pair], ref: str) -> str:
    """Lay the pairs out for people: the median, least and most of each side, and the ratio."""
    head = ("figure", ref, "", "here", "", "unit", "ratio", "outside the spread")
    rows = [
        (
            pair.name,
            *_three(pair.before),
            *_three(pair.here),
            pair.unit,
            f"×{pair.ratio:.2f}",
            pair.verdict,
        )
        for pair in pairs
    ]
    return aligned([head, *rows], right=(1, 3, 6))


def _three(values: Sequence[float]) -> tuple[str, str]:
    return f"{median(values):,.10g}", f"({min(values):,.10g}–{max(values):,.10g})"


@contextmanager
def tree_of(ref: str, root: Path = ROOT) -> Iterator[Path]:
    """Check a commit out beside the tree, with what measures and what surrounds Aurora from here.

    Raises:
        SystemExit: Git can't; its words are in the message.

    """
    with tempfile.TemporaryDirectory(prefix="aurora-before-") as folder:
        tree = Path(folder) / "tree"
        _git(root, "worktree", "add", "--detach", str(tree), ref)
        try:
            for package in _CARRIED:
                shutil.rmtree(tree / package, ignore_errors=True)
                shutil.copytree(root / package, tree / package)
            # The tree here was compiled long ago, and loading is measured too.
            subprocess.run(  # noqa: S603 - ourselves, on our own files
                [sys.executable, "-m", "compileall", "-q", str(tree)], check=True
            )
            yield tree
        finally:
            _git(root, "worktree", "remove", "--force", str(tree))


def _git(root: Path, *words: str) -> None:
    done = subprocess.run(  # noqa: S603 - git, on our own repository
        ["git", "-C", str(root), *words],  # noqa: S607 - whichever git there is
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"Git can't do this: {done.stderr.strip()}")
