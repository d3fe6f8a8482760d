"""`python -m tests.soak`: the long runs, a JSON line for each; exit code 1 for any violation."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def main() -> int:
    """Run what was asked for and return the exit code."""
    # Lives are forked from this process's module: what it need not import, they need not.
    from .parts import PARTS
    from .storm import KINDS

    parts = ("kills", "cuts", "faults", *PARTS, "fuzz", "whole")
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    parser.add_argument("--kills", type=int, default=200, help="kill -9 cycles")
    parser.add_argument("--cuts", type=int, default=1000, help="simulated power cuts")
    parser.add_argument("--outages", type=int, default=2, help="of a minute, and of ten")
    parser.add_argument("--fuzz", type=float, default=20.0, help="seconds for each target")
    parser.add_argument("--storm", type=float, default=600.0, help="seconds that it lasts")
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS, help="of its troubles")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(parts):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    good = True
    for part in options.parts or parts:
        for report in _runs(part, options):
            line = json.dumps({"name": part, **report}, ensure_ascii=False)
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
            good &= not report["violations"]
    return 0 if good else 1


def _runs(part: str, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from tests.support.powerloss import run_cuts

    from .faults import run_faults
    from .fuzzing import run_fuzz
    from .kills import run_kills
    from .outage import run_outage
    from .parts import PARTS, run_part, storm
    from .storm import Weather
    from .whole import FILES, run_whole

    seed = options.seed
    match part:
        case "kills" if options.kills:
            yield _alone(partial(run_kills, options.kills, seed))
        case "cuts" if options.cuts:
            cuts = asdict(run_cuts(options.cuts, seed))
            bad = [f"{cuts[kind]} cuts: {kind}" for kind in ("lost", "corrupt") if cuts[kind]]
            yield {**cuts, "seed": seed, "violations": bad}
        case "faults":
            yield _alone(run_faults)
        case "outage":
            yield _alone(partial(run_part, PARTS[part], seed))
            # The second outage passes ten times as fast.
            for outage, speed in ((60.0, 1.0), (600.0, 10.0))[: options.outages]:
                yield _alone(partial(run_outage, outage, speed=speed, seed=seed))
        case "fuzz":
            yield from run_fuzz(options.fuzz, seed)
        case "whole":
            yield from (asdict(run_whole(file)) for file in FILES)
        case "storm":
            weather = Weather(lasts=options.storm, kinds=options.kinds)
            yield _alone(partial(run_part, storm(weather), seed))
        case _ if part in PARTS:
            yield _alone(partial(run_part, PARTS[part], seed))


def _alone(run: Callable[..., Coroutine[Any, Any, DataclassInstance]]) -> dict[str, Any]:
    """Run something in an event loop and a folder of its own."""
    with TemporaryDirectory(prefix="aurora-soak-") as folder:
        return asdict(asyncio.run(run(folder=Path(folder))))


if __name__ == "__main__":
    sys.exit(main())
