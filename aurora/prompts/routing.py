"""What a router reads of a message, and how its answer is read."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from ..model import NO_ROUTE, EventContext, Route
from .fence import defuse, fence, inline, new_nonce, shorten
from .transcript import format_body

DEFAULT = "default"
MESSAGE_CHARS = 1500
_ANSWER_CHARS = 500
ROUTER = (Path(__file__).parent / "templates" / "router.txt").read_text(encoding="utf-8").strip()
"""What a router is told it is."""


def build_router_prompt(
    context: EventContext, roles: Mapping[str, str], *, nonce: str | None = None
) -> str:
    """Return what a router is to judge: the message, and the roles with what they are for."""
    listed = [f"- {name}: {inline(about, 200)}" for name, about in roles.items()]
    said = shorten(defuse(format_body(context["message"])), MESSAGE_CHARS)
    nonce = nonce or new_nonce()
    head = "\n".join(["Roles:", *(listed or ["- none but the default"])])
    return f"{head}\n\n{fence('message to route', said, nonce)}"


def read_router(answer: str, roles: Collection[str]) -> Route:
    """Read what a router says; whatever is not clear is the route of a turn that nobody routed."""
    start, end = answer.find("{"), answer.rfind("}")
    if not 0 <= start < end or len(answer) > _ANSWER_CHARS:
        return NO_ROUTE
    try:
        said = json.loads(answer[start : end + 1])
    except (ValueError, RecursionError):
        return NO_ROUTE
    if not isinstance(said, dict) or set(said) != {"role", "complexity", "answer"}:
        return NO_ROUTE
    role, complexity, answers = said["role"], said["complexity"], said["answer"]
    known = isinstance(role, str) and (role in roles or role == DEFAULT)
    if not known or not isinstance(answers, bool):
        return NO_ROUTE
    route = Route("" if role == DEFAULT else role, silent=not answers)
    match complexity:
        case "simple" | "medium" | "complex":
            return route._replace(complexity=complexity)
    return NO_ROUTE
