"""Routes by which the bot answers an interaction; the token in the path is the key."""

from __future__ import annotations

from typing import Any

from .. import posting
from ..errors import (
    ApiError,
    Payload,
    bad_length,
    invalid,
)
from ..interactions import (
    AUTOCOMPLETE,
    COMPONENT,
    MODAL_SUBMIT,
    Interaction,
)
from ..message import (
    EPHEMERAL,
    LOADING,
    SLASH_REPLY,
    Message,
)
from ..posting import Draft
from .bodies import (
    allowed_of,
    apply_edit,
    content_of,
    draft_from,
    is_empty,
)
from .routing import Request, Routes
from .webhooks import execute

routes = Routes()

_PONG, _MESSAGE, _DEFER, _DEFER_UPDATE, _UPDATE, _CHOICES, _MODAL = 1, 4, 5, 6, 7, 8, 9
_KNOWN = (_PONG, _MESSAGE, _DEFER, _DEFER_UPDATE, _UPDATE, _CHOICES, _MODAL)
_WEBHOOK = "/webhooks/{application_id}/{token}"


def _refuse_type(kind: int) -> ApiError:
    text = f"Interaction callback type {kind} is not allowed here."
    return invalid("type", "INTERACTION_APPLICATION_COMMAND_CALLBACK_TYPE_INVALID", text)


def _check_fits(interaction: Interaction, kind: int) -> None:
    fits = {
        _DEFER_UPDATE: interaction.message is not None,
        _UPDATE: interaction.message is not None,
        _CHOICES: interaction.type == AUTOCOMPLETE,
        _MODAL: interaction.type not in (AUTOCOMPLETE, MODAL_SUBMIT),
    }
    if kind not in _KNOWN:
        text = f"Value must be one of {{{', '.join(map(str, _KNOWN))}}}."
        raise invalid("type", "BASE_TYPE_CHOICES", text)
    if not fits.get(kind, interaction.type != AUTOCOMPLETE):
        raise _refuse_type(kind)


@routes.add("POST", "/interactions/{interaction_id}/{token}/callback", public=True)
async def callback(request: Request) -> Payload | None:
    """Take the bot's first answer, which must come soon."""
    token = request.names["token"]
    interactions = request.discord.interactions
    interaction = interactions.answerable(request.snowflake("interaction_id"), token)
    kind, data = int(request.fields.get("type") or 0), request.fields.get("data") or {}
    _check_fits(interaction, kind)
    message = _act(request, interaction, kind, data)
    interaction.acknowledged = kind
    request.discord.tell_answer(interaction, kind, data)
    if request.query.get("with_response") not in ("1", "true"):
        return None
    return _receipt(request, interaction, kind, message)


def _act(request: Request, interaction: Interaction, kind: int, data: Payload) -> Message | None:
    if kind == _MESSAGE:
        draft = draft_from(request, data)
        if is_empty(draft):
            raise ApiError(50006)
        interaction.response = _post(request, interaction, draft, data)
    elif kind == _DEFER:
        interaction.deferred = True
        draft = Draft(flags=LOADING)
        interaction.response = _post(request, interaction, draft, data)
    elif kind == _UPDATE:
        interaction.response = interaction.message
        _edit(request, interaction.message, data)
    elif kind == _DEFER_UPDATE:
        interaction.response = interaction.message
    elif kind == _CHOICES:
        choices = data.get("choices") or []
        if len(choices) > 25:
            raise bad_length("data.choices", 0, 25)
        interaction.choices = choices
    elif kind == _MODAL:
        _check_modal(data)
        interaction.modal = data
    return interaction.response


def _check_modal(data: Payload) -> None:
    if not 1 <= len(data.get("title") or "") <= 45:
        raise bad_length("data.title", 1, 45)
    if not 1 <= len(data.get("components") or ()) <= 5:
        raise bad_length("data.components", 1, 5)
    if not 1 <= len(data.get("custom_id") or "") <= 100:
        raise bad_length("data.custom_id", 1, 100)


def _receipt(
    request: Request, interaction: Interaction, kind: int, message: Message | None
) -> Payload:
    about: Payload = {"id": str(interaction.id), "type": interaction.type}
    body: Payload = {"interaction": about, "resource": {"type": kind}}
    if message is not None:
        about |= {
            "response_message_id": str(message.id),
            "response_message_loading": bool(message.flags & LOADING),
            "response_message_ephemeral": message.ephemeral,
        }
        body["resource"]["message"] = message.payload(request.bot.id)
    return body


def _post(request: Request, interaction: Interaction, draft: Draft, data: Payload) -> Message:
    # An answer needs no right to send: the person's right to ask is enough.
    draft.interaction = interaction.metadata()
    if interaction.type not in (COMPONENT, MODAL_SUBMIT):
        draft.type = SLASH_REPLY
    if int(data.get("flags") or 0) & EPHEMERAL:
        draft.ephemeral_for = interaction.user.id
    return posting.post(request.world, request.bot, interaction.channel, draft)


def _edit(request: Request, message: Message | None, fields: Payload) -> Message:
    if message is None or message.deleted:
        raise ApiError(10008)
    content = content_of(fields) if "content" in fields else message.content
    apply_edit(request, message, fields)
    message.flags &= ~LOADING
    posting.rewrite(request.world, message, content, allowed_of(fields))
    posting.revised(request.world, message)
    return message


def _find(request: Request) -> tuple[Interaction, Message]:
    interaction = _open(request)
    wanted = request.names["message_id"]
    if wanted == "@original":
        message = interaction.response
    else:
        own = [*interaction.followups, interaction.response]
        message = next((item for item in own if item and str(item.id) == wanted), None)
    if message is None or message.deleted:
        raise ApiError(10008)
    return interaction, message


def _open(request: Request) -> Interaction:
    if request.snowflake("application_id") != request.bot.id:
        raise ApiError(10015)
    return request.discord.interactions.open(request.names["token"])


@routes.add("POST", _WEBHOOK, public=True)
async def follow_up(request: Request) -> Payload | None:
    """Send a further message; the first one after a deferral takes its place."""
    if request.snowflake("application_id") != request.bot.id:
        return await execute(request)
    interaction, fields = _open(request), request.fields
    draft = draft_from(request, fields)
    if is_empty(draft):
        raise ApiError(50006)
    if interaction.deferred and interaction.response is not None:
        interaction.deferred = False
        message = _edit(request, interaction.response, fields)
    else:
        message = _post(request, interaction, draft, fields)
        interaction.followups.append(message)
    return message.payload(request.bot.id)


@routes.add("GET", _WEBHOOK + "/messages/{message_id}", public=True)
async def get_answer(request: Request) -> Any:
    """Return a message of the answer."""
    return _find(request)[1].payload(request.bot.id)


@routes.add("PATCH", _WEBHOOK + "/messages/{message_id}", public=True)
async def edit_answer(request: Request) -> Payload:
    """Change a message of the answer."""
    interaction, message = _find(request)
    edited = _edit(request, message, request.fields)
    if message is interaction.response:
        interaction.deferred = False
    return edited.payload(request.bot.id)


@routes.add("DELETE", _WEBHOOK + "/messages/{message_id}", public=True)
async def delete_answer(request: Request) -> None:
    """Delete a message of the answer."""
    posting.remove(request.world, [_find(request)[1]])
