"""The whole answer of a run as a file, as it stands in Discord now."""

from __future__ import annotations

import discord
from redbot.core import commands
from redbot.core.utils.chat_formatting import text_to_file

from ..chat.failures import FAILURES
from ..chat.places import Place, find_place
from ..ids import task_id
from ..model import Event, Send
from ..services import Services
from ..words import run_life as w
from .asking import refuse, tell, working

_FILE_BYTES = 8 * 2**20


async def send_file(ctx: commands.Context, services: Services, event: Event) -> None:
    """Send it to who asks, for whom the guard has let the run be seen.

    Only what they may read themselves is in it, and nobody else here reads it who may not.
    """
    task = f"`{task_id(event.id)}`"
    if ctx.guild is not None and not ctx.bot_permissions.attach_files:
        await refuse(ctx, w.NO_FILES)
        return
    if ctx.interaction is not None:
        await ctx.defer(ephemeral=True)
    async with working(ctx):
        facts = await services.runs.facts(event)
        texts, kept_back = [], False
        for send in facts.answers:
            if not await services.run_guard.reads(ctx.author.id, event, send.channel_id):
                continue
            if await _is_for_all_here(ctx, services, event, send):
                texts += await _read(services, event, send)
            else:
                kept_back = True
    if not texts:
        await refuse(ctx, w.IN_PRIVATE if kept_back else w.NO_ANSWER(task=task))
        return
    file = text_to_file("\n\n".join(texts), f"{task_id(event.id)}.md")
    await tell(ctx, w.FILE(task=task), file=file, ephemeral=True)


async def _is_for_all_here(
    ctx: commands.Context, services: Services, event: Event, send: Send
) -> bool:
    """Tell whether all who will read the file may read what it is from."""
    if ctx.interaction is not None or ctx.guild is None or send.channel_id == ctx.channel.id:
        return True
    if event.guild_id != ctx.guild.id or not isinstance(ctx.channel, Place):
        return False
    try:
        place = await find_place(services.bot, event, send.channel_id)
        return place is not None and await services.guard.audiences.flows(place, ctx.channel)
    except FAILURES:
        return False


async def _read(services: Services, event: Event, send: Send) -> list[str]:
    """Return what stands in the messages of a send, with the text files beside them."""
    texts: list[str] = []
    try:
        place = await find_place(services.bot, event, send.channel_id)
    except FAILURES:
        return texts
    if place is None:
        return texts
    for message_id in send.message_ids:
        try:
            message = await place.fetch_message(message_id)
            texts.append(message.content)
            for file in message.attachments:
                texts += await _text_of(file)
        except FAILURES:
            continue  # It was deleted, or can't be had now; the others still can.
    return [one for one in texts if one]


async def _text_of(file: discord.Attachment) -> list[str]:
    """Return what is in a file of text; others stay where they are."""
    if file.size > _FILE_BYTES or not file.filename.endswith((".md", ".txt")):
        return [file.filename]
    return [(await file.read()).decode(errors="replace")]
