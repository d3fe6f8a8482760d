"""Letta's App Server: today's self-hosted Letta, over one WebSocket."""

from .backend import AppServer
from .memory import MemoryRefused

__all__ = ["AppServer", "MemoryRefused"]
