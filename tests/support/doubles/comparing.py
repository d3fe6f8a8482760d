"""Compare what the double answers with what the real server answered.

Equal means equal, apart from dates and ids; and ids must correspond one to one, through all
exchanges of a recording.
"""

from __future__ import annotations

import re
from typing import Any

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# Ids of nobody are the same on both sides, and otids are uuids without a word before them.
_ID = re.compile(
    rf"(?:(?:message|agent|conv|run|step|tool|block|ping)-)?{_UUID}|call_[0-9a-f]{{16}}"
)
_NOBODY = "00000000-0000-4000-8000-000000000000"
_DATE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)?")
_PYTHON_DATE = re.compile(r"datetime\.datetime\(.*?\)(?=[ ,\]])")
_SHORTENED = re.compile(r"<shortened, \d+ characters>$")
# What a search finds depends on everything that was said before the recording began.
_SEARCH = re.compile(r"^\{'message': '(?:Showing|No results).*", re.DOTALL)
_RECALLED = re.compile(r"\d+ previous messages between you and the user")
# Texts of the server's own, and what merely measures time.
_SKIPPED = frozenset({"json_schema", "total_duration_ns", "prompt"})


class Comparison:
    """Remembers which id of the double stands for which recorded one."""

    def __init__(self, llm_url: str) -> None:
        self.live: dict[str, str] = {}
        self._recorded: dict[str, str] = {}
        self._llm_url = llm_url

    def know(self, recorded: str, live: str) -> None:
        """Let an id of the double stand for a recorded one."""
        self.live[recorded], self._recorded[live] = live, recorded

    def to_live(self, text: str) -> str:
        """Write a recorded request with the ids of the double."""
        return _ID.sub(lambda found: self.live.get(found[0], found[0]), text)

    def check(self, recorded: Any, live: Any, path: str) -> None:
        """Fail with the path to the first difference."""
        if isinstance(recorded, dict):
            assert isinstance(live, dict), f"{path}: {live!r}"
            # A cancel's answer has ids for keys.
            self.check(list(recorded), list(live), f"{path} fields")
            for key, other in zip(recorded, live, strict=True):
                if key not in _SKIPPED:
                    self.check(recorded[key], live[other], f"{path}.{key}")
        elif isinstance(recorded, list):
            assert isinstance(live, list), f"{path}: {live!r}"
            assert len(recorded) == len(live), f"{path}: {len(live)} instead of {len(recorded)}"
            for number, (one, other) in enumerate(zip(recorded, live, strict=True)):
                self.check(one, other, f"{path}[{number}]")
        elif isinstance(recorded, str) and isinstance(live, str):
            self._check_text(recorded, live, path)
        else:
            assert type(recorded) is type(live), f"{path}: {live!r} instead of {recorded!r}"
            assert recorded == live, f"{path}: {live!r} instead of {recorded!r}"

    def _check_text(self, recorded: str, live: str, path: str) -> None:
        if _SHORTENED.search(recorded):
            return
        recorded, live = _plain(recorded), _plain(live.replace(self._llm_url, "<llm>/v1"))
        assert _ID.sub("#", recorded) == _ID.sub("#", live), f"{path}: {live!r} not {recorded!r}"
        for one, other in zip(_ID.findall(recorded), _ID.findall(live), strict=True):
            if one.endswith(_NOBODY):
                assert one == other, f"{path}: {other} instead of {one}"
                continue
            assert _prefix(one) == _prefix(other), f"{path}: {other} instead of {one}"
            self.live.setdefault(one, other)
            self._recorded.setdefault(other, one)
            assert (self.live[one], self._recorded[other]) == (other, one), f"{path}: {one}"


def _prefix(text: str) -> str:
    return re.sub(_UUID, "", text)[:5]


def _plain(text: str) -> str:
    text = _PYTHON_DATE.sub("datetime.datetime(<date>)", text)
    text = _SEARCH.sub("<found>", _DATE.sub("<date>", text))
    return _RECALLED.sub("<some> previous messages", text)
