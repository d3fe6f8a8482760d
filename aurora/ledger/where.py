"""A place that is asked about: one guild, the direct messages, or all of them."""

from __future__ import annotations

EVERYWHERE = "everywhere"
"""All guilds and DMs, where a guild could be named."""
Where = int | str | None
"""A guild's id, None for DMs, or EVERYWHERE."""
