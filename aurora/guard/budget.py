"""The budget of a run: how much its agent may do before Aurora ends it."""

from __future__ import annotations

from .policy import Act, Target


class Budget:
    """What a run may still spend."""

    def spend(self, act: Act, target: Target) -> str | None:  # noqa: ARG002 - its limits come next
        """Pay for a call; return in words for the agent why it can't be paid for."""
        return None
