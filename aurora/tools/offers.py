"""Offers: a text that may not be sent for its audience alone is shown to the asker with a button.

Pressing it is the asker's own deed: their rights are asked again, and it works once. Until then
the text stands in the ledger, so that a restart loses nothing.
"""

from __future__ import annotations

import logging
import re
import secrets
from typing import Any, Self

import discord

from ..chat.failures import FAILURES, SendFailed
from ..chat.languages import Speak, speak_as_before
from ..chat.places import Place
from ..chat.sender import Sender
from ..clock import Clock
from ..guard.looking import Guard
from ..guard.policy import UNKNOWN_CHANNEL, Act, Denied, Target
from ..guard.pressing import GuardedButton, view_of
from ..ledger import Store
from ..model import Event, Offer, Turn
from ..reasons import REASONS, AuroraError
from ..words import Phrase, clause, say
from ..words import offers as w

log = logging.getLogger("red.aurora.tools")

OFFER_SECONDS = 600.0
"""How long an offer stands."""
OFFER_CHARS = 1600
"""How long a text may be to be shown in one message, with what is said of it."""

_KEY = "notice:offer"
_LABEL_CHARS = 80  # Discord's limit
_COG = "Aurora"


class Offers:
    """Shows texts with a button, and posts what is pressed."""

    def __init__(
        self,
        store: Store,
        sender: Sender,
        guard: Guard,
        clock: Clock,
        speak: Speak = speak_as_before,
    ) -> None:
        self._store = store
        self._sender = sender
        self._guard = guard
        self._clock = clock
        self._speak = speak

    async def made(self, event: Event) -> bool:
        """Tell whether an event has had its offer: there is one at most."""
        return any(one.key == _KEY for one in await self._store.sends(event.id))

    async def make(self, turn: Turn, here: Place, there: Place, text: str, *, named: bool) -> None:
        """Show a text where it was asked for, with a button; raise SendFailed.

        `named` says that the button may name the other place.
        """
        event, expires_at = turn.speaker, self._clock.time() + OFFER_SECONDS
        offer = Offer(secrets.token_hex(8), event.id, event.author_id, there.id, text, expires_at)
        await self._store.keep_offer(offer)
        await self._speak(event.guild_id)
        shown = w.SHOWN(
            channel=f"<#{there.id}>",
            person=f"<@{event.author_id}>",
            minutes=int(OFFER_SECONDS / 60),
            text=text,
        )
        label = w.POST_IN(name=there.name) if named else w.POST_THERE
        button = PostButton(offer.id, offer.author_id, say(label)[:_LABEL_CHARS])
        try:
            await self._sender.send(
                turn,
                here,
                say(shown),
                by="notice",
                key=_KEY,
                reply_to=event.replies_to,
                ping=False,
                view=view_of(button),
            )
        except SendFailed:
            await self._store.take_offer(offer.id)
            raise

    async def press(self, interaction: discord.Interaction, offer_id: str) -> None:
        """Post what was offered, if the asker still may; show what became of it."""
        await self._speak(interaction.guild_id)
        await interaction.response.defer()
        offer = await self._store.take_offer(offer_id)
        event = await self._store.get(offer.event_id) if offer is not None else None
        if offer is None or event is None:
            await interaction.edit_original_response(content=say(w.TOO_LATE), view=None)
            return
        try:
            link = await self._post(offer, event)
        except _NotPostedError as error:
            await self._store.keep_offer(offer)
            await interaction.followup.send(say(w.NOT_POSTED(why=error.why)), ephemeral=True)
            return
        posted = w.POSTED(
            person=f"<@{offer.author_id}>", channel=f"<#{offer.channel_id}>", link=link
        )
        await interaction.edit_original_response(
            content=say(posted), view=None, allowed_mentions=discord.AllowedMentions.none()
        )

    async def _post(self, offer: Offer, event: Event) -> str:
        """Post a text; return a link to it."""
        try:
            turn, target = Turn((event,), consented=True), Target(offer.channel_id)
            answer = await self._guard.ask(turn, Act.SEND, target)
            if isinstance(answer, Denied) or answer.place is None:
                denied = answer if isinstance(answer, Denied) else UNKNOWN_CHANNEL
                raise _NotPostedError(REASONS[denied.code].admin or denied.text)
            key = f"offer:{offer.id}"
            sent = await self._sender.send(
                turn, answer.place, offer.text, by="tool", key=key, ping=False
            )
        except SendFailed as failure:
            raise _NotPostedError(str(failure)) from failure
        except FAILURES as error:
            log.warning("An offer of event %s failed: %s", event.id, type(error).__name__)
            raise _NotPostedError(type(error).__name__) from error
        return answer.place.get_partial_message(sent.message_ids[0]).jump_url


class _NotPostedError(AuroraError):
    """Something keeps a text from being posted; `why` is half a sentence."""

    def __init__(self, why: Phrase | str) -> None:
        super().__init__(str(why))
        self.why = clause(why)


class PostButton(
    GuardedButton,
    template=re.compile(r"aurora:post:(?P<offer>[0-9a-f]{16}):(?P<asker>[0-9]{1,20})"),
):
    """The button of an offer; all it needs to know stands in its id, so it outlives a restart."""

    refused = w.NOT_YOURS

    def __init__(self, offer_id: str, asker_id: int, label: str) -> None:
        custom_id = f"aurora:post:{offer_id}:{asker_id}"
        super().__init__(discord.ui.Button(label=label, custom_id=custom_id))
        self._offer_id = offer_id
        self._asker_id = asker_id

    @classmethod
    async def from_custom_id(
        cls,
        _interaction: discord.Interaction[Any],
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """Make a button again from its id."""
        label = item.label if isinstance(item, discord.ui.Button) else None
        return cls(match["offer"], int(match["asker"]), label or "-")

    async def permits(self, interaction: discord.Interaction[Any]) -> bool:
        """Let the asker press, and nobody else; their rights are asked for when it is posted."""
        return interaction.user.id == self._asker_id

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Have it posted."""
        cog = interaction.client.get_cog(_COG)
        services = getattr(cog, "services", None)
        # Another process may hold the ledger, and answers then.
        if services is None or services.standing_by or services.failure is not None:
            return
        await services.offers.press(interaction, self._offer_id)
