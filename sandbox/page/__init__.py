"""The chat page: a browser's view of the local Discord, and of what Aurora makes of it."""

from .server import (
    Page,
    PageError,
    RealBot,
    listen,
)

__all__ = ["Page", "PageError", "RealBot", "listen"]
