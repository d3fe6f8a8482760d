"""Which tools a run is offered: by where it is, by its memory, and by the choice of admins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..model import Event
from ..settings import GuildSettings
from .asking import ASK
from .editing import EDIT_MESSAGE
from .files import SEND_FILE
from .memory import MEMORY_TOOLS
from .polls import CREATE_POLL
from .reading import GET_SERVER_INFO, READ_MESSAGES
from .searching import SEARCH_MESSAGES
from .sending import ADD_REACTION, SEND
from .threads import LIST_THREADS, START_THREAD
from .tool import Tool
from .viewing import VIEW_ATTACHMENT

_ALWAYS = (READ_MESSAGES, VIEW_ATTACHMENT, SEND, ADD_REACTION)
_ALWAYS_IN_GUILDS = (GET_SERVER_INFO,)
# What one person reads alone nobody else need decide about.
_IN_DMS = (ASK, SEND_FILE, EDIT_MESSAGE)

ALLOW, OFF = "allow", "off"
_CHOICES = (
    (ASK, ALLOW),
    (SEND_FILE, ALLOW),
    (SEARCH_MESSAGES, ALLOW),
    (LIST_THREADS, ALLOW),
    (EDIT_MESSAGE, OFF),
    (CREATE_POLL, OFF),
    (START_THREAD, OFF),
)
CHOICES: Mapping[str, str] = {tool.spec.name: default for tool, default in _CHOICES}
"""The tools that a server's admins decide about, and what holds until they do."""


def chosen(settings: GuildSettings, name: str) -> str:
    """Return what holds in a guild for a tool that admins decide about."""
    return settings.tools_chosen.get(name, CHOICES[name])


def tools_for(event: Event, settings: GuildSettings, *, memory: bool) -> Iterator[Tool]:
    """Yield the tools that a run for an event is offered."""
    yield from _ALWAYS
    if event.guild_id is None:
        yield from _IN_DMS
    else:
        yield from _ALWAYS_IN_GUILDS
        yield from (one for one, _ in _CHOICES if chosen(settings, one.spec.name) == ALLOW)
    if memory:
        yield from MEMORY_TOOLS
