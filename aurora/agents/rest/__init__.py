"""Letta's REST API: Letta Cloud and the self-hosted servers of the first generation."""

from .backend import LettaRest

__all__ = ["LettaRest"]
