"""What Discord checks in a message's body before it takes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .. import permissions
from ..errors import (
    ApiError,
    Payload,
    bad_length,
    invalid,
    required,
    too_long,
)
from ..message import (
    COMPONENTS_V2,
    SUPPRESS_EMBEDS,
    AllowedMentions,
    Attachment,
    Message,
)
from ..model import Channel
from ..posting import Draft
from .polls import poll_of
from .routing import Request

_CONTENT = 2000
_NONCE = 25
_EMBEDS, _EMBED_TOTAL = 10, 6000
_FILES, _FILE_BYTES = 10, 10 * 1024 * 1024
_ROWS, _COMPONENTS, _CUSTOM_ID = 5, 40, 100
_SETTABLE_FLAGS = SUPPRESS_EMBEDS | 1 << 6 | 1 << 12 | 1 << 13 | COMPONENTS_V2
_NOT_IN_FILES = re.compile(r"[^A-Za-z0-9._-]+")
_EMBED_TEXTS = {
    "title": 256,
    "description": 4096,
    "footer.text": 2048,
    "author.name": 256,
}


def draft_from(request: Request, fields: Payload) -> Draft:
    """Read what to send from a request's body; refuse it as Discord would."""
    draft = Draft(
        content=content_of(fields),
        embeds=embeds_of(fields),
        components=components_of(fields),
        attachments=attachments_of(request, fields),
        stickers=[
            {"id": str(item), "name": "sticker", "format_type": 1}
            for item in fields.get("sticker_ids") or ()
        ],
        poll=poll_of(request, fields),
        allowed=allowed_of(fields),
        nonce=nonce_of(fields),
        flags=int(fields.get("flags") or 0) & _SETTABLE_FLAGS,
        tts=bool(fields.get("tts")),
    )
    if draft.flags & COMPONENTS_V2 and (draft.content or draft.embeds):
        text = "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
        raise invalid("content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", text)
    return draft


def is_empty(draft: Draft) -> bool:
    """Say whether there is nothing in it to show."""
    return not (
        draft.content.strip()
        or draft.embeds
        or draft.components
        or draft.attachments
        or draft.stickers
        or draft.poll
        or draft.forward
    )


def check_rights(request: Request, channel: Channel, draft: Draft) -> None:
    """Refuse what the bot may not send in a channel."""
    needed = permissions.SEND_MESSAGES
    if draft.embeds:
        needed |= permissions.EMBED_LINKS
    if draft.attachments:
        needed |= permissions.ATTACH_FILES
    if draft.tts:
        needed |= permissions.SEND_TTS_MESSAGES
    if draft.poll:
        needed |= permissions.SEND_POLLS
    request.need(channel, needed)


def content_of(fields: Payload) -> str:
    """Return the text."""
    content = fields.get("content")
    if content is None:
        return ""
    if not isinstance(content, str):
        raise invalid("content", "BASE_TYPE_STRING", "Must be a string.")
    if len(content) > _CONTENT:
        raise too_long("content", _CONTENT)
    return content.strip()


def nonce_of(fields: Payload) -> str | None:
    """Return the sender's own mark."""
    nonce = fields.get("nonce")
    if nonce is None:
        return None
    if len(str(nonce)) > _NONCE:
        raise too_long("nonce", _NONCE)
    return str(nonce)


def allowed_of(fields: Payload) -> AllowedMentions:
    """Return who may be pinged."""
    raw = fields.get("allowed_mentions")
    for kind in ("users", "roles"):
        ids = (raw or {}).get(kind) or ()
        if len(ids) > 100:
            raise bad_length(f"allowed_mentions.{kind}", 0, 100)
        if ids and kind in ((raw or {}).get("parse") or ()):
            text = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            code = "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"
            raise invalid("allowed_mentions", code, text)
    return AllowedMentions.from_payload(raw)


def embeds_of(fields: Payload) -> list[Payload]:
    """Return the embeds."""
    embeds: list[Payload] = fields.get("embeds") or []
    if len(embeds) > _EMBEDS:
        raise bad_length("embeds", 0, _EMBEDS)
    total = 0
    for index, embed in enumerate(embeds):
        for name, limit, text in _embed_texts(embed):
            if len(text) > limit:
                raise too_long(f"embeds.{index}.{name}", limit)
            total += len(text)
        if len(embed.get("fields") or ()) > 25:
            raise bad_length(f"embeds.{index}.fields", 0, 25)
        embed.setdefault("type", "rich")
    if total > _EMBED_TOTAL:
        text = f"Embed size exceeds maximum size of {_EMBED_TOTAL}"
        raise invalid("embeds", "MAX_EMBED_SIZE_EXCEEDED", text)
    return embeds


def _embed_texts(embed: Payload) -> Iterator[tuple[str, int, str]]:
    for path, limit in _EMBED_TEXTS.items():
        value: Any = embed
        for key in path.split("."):
            value = (value or {}).get(key)
        if value:
            yield path, limit, value
    for index, item in enumerate(embed.get("fields") or ()):
        for key, limit in (("name", 256), ("value", 1024)):
            if not item.get(key):
                raise required(f"embeds.0.fields.{index}.{key}")
            yield f"fields.{index}.{key}", limit, item[key]


def components_of(fields: Payload) -> list[Payload]:
    """Return the buttons, menus and whatever else is to be pressed."""
    components: list[Payload] = fields.get("components") or []
    modern = int(fields.get("flags") or 0) & COMPONENTS_V2
    if not modern and len(components) > _ROWS:
        raise bad_length("components", 1, _ROWS)
    ids: set[str] = set()
    every = list(_walk(components))
    if len(every) > _COMPONENTS:
        raise bad_length("components", 1, _COMPONENTS)
    for item in every:
        custom_id = item.get("custom_id")
        if custom_id is None:
            continue
        if not 1 <= len(custom_id) <= _CUSTOM_ID:
            raise bad_length("components.0.components.0.custom_id", 1, _CUSTOM_ID)
        if custom_id in ids:
            text = "Component custom id cannot be duplicated"
            raise invalid("components.0", "COMPONENT_CUSTOM_ID_DUPLICATED", text)
        ids.add(custom_id)
    return components


def _walk(components: list[Payload]) -> Iterator[Payload]:
    for item in components:
        yield item
        yield from _walk(item.get("components") or [])
        for key in ("accessory", "component"):
            if key in item:
                yield from _walk([item[key]])


def attachments_of(request: Request, fields: Payload) -> list[Attachment]:
    """Keep the files of a request and return them as attachments."""
    if len(request.files) > _FILES:
        raise bad_length("attachments", 0, _FILES)
    if sum(len(file.data) for file in request.files) > _FILE_BYTES:
        raise ApiError(40005)
    described = {item.get("id"): item for item in fields.get("attachments") or ()}
    return [
        request.discord.files.keep(
            _file_name(file.filename),
            file.data,
            content_type=file.content_type,
            description=described.get(index, described.get(str(index), {})).get("description"),
        )
        for index, file in enumerate(request.files)
    ]


def _file_name(given: str) -> str:
    """Return what a file is called in the end: no path, and only plain letters and marks."""
    kept = _NOT_IN_FILES.sub("_", re.split(r"[\\/]", given)[-1]).lstrip("._")
    return kept or "unknown"


def apply_edit(request: Request, message: Message, fields: Payload) -> None:
    """Change of a message what a body names, and leave the rest."""
    if "embeds" in fields:
        message.embeds = embeds_of(fields)
    if "components" in fields:
        message.components = components_of(fields)
    if "attachments" in fields or request.files:
        kept = {str(item.get("id")) for item in fields.get("attachments") or ()}
        message.attachments = [item for item in message.attachments if str(item.id) in kept]
        message.attachments += attachments_of(request, fields)
    if fields.get("flags") is not None:
        settable = SUPPRESS_EMBEDS | COMPONENTS_V2
        message.flags = message.flags & ~SUPPRESS_EMBEDS | int(fields["flags"]) & settable
