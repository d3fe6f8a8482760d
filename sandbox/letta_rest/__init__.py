"""Letta's REST API."""

from __future__ import annotations

from .faults import Fault
from .server import LettaRest
from .tools import ServerTool

__all__ = ["Fault", "LettaRest", "ServerTool"]
