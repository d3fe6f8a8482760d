"""The one place through which an answer leaves: recorded before and after, so that it is one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from itertools import takewhile
from typing import Any, Literal

import discord

from ..guard.looking import Guard
from ..guard.output import Filtered, Output
from ..guard.policy import UNKNOWN_CHANNEL, Act, Allowed, Denied, Target
from ..ledger import LedgerError, Store
from ..model import Event, Owed, Send, Turn
from ..model.sends import ASIDE
from ..reasons import Reason
from ..settings import GuildSettings
from .edit_pace import EditPace
from .failures import (
    FAILURES,
    PATIENCE,
    WAITING,
    NotAllowed,
    Patience,
    SendFailed,
    explain,
    insist,
)
from .fingerprints import Fingerprints, tidy
from .hygiene import clean
from .languages import Speak, speak_as_before
from .long_texts import Part, cut_short, in_messages, may_attach, with_file
from .lookup import LookUp
from .places import Place, find_place
from .splitting import LIMIT

_NO_HISTORY = 160002  # replying takes the right to read history, writing does not
_BAD_FORM = 50035


def nonce_for(event_id: str, key: str, part: int) -> str:
    """Return the nonce of a message: the same for the same send, at most 25 characters."""
    return hashlib.sha256(f"{event_id}\n{key}\n{part}".encode()).hexdigest()[:24]


class Sender:
    """Sends on behalf of events; a call repeated with its key takes no effect twice.

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
        edits: EditPace | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        self._bot = bot
        self._store = store
        self.guard = guard
        self._most = most
        self._speak = speak
        self._output = output or Output()
        self.fingerprints = fingerprints or Fingerprints()
        self.edits = edits or EditPace()
        self.lookup = LookUp(bot, store, self.fingerprints, patience)

    @property
    def patience(self) -> Patience:
        """How long trouble with Discord is borne with."""
        return self.lookup.patience

    @patience.setter
    def patience(self, patience: Patience) -> None:
        self.lookup.patience = patience

    def filtered(self, turn: Turn, text: str) -> Filtered:
        """Return a text of an agent's as it is sent for a turn."""
        return self._output.filter(turn, clean(text).text, LIMIT)

    async def filtered_file(self, content: str) -> str:
        """Return what an agent puts into a file as it is sent."""
        return await self._output.in_file(content)

    async def send(
        self,
        turn: Turn,
        channel: Place | discord.DMChannel,
        text: str,
        *,
        by: Literal["tool", "delivery", "notice", "progress"],
        key: str,
        reply_to: int | None = None,
        ping: bool = True,
        view: discord.ui.View | None = None,
        room: int | None = None,
        interim: bool = False,
        voids: tuple[str, ...] = (),
        patience: Patience | None = None,
        beside: Part | None = None,
    ) -> Send:
        """Send a text for a turn, in parts if it is long; raise SendFailed.

        The first part replies to the message `reply_to`, if it still exists. A send that had
        stopped halfway goes on where it stopped. Without `ping` nobody is alerted. A `view` comes
        with each part, and no preview of a link. `room` is how many messages the text may become,
        where that is less than the guild allows. With a file, a poll or buttons `beside` it it is
        one message, filtered before. What a tool sends is owed, if it is WAITING or stops halfway;
        `interim` and `voids` are as the record has them, `patience` is for each part.
        """
        event = turn.speaker
        said = Filtered(text) if by in ASIDE else self.filtered(turn, text)
        sends = await self._store.sends(event.id)
        called = _calling(event, channel.id, sends, key, ping=ping)
        said = said._replace(text=called + said.text)
        known = next((one for one in sends if one.key == key), None)
        if known and known.message_ids and by == "tool" and known.owed is None:
            return known
        if beside is not None:
            parts = [beside._replace(text=said.text)]
        else:
            parts = await self._parts(event, channel, said.text, room)
        # Of a long text only the first part can be recognised in the channel.
        first = self.fingerprints.of(parts[0].said)
        length = _length(said.text, beside)
        send = Send(key, "message", by, channel.id, first, reply_to, (), interim, length)
        # Of what is over nothing that people wrote is kept.
        owed = _owed(text, beside, room, voids) if by == "tool" and not event.state.final else None
        if known and known.message_ids:
            same = known.text_hash in self.fingerprints.forms(parts[0].said)
            if not same or len(known.message_ids) == len(parts):
                return known
            send = known
        else:
            send = send._replace(owed=owed if len(parts) > 1 or (known and known.owed) else None)
            await self.begin(event, send)
        mentions = _allowed_mentions(turn, send) if ping else discord.AllowedMentions.none()
        options: dict[str, Any] = {"allowed_mentions": mentions}
        if view is not None:
            options |= {"view": view, "suppress_embeds": True}
        post = partial(self._post, turn, channel, options, patience or self.patience)
        # Of a send begun before, the next parts may have arrived without our learning of it.
        doubtful, unkept = known is not None, None
        try:
            for part in parts[len(send.message_ids) :]:
                sought = self.lookup.find(event, channel, send, part.said) if doubtful else None
                found = await sought if sought is not None else None
                doubtful = found is not None
                bare = by not in ASIDE and said.previews.hold_back(part.text)
                message_id = found or await post(send, part, bare=bare)
                send = send._replace(message_ids=(*send.message_ids, message_id))
                # After its own words Aurora writes the end of the turn, which takes the record
                # along. Lost with that, the send is in doubt, as it is for who dies before
                # Discord has answered: it is looked for. An agent thinks on after its send.
                last = len(send.message_ids) == len(parts)
                send = send._replace(owed=None) if last else send
                unkept = await self._recorded(event, send, lazily=last and by != "tool")
        except FAILURES as error:
            failure = explain(error, send)
            if owed is not None and failure.reason in WAITING and send.owed is None:
                await self._store.record_send(event, send._replace(owed=owed))
            raise failure from error
        if unkept is not None:
            raise unkept
        return send

    async def pay(self, turn: Turn, send: Send) -> None:
        """Send what a send still owes, with more patience than a tool has; raise SendFailed."""
        if send.owed is None:
            return
        self.lookup.ensure_connected()
        try:
            channel = await find_place(self._bot, turn.speaker, send.channel_id, self.patience)
        except FAILURES as error:
            raise explain(error, send) from error
        if channel is None:
            raise SendFailed(UNKNOWN_CHANNEL.code, UNKNOWN_CHANNEL.text, send)
        await self.send(
            turn,
            channel,
            send.owed.text,
            by="tool",
            key=send.key,
            reply_to=send.reply_to,
            interim=send.interim,
            room=send.owed.room,
            voids=send.owed.voids,
            patience=self.patience.for_answer,
            beside=_beside(send.owed),
        )

    async def owe(self, turn: Turn, send: Send, text: str, beside: Part | None = None) -> None:
        """Keep a text that is to be sent after another one that waits."""
        length = _length(self.filtered(turn, text).text, beside)
        send = send._replace(length=length, owed=_owed(text, beside))
        await self.begin(turn.speaker, send)

    async def waive(self, event: Event, send: Send | None) -> None:
        """Keep that a send owes nothing more, if it did."""
        if send is not None and send.owed is not None:
            await self._store.record_send(event, send._replace(owed=None))

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

    async def begin(self, event: Event, send: Send) -> None:
        """Record what is about to be done for an event; raise SendFailed if it is forgotten."""
        if not await self._store.record_send(event, send):
            raise SendFailed(
                Reason.FORGOTTEN,
                "Aurora was told to forget this message; nothing more is done for it.",
            )

    async def _parts(
        self,
        event: Event,
        channel: Place | discord.DMChannel,
        text: str,
        room: int | None,
    ) -> list[Part]:
        """Return what a text becomes: the same each time, for one that has begun to go out."""
        parts = in_messages(tidy(text))
        if not parts:
            raise SendFailed(Reason.EMPTY, "There is no text to send.")
        most = self._most(event.guild_id)
        room = most if room is None else min(room, most)
        if len(parts) <= room:
            return parts
        await self._speak(event.guild_id)
        if not may_attach(channel, event.author_id):
            return cut_short(parts, room)
        return with_file(parts, room, tidy(text), self.fingerprints.of(text)[-8:])

    async def _post(
        self,
        turn: Turn,
        channel: Place | discord.DMChannel,
        options: dict[str, Any],
        patience: Patience,
        send: Send,
        part: Part,
        *,
        bare: bool,
    ) -> int:
        index, event_id = len(send.message_ids), turn.speaker.id
        options = {**options, "nonce": nonce_for(event_id, send.key, index)}
        if bare:
            options["suppress_embeds"] = True
        if index == 0 and send.reply_to is not None:
            replied = channel.get_partial_message(send.reply_to)
            options["reference"] = replied.to_reference(fail_if_not_exists=False)

        act = Act.POLL if part.ballot else Act.ATTACH if part.name else Act.SEND

        async def post() -> int:
            allowed = await self.permit(turn, act, send)
            if not allowed.embeds:
                options["suppress_embeds"] = True
            # A file is used up by each try.
            return (await channel.send(part.text, **options, **part.beside(event_id))).id

        try:
            message_id = await insist(post, patience)
        except discord.HTTPException as error:
            if not _is_about_reference(error) or options.pop("reference", None) is None:
                raise
            message_id = await insist(post, patience)
        if index == 0 and not send.aside:
            self.guard.sent(turn, channel.id)
        return message_id

    async def permit(self, turn: Turn, act: Act, send: Send) -> Allowed:
        """Ask the guard for the next part of a send, or for a deed; raise NotAllowed."""
        if send.aside:
            return Allowed()
        target = Target(send.channel_id, send.reply_to)
        answer = await self.guard.ask(turn, act, target, begins=not send.message_ids)
        if isinstance(answer, Denied):
            raise NotAllowed(answer.code, answer.text, send)
        return answer


def _calling(event: Event, channel_id: int, sends: Sequence[Send], key: str, *, ping: bool) -> str:
    """Return what calls the asker, once, at the first text where nothing else would.

    To reply to a message of the bot's own calls nobody.
    """
    quiet = not ping or event.unasked or channel_id != event.channel_id
    if quiet or event.by_message or event.anchor_id == event.message_id:
        return ""
    before = takewhile(lambda one: one.key != key, sends)
    said = any(
        one.kind == "message" and one.channel_id == channel_id and one.message_ids
        for one in before
        if one.by != "progress"
    )
    return "" if said else f"<@{event.author_id}> "


def _length(text: str, beside: Part | None) -> int:
    return len(text) + (len(beside.content) if beside is not None else 0)


def _owed(
    text: str, beside: Part | None, room: int | None = None, voids: tuple[str, ...] = ()
) -> Owed:
    if beside is None:
        return Owed(text, room=room, voids=voids)
    name, content, ballot, options = beside[1:]
    return Owed(text, name, content.decode(), ballot, room, voids, options)


def _beside(owed: Owed) -> Part | None:
    if not owed.name and owed.ballot is None and not owed.options:
        return None
    return Part(owed.text, owed.name, owed.content.encode(), owed.ballot, owed.options)


def _is_about_reference(error: discord.HTTPException) -> bool:
    """Tell whether Discord only minds what is replied to, such as a message of the system's."""
    return error.code == _NO_HISTORY or (
        error.code == _BAD_FORM and "message_reference" in error.text
    )


def _allowed_mentions(turn: Turn, send: Send) -> discord.AllowedMentions:
    """Let a text ping nobody but the author and whom the author mentioned themselves."""
    users = {turn.speaker.author_id}
    if not send.aside:
        for event in turn.events:
            users |= {int(user["id"]) for user in event.context["mentions"]["users"]}
    return discord.AllowedMentions(
        everyone=False,
        roles=False,
        users=[discord.Object(user) for user in sorted(users)[:100]],
        # A reply to somebody else's message would ping a person who never asked.
        replied_user=any(send.reply_to == event.replies_to for event in turn.events),
    )
