"""What has a short form in the suite has its long one in `make soak`."""

from __future__ import annotations

from pathlib import Path

from tests.support.house import ROOT

from .whole import FILES


def test_the_soak_has_each_file_of_which_the_suite_leaves_something_out() -> None:
    """Else nothing would ever run it."""
    others = (one for one in (ROOT / "tests").rglob("test_*.py") if one != Path(__file__))
    short = {one for one in others if "mark.whole" in one.read_text(encoding="utf-8")}
    assert {str(one.relative_to(ROOT)) for one in short} == set(FILES)
