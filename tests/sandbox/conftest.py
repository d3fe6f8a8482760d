"""The fixtures of the local Discord."""

from __future__ import annotations

from tests.support.local_town import client, red, town

__all__ = ["client", "red", "town"]
