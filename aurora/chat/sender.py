"""The one place through which an answer leaves: recorded before and after, so that it is one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Set
from functools import partial
from typing import Any, Literal, NamedTuple

import discord

from ..guard.looking import Guard
from ..guard.output import Filtered, Output
from ..guard.policy import Act, Allowed, Denied, Target
from ..ledger import LedgerError, Store
from ..model import Event, Send, Turn
from ..reasons import Reason
from ..settings import GuildSettings
from .failures import (
    FAILURES,
    PATIENCE,
    NotAllowed,
    Patience,
    SendFailed,
    explain,
    insist,
)
from .fingerprints import Fingerprints, tidy
from .languages import Speak, speak_as_before
from .long_texts import Part, cut_short, in_file, in_messages, may_attach
from .places import Place, find_place
from .splitting import LIMIT

LOOK_BACK = 500
"""How many messages are searched for one whose fate is unknown."""
_NO_HISTORY = 160002  # replying takes the right to read history, writing does not
_TOO_MANY = "An earlier message may be there or not: too many have followed to tell."
_KEY_LOST = "An earlier message may be there or not: the key to recognise it by is lost."


def nonce_for(event_id: str, key: str, part: int) -> str:
    """Return the nonce of a message: the same for the same send, at most 25 characters."""
    return hashlib.sha256(f"{event_id}\n{key}\n{part}".encode()).hexdigest()[:24]


class Sender:
    """Sends and reacts on behalf of events; a call repeated with its key takes no effect twice.

    The guard is asked before each part of a text, and before each time that it is tried again;
    Aurora's own notices need the bot's rights alone, which Discord asks for.

    Each part of a text is recorded as soon as it is out. Parts whose fate is unknown (a crash, a
    lost answer) are looked for in the channel first; within minutes Discord itself recognises
    their nonces. What an agent says is filtered first. `most` says how many messages a text may
    become in a guild, `speak` sets the language for Aurora's own words, and `patience` is for each
    call to Discord.
    """

    def __init__(
        self,
        bot: discord.Client,
        store: Store,
        guard: Guard,
        *,
        most: Callable[[int | None], int] = lambda _guild_id: GuildSettings().budget_messages,
        speak: Speak = speak_as_before,
        output: Output | None = None,
        fingerprints: Fingerprints | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        self._bot = bot
        self._store = store
        self._guard = guard
        self._most = most
        self._speak = speak
        self._output = output or Output()
        self.fingerprints = fingerprints or Fingerprints()
        self.patience = patience

    def filtered(self, turn: Turn, text: str) -> Filtered:
        """Return a text of an agent's as it is sent for a turn."""
        return self._output.filter(turn, tidy(text), LIMIT)

    async def send(
        self,
        turn: Turn,
        channel: Place | discord.DMChannel,
        text: str,
        *,
        by: Literal["tool", "delivery", "notice"],
        key: str,
        reply_to: int | None = None,
        ping: bool = True,
        view: discord.ui.View | None = None,
        room: int | None = None,
    ) -> Send:
        """Send a text for a turn, in parts if it is long; raise SendFailed.

        The first part replies to the message `reply_to`, if it still exists. A send that had
        stopped halfway goes on where it stopped. Without `ping` nobody is alerted. A `view` comes
        with each part, and no preview of a link. `room` is how many messages the text may become,
        where that is less than the guild allows.
        """
        event = turn.speaker
        said = Filtered(text) if by == "notice" else self.filtered(turn, text)
        known = await self._known(event, key)
        parts = await self._parts(event, channel, said.text, known, room)
        # Of a long text only the first part can be recognised in the channel.
        first = self.fingerprints.of(parts[0].text)
        send = Send(key, "message", by, channel.id, first, reply_to)
        if known and known.message_ids:
            same = known.text_hash in self.fingerprints.forms(parts[0].text)
            if not same or len(known.message_ids) == len(parts):
                return known
            send = known
        else:
            await self._begin(event, send)
        mentions = _allowed_mentions(turn, send) if ping else discord.AllowedMentions.none()
        options: dict[str, Any] = {"allowed_mentions": mentions}
        if view is not None:
            options |= {"view": view, "suppress_embeds": True}
        post = partial(self._post, turn, channel, options)
        # Of a send begun before, the next parts may have arrived without our learning of it.
        doubtful, unkept = known is not None, None
        try:
            for part in parts[len(send.message_ids) :]:
                found = await self._find(event, channel, send, part.text) if doubtful else None
                doubtful = found is not None
                bare = by != "notice" and said.previews.hold_back(part.text)
                message_id = found or await post(send, part, bare=bare)
                send = send._replace(message_ids=(*send.message_ids, message_id))
                # After its own words Aurora writes the end of the turn, which takes the record
                # along. Lost with that, the send is in doubt, as it is for who dies before
                # Discord has answered: it is looked for. An agent thinks on after its send.
                last = len(send.message_ids) == len(parts)
                unkept = await self._recorded(event, send, lazily=last and by != "tool")
        except FAILURES as error:
            raise explain(error, send) from error
        if unkept is not None:
            raise unkept
        return send

    async def _recorded(self, event: Event, send: Send, *, lazily: bool) -> LedgerError | None:
        """Record what is out of a send; return what kept the ledger from it.

        The rest of a text is nowhere but here. So it is posted all the same, and the record of
        the last part says what those of the others could not.
        """
        try:
            await self._store.record_send(event, send, lazily=lazily)
        except LedgerError as error:
            return error
        return None

    async def react(
        self,
        turn: Turn,
        channel: Place | discord.DMChannel,
        message_id: int,
        emoji: discord.PartialEmoji,
        *,
        key: str,
    ) -> Send:
        """Let the agent react to a message; raise SendFailed."""
        event = turn.speaker
        known = await self._known(event, key)
        if known and known.message_ids:
            return known
        print_ = self.fingerprints.of(str(emoji))
        send = Send(key, "reaction", "tool", channel.id, print_, message_id)
        await self._begin(event, send)
        message = channel.get_partial_message(message_id)

        async def add() -> None:
            await self._permit(turn, Act.REACT, send)
            await message.add_reaction(emoji)

        try:
            await insist(add, self.patience)
        except FAILURES as error:
            raise explain(error) from error
        send = send._replace(message_ids=(message_id,))
        await self._store.record_send(event, send)
        return send

    async def sends(self, turn: Turn) -> list[Send]:
        """Return what was sent for a turn, notices left out; raise SendFailed.

        Sends that were begun and never confirmed are looked for in their channels. Where the bot
        may not look, or finds no end of messages, the send is in doubt, which is a SendFailed.
        """
        event = turn.speaker
        sends = await self._store.sends(event.id)
        return [await self.look_up(event, one) for one in sends if one.by != "notice"]

    async def look_up(self, event: Event, send: Send) -> Send:
        """Return a send with what is found of it in its channel; raise SendFailed."""
        if send.message_ids:
            return send
        found: int | None = None
        if not self._bot.is_ready():
            # An empty cache knows of no guild and no channel.
            raise SendFailed(Reason.NOT_CONNECTED, "The bot is not connected to Discord yet.")
        try:
            channel = await find_place(self._bot, event, send.channel_id, self.patience)
            if channel is not None:
                found = await self._find(event, channel, send)
        except discord.NotFound:
            return send
        except FAILURES as error:
            raise explain(error) from error
        if found is not None:
            send = send._replace(message_ids=(found,))
            await self._store.record_send(event, send)
        return send

    async def _begin(self, event: Event, send: Send) -> None:
        if not await self._store.record_send(event, send):
            raise SendFailed(
                Reason.FORGOTTEN,
                "Aurora was told to forget this message; nothing more is sent for it.",
            )

    async def _parts(
        self,
        event: Event,
        channel: Place | discord.DMChannel,
        text: str,
        known: Send | None,
        room: int | None,
    ) -> list[Part]:
        """Return what a text becomes; one that has begun to go out keeps its form."""
        parts = in_messages(tidy(text))
        if not parts:
            raise SendFailed(Reason.EMPTY, "There is no text to send.")
        most = self._most(event.guild_id)
        forms = self.fingerprints.forms(parts[0].text)
        begun = known is not None and bool(known.message_ids) and known.text_hash in forms
        room = most if room is None or begun else min(room, most)
        if len(parts) <= room:
            return parts
        await self._speak(event.guild_id)
        if begun or not may_attach(channel, event.author_id):
            return cut_short(parts, room)
        return in_file(tidy(text), self.fingerprints.of(text)[-8:])

    async def _known(self, event: Event, key: str) -> Send | None:
        return next((one for one in await self._store.sends(event.id) if one.key == key), None)

    async def _post(
        self,
        turn: Turn,
        channel: Place | discord.DMChannel,
        options: dict[str, Any],
        send: Send,
        part: Part,
        *,
        bare: bool,
    ) -> int:
        index = len(send.message_ids)
        options = {**options, "nonce": nonce_for(turn.speaker.id, send.key, index)}
        if bare:
            options["suppress_embeds"] = True
        if index == 0 and send.reply_to is not None:
            replied = channel.get_partial_message(send.reply_to)
            options["reference"] = replied.to_reference(fail_if_not_exists=False)

        async def post() -> int:
            allowed = await self._permit(turn, Act.SEND, send)
            if not allowed.embeds:
                options["suppress_embeds"] = True
            # A file is used up by each try.
            return (await channel.send(part.text, **options, **part.files())).id

        try:
            message_id = await insist(post, self.patience)
        except discord.HTTPException as error:
            if error.code != _NO_HISTORY or options.pop("reference", None) is None:
                raise
            message_id = await insist(post, self.patience)
        if index == 0 and send.by != "notice":
            self._guard.sent(turn, channel.id)
        return message_id

    async def _permit(self, turn: Turn, act: Act, send: Send) -> Allowed:
        """Ask the guard for the next part of a send; raise NotAllowed."""
        if send.by == "notice":
            return Allowed()
        target = Target(send.channel_id, send.reply_to)
        answer = await self._guard.ask(turn, act, target, begins=not send.message_ids)
        if isinstance(answer, Denied):
            raise NotAllowed(answer.code, answer.text, send)
        return answer

    async def _find(
        self,
        event: Event,
        channel: Place | discord.DMChannel,
        send: Send,
        part: str | None = None,
    ) -> int | None:
        """Return the id of the next part of a send if it is in the channel after all."""
        if send.kind == "reaction":
            return await self._find_reaction(channel, send)
        _ensure_readable(channel)
        sends = await self._store.sends(event.id)
        taken = {known for one in (*sends, send) for known in one.message_ids}
        forms = self.fingerprints.forms
        wanted = frozenset((send.text_hash,) if part is None else forms(part))
        lost = part is None and not self.fingerprints.can_compare(send.text_hash)
        sought = _Sought(
            by=send.by,
            replied=None if send.message_ids else send.reply_to,
            wanted=wanted,
            # A notice replies to the same message, and its fate may be unknown as well.
            others={one.text_hash for one in sends if not one.message_ids} - wanted,
        )

        async def search() -> int | None:
            seen, mine, after = 0, 0, discord.Object(max((event.message_id, *send.message_ids)))
            # Newest first: what is in doubt is mostly what was sent a moment ago.
            async for message in channel.history(limit=LOOK_BACK, after=after, oldest_first=False):
                seen += 1
                if message.author != self._bot.user or message.id in taken:
                    continue
                mine += 1
                if sought.is_it(message, forms(message.content)):
                    return message.id
            if seen == LOOK_BACK or (lost and mine):
                raise SendFailed(Reason.UNKNOWN_FATE, _KEY_LOST if lost else _TOO_MANY, send)
            return None

        return await insist(search, self.patience)

    async def _find_reaction(self, channel: Place | discord.DMChannel, send: Send) -> int | None:
        message_id = send.reply_to or 0
        message = await insist(lambda: channel.fetch_message(message_id), self.patience)
        mine = [str(one.emoji) for one in message.reactions if one.me]
        if mine and not self.fingerprints.can_compare(send.text_hash):
            raise SendFailed(Reason.UNKNOWN_FATE, _KEY_LOST, send)
        found = any(send.text_hash in self.fingerprints.forms(one) for one in mine)
        return message_id if found else None


class _Sought(NamedTuple):
    """What a message is recognised by."""

    by: str
    replied: int | None
    wanted: Set[str]
    others: Set[str]

    def is_it(self, message: discord.Message, forms: Collection[str]) -> bool:
        """Tell whether it is a message of the bot's, by the fingerprints that it may have."""
        if message.reference is None:
            return not self.wanted.isdisjoint(forms)
        # What Aurora sent as a reply is one; a tool of the agent's own is free.
        if message.reference.message_id == self.replied:
            return self.others.isdisjoint(forms)
        return self.by == "mcp" and not self.wanted.isdisjoint(forms)


def _ensure_readable(channel: Place | discord.DMChannel) -> None:
    """Raise SendFailed where Discord would show the bot an empty history."""
    if isinstance(channel, discord.DMChannel):
        return
    if not channel.permissions_for(channel.guild.me).read_message_history:
        raise SendFailed(
            Reason.FORBIDDEN,
            "Whether an earlier message went out is unknown: the bot may not read the history.",
        )


def _allowed_mentions(turn: Turn, send: Send) -> discord.AllowedMentions:
    """Let a text ping nobody but the author and whom the author mentioned themselves."""
    users = {turn.speaker.author_id}
    if send.by != "notice":
        for event in turn.events:
            users |= {int(user["id"]) for user in event.context["mentions"]["users"]}
    return discord.AllowedMentions(
        everyone=False,
        roles=False,
        users=[discord.Object(user) for user in sorted(users)[:100]],
        # A reply to somebody else's message would ping a person who never asked.
        replied_user=any(send.reply_to == event.message_id for event in turn.events),
    )
