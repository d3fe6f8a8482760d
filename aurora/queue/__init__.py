"""The queue: accepted events on their way to a run, in lanes and under limits."""

from __future__ import annotations

from .bounds import Enqueued
from .limits import Rules
from .queue import EXPIRY_SECONDS, MessageQueue

__all__ = ["EXPIRY_SECONDS", "Enqueued", "MessageQueue", "Rules"]
