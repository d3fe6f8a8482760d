"""`[p]aurora config files`: the offer to install what opens PDFs and large pictures."""

import asyncio

from redbot.core import commands

from ..context.child import libraries
from ..guard.invoking import asks
from ..guard.policy import Act
from ..installing import FolderState, InstallError
from ..services import Services
from ..words import installing as w
from ..words import say
from .asking import boxed, confirm, refuse, tell, working
from .config import ConfigCommands

_MOST_CHARS = 1400


class LibrariesCommands:
    """What is installed for files."""

    services: Services

    @ConfigCommands.config.command(name="files", with_app_command=False)
    @asks(Act.GOVERN)
    async def config_files(self, ctx: commands.Context) -> None:
        """Install what opens PDFs and large pictures: pypdf and Pillow."""
        folder = libraries(self.services.folder)
        if await asyncio.to_thread(folder.state) is FolderState.READY:
            await tell(ctx, w.FILES_READY)
            return
        if not await confirm(ctx, self.services, w.FILES_OFFER(packages=folder.packages)):
            await tell(ctx, w.FILES_LATER(command=boxed(folder.command(), _MOST_CHARS)))
            return
        try:
            async with working(ctx):
                await folder.install()
        except InstallError as error:
            await refuse(ctx, w.FILES_FAILED(trouble=boxed(say(error.phrase), _MOST_CHARS)))
            return
        await tell(ctx, w.FILES_DONE)
