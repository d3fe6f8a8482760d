"""`python -m benchmarks [GROUP...]`: prints JSON lines {"name", "value", "unit"}, then a table."""

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
from .figures import Figure, middle, table


class Group(NamedTuple):
    """A measurement: where it is, and how often it is taken, each time in a fresh process."""

    module: str
    rounds: int
    function: str = "measure"


class MeasurementError(Exception):
    """A measurement failed; it has said why."""


GROUPS = {
    "ignored": Group("ignored", 3),
    "mentions": Group("mentions", 3),
    "throughput": Group("throughput", 3),
    "memory": Group("memory", 3),
    "boot": Group("memory", 3, "measure_boot"),
    "loading": Group("loading", 5),
    "scale": Group("scale", 1),
    "servers": Group("servers", 1),
}
_OURS = "added_latency_p50_ms"


def main() -> None:
    """Take the measurements that are asked for, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(GROUPS))
    parser.add_argument("--here", choices=GROUPS, help="once, in this process")
    options = parser.parse_args()
    if unknown := set(options.groups) - GROUPS.keys():
        parser.error(f"there is no group {', '.join(sorted(unknown))}")
    with asyncio.Runner(loop_factory=_red_loop) as runner:
        if options.here:
            runner.run(_here(options.here))
        else:
            runner.run(_all(options.groups or GROUPS))


def _red_loop() -> asyncio.AbstractEventLoop:
    """Make an event loop as `redbot` does: Aurora is measured in the loop that it lives in."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def _here(name: str) -> None:
    group = GROUPS[name]
    measure: Callable[[], AsyncIterator[Figure]] = getattr(
        import_module(f".{group.module}", __package__), group.function
    )
    async for figure in measure():
        _print(figure)


async def _all(names: Iterable[str]) -> None:
    taken: list[Figure] = []
    failed: list[str] = []
    for name in names:
        try:
            rounds = [await _elsewhere(name) for _ in range(GROUPS[name].rounds)]
        except MeasurementError:
            failed.append(name)
            continue
        for figure in middle(rounds):
            _print(figure)
            taken.append(figure)
    for figure in _compared(taken):
        _print(figure)
        taken.append(figure)
    sys.stdout.flush()
    about = f"{os.cpu_count()} cores, {datetime.now(UTC):%Y-%m-%d}"
    print(f"\n{about}\n{table(taken)}", file=sys.stderr)
    if failed:
        raise SystemExit(f"Not measured, for reasons that are above: {', '.join(failed)}.")


async def _elsewhere(name: str) -> list[Figure]:
    """Take a measurement in a process that has done nothing else."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __package__, "--here", name, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise MeasurementError(name)
    return [Figure(**json.loads(line)) for line in output.splitlines()]


def _compared(taken: Iterable[Figure]) -> Iterable[Figure]:
    """Set two other designs beside our median, if that was measured."""
    ours = next((figure.value for figure in taken if figure.name == _OURS), None)
    return () if ours is None else ticking.figures(ours)


def _print(figure: Figure) -> None:
    print(json.dumps(figure._asdict()), flush=True)


if __name__ == "__main__":
    main()
