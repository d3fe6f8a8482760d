"""The fuzzing of `make soak`: each target for a while, and how long hostile texts take.

With atheris (the extra `fuzz`) the way through the code is followed and new ways are sought, in a
process for each target; without it Hypothesis draws at random for as long.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Any

_LAST_LINES = 12
_LONGEST = 4096  # bytes of one input
_EXAMPLES = 500


def run_fuzz(seconds: float, seed: int) -> Iterator[dict[str, Any]]:
    """Fuzz each target for some seconds, then measure; yield a report of each."""
    from tests.support.fuzzing import TARGETS

    follow = importlib.util.find_spec("atheris") is not None
    engine = "atheris" if follow else "hypothesis, for atheris is not installed"
    for target in TARGETS:
        fuzz = _with_atheris if follow else _with_hypothesis
        found = fuzz(target, seconds, seed)
        yield {"target": target, "engine": engine, "seconds": seconds, "violations": found}
    yield from _times()


def _times() -> Iterator[dict[str, Any]]:
    from tests.support.fuzzing import HOSTILE, MOST_SECONDS, WORK, seconds_for

    for name, work in WORK.items():
        took = {repr(text[:16]): seconds_for(work, text) for text in HOSTILE}
        worst = max(took, key=lambda one: took[one])
        slow = [
            f"{text} takes {seconds * 1000:.0f} ms"
            for text, seconds in took.items()
            if seconds > MOST_SECONDS
        ]
        yield {
            "target": f"time of {name}",
            "texts": len(HOSTILE),
            "slowest": worst,
            "slowest_ms": round(took[worst] * 1000, 1),
            "violations": slow,
        }


def _with_hypothesis(target: str, seconds: float, seed: int) -> list[str]:
    from hypothesis import HealthCheck, given, settings
    from hypothesis import seed as seeded
    from hypothesis import strategies as st

    from tests.support.fuzzing import TARGETS, Source

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        seed += 1

        @seeded(seed)
        @settings(
            max_examples=_EXAMPLES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(st.binary(max_size=_LONGEST))
        def fuzz(data: bytes) -> None:
            TARGETS[target](Source(data))

        try:
            fuzz()
        except Exception as error:
            return [f"seed {seed}: {type(error).__name__}: {error}"]
    return []


def _with_atheris(target: str, seconds: float, seed: int) -> list[str]:
    with TemporaryDirectory(prefix="aurora-fuzz-") as folder:
        command = [
            sys.executable,
            "-m",
            "tests.soak.fuzzing",
            target,
            f"-artifact_prefix={folder}/",
        ]
        limits = [f"-max_total_time={seconds:.0f}", f"-max_len={_LONGEST}", f"-seed={seed}"]
        done = subprocess.run(  # noqa: S603 - a fixed program, our arguments
            [*command, *limits, "-timeout=10", "-verbosity=0"],
            check=False,
            capture_output=True,
            text=True,
        )
    if done.returncode == 0:
        return []
    said = (*done.stdout.splitlines()[-_LAST_LINES:], *done.stderr.splitlines()[-_LAST_LINES:])
    return ["\n".join(said)]


def main() -> None:
    """Let atheris fuzz one target in this process, which it ends itself."""
    import atheris

    target = sys.argv.pop(1)
    # Only what is imported inside is followed.
    with atheris.instrument_imports(include=["aurora"]):
        from tests.support.fuzzing import TARGETS, Source

    def fuzz(data: bytes) -> None:
        TARGETS[target](Source(data))

    atheris.Setup(sys.argv, fuzz)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
