"""A double of the App Server without a model: what an agent does is said by a function.

It speaks the real frames over a real WebSocket, refuses what the real server refuses, and loses
and wedges conversations as that does; but a turn costs next to nothing, an outage is one call,
and it forgets nothing while its client is killed and started again.
"""

from __future__ import annotations

from .plan import Plan, Script, channel_of
from .server import QuickAppServer

__all__ = ["Plan", "QuickAppServer", "Script", "channel_of"]
