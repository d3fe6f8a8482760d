"""`python -m tests.soak`: the long runs, a JSON line for each; exit code 1 for any violation."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


def main() -> int:
    """Run what was asked for and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="kill -9 cycles")
    parser.add_argument("--cuts", type=int, default=1000, help="simulated power cuts")
    parser.add_argument("--outages", type=int, default=2, help="of a minute, and of ten")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random")
    good = True
    for name, report in _runs(parser.parse_args()):
        sys.stdout.write(json.dumps({"name": name, **report}, ensure_ascii=False) + "\n")
        sys.stdout.flush()
        good &= not report["violations"]
    return 0 if good else 1


def _runs(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    # Lives are forked from this process's module: what it need not import, they need not.
    from tests.support.powerloss import run_cuts

    from .kills import run_kills
    from .outage import run_outage

    seed = options.seed
    if options.kills:
        with TemporaryDirectory(prefix="aurora-soak-") as folder:
            kills = asyncio.run(run_kills(options.kills, seed, folder=Path(folder)))
        yield "kills", asdict(kills)
    if options.cuts:
        cuts = asdict(run_cuts(options.cuts, seed))
        bad = [f"{cuts[kind]} cuts: {kind}" for kind in ("lost", "corrupt") if cuts[kind]]
        yield "cuts", {**cuts, "seed": seed, "violations": bad}
    # The second outage passes ten times as fast.
    for outage, speed in ((60.0, 1.0), (600.0, 10.0))[: options.outages]:
        with TemporaryDirectory(prefix="aurora-soak-") as folder:
            drill = asyncio.run(run_outage(outage, speed=speed, folder=Path(folder), seed=seed))
        yield "outage", asdict(drill)


if __name__ == "__main__":
    sys.exit(main())
