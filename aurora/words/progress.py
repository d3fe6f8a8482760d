"""What a run says of itself while it lasts: one line, as long as it has not answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..model.progress import THINKING, UNKNOWN_TOOL, WRITING, Doing, Progress
from . import Phrase
from . import phrase as _

OPENING = _("🚀 Starting work... (react 🛑 to stop), since {since}")
WORKING = _("Working: {doing}, since {since}")
TURN = _("Turn {number} of {most}")
CALL = _("{mark} {doing}")
EARLIER = _("… {count} before that")
AHEAD = _("⏳ Waiting: {count} before you (react 🛑 to stop), since {since}")
NEXT = _("⏳ Waiting: you are next (react 🛑 to stop), since {since}")


class Words(NamedTuple):
    """What an agent is doing, and the same where a channel can be named."""

    plain: Phrase
    there: Phrase | None = None


DOING: Mapping[str, Words] = {
    THINKING: Words(_("thinking")),
    WRITING: Words(_("writing")),
    UNKNOWN_TOOL: Words(_("using a tool")),
    "discord_read_messages": Words(_("reading messages"), _("reading {channel}")),
    "discord_search_messages": Words(_("searching messages"), _("searching {channel}")),
    "discord_list_threads": Words(
        _("looking at threads"), _("looking at the threads of {channel}")
    ),
    "discord_get_server_info": Words(_("looking at the server")),
    "discord_view_attachment": Words(_("opening a file")),
    "discord_send": Words(_("writing a message"), _("writing in {channel}")),
    "discord_send_file": Words(_("sending a file"), _("sending a file to {channel}")),
    "discord_ask": Words(_("asking back")),
    "discord_add_reaction": Words(_("reacting")),
    "discord_edit_message": Words(_("editing a message")),
    "discord_create_poll": Words(_("making a poll"), _("making a poll in {channel}")),
    "discord_start_thread": Words(_("starting a thread"), _("starting a thread in {channel}")),
    "memory_list": Words(_("looking into its memory")),
    "memory_read": Words(_("remembering")),
    "memory_write": Words(_("noting something down")),
    "memory_delete": Words(_("forgetting a note")),
}
"""By the names of tools; one that has no words here is `UNKNOWN_TOOL`."""


CALLS_SHOWN = 10
_MARKS = {"": "▶️", "done": "✅", "error": "❌"}


def told(progress: Progress, names: Mapping[int, str | None]) -> Iterator[Phrase]:
    """Yield the lines of a progress line; `names` are those of channels that may be named."""
    since = f"<t:{int(progress.since)}:R>"
    if progress.ahead is not None:
        yield AHEAD(count=progress.ahead, since=since) if progress.ahead else NEXT(since=since)
    elif progress.most:
        yield OPENING(since=since)
        yield from _in_full(progress, names)
    elif progress.doing is None:
        yield OPENING(since=since)
    else:
        yield WORKING(doing=_doing(progress.doing, names), since=since)


def _in_full(progress: Progress, names: Mapping[int, str | None]) -> Iterator[Phrase]:
    if progress.turn:
        yield TURN(number=progress.turn, most=progress.most)
    earlier = len(progress.calls) - CALLS_SHOWN
    if earlier > 0:
        yield EARLIER(count=earlier)
    for one in progress.calls[-CALLS_SHOWN:]:
        yield CALL(mark=_MARKS[one.end], doing=_doing(one, names))


def _doing(one: Doing, names: Mapping[int, str | None]) -> Phrase:
    words = DOING.get(one.what, DOING[UNKNOWN_TOOL])
    channel = names.get(one.channel_id) if one.channel_id is not None else None
    if channel is None or words.there is None:
        return words.plain
    return words.there(channel=channel)
