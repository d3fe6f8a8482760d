"""Aurora: a bridge between Discord and stateful Letta agents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redbot.core.bot import Red

__red_end_user_data_statement__: str = json.loads(
    Path(__file__).with_name("info.json").read_text(encoding="utf-8")
)["end_user_data_statement"]


async def setup(bot: Red) -> None:
    """Add the cog to a bot."""
    # Imported here, so that the modules without Discord can be used and tested without Red.
    from .aurora import Aurora

    await bot.add_cog(Aurora(bot))
