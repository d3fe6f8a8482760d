"""Another cog on the same Red: it imports its pydantic and anyio when it is loaded."""

import contextlib
import importlib
import json
import os
import sys

from redbot.core import commands
from redbot.core.bot import Red

_PACKAGES = ("pydantic", "anyio", "httpx")
_SHOWN = ("aurora", "letta_client", "typing_extensions", *_PACKAGES)


class Neighbour(commands.Cog):
    """Says where the packages come from that everybody on this Red shares."""

    @commands.command()
    async def whence(self, ctx: commands.Context) -> None:
        """Name the file of each shared package that is loaded."""
        loaded = {name: sys.modules[name].__file__ for name in _SHOWN if name in sys.modules}
        await ctx.send(json.dumps({"whence": loaded}))


async def setup(bot: Red) -> None:
    """Import what this cog needs, in one of the two ways that cogs do."""
    folder = os.environ.get("NEIGHBOUR_FOLDER")
    if folder is None:
        # As most do; on Red's typing_extensions the new pydantic fails, halfway through.
        for name in _PACKAGES:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    else:
        # As some do to get round that: the newer typing_extensions takes the older one's place.
        sys.path.insert(0, folder)
        sys.modules.pop("typing_extensions", None)
        for name in ("typing_extensions", *_PACKAGES):
            importlib.import_module(name)
        sys.path.remove(folder)
    await bot.add_cog(Neighbour())
