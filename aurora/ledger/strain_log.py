"""What every store keeps of lanes whose turns have been too hard."""

from __future__ import annotations

from typing import Protocol

from ..model import Strain


class StrainLog(Protocol):
    """The strains of lanes; no content."""

    async def strain(self, lane: str) -> Strain:
        """Return a lane's strain."""
        ...

    async def set_strain(self, lane: str, strain: Strain) -> None:
        """Keep, lazily, a lane's strain."""
        ...
