"""Letta's App Server: today's self-hosted Letta, over one WebSocket."""

from ..memory import MemoryRefused
from .backend import AppServer

__all__ = ["AppServer", "MemoryRefused"]
