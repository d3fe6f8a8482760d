"""`python -m benchmarks [GROUP...]`: prints JSON lines of figures, then a table of them."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from importlib import import_module
from typing import NamedTuple

from . import ticking
from .against import compare
from .figures import (
    Figure,
    middle,
    spread,
    table,
)
from .processes import MeasurementError, load, run_group


class Group(NamedTuple):
    """A measurement: where it is, and how often it is taken, each time in a fresh process."""

    module: str
    rounds: int
    function: str = "measure"


GROUPS = {
    "ignored": Group("ignored", 3),
    "audience": Group("audience", 3),
    "mentions": Group("mentions", 3),
    "arrivals": Group("arrivals", 3),
    "cost": Group("cost", 3),
    "throughput": Group("throughput", 3),
    "memory": Group("memory", 3),
    "boot": Group("memory", 3, "measure_boot"),
    "loading": Group("loading", 5),
    "scale": Group("scale", 1),
    "servers": Group("servers", 1),
    "tokens": Group("tokens", 1),
}
_COST = "cost"
_OURS = "added_latency_p50_ms"


def main() -> None:
    """Take the measurements that are asked for, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(GROUPS))
    parser.add_argument("--here", choices=GROUPS, help="once, in this process")
    parser.add_argument("--profile", action="store_true", help=f"where the time of {_COST} goes")
    parser.add_argument("--against", metavar="REF", help="this commit and the tree here, in turns")
    parser.add_argument("--rounds", type=int, default=5, help="of each side, with --against")
    options = parser.parse_args()
    if unknown := set(options.groups) - GROUPS.keys():
        parser.error(f"there is no group {', '.join(sorted(unknown))}")
    names = options.groups or list(GROUPS)
    if options.profile and _COST not in (options.here, *names):
        parser.error(f"only {_COST} has a profile")
    with asyncio.Runner(loop_factory=_red_loop) as runner:
        if options.here:
            runner.run(_here(options.here, profile=options.profile))
        elif options.against:
            runner.run(compare(options.against, names, options.rounds))
        else:
            runner.run(_all(names, profile=options.profile))


def _red_loop() -> asyncio.AbstractEventLoop:
    """Make an event loop as `redbot` does: Aurora is measured in the loop that it lives in."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def _here(name: str, *, profile: bool) -> None:
    group = GROUPS[name]
    measure: Callable[..., AsyncIterator[Figure]] = getattr(
        import_module(f".{group.module}", __package__), group.function
    )
    async for figure in measure(profile=True) if profile else measure():
        _print(figure)


async def _all(names: Iterable[str], *, profile: bool) -> None:
    taken: list[Figure] = []
    spreads: dict[str, tuple[float, float]] = {}
    failed: list[str] = []
    for name in names:
        options = ["--profile"] if profile and name == _COST else []
        before = load()
        try:
            rounds = [await run_group(name, *options) for _ in range(GROUPS[name].rounds)]
        except MeasurementError:
            failed.append(name)
            continue
        print(f"{name}: load {before:.2f} before, {load():.2f} after", file=sys.stderr)
        spreads |= spread(rounds)
        for figure in middle(rounds):
            least, most = spreads[figure.name]
            _print(figure, least=least, most=most)
            taken.append(figure)
    for figure in _compared(taken):
        _print(figure)
        taken.append(figure)
    sys.stdout.flush()
    about = f"{os.cpu_count()} cores, {datetime.now(UTC):%Y-%m-%d}"
    print(f"\n{about}\n{table(taken, spreads)}", file=sys.stderr)
    if failed:
        raise SystemExit(f"Not measured, for reasons that are above: {', '.join(failed)}.")


def _compared(taken: Iterable[Figure]) -> Iterable[Figure]:
    """Set two other designs beside our median, if that was measured."""
    ours = next((figure.value for figure in taken if figure.name == _OURS), None)
    return () if ours is None else ticking.figures(ours)


def _print(figure: Figure, **more: float) -> None:
    print(json.dumps({**figure._asdict(), **more}), flush=True)


if __name__ == "__main__":
    main()
