"""What Discord checks in a poll before it takes it, and what it makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ..errors import Payload, bad_length, invalid, required
from .routing import Request

_QUESTION, _ANSWER, _ANSWERS, _HOURS = 300, 55, 10, 32 * 24


def poll_of(request: Request, fields: Payload) -> Payload | None:
    """Read a poll to be made from a message's body, as a message carries it."""
    poll = fields.get("poll")
    if poll is None:
        return None
    answers = poll.get("answers")
    if not answers:
        raise required("poll.answers")
    if len(answers) > _ANSWERS:
        raise bad_length("poll.answers", 1, _ANSWERS)
    ends = datetime.fromtimestamp(request.world.now(), UTC) + timedelta(hours=_hours(poll))
    return {
        "question": {"text": _text(poll.get("question"), "poll.question", _QUESTION)},
        "answers": [
            {"answer_id": number, "poll_media": _media(one, number - 1)}
            for number, one in enumerate(answers, 1)
        ],
        "expiry": ends.isoformat(),
        "allow_multiselect": bool(poll.get("allow_multiselect")),
        "layout_type": 1,
        "results": {"is_finalized": False, "answer_counts": []},
    }


def _hours(poll: Payload) -> int:
    hours: Any = poll.get("duration", 24)
    if isinstance(hours, bool) or not isinstance(hours, int | float) or hours != int(hours):
        raise invalid("poll.duration", "NUMBER_TYPE_COERCE", f'Value "{hours}" is not int.')
    if not 1 <= hours <= _HOURS:
        text = f"Duration must be between 1 and {_HOURS} hours"
        raise invalid("poll.duration", "POLL_DURATION_INVALID", text)
    return int(hours)


def _media(answer: Payload, index: int) -> Payload:
    media = answer.get("poll_media") or {}
    kept: Payload = {"text": _text(media, f"poll.answers.{index}.poll_media", _ANSWER)}
    if media.get("emoji"):
        kept["emoji"] = media["emoji"]
    return kept


def _text(media: Payload | None, path: str, most: int) -> str:
    text = (media or {}).get("text")
    if not isinstance(text, str) or not text.strip():
        raise required(f"{path}.text")
    if len(text) > most:
        raise bad_length(f"{path}.text", 1, most)
    return text.strip()
