"""Describe in words what a Discord message holds besides its text."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

import discord

from ..files import in_units
from ..prompts.fence import inline, quoted, shorten

EXTRA_LINES = 8
"""Most lines of description for one message."""
EXTRA_CHARS = 300
"""Longest line of description, in characters."""
BODY_CHARS = 2000
"""Longest line, in characters, that stands for the text itself: a forward, text components."""


def describe_extras(message: discord.Message | discord.MessageSnapshot) -> list[str]:
    """Describe attachments, embeds, stickers, polls, forwards, components and system messages.

    Returns one line each, made safe with `inline` and capped; the last line says what was left
    out. A message without any text is never left without a description.
    """
    lines = [*_own_extras(message), *_shared_extras(message)]
    if not lines and not message.content:
        lines = [f"a message without text (Discord type {message.type.name})"]
    if len(lines) > EXTRA_LINES:
        lines = [*lines[:EXTRA_LINES], f"and {len(lines) - EXTRA_LINES} more not shown"]
    return lines


def _shared_extras(message: discord.Message | discord.MessageSnapshot) -> Iterator[str]:
    for attachment in message.attachments:
        yield _attachment(attachment)
    for embed in message.embeds:
        yield f"embed: {_embed(embed)}"
    for sticker in message.stickers:
        yield f'sticker "{inline(sticker.name)}"'
    # Where Discord leaves the key out, discord.py leaves the attribute unset.
    components = getattr(message, "components", ())
    if parts := [part for one in components for part in _component(one)]:
        yield shorten(f"components: {' | '.join(parts)}", BODY_CHARS)


def _own_extras(message: discord.Message | discord.MessageSnapshot) -> Iterator[str]:
    if isinstance(message, discord.MessageSnapshot):
        return
    if message.is_system():
        yield f'system message: "{inline(_system_text(message), EXTRA_CHARS)}"'
    if message.poll is not None:
        yield _poll(message.poll)
    for snapshot in message.message_snapshots:
        yield from _forward(snapshot)
    if message.activity is not None:
        name = message.application.name if message.application else "an activity"
        yield f"invitation to join {quoted(name)}"


def _system_text(message: discord.Message) -> str:
    # discord.py builds some of these from parts that a message may lack.
    with contextlib.suppress(AttributeError, IndexError, KeyError, TypeError, ValueError):
        if text := message.system_content:
            return text
    return f"{message.type.name} by {message.author.display_name}"


def _attachment(attachment: discord.Attachment) -> str:
    facts = [inline(attachment.content_type or "unknown type"), in_units(attachment.size)]
    if attachment.duration is not None:
        facts.append(f"{attachment.duration:.0f} s")
    if attachment.is_spoiler():
        facts.append("spoiler")
    line = f'{_kind(attachment)} "{inline(attachment.filename)}" ({", ".join(facts)})'
    if attachment.description:
        line += f": {inline(attachment.description, EXTRA_CHARS)}"
    return shorten(line, EXTRA_CHARS)


def _kind(attachment: discord.Attachment) -> str:
    if attachment.is_voice_message():
        return "voice message"
    family, _, _ = (attachment.content_type or "").partition("/")
    return {"video": "video", "audio": "sound file"}.get(family, "attachment")


def _embed(embed: discord.Embed) -> str:
    parts: list[str | None] = [embed.author.name, embed.title, embed.description]
    parts += [f"{field.name}: {field.value}" for field in embed.fields]
    parts += [embed.footer.text, embed.url]
    # A preview of an image or a video has no words of its own.
    return inline(" — ".join(filter(None, parts)) or embed.type or "rich", EXTRA_CHARS)


def _poll(poll: discord.Poll) -> str:
    facts = ["several answers allowed" if poll.multiple else "one answer"]
    if poll.is_finalised():
        facts.append("closed")
    answers = [
        f'"{inline(answer.text or str(answer.emoji or ""))}" ({answer.vote_count} votes)'
        for answer in poll.answers
    ]
    question = inline(poll.question, EXTRA_CHARS)
    return shorten(f'poll "{question}" ({", ".join(facts)}): {" | ".join(answers)}', BODY_CHARS)


def _forward(snapshot: discord.MessageSnapshot) -> Iterator[str]:
    written = snapshot.created_at.strftime("%Y-%m-%d %H:%M UTC")
    if snapshot.content:
        yield f"forwarded message, written {written}: {inline(snapshot.content, BODY_CHARS)}"
    for line in describe_extras(snapshot):
        yield f"in a forwarded message, written {written}: {line}"


def _component(component: discord.Component) -> Iterable[str]:
    match component:
        case discord.TextDisplay():
            yield inline(component.content, BODY_CHARS)
        case discord.Button():
            yield f'button "{inline(component.label or str(component.emoji or ""))}"'
        case discord.SelectMenu():
            yield f'menu "{inline(component.placeholder or "")}"'
        case discord.MediaGalleryComponent():
            yield f"gallery of {len(component.items)}"
        case discord.FileComponent():
            yield f'file "{inline(component.name or "")}"'
        case discord.ThumbnailComponent():
            yield f'picture "{inline(component.description or "")}"'
        case discord.SectionComponent() | discord.Container() | discord.ActionRow():
            for child in component.children:
                yield from _component(child)
            if isinstance(component, discord.SectionComponent):
                yield from _component(component.accessory)
